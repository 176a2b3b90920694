"""Induce the pattern of item URLs from a listing's links.

1. URLs with as many path segments of the same kinds are of one shape: what holds a
   number or several words may differ, and the last one; a plain word may not.
2. The shape whose links say most is the items'; shapes that differ in one plain word
   only (a section's name) are one.
3. A number or key that no two URLs share is the item's own: ``external_id``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from crawler import urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_RUNS = re.compile(r"\d+|[^\d]+")
_HEX = re.compile(r"(?=[a-z]*\d)(?=\d*[a-f])[0-9a-f]{8,64}")
_VARIES = re.compile(r"\d|%|[-_].*[-_]")
_NUMBER = re.compile(r"\d+|[0-9a-f]{8,64}")
_DATED = re.compile(r"\d{1,2}|(?:19|20)\d\d|20[0-3]\d[01]\d(?:[0-3]\d)?")
_DATE_DIGITS = frozenset({2, 4, 6, 8})
_TITLE_CHARACTERS = 40
_VARIED = "*"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What item URLs have in common.

    Attributes:
        match: as an item rule has it.
        strip_params: query parameters that say nothing of the item.
        urls: those of the links that are items', as given.
    """

    match: str
    strip_params: tuple[str, ...]
    urls: tuple[str, ...]


def induce_pattern(links: Iterable[tuple[str, str]]) -> Pattern | None:
    """Return the pattern of the links that say most, None where there are none.

    links: URL and title of each.
    """
    shapes: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for url, title in links:
        shapes[_shape(url)].append((url, title))
    if not shapes:
        return None
    best = max(shapes, key=lambda shape: (_worth(shapes[shape]), -len(shape)))
    alike = [shape for shape in shapes if _differ_in_a_word(shape, best)]
    found = [url for shape in (best, *alike) for url, _ in shapes[shape]]
    strip, key = _parameters(found)
    paths = [urlsplit(url).path for url in found]
    path = _path_pattern([one.rstrip("/") for one in paths], named=key is None)
    if key is None:
        end = "/?" if any(one.endswith("/") for one in paths) else ""
        return Pattern(f"^{path}{end}$", strip, tuple(found))
    values = [dict(parse_qsl(urlsplit(url).query))[key] for url in found]
    value = r"\d+" if all(map(str.isdigit, values)) else "[^&]+"
    query = rf"\?(?:.*&)?{re.escape(key)}=(?P<external_id>{value})(?:&|$)"
    return Pattern(f"^{path}{query}", strip, tuple(found))


def fits(pattern: Pattern, url: str) -> bool:
    """Tell whether a URL is one of an item's."""
    stripped = urls.strip_params(url, pattern.strip_params)
    return re.search(pattern.match, urls.path_and_query(stripped)) is not None


def _shape(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    *around, last = parts.path.rstrip("/").split("/")[1:] or [""]
    segments = (*map(_kind, around), _varied(last))
    keys = (name for name, value in parse_qsl(parts.query) if _NUMBER.fullmatch(value))
    return (parts.netloc, *segments, "?", *sorted(keys))


def _kind(segment: str) -> str:
    """Return a plain word as it is; what varies as a sign."""
    return _VARIED if _VARIES.search(segment) else segment


def _varied(segment: str) -> str:
    """Return a last segment as a sign with its ending: it is the item's own.

    A number, with a word before it or not, is another sign than words.
    """
    stem, dot, ending = segment.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (segment, "")
    if not segment:
        return segment
    numbered = re.fullmatch(r"[a-zA-Z]{0,12}[_-]?\d+", stem) or _HEX.fullmatch(stem)
    return f"{_VARIED}{'1' if numbered else 'a'}{ending}"


def _worth(links: Sequence[tuple[str, str]]) -> int:
    titles = {url: title for url, title in links if title}
    return sum(min(len(title), _TITLE_CHARACTERS) for title in titles.values())


def _differ_in_a_word(shape: tuple[str, ...], best: tuple[str, ...]) -> bool:
    """Tell whether one plain word is all that shapes differ in; not the host."""
    if len(shape) != len(best) or shape[0] != best[0]:
        return False
    other = [
        at for at, pair in enumerate(zip(shape, best, strict=True)) if len({*pair}) > 1
    ]
    return len(other) == 1 and not shape[other[0]].startswith(_VARIED)


def _parameters(found: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """Return the parameters to strip, and the one that tells items apart.

    The path tells them apart where all paths differ; then no parameter is needed.
    """
    queries = [dict(parse_qsl(urlsplit(url).query)) for url in found]
    names = sorted({name for query in queries for name in query})
    if len({urlsplit(url).path for url in found}) == len(set(found)):
        return tuple(names), None
    telling = [
        name
        for name in names
        if len({query.get(name) for query in queries}) == len(set(found))
        and all(query.get(name) for query in queries)
    ]
    key = next(iter(telling), None)
    return (), key


def _path_pattern(paths: Sequence[str], *, named: bool) -> str:
    """Return a pattern of paths with as many segments each."""
    columns = list(zip(*(path.split("/") for path in paths), strict=True))
    runs = [_runs(column) for column in columns]
    flat = [
        (at, place) for at, column in enumerate(runs) for place in range(len(column))
    ]
    own = (
        [(at, place) for at, place in flat if _is_own(runs[at][place])] if named else []
    )
    made = []
    for at, column in enumerate(runs):
        parts = []
        for place, values in enumerate(column):
            text = _value_pattern(values)
            alone = len(paths) == len(column) == 1 and at == len(runs) - 1
            if alone and not _NUMBER.fullmatch(values[0]):
                text = "[^/]+"
            mark = own[-1:] == [(at, place)]
            parts.append(f"(?P<external_id>{text})" if mark else text)
        made.append("".join(parts))
    return "/".join(made)


def _runs(column: Sequence[str]) -> list[list[str]]:
    """Return a segment's runs of digits and others; one run where they do not align."""
    split = [_RUNS.findall(segment) for segment in column]
    if any(_HEX.fullmatch(segment) for segment in column):
        return [list(column)]
    if len({len(runs) for runs in split}) == 1:
        aligned = [list(run) for run in zip(*split, strict=True)]
        if all(len(set(run)) == 1 or all(map(str.isdigit, run)) for run in aligned):
            return aligned
    endings = {segment.rpartition(".")[2] for segment in column if "." in segment}
    if len(endings) == 1 and all("." in segment for segment in column):
        ending = f".{endings.pop()}"
        return [
            [segment.removesuffix(ending) for segment in column],
            [ending] * len(column),
        ]
    return [list(column)]


def _is_own(values: Sequence[str]) -> bool:
    """Tell whether values are numbers or keys that tell items apart, no days."""
    distinct = len(set(values)) == len(values)
    dated = all(map(_DATED.fullmatch, values))
    return distinct and not dated and all(map(_NUMBER.fullmatch, values))


def _value_pattern(values: Sequence[str]) -> str:
    if len(set(values)) == 1 and not any(map(str.isdigit, values)):
        return re.escape(values[0]).replace(r"\-", "-")
    if all(map(str.isdigit, values)):
        sizes = {len(value) for value in values}
        dated = len(sizes) == 1 and sizes <= _DATE_DIGITS and not _is_own(values)
        return rf"\d{{{sizes.pop()}}}" if dated else r"\d+"
    if all(re.fullmatch(r"[0-9a-f]+", value) for value in values):
        sizes = {len(value) for value in values}
        return f"[0-9a-f]{{{sizes.pop()}}}" if len(sizes) == 1 else "[0-9a-f]+"
    return "[^/]+"
