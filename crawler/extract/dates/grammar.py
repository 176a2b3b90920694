"""Dates as portals write them, read without a clock of our own.

1. ``at`` is the capture time: relative and incomplete forms count from it.
2. What stands with most of the date wins: a number of seconds, a whole day, a span
   ("7小时前"), a day's name (昨天, 上周五), a bare clock.
3. A form that matches but cannot be (30 February, 25:61) gives None, not a weaker
   form.  A year alone is no date.
4. Local times are the portal's.  A time that happens twice is the first of the two;
   one that the clocks skipped is moved forward by the gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawler.extract.dates.clockforms import PLAIN, Clock, clock_beside, clocks
from crawler.extract.dates.dateforms import SHORT_CHARS, find_day
from crawler.extract.dates.instants import (
    Found,
    exact,
    naive_day,
    on_day,
    settled,
    shifted,
    whole_day,
)
from crawler.extract.dates.relativeforms import (
    Span,
    find_day_word,
    find_span,
    find_weekday,
)

if TYPE_CHECKING:
    from datetime import tzinfo

    from crawler.item import Precision

FIRST_YEAR = 1990
_WINDOW_CHARS = 500
_BEFORE_CHARS = 60
_AHEAD = timedelta(days=366)
_SKEW = timedelta(days=1)  # a portal's date may be a zone ahead of ours
_CLOCK_SKEW = timedelta(minutes=10)  # a clock alone only differs by two hosts' clocks
_LEAP_YEARS = 8  # 29 February may be that far back
_START = re.compile(r"[\d刚剛昨今前周週星礼禮]|[一二三四五六七八九十两兩半几幾〇零]")
_EPOCH = re.compile(
    r"""\s*["'(]?(?:/Date\()?(?P<whole>\d{9,10}|[5-9]\d{11}|\d{13}|\d{16})(?:\.\d+)?"""
    r"""(?:[+-]\d{4})?(?:\)/)?["')]?\s*"""
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as a text gives it.

    Attributes:
        at: with the offset written in the text, else in the portal's zone; a day
            alone is its start.
        precision: how much of it the text says.
        range: the first instant it can be and the first it cannot be any more.
        raw: the part of the text that was read, as it stood there.
        relative: whether it counts from the capture time.
        yearless: whether its year is only the latest that it can be.
    """

    at: datetime
    precision: Precision
    range: tuple[datetime, datetime]
    raw: str
    relative: bool = False
    yearless: bool = False


def read_date(
    text: str | float,
    *,
    at: datetime,
    zone: tzinfo,
    format: str | None = None,  # noqa: A002 - the name it has in the configuration
) -> Moment | None:
    """Return the instant that text tells, None where it tells none.

    at: when the page was captured, aware; never the wall clock.
    zone: of times without an offset of their own.
    format: a strptime form that the whole text must have; the grammar is not tried.

    Seconds written as ``:00`` in RFC 822 and ISO 8601 forms count as minutes, because
    feeds pad.  Spans of minutes and hours floor to the minute: "7小时前" is 7 to 8
    hours before ``at``.  Instants before 1990 or a year past ``at`` are None.
    """
    text = str(text)
    hit = _START.search(text)
    begin = max(0, hit.start() - _BEFORE_CHARS) if hit else 0
    piece = text[begin : begin + _WINDOW_CHARS]
    try:
        base = at.astimezone(zone)
        found = _formatted(text, base, format) if format else _read(piece, base)
    except (ValueError, OverflowError):
        return None
    if found is None or not _is_plausible(found.at, at):
        return None
    raw = text.strip() if format else piece[found.start : found.end].strip()
    limits, relative = found.range, found.relative
    return Moment(
        found.at, found.precision, limits, raw, relative, yearless=found.yearless
    )


def _is_plausible(moment: datetime, at: datetime) -> bool:
    return moment.year >= FIRST_YEAR and moment <= at + _AHEAD


def _read(piece: str, base: datetime) -> Found | None:
    plain = piece.translate(PLAIN)
    readers = (_epoch, _absolute, _span, _day_word, _weekday, _bare_clock)
    return next((found for read in readers if (found := read(plain, base))), None)


def _epoch(text: str, base: datetime) -> Found | None:
    found = _EPOCH.fullmatch(text)
    if not found:
        return None
    whole = found["whole"]
    seconds = int(whole) // 10 ** {12: 3, 13: 3, 16: 6}.get(len(whole), 0)
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(base.tzinfo)
    return exact(moment, "second", found.span("whole"))


def _absolute(text: str, base: datetime) -> Found | None:
    month_first = _writes_month_first(base.tzinfo)
    day = find_day(text, month_first=month_first, day_first=_is_european(base.tzinfo))
    if day is None:
        return None
    clock = day.clock or clock_beside(text, day.start, day.end)
    span = day.start, day.end
    if clock:
        span = min(day.start, clock.start), max(day.end, clock.end)
    if day.year is not None:
        return on_day(naive_day(day.year, day.month, day.day), clock, base.tzinfo, span)
    return _latest(day.month, day.day, clock, base, span)


def _writes_month_first(zone: tzinfo | None) -> bool:
    """Tell whether 7/5 is 5 July there: East Asia and the United States."""
    return str(zone).startswith(("Asia/", "America/", "US/"))


def _is_european(zone: tzinfo | None) -> bool:
    """Tell whether 7/5/2025 can only be 7 May there."""
    return str(zone).startswith("Europe/")


def _latest(
    month: int, day: int, clock: Clock | None, base: datetime, span: tuple[int, int]
) -> Found:
    """Put a day without a year in the year that makes it latest, a day ahead at most.

    Raises:
        ValueError: no year of the last eight has it.
    """
    for year in range(base.year + 1, base.year - _LEAP_YEARS - 1, -1):
        try:
            start = naive_day(year, month, day)
        except ValueError:  # 29 February, or no day at all
            continue
        found = on_day(start, clock, base.tzinfo, span)
        if found.at <= base + _SKEW:
            return replace(found, yearless=True)
    raise ValueError("no such day")


def _span(text: str, base: datetime) -> Found | None:
    """Read "7小时前", "an hour ago", 刚刚."""
    span = find_span(text)
    if span is None:
        return None
    place = span.start, span.end
    if span.precision == "day":
        return _days_ago(span, base, place)
    # All of it floors to the minute: the same words a second later say the same.
    base = base.replace(second=0, microsecond=0)
    moment = shifted(base, -span.nominal).replace(second=0, microsecond=0)
    limits = min(moment, shifted(base, -span.most)), shifted(base, -span.least)
    return Found(moment, span.precision, limits, *place, relative=True)


def _days_ago(span: Span, base: datetime, place: tuple[int, int]) -> Found:
    """Go back in local days, keeping the time of day; one day is known by its name."""
    local = base.replace(tzinfo=None, second=0, microsecond=0)
    moment = settled(local - timedelta(days=span.nominal.days), base.tzinfo)
    midnight = moment.replace(tzinfo=None, hour=0, minute=0)
    if span.most - span.least <= timedelta(days=1):
        limits = whole_day(midnight, base.tzinfo, place, relative=True).range
    else:
        base = base.replace(second=0, microsecond=0)
        limits = shifted(base, -span.most), shifted(base, -span.least)
    return Found(moment, "day", limits, *place, relative=True)


def _day_word(text: str, base: datetime) -> Found | None:
    """Read 今天, 昨天 22:10, "yesterday"."""
    word = find_day_word(text)
    if word is None:
        return None
    day = _midnight(base) - timedelta(days=word.days_back)
    clock = clock_beside(text, word.start, word.end)
    return _on_relative_day(day, clock, base, (word.start, word.end))


def _weekday(text: str, base: datetime) -> Found | None:
    """Read 周二, 上周五 15:30: the latest such day that is not to come."""
    word = find_weekday(text)
    if word is None:
        return None
    today = base.weekday()
    back = (today - word.weekday) % 7
    if word.weeks_back is not None:
        back = today - word.weekday + 7 * word.weeks_back
    clock = clock_beside(text, word.start, word.end)
    span = word.start, word.end
    found = _on_relative_day(_midnight(base) - timedelta(days=back), clock, base, span)
    if found.at <= base + _CLOCK_SKEW:
        return found
    if word.weeks_back is not None:
        return None
    week = _midnight(base) - timedelta(days=back + 7)
    return _on_relative_day(week, clock, base, span)


def _on_relative_day(
    day: datetime, clock: Clock | None, base: datetime, span: tuple[int, int]
) -> Found:
    if clock:
        span = min(span[0], clock.start), max(span[1], clock.end)
    return on_day(day, clock, base.tzinfo, span, relative=True)


def _midnight(base: datetime) -> datetime:
    return base.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)


def _bare_clock(text: str, base: datetime) -> Found | None:
    """Read 08:57 in a short text without other numbers: today, else yesterday."""
    if len(text) > SHORT_CHARS:
        return None
    clock = next(clocks(text), None)
    if clock is None or clock.minute is None:
        return None
    if re.search(r"\d", text[: clock.start] + text[clock.end :]):
        return None
    return _today_or_yesterday(clock, base, (clock.start, clock.end))


def _today_or_yesterday(
    clock: Clock | None, base: datetime, span: tuple[int, int]
) -> Found:
    today = on_day(_midnight(base), clock, base.tzinfo, span, relative=True)
    if today.at <= base + _CLOCK_SKEW:
        return today
    yesterday = _midnight(base) - timedelta(days=1)
    return on_day(yesterday, clock, base.tzinfo, span, relative=True)


def _formatted(text: str, base: datetime, form: str) -> Found:
    """Read the whole text as strptime does; a missing year or day is completed.

    Raises:
        ValueError: the text has not this form.
    """
    has_year = re.search(r"%[YyGcxs+]", form) is not None
    has_day = re.search(r"%[dejxcUWVu]", form) is not None
    whole = f"{form} %Y" if not has_year else form
    given = f"{text.strip()} 2000" if not has_year else text.strip()  # a leap year
    parsed = datetime.strptime(given, whole)  # noqa: DTZ007 - the zone comes below
    clock = _form_clock(parsed, form)
    if has_year:
        return on_day(
            naive_day(parsed.year, parsed.month, parsed.day), clock, base.tzinfo, (0, 0)
        )
    if has_day:
        return _latest(parsed.month, parsed.day, clock, base, (0, 0))
    return _today_or_yesterday(clock, base, (0, 0))


def _form_clock(parsed: datetime, form: str) -> Clock | None:
    if not re.search(r"%[HIcXT]", form):
        return None
    minute = parsed.minute if re.search(r"%[McXT]", form) else None
    second = parsed.second if re.search(r"%[ScXT]", form) else None
    return Clock(parsed.hour, minute, second, 0, 0, parsed.tzinfo)
