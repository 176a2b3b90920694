"""How days are written: patterns, month names, numerals.

``crawler.extract.dates.grammar`` turns what is found here into instants.  Text comes
with full-width characters already written as ASCII, one for one, so places stay true.
A form that matches decides: its impossible values raise ``ValueError`` rather than
leave the text to a weaker form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crawler.extract.dates.clockforms import Clock, clock_beside

SHORT_CHARS = 60
"""Weak forms (a clock, a weekday) are dates only in texts no longer than this."""


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day as written; year None where it is not."""

    year: int | None
    month: int
    day: int
    start: int
    end: int
    clock: Clock | None = None


_DIGITS = {char: at for at, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "○": 0, "两": 2, "兩": 2}
_NUMERAL = "零〇○一二三四五六七八九十百两兩"


def number(text: str) -> int:
    """Return the value of digits or of a Chinese numeral below 1000.

    Raises:
        ValueError: it is neither.
    """
    if text.isdecimal():
        return int(text)
    total = digit = 0
    for char in text:
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        elif char in _DIGITS:
            digit = _DIGITS[char]
        else:
            raise ValueError(f"{text!r} is no number")
    return total + digit


_MONTH_NAMES = """
january januar janvier enero janeiro gennaio stycznia января ιανουαρίου januari ocak
february februar février febrero fevereiro febbraio lutego февраля φεβρουαρίου februari
march märz mars marzo março marca марта μαρτίου maart mart
april avril abril aprile kwietnia апреля απριλίου nisan
may mai mayo maio maggio maja мая μαΐου mei mayıs
june juni juin junio junho giugno czerwca июня ιουνίου haziran
july juli juillet julio julho luglio lipca июля ιουλίου temmuz
august août agosto sierpnia августа αυγούστου augustus ağustos
september septembre septiembre setembro settembre września сентября σεπτεμβρίου eylül
october oktober octobre octubre outubro ottobre października октября οκτωβρίου ekim
november novembre noviembre novembro listopada ноября νοεμβρίου kasım
december dezember décembre diciembre dezembro dicembre grudnia декабря δεκεμβρίου aralık
"""
_MONTHS = tuple(line.split() for line in _MONTH_NAMES.strip().splitlines())


def month_named(word: str) -> int | None:
    """Return the month whose name is, or alone begins with, word; 3 letters or more."""
    word = word.casefold().rstrip(".")
    matches = {
        at
        for at, names in enumerate(_MONTHS, 1)
        if any(name.startswith(word) for name in names)
    }
    if word == "sept":
        return 9
    return matches.pop() if len(matches) == 1 else None


_NAME = r"(?<![^\W\d_])(?P<mon>[^\W\d_]{3,12})\.?"
_NTH = r"(?:st|nd|rd|th|er|º|\.)?"
_ENGLISH = (
    r"(?P<mon>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
    r"|January|February|March|April|June|July|August|September|October|November"
    r"|December)\b\.?"
)
_DAY = r"(?P<d>\d{1,2})"
_YEARLESS_END = r"(?!\d)(?![,.]?\d)(?!\s?%)"

