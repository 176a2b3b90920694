"""Durations and sizes as people write them, held as numbers with units."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_SECONDS = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
}
_BYTES = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_NUMBER = re.compile(r"\s*[0-9]+(?:\.[0-9]+)?\s*")
_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")


def seconds_from(text: object) -> object:
    """Return seconds for ``90s``, ``1h30m``, ``250ms``; other types unchanged.

    A bare number in text is seconds: that is how one comes from the environment.

    Raises:
        ValueError: the text is no duration.
    """
    if not isinstance(text, str):
        return _number(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    total, at = 0.0, 0
    for part in _PART.finditer(text):
        unit = part[2].lower()
        if part.start() != at or unit not in _SECONDS:
            break
        total, at = total + float(part[1]) * _SECONDS[unit], part.end()
    if at != len(text) or not text.strip():
        message = f"{text!r} is no duration; write it like 2s, 250ms, 1h30m or 7d"
        raise ValueError(message)
    return total


def bytes_from(text: object) -> object:
    """Return bytes for ``1GB``, ``512KiB``, ``20 MB``; other types unchanged.

    A bare number in text is bytes.

    Raises:
        ValueError: the text is no size.
    """
    if not isinstance(text, str):
        return _number(text)
    if _NUMBER.fullmatch(text):
        return int(float(text))
    part = _PART.fullmatch(text)
    if part is None or part[2].lower() not in _BYTES:
        message = f"{text!r} is no size; write it like 512KB, 20MB or 1GiB"
        raise ValueError(message)
    return int(float(part[1]) * _BYTES[part[2].lower()])


def _number(given: object) -> object:
    """Return given unless it is true or false, which pydantic would read as 1 and 0."""
    if isinstance(given, bool):
        message = f"{str(given).lower()!r} is no number; write it like 2s or 20MB"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports only ValueError
    return given


def _written(unit: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["number", "string"], "description": unit})


Duration = Annotated[
    float,
    BeforeValidator(seconds_from),
    Field(ge=0, allow_inf_nan=False),
    _written("a duration: 2s, 250ms, 1h30m, 7d; a bare number is seconds"),
]
"""Seconds."""
Size = Annotated[
    int,
    BeforeValidator(bytes_from),
    Field(ge=0),
    _written("a size: 512KB, 20MB, 1GiB; a bare number is bytes"),
]
"""Bytes."""
Count = Annotated[int, Field(ge=1)]
"""A number of things, one at least."""
