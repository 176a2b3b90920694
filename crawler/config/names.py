"""Which names the vocabulary knows at a place of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args, get_origin

from crawler.config.rule import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from crawler.config.problem import Path

_NOT_FROM_OUTSIDE = {"version", "include", "portals"}


def written_names(model: type[Model]) -> dict[str, FieldInfo]:
    """Return the fields of a model by the name they have in YAML."""
    return {
        field.alias or name: field for name, field in sorted(model.model_fields.items())
    }


def models_along(root: type[Model], loc: Path) -> Iterator[tuple[int, type[Model]]]:
    """Yield each model on the way down loc, with how many parts lead to it.

    A union leads on by all of its members.
    """
    reached: list[object] = [root]
    for depth in range(len(loc) + 1):
        found = [model for kind in reached for model in _models(kind)]
        for model in found:
            yield depth, model
        if depth < len(loc):
            reached = [child for kind in reached for child in _step(kind, loc[depth])]


def settable(root: type[Model]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all single values that the environment may set."""
    for name, field in written_names(root).items():
        if name in _NOT_FROM_OUTSIDE:
            continue
        inner = list(_models(field.annotation))
        if not inner:
            yield (name,)
        for model in inner:
            yield from ((name, key) for key in written_names(model))


def _models(kind: object) -> Iterator[type[Model]]:
    if isinstance(kind, type) and issubclass(kind, Model):
        yield kind
    elif get_origin(kind) is not None and get_origin(kind) not in (tuple, dict):
        for member in get_args(kind):
            yield from _models(member)


def _step(kind: object, part: str | int) -> Iterator[object]:
    """Yield the types that part leads to from a value of type kind."""
    if isinstance(kind, type) and issubclass(kind, Model):
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                yield field.annotation
    elif get_origin(kind) is tuple:
        yield get_args(kind)[0]
    elif get_origin(kind) is dict:
        yield get_args(kind)[1]
    elif get_origin(kind) is Annotated:
        yield from _step(get_args(kind)[0], part)
    else:
        for member in get_args(kind):
            yield from _step(member, part)
