"""What is wrong with a configuration, where, and the one error that says it all."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SHOWN = 20
"""More problems than this are only counted."""
MASK = "***"
"""Stands where a secret was."""
_SHORTEST_SCRUBBED = 4  # "a" as a password must not blot out every a of a message

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and list positions from the top of a configuration down to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was written: a file's line and column, both from 1.

    A value that no file holds (an environment variable, an option) has line 0.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and what can be done about it."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known name, else nothing."""
    by_case = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), by_case, n=1, cutoff=0.6)
    return f"; did you mean {by_case[near[0]]!r}?" if near else ""


def as_error(
    problems: Iterable[Problem], secrets: frozenset[str] = frozenset()
) -> ConfigError:
    """Return the error that names every problem once, in the order of their places.

    At most MAX_SHOWN are named, the rest counted; no secret is in the message.
    """
    found = sorted(set(problems))
    lines = [str(problem) for problem in found[:MAX_SHOWN]]
    if len(found) > MAX_SHOWN:
        lines.append(f"… and {len(found) - MAX_SHOWN} more")
    return ConfigError(scrubbed("\n".join(lines), secrets))


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """Return text with every secret in it masked, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SCRUBBED:
            text = text.replace(secret, MASK)
    return text
