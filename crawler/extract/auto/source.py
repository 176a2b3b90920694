"""What a listing's answer is, told by its first bytes: a feed, a sitemap, a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from crawler.extract.document.page import Page

_FEED = re.compile(r"<(?:rss|feed|(?:rdf:)?RDF)[\s>]", re.IGNORECASE)
_SITEMAP = re.compile(r"<(?:urlset|sitemapindex)[\s>]", re.IGNORECASE)
_LOOKED_AT = 1024


def source_of(page: Page) -> Literal["feed", "sitemap", "auto"]:
    """Return how a page's rows are read, by its root element."""
    start = page.text[:_LOOKED_AT]
    if _FEED.search(start):
        return "feed"
    return "sitemap" if _SITEMAP.search(start) else "auto"
