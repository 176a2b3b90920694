"""What undoing one content-coding gives, and whether bytes look like text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_MEMBERS = 4096  # gzip members; a bomb of empty ones costs time, not bytes
_SAMPLE_BYTES = 1 << 12
_SHORT_BYTES = 64  # below this, chance alone makes binary look like text
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Mislabelled(Exception):
    """The bytes are not in the coding they are labelled with."""


@dataclass(frozen=True, slots=True)
class Step:
    """A body with one coding less; the fields are those of `Decoded`."""

    body: bytes
    cut: bool = False
    note: str | None = None


Undo: TypeAlias = "Callable[[bytes, int], Step]"


def looks_like_text(body: bytes) -> bool:
    """Tell whether body may be text in some encoding: no control bytes in its start.

    Short runs must be UTF-8 too, since few random bytes hold a control byte by chance.
    """
    sample = body[:_SAMPLE_BYTES]
    if not sample:
        return False
    if sample.startswith(_UTF16_MARKS):
        return True
    if _CONTROLS.search(sample):
        return False
    if len(sample) >= _SHORT_BYTES:
        return True
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
