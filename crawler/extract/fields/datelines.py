"""Times among a page's visible lines: near the title first, then anywhere.

A line is trusted as far as it is made of a time: a byline's part between bars, a label
and a time, a whole day with its clock.  Sentences are body text: their days are what
is told of, not when it was told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.extract.dates.grammar import read_date
from crawler.extract.fields.bylines import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from crawler.extract.dates.grammar import Moment

_LABELLED = re.compile(
    r"(?:发[布佈表]|發[布佈表]|更新|刊登|上[传傳]|[时時][间間]|日期|published|posted|date"
    r"|veröffentlicht|erstellt|stand|publié|publicado|pubblicato|опубликован|дата"
    r"|opublikowan|dodan|δημοσ|ημερομ|yayın|gepubliceerd|publicer)",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"^\W*(?:last\s+)?(?:updated|modified|aktualisiert|mis\s+à\s+jour|actualizado"
    r"|aggiornato|обновлено|最后更新|最後更新|更新[时時][间間])",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|1\d\d年)(?!\d\d)|民[国國]|[〇零]")
_NO_TIME = re.compile(r"©|\(c\)|copyright|版[权權]|备\d|icp|all rights", re.IGNORECASE)
_CLOCKED = re.compile(r"\d{1,2}:\d{2}|\d{1,2}[时時点點h]\d{0,2}|\d\s?[AaPp]\.?[Mm]\b")
_SENTENCE = re.compile(r"[。！？!?]$|(?<=[^\W\d_]{3})[.。]\s+\w+\s+\w+\s+\w+")
_BARS = re.compile(r"\s*[|｜丨•·]\s*|\s{2,}|\s[-–—]\s")
_MAX_LINES, _LINE_CHARACTERS = 1_500, 120
_MAX_FAR = 60
_BESIDE_CHARACTERS = 16  # a source's name and its label
_NEAR_CHARACTERS = 48  # a byline with names
_SKEW_DAYS = 1


def times_in(
    lines: Sequence[str], title: str | None, *, at: datetime, zone: tzinfo
) -> Iterator[Moment]:
    """Yield times of lines, the most trusted first.

    Around the title any short line's, then lines anywhere with a whole day and a
    clock, then lines that are a whole day and little else.
    """
    reader = _Reader(title, at, zone)
    around = list(dict.fromkeys(near(lines, title)))
    changed = [line for line in around if _CHANGED.match(line)]
    for line in (*(line for line in around if line not in changed), *changed):
        if moment := reader.near(line):
            yield moment
    far = [line for line in lines[:_MAX_LINES] if _is_dated(line)][:_MAX_FAR]
    for line in far:
        if _CLOCKED.search(line) and (moment := reader.far(line)):
            yield moment
            break
    for line in far:
        if moment := reader.far(line):
            yield moment
            break


class _Reader:
    """Reads one page's lines."""

    def __init__(self, title: str | None, at: datetime, zone: tzinfo) -> None:
        self._title = title
        self._at = at
        self._zone = zone

    def near(self, line: str) -> Moment | None:
        """Return the time of a line around the title."""
        if not self._may_be_read(line) or not any(map(str.isdigit, line)):
            return self._relative(line)
        for part in dict.fromkeys((line, *_BARS.split(line))):
            moment = self._read(part)
            beside = len(part) - len(moment.raw) if moment else 0
            whole = bool(_YEAR.search(part)) and beside <= _NEAR_CHARACTERS
            if moment and (
                whole or beside <= _BESIDE_CHARACTERS or _LABELLED.search(part)
            ):
                return moment
        return None

    def far(self, line: str) -> Moment | None:
        """Return the time of a line anywhere, which must be little else."""
        if not self._may_be_read(line):
            return None
        moment = self._read(line)
        if moment is None or moment.relative or moment.yearless:
            return None
        beside = len(line) - len(moment.raw)
        is_exact = moment.precision != "day" and beside <= _NEAR_CHARACTERS
        if is_exact or beside <= _BESIDE_CHARACTERS or _LABELLED.search(line):
            return moment
        return None

    def _relative(self, line: str) -> Moment | None:
        """Read 昨天, 刚刚: short words that stand alone."""
        if not self._may_be_read(line) or len(line) > _BESIDE_CHARACTERS:
            return None
        return self._read(line)

    def _may_be_read(self, line: str) -> bool:
        if len(line) > _LINE_CHARACTERS or _SENTENCE.search(line):
            return False
        return not (self._title and self._title in line) and not _NO_TIME.search(line)

    def _read(self, text: str) -> Moment | None:
        moment = read_date(text, at=self._at, zone=self._zone)
        if moment is None or (moment.at - self._at).days >= _SKEW_DAYS:
            return None
        return moment


def _is_dated(line: str) -> bool:
    return len(line) <= _LINE_CHARACTERS and _YEAR.search(line) is not None
