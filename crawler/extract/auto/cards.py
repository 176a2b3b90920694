"""The row around each item's link: title, date, teaser, image, as a feed's entry has.

A row is the largest element around a link that holds no other item's link.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from crawler import urls
from crawler.extract.auto.groups import item_anchors
from crawler.extract.auto.wording import is_paid, weight
from crawler.extract.dates.grammar import read_date
from crawler.extract.document.text import visible_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from lxml.html import HtmlElement

    from crawler.extract.auto.anchors import Anchor
    from crawler.extract.document.page import Page
    from crawler.model import Json

_MAX_LEVELS = 12
_MAX_LINES = 40
_DATE_CHARACTERS = 60
_TEASER = 1.2
_IMAGE_ATTRIBUTES = ("data-original", "data-src", "data-lazy-src", "src")
_ICON = 48


def read_cards(
    page: Page, *, at: datetime, zone: tzinfo, goes_on: bool = False
) -> tuple[dict[str, Json], ...]:
    """Return a listing page's items: url, title, published, summary, image.

    Rows that say they are advertisements are left out where they lead to another host
    than most: a portal's own sponsored articles are articles.

    at, zone: of the capture and the portal, to tell dates from other short lines.
    goes_on: whether a further page follows, so that there must be items.
    """
    anchors = item_anchors(page, goes_on=goes_on)
    home = _commonest(urls.host_of(anchor.url) for anchor in anchors)
    found = []
    for anchor, row in zip(anchors, rows_of(anchors), strict=True):
        lines = visible_lines(row)[:_MAX_LINES]
        if urls.host_of(anchor.url) == home or not _is_paid(lines, anchor):
            found.append(_card(anchor, row, lines, at, zone))
    return tuple(found)


def rows_of(anchors: list[Anchor]) -> list[HtmlElement]:
    """Return the row around each link, in the same order."""
    shared = _shared(anchors)
    return [_row_around(anchor, shared) for anchor in anchors]


def _commonest(hosts: Iterable[str]) -> str:
    return next((host for host, _ in Counter(hosts).most_common(1)), "")


def _shared(anchors: list[Anchor]) -> dict[HtmlElement, str | None]:
    """Return the URL below each element around a link, None where there are several."""
    below: dict[HtmlElement, str | None] = {}
    for anchor in anchors:
        for level, node in enumerate(anchor.element.iterancestors()):
            if level >= _MAX_LEVELS:
                break
            below[node] = (
                anchor.url if below.get(node, anchor.url) == anchor.url else None
            )
    return below


def _row_around(anchor: Anchor, below: dict[HtmlElement, str | None]) -> HtmlElement:
    row = anchor.element
    for node in anchor.element.iterancestors():
        if below.get(node) is None or node.tag in ("body", "html", "main"):
            break
        row = node
    return row


def _is_paid(lines: list[str], anchor: Anchor) -> bool:
    return any(is_paid(line.replace(anchor.title, "")) for line in lines)


def _card(
    anchor: Anchor, row: HtmlElement, lines: list[str], at: datetime, zone: tzinfo
) -> dict[str, Json]:
    lines = [line for line in lines if line != anchor.title]
    found: dict[str, Json] = {"url": anchor.url, "title": anchor.title}
    given = {
        "published": _date_in(row, lines, at, zone),
        "summary": _teaser_in(lines, anchor.title),
        "image": _image_in(row),
    }
    return found | {name: value for name, value in given.items() if value}


def _date_in(
    row: HtmlElement, lines: list[str], at: datetime, zone: tzinfo
) -> str | None:
    """Return the date as printed: of a ``<time>``, else of a short line."""
    stamps = [node.get("datetime") or "" for node in row.iter("time")]
    short = [line for line in lines if len(line) <= _DATE_CHARACTERS]
    for text in (*stamps, *short):
        moment = read_date(text, at=at, zone=zone) if text else None
        if moment is not None:
            return text if text in stamps else moment.raw
    return None


def _teaser_in(lines: list[str], title: str) -> str | None:
    """Return the weightiest line beside the title, None where none says enough."""
    others = [line for line in lines if title not in line]
    best = max(others, key=weight, default="")
    return best if weight(best) >= _TEASER else None


def _image_in(row: HtmlElement) -> str | None:
    for image in row.iter("img"):
        width = str(image.get("width") or "")
        if width.isdecimal() and int(width) <= _ICON:
            continue
        for name in _IMAGE_ATTRIBUTES:
            address = (image.get(name) or "").strip()
            if address and not address.startswith("data:"):
                return address
    return None
