"""What comes from outside the files: environment variables and options.

``PORTALKEEP_CRAWL__DELAY=2s`` sets ``crawl.delay``: the double underscore goes one
level down.  An option's name is dotted, ``crawl.delay``.  Both apply to the top level
and, where they set a manner, to every portal, whatever its own file says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.credential import credentials, is_secret
from crawler.config.document import Document, Spot
from crawler.config.names import settable
from crawler.config.problem import Place, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from crawler.config.document import Tree
    from crawler.config.problem import Path
    from crawler.config.rule import Model

PREFIX = "PORTALKEEP_"
RESERVED = frozenset({"PORTALKEEP_CLOCK", "PORTALKEEP_CONFIG"})
"""Variables with our prefix that are no settings."""


def from_environment(
    environment: Mapping[str, str], root: type[Model], *, used: Collection[str]
) -> Document:
    """Return what the environment sets, as if it were a file; empty texts set nothing.

    ``used`` are the variables that a file asked for by ``${…}``: they may begin with
    our prefix without being settings.
    """
    document = Document("environment", {})
    names = {_variable(path): path for path in settable(root)}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in RESERVED or not environment[name]:
            continue
        if (path := names.get(name.upper())) is not None:
            value = None if environment[name] == "null" else environment[name]
            _put(document, path, value, Place(f"environment variable {name}"))
        elif name not in used:
            near = did_you_mean(name, {*names, *RESERVED})
            what = f"sets nothing{near or '; unset it'}"
            place = Place(f"environment variable {name}")
            document.problems.append(Problem(place, what))
    return document


def from_options(options: Mapping[str, object], root: type[Model]) -> Document:
    """Return what options set, as if it were a file; dotted or nested names."""
    document = Document("option", {})
    known = {".".join(path): path for path in settable(root)}
    for name, value in _flat(options):
        place = Place(f"option {name}")
        if (path := known.get(name)) is not None:
            _put(document, path, value, place)
        else:
            what = f"sets nothing{did_you_mean(name, known) or '; drop it'}"
            document.problems.append(Problem(place, what))
    return document


def _flat(options: Mapping[str, object]) -> Iterator[tuple[str, Tree]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in _flat(value))
        elif value is None or isinstance(value, bool | int | float | str):
            yield name, value
        else:
            yield name, str(value)


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


def _put(document: Document, path: Path, value: Tree, place: Place) -> None:
    """Set the value at path, one or two levels down."""
    tree = document.tree
    for depth, part in enumerate(path, 1):
        document.spots[path[:depth]] = Spot(place, place)
        if isinstance(tree, dict) and isinstance(part, str):
            tree[part] = tree.get(part, {}) if depth < len(path) else value
            tree = tree[part]
    if isinstance(value, str) and is_secret(path):
        document.secrets.update(credentials(value))
