"""The one wall clock that is handed to whatever needs the time of day.

``PORTALKEEP_CLOCK=<ISO time>`` makes it start there and tick; with ``;frozen`` it
stands.  Leases, TLS and request signing never use it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from crawler.errors import ConfigError

VARIABLE = "PORTALKEEP_CLOCK"


class Clock(Protocol):
    """Tells the time of day."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime, microseconds kept."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SetClock:
    """A clock that was set to begin_at; it ticks from there unless frozen.

    Attributes:
        begin_at: what the clock showed at started_s.
        started_s: ``time.monotonic()`` of that moment.
        frozen: whether it stands.
    """

    begin_at: datetime
    started_s: float
    frozen: bool

    def now(self) -> datetime:
        """Return begin_at, plus the time gone by unless frozen."""
        if self.frozen:
            return self.begin_at
        return self.begin_at + timedelta(seconds=time.monotonic() - self.started_s)


def clock_from(setting: str | None) -> Clock:
    """Make the clock that the value of ``PORTALKEEP_CLOCK`` asks for.

    Raises:
        ConfigError: the value is no ISO time with an offset.
    """
    if not setting:
        return SystemClock()
    text, _, mode = setting.partition(";")
    try:
        begin_at = datetime.fromisoformat(text)
    except ValueError as exc:
        message = f"{VARIABLE}={setting!r} is no ISO time; give '2025-07-15T14:00:00Z'"
        raise ConfigError(message) from exc
    if begin_at.tzinfo is None or mode not in ("", "frozen"):
        message = f"{VARIABLE}={setting!r} needs an offset and at most ';frozen'"
        raise ConfigError(message)
    return SetClock(begin_at.astimezone(UTC), time.monotonic(), mode == "frozen")
