"""How times of day are written: the patterns, the words, the zones with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

PLAIN: dict[int, int | str] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys([0x3000, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F, 0x200B], " "),
    ord("﹕"): ":",
}
"""Full-width forms and odd blanks to ASCII; every text keeps its length."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as written.

    Attributes:
        minute, second: None where not written.
        offset: the zone written with it, None where none is or it is ambiguous.
        padded: zero seconds in a machine's form (RFC 822, ISO 8601); feeds pad.
    """

    hour: int
    minute: int | None
    second: int | None
    start: int
    end: int
    offset: tzinfo | None = None
    padded: bool = False

    @property
    def since_midnight(self) -> timedelta:
        """The time as a duration; 24:00 is a whole day.

        Raises:
            ValueError: there is no such time.
        """
        minute, second = self.minute or 0, min(self.second or 0, 59)
        whole = timedelta(hours=self.hour, minutes=minute, seconds=second)
        if minute > 59 or (self.second or 0) > 60 or whole > timedelta(days=1, hours=1):  # noqa: PLR2004
            raise ValueError("no such time of day")
        return whole


_FORENOON = [
    "上午",
    "凌晨",
    "清晨",
    "早上",
    "早晨",
    "早间",
    "早間",
    "今晨",
    "今早",
    "午前",
    "오전",
]
_NOON = ["中午"]
_AFTERNOON = ["下午", "午后", "午後", "傍晚", "오후"]
_EVENING = [
    "晚上",
    "晚间",
    "晚間",
    "夜间",
    "夜間",
    "深夜",
    "昨晚",
    "今晚",
    "昨夜",
    "晚",
]
_PARTS = "|".join([*_FORENOON, *_NOON, *_AFTERNOON, *_EVENING])

_CLOCK = re.compile(
    rf"""(?:(?P<part>{_PARTS}|[ap]\.?m\.?)\s{{0,2}})?
    (?<![\d:.])(?P<hour>\d{{1,2}})
    (?:\s?:\s?(?P<minute>\d{{2}})
        (?:\s?:\s?(?P<second>\d{{2}})(?:[.,]\d{{1,9}})?)?(?![\d:])
      |\s?[时時点點시](?![间間])\s?
        (?:(?P<half>半)
          |(?P<minute2>\d{{1,2}})\s?[分분]?(?:\s?(?P<second2>\d{{1,2}})\s?秒)?)?
        (?![钟鐘]?前)
      |h(?P<minute3>\d{{2}})(?!\d)
      |\.(?P<minute4>\d{{2}})(?!\d)
        (?:(?<=kl\.\s\d\d\.\d\d)|(?<=kl\s\d\d\.\d\d)
          |(?=\s?(?:Uhr|hrs|[ap]\.?m\b|(?-i:GMT|BST|CES?T|EES?T|WES?T))))
      |(?=\s?[ap]\.?m\b))
    (?:\s?(?P<ampm>[ap])\.?m\b\.?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_GLUED = re.compile(  # 03-0823:16: two elements without a blank between them
    r"(?<=\d\d)(?P<hour>[0-2]\d):(?P<minute>[0-5]\d)(?::(?P<second>\d\d))?(?![\d:])"
)
_ZONE = re.compile(
    r"""\s?\(?(?:(?:UTC|GMT)\s?(?P<far>[+-]\d{1,2}(?::?\d{2})?)
      |(?P<near>[+-]\d{2}:?\d{2})|(?P<short>(?<!\s)\+\d{2})
      |(?P<name>[A-Z]{1,5})(?![A-Za-z]))(?![\d:])""",
    re.VERBOSE,
)
# CST, IST, BST in winter and the like name several zones: the portal's own decides.
_ZONE_HOURS = {
    **dict.fromkeys(["Z", "UTC", "GMT", "UT", "WET"], 0),
    "EST": -5,
    "EDT": -4,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "HKT": 8,
    "SGT": 8,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "BST": 1,
    "CET": 1,
    "WEST": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
}
# The local zones of American news: summer or winter time by the day they stand with.
_ZONE_PLACES = {"ET": "America/New_York", "PT": "America/Los_Angeles"}
_WEEKDAY_WORD = r"(?:周|週|星期|礼拜|禮拜)[一二三四五六日天]"
_BEIJING = r"北京时间|北京時間|香港时间|香港時間|台北時間|当地时间|當地時間"
_GAP = re.compile(
    rf"(?:[\sT,、|·@(){{}}\[\]—–-]|\b(?:at|on|um|à|в|kl|г|года|ore|alle|om)\b|{_WEEKDAY_WORD}|{_BEIJING}"
    r"|[月火水木金土日](?=\))|\.(?=\s)|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?){0,10}",
    re.IGNORECASE,
)


def clocks(text: str, start: int = 0) -> Iterator[Clock]:
    """Yield the clocks of text from start on, in order."""
    return (_clock(text, found) for found in _CLOCK.finditer(text, start))


def clock_beside(text: str, start: int, end: int) -> Clock | None:
    """Return the clock written right after text[start:end], or right before it."""
    gap = _GAP.match(text, end)
    after = gap.end() if gap else end
    if glued := _GLUED.match(text, end):
        second = int(glued["second"]) if glued["second"] else None
        minute = int(glued["minute"])
        return Clock(int(glued["hour"]), minute, second, end, glued.end())
    if found := _CLOCK.match(text, after):
        return _clock(text, found, iso="T" in text[end:after])
    for clock in clocks(text[:start], max(0, start - 48)):
        gap = _GAP.match(text, clock.end)
        if gap and gap.end() >= start:
            return clock
    return None


def _clock(text: str, found: re.Match[str], *, iso: bool = False) -> Clock:
    minute = found["minute"] or found["minute2"] or found["minute3"]
    minute = minute or found["minute4"]
    second = found["second"] or found["second2"]
    whole = 30 if found["half"] else int(minute) if minute else None
    hour = _hour(int(found["hour"]), found["part"] or "", found["ampm"] or "")
    offset, end = _offset(text, found, iso=iso)
    padded = second == "00" and (iso or offset is not None)
    seconds = int(second) if second else None
    return Clock(hour, whole, seconds, found.start(), end, offset, padded)


def _hour(hour: int, part: str, ampm: str) -> int:
    """Return the hour of 24; in the evening, 12 is the midnight that ends the day."""
    part = (ampm or part).lower()
    if hour > 12:  # noqa: PLR2004 - says all by itself, whatever else is written
        return hour
    if part in _FORENOON or part.startswith("a"):
        return hour % 12
    if part in _AFTERNOON or part.startswith("p"):
        return hour % 12 + 12
    if part in _NOON:
        return hour + 12 if hour < 4 else hour  # noqa: PLR2004
    if part in _EVENING:
        return hour + 12 if hour > 4 else hour  # noqa: PLR2004
    return hour


def _offset(text: str, clock: re.Match[str], *, iso: bool) -> tuple[tzinfo | None, int]:
    """Return the zone written after a clock, and where it ends."""
    found = _ZONE.match(text, clock.end())
    if not found:
        return None, clock.end()
    given = found["far"] or found["near"] or found["short"]
    if given and given[0] == "-" and ":" in given and not (iso or clock["second"]):
        return None, clock.end()  # 09:30-11:00 is a span
    zone = _numeric_zone(given) if given else _named_zone(found["name"])
    return zone, found.end() if zone else clock.end()


def _named_zone(name: str) -> tzinfo | None:
    if name in _ZONE_PLACES:
        return ZoneInfo(_ZONE_PLACES[name])
    hours = _ZONE_HOURS.get(name)
    return None if hours is None else timezone(timedelta(hours=hours))


def _numeric_zone(given: str) -> tzinfo | None:
    digits = given[1:].replace(":", "")
    hours, minutes = int(digits[:-2] or digits), int(digits[-2:])
    if len(digits) <= 2:  # noqa: PLR2004
        hours, minutes = int(digits), 0
    if hours > 14 or minutes > 59:  # noqa: PLR2004 - no such place
        return None
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if given[0] == "-" else size)
