"""Pages of the documentation: their fences, and whether shown output is real."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEMO = "portalkeep demo"
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROGRESS = re.compile(r"^(\w+: (\d+ visited|\d+ captures…|http)|verifying )")
_VARIES = (
    (re.compile(r"\b\d{14}c[0-9a-f]{6}\b"), "RUN"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\bsha256:[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\b[\d.]+ (kB|s)\b"), "AMOUNT"),
    (re.compile(r"\b\d{17}\b"), "TIMESTAMP"),
)


@dataclass(frozen=True)
class Fence:
    """One fenced block: what its first line says, and its text."""

    info: str
    text: str


@dataclass(frozen=True)
class Shown:
    """A command and the lines that a page shows of its output; `…` stands for more."""

    command: str
    lines: tuple[str, ...]


def fences(name: str) -> list[Fence]:
    """Return the fences of a page, by its path from the root."""
    text = (ROOT / name).read_text("utf-8")
    return [Fence(info.strip(), body) for info, body in _FENCE.findall(text)]


def shown(name: str) -> Iterator[Shown]:
    """Yield the commands of a page's consoles in order.

    What follows `portalkeep demo` in its block is its output, commands included.
    """
    for fence in fences(name):
        if fence.info != "console":
            continue
        first, *rest = fence.text.splitlines()
        if first == f"$ {DEMO}":
            yield Shown(DEMO, tuple(rest))
            continue
        for part in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield Shown(command, tuple(lines))


def steady(text: str) -> str:
    """Return text with what differs from run to run put in the same words."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text


def misfit(lines: tuple[str, ...], output: str) -> str | None:
    """Return the first shown line that the output does not have there, None for all.

    Blank lines and progress do not count.  A line `…` stands for any lines; `…` within
    a line for any letters; without one at the end, the output must end there too.
    """
    wanted = [steady(line) for line in lines if line.strip()]
    found = [
        steady(line)
        for line in output.splitlines()
        if line.strip() and not _PROGRESS.match(line)
    ]
    at, loose = 0, False
    for line in wanted:
        if line == "…":
            loose = True
            continue
        reach = range(at, len(found) if loose else min(at + 1, len(found)))
        hit = next((i for i in reach if _fits(line, found[i])), None)
        if hit is None:
            return line
        at, loose = hit + 1, False
    return None if loose or at == len(found) else f"(and no more) {found[at]}"


def _fits(line: str, actual: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    return re.fullmatch(pattern, actual) is not None
