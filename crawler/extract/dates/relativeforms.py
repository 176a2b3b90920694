"""How spans and days are named from now: 7小时前, an hour ago, 昨天, 上周五.

Text comes with full-width characters written as ASCII; see ``dateforms``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.extract.dates.dateforms import SHORT_CHARS, number

if TYPE_CHECKING:
    from crawler.item import Precision


@dataclass(frozen=True, slots=True)
class Span:
    """A distance back from now: nominal, and the least and the most it can be."""

    nominal: timedelta
    least: timedelta
    most: timedelta
    precision: Precision
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DayWord:
    """A day named from today."""

    days_back: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, 0 is Monday; weeks_back 1 for 上周, 0 for 本周, else None."""

    weekday: int
    weeks_back: int | None
    start: int
    end: int


_SECOND, _MINUTE, _HOUR, _DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
# The unit one step down counts the rest: half an hour is 30 minutes.
_SMALLER = {
    _HOUR: _MINUTE,
    _DAY: _HOUR,
    7 * _DAY: _DAY,
    30 * _DAY: _DAY,
    365 * _DAY: 30 * _DAY,
    _MINUTE: _SECOND,
}
_UNITS = {
    **dict.fromkeys(["秒", "秒钟", "秒鐘", "초", "s", "sec", "second"], _SECOND),
    **dict.fromkeys(["分", "分钟", "分鐘", "분", "m", "min", "minute"], _MINUTE),
    **dict.fromkeys(
        ["小时", "小時", "钟头", "鐘頭", "时间", "時間", "时", "時"], _HOUR
    ),
    **dict.fromkeys(["시간", "h", "hr", "hour"], _HOUR),
    **dict.fromkeys(["天", "日", "일", "d", "day"], _DAY),
    **dict.fromkeys(["周", "週", "星期", "礼拜", "禮拜", "주", "w"], 7 * _DAY),
    **dict.fromkeys(["wk", "week"], 7 * _DAY),
    **dict.fromkeys(["月", "개월", "mo", "month"], 30 * _DAY),
    **dict.fromkeys(["年", "년", "y", "yr", "year"], 365 * _DAY),
}
_HAN_UNITS = "|".join(sorted((u for u in _UNITS if not u.isascii()), key=len)[::-1])
_AGO_HAN = re.compile(
    rf"""(?:(?P<n>\d{{1,4}}|[一二三四五六七八九十百两兩]{{1,4}})
        |(?P<few>[几幾数數])|(?P<half>半))\s?
    (?P<ge>[个個ヶ箇])?(?P<and>半)?\s?
    (?P<unit>{_HAN_UNITS})(?P<and2>半)?\s?
    (?:(?P<rest>\d{{1,2}})\s?(?:分[钟鐘]?|분)\s?)?
    (?:之前|以前|前|전)""",
    re.VERBOSE,
)
_WORDS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_WORDS |= {"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_AGO_ENGLISH = re.compile(
    rf"""\b(?:(?P<n>\d{{1,4}}|{"|".join(_WORDS)})|(?P<half>half\san?)
        |(?P<few>a\sfew|several))\s?
    (?P<unit>(?:second|sec|minute|min|hour|hr|day|week|wk|month|mo|year|yr)(?=s?\b)
        |[smhdwy](?=\s))s?\s{{1,2}}ago\b""",
    re.VERBOSE | re.IGNORECASE,
)
# Other languages by the beginnings of their units; a marker before or after is needed.
_FOREIGN_UNITS = {
    "minute": "min|минут|λεπτ|dakika|phút|menit",
    "hour": "stunde|std|heure|hora|or[ae]\\b|uur|godzin|час|ώρ|saat|timm|time|jam|giờ",
    "day": "tag|jour|d[ií]a|giorn|dag|dni|dzień|дн|день|η?μέρ|gün|hari|ngày",
    "week": "woche|semaine|semana|settiman|we[ek]{2}|tydzień|tygodni|недел|hafta|vecko",
}
_AGO_FOREIGN = re.compile(
    r"(?P<before>\b(?:vor|il\sy\sa|hace|há|πριν(?:\sαπό)?|för)\s)?"
    r"\b(?P<n>\d{1,4}|ein(?:e[mnr]?)?|une?|una?|uma?)\s?(?:"
    + "|".join(f"(?P<{name}>{forms})" for name, forms in _FOREIGN_UNITS.items())
    + r")[^\W\d_]{0,8}\.?"
    r"(?P<after>\s(?:назад|temu|fa|geleden|önce|sedan|atrás|lalu|trước)\b)?",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"刚刚|刚才|剛剛|剛才|方才|방금|たった今|\bjust\snow\b|\b(?:a\smoment|moments)\sago\b",
    re.IGNORECASE,
)
_FEW, _FEW_LEAST, _FEW_MOST = 5, 2, 10  # 几 is some number between