# In order of trust: what names its year first.
_DAYS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\d)(?P<y>\d{{4}})\s?[年년]\s?(?P<m>\d{{1,2}})\s?[月월]\s?{_DAY}\s?(?:[日号號일]|(?!\d))",
        (
            r"(?<![\d.])(?P<y>\d{4})(?P<s>\s?[-/.]\s?)(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})"
            r"(?:(?!\d)(?![-/.]\d)|(?<=\d\d)(?=\d\d:\d\d))"
        ),
        (
            r"(?P<yy>[零〇○一二三四五六七八九]{4})年(?P<m>[一二三四五六七八九十]{1,2})月"
            r"(?P<d>[一二三四五六七八九十]{1,3})[日号號]?"
        ),
        (
            rf"民[国國]\s?(?P<roc>\d{{1,3}}|[{_NUMERAL}]{{1,5}})\s?[年/.-]\s?"
            rf"(?P<m>\d{{1,2}}|[{_NUMERAL}]{{1,2}})\s?[月/.-]\s?"
            rf"(?P<d>\d{{1,2}}|[{_NUMERAL}]{{1,3}})\s?(?:[日号號일]|(?!\d))"
        ),
        rf"(?<!\d)(?P<roc>1\d\d)年(?P<m>\d{{1,2}})月{_DAY}(?:[日号號일]|(?!\d))",
        (
            r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)"
            r"(?:T?(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)?)?(?!\d)"
        ),
        rf"(?<![\d.]){_DAY}\.\s?(?P<m>\d{{1,2}})\.\s?(?P<y>\d{{4}})(?!\d)",
        (
            r"(?<![\d/-])(?P<a>\d{1,2})(?P<s>[-/]|\s?\|\s?)(?P<b>\d{1,2})(?P=s)"
            r"(?P<y>(?:19|20)\d\d)(?!\d)"
        ),
        rf"{_NAME}\s{{0,2}}{_DAY}{_NTH}\s?,?\s{{1,2}}(?P<y>\d{{4}})(?![\d:])",
        (
            rf"{_NAME}\s{{1,2}}{_DAY}(?=\s\d\d:\d\d:\d\d\s(?:[A-Z]{{3,4}}\s|[+-]\d{{4}}\s)?"
            r"(?P<y>\d{4})(?!\d))"
        ),
        (
            rf"(?<![\d:]){_DAY}{_NTH}[\s-]{{0,2}}(?:(?:de|of)\s)?{_NAME},?[\s-]{{0,2}}"
            r"(?:del?\s)?(?P<y>\d{4}|\d\d(?=\s\d\d?:))(?!\d)"
        ),
        rf"(?<![\d.]){_DAY}\.\s?(?P<m>\d{{1,2}})\.\s?(?P<y>\d\d)(?=[\s,|-]{{1,4}}\d\d?[:.]\d\d)",
        rf"(?<!\d)(?P<y>\d\d)年(?P<m>\d{{1,2}})月{_DAY}(?:[日号號일]|(?!\d))",
        (
            rf"(?<![\d.-])(?P<y>\d\d)-(?P<m>\d{{1,2}})-{_DAY}"
            r"(?:(?![\d-])|(?<=-\d\d)(?=\d\d:\d\d))"
        ),
        rf"(?<!\d)(?<!年)(?P<m>\d{{1,2}})\s?[月월]\s?{_DAY}\s?[日号號일]",
        r"(?<!年)(?P<m>[一二三四五六七八九十]{1,2})月(?P<d>[一二三四五六七八九十]{1,3})[日号號]",
        rf"(?<![^\W\d_]){_ENGLISH}\s{{1,2}}{_DAY}(?:st|nd|rd|th)?{_YEARLESS_END}",
        rf"(?<![\d:.,]){_DAY}(?:st|nd|rd|th)?\s{{1,2}}{_ENGLISH}",
    )
)
_MONTH_DAY = re.compile(
    rf"(?<![\d/.-])(?P<m>\d{{1,2}})(?P<s>[-/]){_DAY}"
    r"(?:(?![\d/.:-])|(?<=[-/]\d\d)(?=\d\d:\d\d))"
)


def find_day(
    text: str, *, month_first: bool | None, day_first: bool = False
) -> Day | None:
    """Return the calendar day that text names, in the form we trust most.

    month_first: how 7/5 without a year is read; None refuses it where it matters.
    day_first: whether 7/5/2025 is sure to be 7 May; else it is refused.

    Raises:
        ValueError: the day is ambiguous or impossible.
    """
    for form in _DAYS:
        for found in form.finditer(text):
            if day := _day(found, day_first=day_first):
                return day
    return _month_day(text, month_first=month_first)


def _day(found: re.Match[str], *, day_first: bool) -> Day | None:
    part = {name: value for name, value in found.groupdict().items() if value}
    month, day = part.get("m", ""), part.get("d", "")
    if "mon" in part:
        named = month_named(part["mon"])
        if named is None:
            return None
        month = str(named)
    if "a" in part:
        month, day = part["b"], part["a"]
        if not day_first:
            month, day = _told_apart(part["a"], part["b"])
    span = found.start(), found.end()
    clock = None
    if "H" in part:
        second = int(part["S"]) if "S" in part else None
        clock = Clock(int(part["H"]), int(part["M"]), second, *span)
    return Day(_year(part), number(month), number(day), *span, clock=clock)


def _year(part: dict[str, str]) -> int | None:
    if "yy" in part:
        return int("".join(str(_DIGITS[char]) for char in part["yy"]))
    if "roc" in part:
        return number(part["roc"]) + 1911
    if "y" not in part:
        return None
    year = int(part["y"])
    if len(part["y"]) > 2:  # noqa: PLR2004
        return year
    return year + (1900 if year >= 90 else 2000)  # noqa: PLR2004 - 1990 is the floor


def _told_apart(a: str, b: str) -> tuple[str, str]:
    """Return month and day of 15/07/2025 or 07/15/2025 where only one can be."""
    if a == b or int(b) > 12:  # noqa: PLR2004
        return a, b
    if int(a) > 12:  # noqa: PLR2004
        return b, a
    raise ValueError("day or month first cannot be told")


def _month_day(text: str, *, month_first: bool | None) -> Day | None:
    """Find ``07-15 08:20``; without a clock only where there is no other number."""
    for found in _MONTH_DAY.finditer(text):
        month, day = found["m"], found["d"]
        clock = clock_beside(text, found.start(), found.end())
        alone = len(text) <= SHORT_CHARS and not re.search(
            r"\d", text[: found.start()] + text[found.end() :]
        )
        whole = len(month) == len(day) == 2  # noqa: PLR2004 - 3-5 is a score or a span
        if not clock and not (alone and whole):
            continue
        if found["s"] == "/" and not month_first:
            month, day = _told_apart(month, day)
        return Day(None, int(month), int(day), found.start(), found.end())
    return None
