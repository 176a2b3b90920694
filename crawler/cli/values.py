"""Option values as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from crawler.errors import UsageError

_DIGITS = re.compile(r"\d{4,14}")
RUN_ID = re.compile(r"[0-9]{14}[a-z][0-9a-f]{6}")

Portals = Annotated[
    list[str] | None,
    typer.Argument(metavar="PORTAL...", help="Ids of portals; all without one."),
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="ID", help="One run; 'last': the newest.")
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First day, UTC.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Last day, UTC.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write here, not to stdout."),
]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="ISO time, or 14 digits.")
]


def day(text: str | None, option: str) -> date | None:
    """Return the day that an option says.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{option} {text!r} is no date; write it as 2025-07-15"
        raise UsageError(message) from None


def moment(text: str | None, option: str) -> datetime | None:
    """Return the time that an option says: ISO, or the digits of a timestamp.

    Without an offset it is UTC; a day is its start.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        if _DIGITS.fullmatch(text):
            at = datetime.strptime(_filled(text), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        else:
            at = datetime.fromisoformat(text)
    except ValueError:
        message = (
            f"{option} {text!r} is no time; write it as 2025-07-15, "
            "2025-07-15T14:00:00+08:00 or 20250715060000"
        )
        raise UsageError(message) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _filled(digits: str) -> str:
    """Fill a shortened timestamp up to its earliest moment."""
    return digits + "00000101000000"[len(digits) :]
