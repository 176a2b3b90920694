"""Source, editor and authors from a page's visible lines, where no rule names them.

Few Chinese pages say them in their head; their lines do, with labels.  Rather none
than a wrong one: a name needs its label.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.extract.lines import editor_in, source_in

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
    return ()


def near(lines: Sequence[str], title: str | None) -> Sequence[str]:
    """Return the lines around the one that holds the title, the first ones without."""
    place = next((at for at, line in enumerate(lines) if title and title in line), 0)
    return lines[max(0, place - _LINES_BEFORE) : place + _LINES_AFTER]
