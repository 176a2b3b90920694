"""Source, editor and authors from a page's visible lines, where no rule names them.

Few Chinese pages say them in their head; their lines do, with labels.  Rather none
than a wrong one: a name needs its label.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.extract.article.lines import editor_in, source_in
from crawler.extract.fields.people import cut_after, is_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAME = r"[\u4e00-\u9fff·]{2,6}"
_NAMES = rf"(?P<names>{_NAME}(?:[ 　、，,]{_NAME}){{0,3}})"
_LABELLED = re.compile(
    rf"(?:^|[\s|｜])(?:作者|(?:本[报報網网])?[记記]者|撰文|[执執][笔筆]|文)\s*[:：/／]\s*{_NAMES}"
    r"(?=$|[\s|｜）)])"
)
_MORE = _NAMES.replace("names", "more")
_REPORTED = re.compile(
    rf"[(（【\[](?:[\u4e00-\u9fff]{{0,8}})[记記]者\s*[:：]?\s*{_NAMES}\s*[)）】\]]"
    rf"|(?:^|[\u4e00-\u9fff]{{2,6}})[记記]者\s+{_MORE}(?=$|[\s）)])"
)
_AFTER_TIME = re.compile(
    r"(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s*\d{1,2}:\d{2}(?::\d{2})?\s*"
    r"(?:[来來]源\s*[:：]\s*)?(?P<name>[^\W\d][^\s:：，。]{1,19}?)(?:作者[:：].*|\s.*)?"
)
_BETWEEN = re.compile(r"[ 　、，,]")
_WESTERN = re.compile(
    r"(?:^|[|·•]\s*|\d\s+|\s-\s)(?i:(?:written|posted|published|words|text|story)\s+by|by|von"
    r"|par|por|di|door|av|af|od|από|του|autor(?:in|es)?|автор|texte?(?:\s*(?:&|und)\s*fotos?)?"
    r"|yazan)(?:\s*[:：]\s*|\s+)(?P<names>[^\W\d_][^|·•\n]{1,79})"
)
_CREDIT_LINE = re.compile(
    r"(?P<name>[^\W\d](?:(?![。！？，,：:])\D){1,14}?)\s*(?=(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d)"
)
_DATED = re.compile(r"(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}")
_ORIGINAL = re.compile(r"^(?:原创|原創|转载|轉載)\s*")
_NO_SOURCE = re.compile(
    r"[记記]者|[时時][间間]|日期|[发發][布佈表]|更新|作者|[编編][辑輯]|>|[:：]"
)
_SOURCE_CHARS = 15
_TRAILING = re.compile(
    r"[。！？.!?”]\s*[（(]\s*"
    r"(?:(?:文|[图圖]|文/[图圖]|[图圖]/文|作者|[摄攝]影)[:：/／ ]?\s*)?"
    rf"{_NAMES}\s*[)）]$"
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LINES_BEFORE, _LINES_AFTER = 4, 10
_MAX_LINES = 2_000
_LINE_CHARACTERS = 90


def source_on(lines: Sequence[str], title: str | None) -> str | None:
    """Return the source that a line near the title names, else any short line.

    Beside the title a name right after the time is one, without a label.
    """
    for line in near(lines, title):
        if found := _AFTER_TIME.fullmatch(line[:_LINE_CHARACTERS]):
            return found["name"]
    for line in (*near(lines, title), *lines[:_MAX_LINES]):
        if source := source_in(line):
            return source
    return None


def editor_on(lines: Iterable[str]) -> str | None:
    """Return the editor of the first line that names one and says nothing else."""
    return next((editor for line in lines if (editor := editor_in(line))), None)


def authors_on(lines: Sequence[str], title: str | None) -> tuple[str, ...]:
    """Return the names of a byline near the title, else in the text's brackets."""
    for line in near(lines, title):
        if len(line) <= _LINE_CHARACTERS and (found := _LABELLED.search(line)):
            return tuple(_BETWEEN.split(found["names"]))
    for line in lines[:_MAX_LINES]:
        if found := _REPORTED.search(line[:_LINE_CHARACTERS]):
            return tuple(_BETWEEN.split(found["names"] or found["more"]))
    for line in lines[:_MAX_LINES]:
        if len(line) > _SOURCE_CHARS and (found := _TRAILING.search(line)):
            return tuple(_BETWEEN.split(found["names"]))
    return ()


def byline_on(lines: Sequence[str], title: str | None) -> tuple[str, ...]:
    """Return the byline of a short line near the title: By, Von, Par and the like."""
    for line in near(lines, title):
        found = _WESTERN.search(line) if len(line) <= _LINE_CHARACTERS else None
        if found and is_person(cut_after(found["names"])):
            return (found["names"],)
    return ()


def source_beside(lines: Sequence[str], title: str | None) -> str | None:
    """Return the name that stands right before the time, on its line or the one above.

    Chinese portals print whose it is there, without a label.
    """
    around = near(lines, title)
    for above, line in zip(("", *around), around, strict=False):
        found = _CREDIT_LINE.match(line[:_LINE_CHARACTERS])
        if found and not _NO_SOURCE.search(found["name"]):
            return _ORIGINAL.sub("", found["name"]).strip()
        if _DATED.match(line) and _is_short_name(above, title):
            return above
    return None


def _is_short_name(line: str, title: str | None) -> bool:
    if not line or line == title or len(line) > _SOURCE_CHARS:
        return False
    return _HAN.search(line) is not None and not _NO_SOURCE.search(line)


def near(lines: Sequence[str], title: str | None) -> Sequence[str]:
    """Return the lines around the one that holds the title, the first ones without."""
    place = next((at for at, line in enumerate(lines) if title and title in line), 0)
    return lines[max(0, place - _LINES_BEFORE) : place + _LINES_AFTER]
