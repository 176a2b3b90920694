"""Find the rows of a listing in a JSON value, and which key says what of a row.

A key is told by its name and by what stands there in most rows: an address, a headline,
a time.  The list whose rows say most is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extract.dates.grammar import read_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from crawler.model import Json

_DEPTH = 8
_LOOKED_AT = 40
_MOST = 0.6
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"(?:https?:)?//[^\s/]+/\S+|/[^\s/]\S*")
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|mp4|m3u8)(?:[?!]|$)", re.IGNORECASE)
_EPOCH = range(631_152_000, 4_102_444_800)  # 1990 to 2100
_NAMES = {
    "url": r"url|link|href|permalink|\w*url",
    "title": r"title|headline|name|subject|\w*title",
    "published": r"\w*pub\w*|time|date|timestamp|ts|created\w*|\w*time|\w*date",
    "summary": r"summary|abstract|brief|desc|description|digest|intro|excerpt",
    "source": r"source|source_?name|media|media_?name|author_?name|publisher",
    "external_id": r"id|\w*_id|\w+Id",
}
_TITLE = range(4, 200)


@dataclass(frozen=True, slots=True)
class JsonRows:
    """A list of rows.

    Attributes:
        path: JMESPath to it.
        fields: name to JMESPath within a row.
        links: URL as printed and title of each row.
        worth: characters of the titles.
    """

    path: str
    fields: Mapping[str, str]
    links: tuple[tuple[str, str], ...]

    @property
    def worth(self) -> int:
        """How much the rows say."""
        return sum(len(title) for _, title in self.links)


def find_rows(tree: Json, *, at: datetime, zone: tzinfo) -> JsonRows | None:
    """Return the list of rows with addresses that says most, None without one."""
    best: JsonRows | None = None
    for path, rows in _lists(tree, "", _DEPTH):
        found = _read(path, rows[:_LOOKED_AT], at, zone)
        if found and (best is None or found.worth > best.worth):
            best = found
    return best


def _lists(
    tree: Json, path: str, depth: int
) -> Iterator[tuple[str, list[dict[str, Json]]]]:
    """Yield every list of objects with the path to it."""
    if isinstance(tree, list):
        rows = [row for row in tree if isinstance(row, dict)]
        if rows and len(rows) == len(tree):
            yield path or "@", rows
    elif isinstance(tree, dict) and depth:
        for key, value in tree.items():
            step = key if _KEY.fullmatch(key) else f'"{key}"'
            yield from _lists(value, f"{path}.{step}" if path else step, depth - 1)


def _read(
    path: str, rows: Sequence[dict[str, Json]], at: datetime, zone: tzinfo
) -> JsonRows | None:
    def is_time(value: Json) -> bool:
        if isinstance(value, int) and not isinstance(value, bool):
            return value in _EPOCH or value // 1000 in _EPOCH
        return isinstance(value, str) and read_date(value, at=at, zone=zone) is not None

    fields = {
        "url": _key(rows, "url", _is_address, distinct=True),
        "title": _key(rows, "title", _is_title, distinct=True),
        "published": _key(rows, "published", is_time),
        "summary": _key(rows, "summary", _is_text),
        "source": _key(rows, "source", _is_name),
        "external_id": _key(rows, "external_id", _is_id, distinct=True),
    }
    known = {name: key for name, key in fields.items() if key is not None}
    if not {"url", "title"} <= known.keys():
        return None
    links = [(row.get(known["url"]), row.get(known["title"])) for row in rows]
    given = tuple((str(url), str(title)) for url, title in links if url and title)
    return JsonRows(path, {name: _step(key) for name, key in known.items()}, given)


def _key(
    rows: Sequence[dict[str, Json]],
    name: str,
    fits: Callable[[Json], bool],
    *,
    distinct: bool = False,
) -> str | None:
    """Return the key, of a telling name, that most rows have a fitting value under."""
    names = re.compile(_NAMES[name], re.IGNORECASE)
    ranked = sorted(
        (key for key in rows[0] if names.fullmatch(key)), key=_rank(_NAMES[name])
    )
    for key in ranked:
        values = [row[key] for row in rows if key in row and fits(row[key])]
        alike = distinct and len({str(value) for value in values}) < len(values)
        if len(values) >= _MOST * len(rows) and not alike:
            return key
    return None


def _rank(names: str) -> Callable[[str], int]:
    known = names.split("|")
    return lambda key: known.index(key) if key in known else len(known)


def _step(key: str) -> str:
    return key if _KEY.fullmatch(key) else f'"{key}"'


def _is_address(value: Json) -> bool:
    if not isinstance(value, str) or _PICTURE.search(value):
        return False
    return _ADDRESS.fullmatch(value) is not None


def _is_title(value: Json) -> bool:
    return isinstance(value, str) and len(value.strip()) in _TITLE


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and len(value) > _TITLE.start


def _is_name(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 40  # noqa: PLR2004


def _is_id(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(value)
