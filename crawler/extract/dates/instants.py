"""Local times settled as instants, each with the range it stands for.

Local times are the portal's.  One that happens twice is the first of the two; one that
the clocks skipped is moved forward by the gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from crawler.extract.dates.clockforms import Clock
    from crawler.item import Precision

_SIZES: dict[Precision, timedelta] = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Found:
    """An instant with its range, and where in the text it was read."""

    at: datetime
    precision: Precision
    range: tuple[datetime, datetime]
    start: int
    end: int
    relative: bool = False
    yearless: bool = False


def on_day(
    day: datetime,
    clock: Clock | None,
    zone: tzinfo | None,
    span: tuple[int, int],
    *,
    relative: bool = False,
) -> Found:
    """Return the clock's time on a naive day, or the whole day."""
    if clock is None:
        return whole_day(day, zone, span, relative=relative)
    moment = settled(day + clock.since_midnight, clock.offset or zone)
    precision: Precision = "hour"
    if clock.minute is not None:
        is_exact = clock.second is not None and not clock.padded
        precision = "second" if is_exact else "minute"
    return exact(moment, precision, span, relative=relative)


def whole_day(
    day: datetime, zone: tzinfo | None, span: tuple[int, int], *, relative: bool
) -> Found:
    """Return the whole of a naive day."""
    limits = settled(day, zone), settled(day + timedelta(days=1), zone)
    return Found(limits[0], "day", limits, *span, relative=relative)


def exact(
    moment: datetime,
    precision: Precision,
    span: tuple[int, int],
    *,
    relative: bool = False,
) -> Found:
    """Return the moment as exact as its precision."""
    limits = moment, shifted(moment, _SIZES[precision])
    return Found(moment, precision, limits, *span, relative=relative)


def settled(naive: datetime, zone: tzinfo | None) -> datetime:
    """Return naive as local time; fold 0, and by way of UTC: gaps move forward."""
    return naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return moment moved by real time, in its own zone."""
    return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


def naive_day(year: int, month: int, day: int) -> datetime:
    """Return a day without a zone.

    Raises:
        ValueError: there is no such day.
    """
    return datetime(year, month, day)  # noqa: DTZ001 - its zone is settled later
