"""The rendered visits of a URL, and what was stored of them besides the exchanges."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.archive.captures import CAPTURE_URI
from crawler.archive.pageinfo import DOM, FULL_PAGE, PAGE_INFO, SCREENSHOT, PageInfo
from crawler.errors import ArchiveDamaged, UsageError
from crawler.jobs.looking.show import Stored, captures_of, member, stored_lines
from crawler.warc.reader import read_member

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from crawler.archive.collection import Collection
    from crawler.archive.pageinfo import Made


@dataclass(frozen=True, slots=True)
class Shown:
    """One visit of a page that a browser showed.

    Attributes:
        stored: the capture it was asked for by.
        page_id: of the visit.
        parts: all indexed records of the visit, in the order they were written.
    """

    stored: Stored
    page_id: str
    parts: tuple[Stored, ...]

    def of(self, made: Made) -> list[Stored]:
        """Return what of this kind was made of the page, in order."""
        return [x for x in self.parts if x.line.url.startswith(made.prefix)]


def shown_page(
    collection: Collection, portals: Iterable[str], url: str, at: datetime | None
) -> Shown:
    """Return the rendered visit of a URL that is nearest to a time, else the newest.

    The URL may be any that the visit went through.

    Raises:
        UsageError: there is none; the message says what to do.
    """
    names = tuple(portals)
    captures = captures_of(collection, names, url)
    pages = _rendered_pages(collection, names, {one.line.page for one in captures})
    ordered = sorted(captures, key=lambda one: one.line.date, reverse=True)
    if at is not None:
        ordered.sort(key=lambda one: abs(one.line.date - at))
    for one in ordered:
        parts = pages.get(one.line.page)
        if parts and one.line.page and _is_hop(collection, one, parts):
            return Shown(one, one.line.page, tuple(parts))
    message = (
        f"no browser showed {url!r} in any of its {len(captures)} captures; set "
        "`render: always` in the rule of such pages, then crawl again"
    )
    raise UsageError(message)


def _rendered_pages(
    collection: Collection, names: tuple[str, ...], wanted: set[str | None]
) -> dict[str | None, list[Stored]]:
    """Return the records of those of the wanted visits that have a document."""
    pages: dict[str | None, list[Stored]] = {}
    for one in stored_lines(collection, names):
        if one.line.page is not None and one.line.page in wanted:
            pages.setdefault(one.line.page, []).append(one)
    for parts in pages.values():
        parts.sort(key=lambda one: (one.line.filename, one.line.offset))
    return {
        page: parts
        for page, parts in pages.items()
        if any(one.line.url.startswith(DOM.prefix) for one in parts)
    }


def _is_hop(collection: Collection, one: Stored, parts: list[Stored]) -> bool:
    """Tell whether a capture is the visited page, not something that it asked for."""
    for part in parts:
        if part.line.url.startswith(CAPTURE_URI):
            hops = _json(collection, part).get("hops")
            return isinstance(hops, list) and one.line.record in hops
    return False


def _json(collection: Collection, stored: Stored) -> dict[str, object]:
    try:
        body: dict[str, object] = json.loads(_block(collection, stored))
    except ValueError as exc:
        message = f"record {stored.line.record!r} is no JSON; run `verify`"
        raise ArchiveDamaged(message) from exc
    return body


def _block(collection: Collection, stored: Stored) -> bytes:
    return read_member(member(collection, stored)).block.read()


def document(collection: Collection, shown: Shown) -> bytes:
    """Return what the page showed last, as HTML."""
    return _block(collection, shown.of(DOM)[-1])


def picture(collection: Collection, shown: Shown) -> bytes:
    """Return a PNG of the page: of the window, else of all of it.

    Raises:
        UsageError: none is stored; the message says why and what to do.
    """
    for made in (SCREENSHOT, FULL_PAGE):
        if found := shown.of(made):
            return _block(collection, found[-1])
    info = page_info(collection, shown)
    failed = info.missing.get("screenshot") if info else None
    url = shown.stored.line.url
    if failed:
        raise UsageError(f"no screenshot of {url!r} could be made: {failed}")
    message = (
        f"no screenshot of {url!r} is stored; set `keep: screenshot` in the rule of "
        "such pages, then crawl again"
    )
    raise UsageError(message)


def page_info(collection: Collection, shown: Shown) -> PageInfo | None:
    """Return the page information; None where an older version stored none.

    Raises:
        ArchiveDamaged: it cannot be read.
    """
    found = shown.of(PAGE_INFO)
    if not found:
        return None
    try:
        return PageInfo.model_validate(_json(collection, found[-1]))
    except ValueError as exc:
        message = f"record {found[-1].line.record!r} is no page information: {exc}"
        raise ArchiveDamaged(message) from exc