def find_span(text: str) -> Span | None:
    """Return the span back from now that text names first."""
    if found := _AGO_HAN.search(text) or _AGO_ENGLISH.search(text):
        return _span(found)
    for found in _AGO_FOREIGN.finditer(text):
        if found["before"] or found["after"]:
            return _foreign(found)
    if found := _NOW.search(text):
        zero = timedelta()
        return Span(zero, zero, _MINUTE, "minute", *found.span())
    return None


def _foreign(found: re.Match[str]) -> Span:
    unit = next(_UNITS[name] for name in _FOREIGN_UNITS if found[name])
    nominal = (int(found["n"]) if found["n"].isdecimal() else 1) * unit
    return Span(nominal, nominal, nominal + unit, _precision(unit), *found.span())


def _span(found: re.Match[str]) -> Span | None:
    part = {name: value for name, value in found.groupdict().items() if value}
    name = part["unit"].lower()
    unit = _UNITS[name]
    if name == "月" and "ge" not in part:
        return None  # 3月前 is "before March"
    if name in {"时", "時"} and not part.get("n", "").isdecimal():
        return None  # 一时前 is no hour
    if "few" in part:
        return _few(unit, found.span())
    nominal = unit / 2 if "half" in part else _count(part["n"]) * unit
    step = unit
    if "half" in part or "and" in part or "and2" in part:
        nominal += timedelta() if "half" in part else unit / 2
        step = _SMALLER.get(unit, unit)
    if "rest" in part and unit == _HOUR:
        nominal += int(part["rest"]) * _MINUTE
        step = _MINUTE
    most = nominal + step
    return Span(nominal, nominal, most, _precision(step), *found.span())


def _few(unit: timedelta, place: tuple[int, int]) -> Span:
    """Return 几分钟: the middle of what it can be, one step less precise."""
    precision: Precision = "hour" if unit <= _MINUTE else "day"
    limits = _FEW_LEAST * unit, _FEW_MOST * unit
    return Span(_FEW * unit, *limits, precision, *place)


def _count(text: str) -> int:
    return _WORDS.get(text.lower()) or number(text)


def _precision(step: timedelta) -> Precision:
    if step <= _MINUTE:
        return "minute"
    return "hour" if step < _DAY else "day"


_DAY_WORDS = {
    **dict.fromkeys(["今天", "今日", "今晚", "今早", "今晨", "오늘"], 0),
    **dict.fromkeys(["today", "heute", "hoy", "oggi", "сегодня", "dzisiaj"], 0),
    **dict.fromkeys(["昨天", "昨日", "昨晚", "昨夜", "어제"], 1),
    **dict.fromkeys(["yesterday", "gestern", "ayer", "ieri", "вчера", "wczoraj"], 1),
    **dict.fromkeys(["hier"], 1),
    **dict.fromkeys(["前天", "前日", "그저께"], 2),
    **dict.fromkeys(["大前天"], 3),
}
_DAY_WORD = re.compile(
    rf"大前天|前天(?!气)|前日|{'|'.join(w for w in _DAY_WORDS if w[0] in '今昨오어그')}"
    rf"|\b(?:{'|'.join(w for w in _DAY_WORDS if w[0].isalpha() and w[0] < '一')})\b",
    re.IGNORECASE,
)
_PART_OF_DAY = re.compile("[今昨][晚夜早晨]")
_WEEKDAY = re.compile(
    r"(?P<week>上上|上|本|这|這|下)?(?:个|個)?(?:周|週|星期|礼拜|禮拜)"
    r"(?P<day>[一二三四五六日天])"
)
_WEEKS_BACK = {"上上": 2, "上": 1, "本": 0, "这": 0, "這": 0, "下": -1}


def find_day_word(text: str) -> DayWord | None:
    """Return the day that text, a short one, names from today.

    The word's end leaves out a part of the day (昨晚): the clock reads that.
    """
    found = _DAY_WORD.search(text) if len(text) <= SHORT_CHARS else None
    if not found:
        return None
    is_part = _PART_OF_DAY.fullmatch(found[0])
    end = found.start() if is_part else found.end()
    return DayWord(_DAY_WORDS[found[0].lower()], found.start(), end)


def find_weekday(text: str) -> Weekday | None:
    """Return the day of the week that text, a short one, names."""
    found = _WEEKDAY.search(text) if len(text) <= SHORT_CHARS else None
    if not found:
        return None
    day = "一二三四五六日".find(found["day"].replace("天", "日"))
    weeks_back = _WEEKS_BACK[found["week"]] if found["week"] else None
    return Weekday(day, weeks_back, *found.span())
