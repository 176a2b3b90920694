"""Find a lead without a selector: a first paragraph that the rest says again."""

from __future__ import annotations

import re

MIN_SHARE = 0.31
"""On all leads of the fixture portals the share is at least this, elsewhere <= 0.02."""

_GRAM = 4
_MIN_CHARACTERS = 20
_MAX_CHARACTERS = 100_000
_WORD = re.compile(r"\w+")
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af]")


def is_lead(first: str, rest: str) -> bool:
    """Tell whether enough of the first paragraph's 4-grams recur in the rest."""
    if len(first) < _MIN_CHARACTERS:
        return False
    wanted = _grams(first)
    said = set(wanted).intersection(_grams(rest[:_MAX_CHARACTERS]))
    recurring = sum(gram in said for gram in wanted)
    return bool(wanted) and recurring / len(wanted) >= MIN_SHARE


def _grams(text: str) -> list[tuple[str, ...]]:
    """Return runs of four characters, of four words where words are spaced."""
    text = text[:_MAX_CHARACTERS]
    if len(_WIDE.findall(text)) * 4 >= len(text):
        units = [character for character in text if not character.isspace()]
    else:
        units = _words(text)
    return list(zip(*(units[start:] for start in range(_GRAM)), strict=False))


def _words(text: str) -> list[str]:
    """Return the words of text in lower case."""
    if text.isascii():  # elsewhere a letter may become two, or look at its neighbours
        return _WORD.findall(text.lower())
    return [word.lower() for word in _WORD.findall(text)]
