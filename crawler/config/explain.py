"""Say in our words, and at its place, what a model found wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.config.names import models_along, written_names
from crawler.config.problem import Path, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from crawler.config.places import Places
    from crawler.config.rule import Model

_LONGEST_QUOTED = 60


def problems_of(
    error: ValidationError, root: type[Model], places: Places
) -> Iterator[Problem]:
    """Yield a problem for every error that validating root brought up."""
    for detail in error.errors(include_url=False, include_context=True):
        loc = detail["loc"]
        if detail["type"] == "extra_forbidden":
            yield Problem(places.locate_key(loc), _unknown(loc, root, places))
        else:
            yield Problem(places.locate(loc), _what(detail))


def _unknown(loc: Path, root: type[Model], places: Places) -> str:
    """Name the nearest key of all that could stand there, shorthands included."""
    depth = len(loc) - 1
    around = places.written(loc[:-1])[1]
    known: set[str] = set()
    for at, model in models_along(root, loc[:-1]):
        if around <= at <= depth:
            known.update(written_names(model))
    near = did_you_mean(str(loc[-1]), known)
    hint = near or f"; known here: {', '.join(sorted(known))}"
    return f"unknown key {str(loc[-1])!r}{hint}"


def _what(detail: ErrorDetails) -> str:
    say = _SENTENCES.get(detail["type"])
    name = _name(detail["loc"])
    said = say(detail) if say else detail["msg"]
    return f"{name}: {said}" if name else said


def _name(loc: Path) -> str:
    """Return the last key of loc that people write."""
    keys = [part for part in loc if isinstance(part, str) and part != "[key]"]
    return f"{keys[-1]!r}" if keys else ""


def _own(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _wants(kind: str) -> Callable[[ErrorDetails], str]:
    return lambda detail: f"wants {kind}, not {_quoted(detail['input'])}"


def _text(detail: ErrorDetails) -> str:
    given = detail["input"]
    if isinstance(given, bool | int | float):
        written = str(given).lower() if isinstance(given, bool) else str(given)
        return f"{written} is no text here; put it in quotes: '{written}'"
    return _wants("a text")(detail)


def _choice(detail: ErrorDetails) -> str:
    expected = str(_context(detail)["expected"]).replace(" or ", ", ")
    choices = [one.strip("'") for one in expected.split(", ")]
    near = did_you_mean(str(detail["input"]), choices)
    return f"{_quoted(detail['input'])} is none of {', '.join(choices)}{near}"


def _bound(words: str, key: str) -> Callable[[ErrorDetails], str]:
    return lambda detail: (
        f"must be {words} {_context(detail)[key]}, not {_quoted(detail['input'])}"
    )


def _pattern(detail: ErrorDetails) -> str:
    return (
        f"{_quoted(detail['input'])} is no id; "
        "use lower-case letters, digits, '-' and '_', 63 at most"
    )


def _context(detail: ErrorDetails) -> dict[str, Any]:  # Any: the library's own type
    return detail.get("ctx") or {}


def _quoted(given: object) -> str:
    """Return what was given as YAML people know it: kinds by name, texts cut."""
    if given is None:
        return "nothing"
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list | tuple):
        return "a list"
    if isinstance(given, bool):
        return str(given).lower()
    text = repr(given)
    return text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…"


_NUMBER = _wants("a whole number")
_SENTENCES: dict[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda _: "is missing; add it",
    "value_error": _own,
    "literal_error": _choice,
    "string_type": _text,
    "string_pattern_mismatch": _pattern,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_from_float": _NUMBER,
    "float_type": _wants("a number"),
    "float_parsing": _wants("a number"),
    "finite_number": _wants("a number with an end"),
    "bool_type": _wants("true or false"),
    "bool_parsing": _wants("true or false"),
    "tuple_type": _wants("a list"),
    "dict_type": _wants("a mapping"),
    "model_type": _wants("a mapping"),
    "model_attributes_type": _wants("a mapping"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than_equal": _bound("at most", "le"),
}
