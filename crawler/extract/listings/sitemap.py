"""Sitemaps as rows, and the further sitemaps that an index names.

Source: sitemaps.org protocol 0.9; Google's news sitemaps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from crawler.coding import decode_content
from crawler.errors import NotDecodable, NotExtracted
from crawler.extract.document.text import collapse
from crawler.extract.document.xml import elements_named, local_name, parse_xml
from crawler.extract.listings.feed import read_entries
from crawler.model import Reason

if TYPE_CHECKING:
    from crawler.model import Json

_GZIP_MAGIC = b"\x1f\x8b"
_LINE_OF_TEXT = re.compile(r"https?://\S+", re.IGNORECASE)
_FIELDS = {
    "loc": "url",
    "lastmod": "updated",
    "publication_date": "published",
    "title": "title",
    "name": "source",
}


_CHANCE = 2  # so few pages may have been changed at one time


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap says.

    Attributes:
        rows: pages, each a mapping with ``url`` and where given ``updated``,
            ``published``, ``title``, ``source``, ``tags``.
        children: the addresses of further sitemaps, as printed.
    """

    rows: tuple[Json, ...]
    children: tuple[str, ...] = ()


def gunzipped(body: bytes, limit: int) -> bytes:
    """Return body, or what it holds where it is a gzip file (``sitemap.xml.gz``).

    Raises:
        NotExtracted: what it holds is more than limit bytes (too_large), ends early
            (truncated) or is damaged (not_decodable).
    """
    if not body.startswith(_GZIP_MAGIC):
        return body
    try:
        decoded = decode_content(body, b"gzip", limit)
    except NotDecodable as exc:
        raise NotExtracted(Reason.NOT_DECODABLE, str(exc)[:200]) from exc
    if decoded.cut:
        large = len(decoded.body) >= limit
        reason = Reason.TOO_LARGE if large else Reason.TRUNCATED
        raise NotExtracted(reason, f"{len(decoded.body)} bytes of a gzip file read")
    return decoded.body


def read_sitemap(text: str) -> Sitemap:
    """Return what a sitemap, sitemap index, feed or list of URLs says, in its order.

    Raises:
        NotExtracted: bad_listing: it is none of these, or declares entities.
    """
    if not text.lstrip("\ufeff \r\n\t").startswith("<"):
        return _read_lines(text)
    root = parse_xml(text)
    name = local_name(root)
    if name == "sitemapindex":
        places = (_child_text(x, "loc") for x in elements_named(root, "sitemap"))
        return Sitemap((), tuple(filter(None, places)))
    if name == "urlset":
        return Sitemap(_told([_row_of(x) for x in elements_named(root, "url")]))
    if name in ("rss", "rdf", "feed"):
        return Sitemap(tuple(read_entries(root)))
    raise NotExtracted(Reason.BAD_LISTING, f"no sitemap: its root is {name[:60]!r}")


def _read_lines(text: str) -> Sitemap:
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    rows: list[Json] = [
        {"url": line} for line in lines if _LINE_OF_TEXT.fullmatch(line)
    ]
    if not rows:
        raise NotExtracted(Reason.BAD_LISTING, f"no sitemap: {text[:80]!r}")
    return Sitemap(tuple(rows))


def _told(rows: list[dict[str, Json]]) -> tuple[Json, ...]:
    """Return rows without ``updated`` where it is that of the sitemap itself.

    Many sitemaps say of every page the time when they were made.
    """
    times = {row.get("updated") for row in rows}
    if len(rows) > _CHANCE and len(times) == 1:
        return tuple({k: v for k, v in row.items() if k != "updated"} for row in rows)
    return tuple(rows)


def _row_of(url: etree._Element) -> dict[str, Json]:
    row: dict[str, Json] = {}
    for element in (*url, *(part for news in _news_of(url) for part in news.iter())):
        name = local_name(element) if isinstance(element.tag, str) else ""
        text = collapse(element.text or "")
        if name in _FIELDS and text:
            row.setdefault(_FIELDS[name], text)
        elif name == "keywords":
            tags = (tag.strip() for tag in re.split("[,，、]", text))
            row.setdefault("tags", [tag for tag in tags if tag])
    return row


def _news_of(url: etree._Element) -> list[etree._Element]:
    return [
        child
        for child in url.iterchildren(etree.Element)
        if local_name(child) == "news"
    ]


def _child_text(element: etree._Element, name: str) -> str:
    for child in element.iterchildren(etree.Element):
        if local_name(child) == name:
            return collapse(child.text or "")
    return ""
