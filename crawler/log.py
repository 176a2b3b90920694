"""Structured events on stderr: one JSON object or one readable line an event.

Use ``log = get_log(__name__)`` and ``log.info("page_captured", status=200)``.
Events are snake case, past tense; never bodies, cookies or tokens.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, cast

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTEST = 4  # a shorter text would blot out half of every line


def configure(*, verbose: bool = False, json_lines: bool = False) -> None:
    """Send events to stderr: ``info`` and up, with verbose ``debug`` and up."""
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )


def _to_stderr(*_names: object) -> structlog.PrintLogger:
    """Return a logger to what stderr is now; it may have changed since `configure`."""
    return structlog.PrintLogger(sys.stderr)


def hide(secrets: Iterable[str]) -> None:
    """Mask these texts too in every event from now on, wherever they stand in it."""
    processors = list(structlog.get_config()["processors"])
    known: frozenset[str] = frozenset()
    if isinstance(processors[-1], _Mask):
        known = processors.pop().texts
    texts = known | {text for text in secrets if len(text) >= _SHORTEST}
    structlog.configure(processors=[*processors, _Mask(texts)])


def shown(text: str) -> str:
    """Return text as it may be shown: with what is hidden masked."""
    last = structlog.get_config()["processors"][-1]
    return last.masked(text) if isinstance(last, _Mask) else text


class _Mask:
    """Masks texts in what the renderer wrote."""

    def __init__(self, texts: frozenset[str]) -> None:
        self.texts = texts
        self._longest_first = sorted(texts, key=len, reverse=True)

    def __call__(self, _logger: object, _name: str, line: object) -> str:
        return self.masked(str(line))

    def masked(self, line: str) -> str:
        for text in self._longest_first:
            line = line.replace(text, "***")
        return line


def get_log(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module, with its name bound as ``room``."""
    room = name.removeprefix("crawler.")
    return cast(
        "structlog.typing.FilteringBoundLogger", structlog.get_logger(room=room)
    )
