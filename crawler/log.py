"""Structured events on stderr: one JSON object or one readable line an event.

Use ``log = get_log(__name__)`` and ``log.info("page_captured", status=200)``.
Events are snake case, past tense; never bodies, cookies or tokens.
"""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_log(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module, with its name bound as ``room``."""
    room = name.removeprefix("crawler.")
    return cast(
        "structlog.typing.FilteringBoundLogger", structlog.get_logger(room=room)
    )
