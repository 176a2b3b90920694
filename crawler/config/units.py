"""Durations and sizes as people write them, held as numbers with units."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
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
_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")


def seconds_from(text: object) -> object:
    """Return seconds for ``90s``, ``1h30m``, ``250ms``; other types unchanged.

    Raises:
        ValueError: the text is no duration.
    """
    if not isinstance(text, str):
        return text
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

    Raises:
        ValueError: the text is no size.
    """
    if not isinstance(text, str):
        return text
    part = _PART.fullmatch(text)
    if part is None or part[2].lower() not in _BYTES:
        message = f"{text!r} is no size; write it like 512KB, 20MB or 1GiB"
        raise ValueError(message)
    return int(float(part[1]) * _BYTES[part[2].lower()])


Duration = Annotated[float, BeforeValidator(seconds_from), Field(ge=0)]
"""Seconds."""
Size = Annotated[int, BeforeValidator(bytes_from), Field(ge=0)]
"""Bytes."""
Count = Annotated[int, Field(ge=1)]
"""A number of things, one at least."""
