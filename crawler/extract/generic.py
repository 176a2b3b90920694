"""Rules for pages of no portal: what `extract_item` and `extract_listing` fall back on.

Links count by their own text: eight Chinese characters or five words.  That simple
rule finds more of real listings' links, and fewer others, than six libraries tried.
"""

from __future__ import annotations

import re

from crawler.config.portal import ItemRule, Portal

ITEM_RULE = ItemRule(match="", required=())
"""Reads any page: everything generic, nothing required."""

LISTING_ID = "page"

_FEED = re.compile(rb"<(?:rss|feed|(?:rdf:)?RDF)[\s>]", re.IGNORECASE)
_SITEMAP = re.compile(rb"<(?:urlset|sitemapindex)[\s>]", re.IGNORECASE)
_LOOKED_AT = 1024

_ROWS = (
    "xpath://a[@href][not(ancestor::nav or ancestor::footer or ancestor::aside"
    " or ancestor::form)]"
)
_SHORT = (
    "xpath:not(re:test(normalize-space(.),"
    r" '(?:[\u3040-\u9fff\uac00-\ud7af][^\u3040-\u9fff\uac00-\ud7af]*){8}"
    r"|(?:^|\s)(?:\S+\s+){4}\S'))"
)
_NEXT_TEXT = (
    "xpath://a[re:test(normalize-space(.), '^(?:[下后後]一?[页頁]"
    r"|next(?: page)?|older(?: posts)?)\s*[>›»→]*$', 'i')]/@href"
)
_NEXT = (
    "link[rel=next]::attr(href)",
    "a[rel=next]::attr(href)",
    _NEXT_TEXT,
    "a.next::attr(href)",
    ".next a::attr(href)",
)


def generic_portal(url: str, body: bytes = b"") -> Portal:
    """Return a portal whose one listing begins at url.

    A feed or a sitemap is told by the body's root element; anything else is rows.
    """
    start = body[:_LOOKED_AT]
    listing: dict[str, object] = {"id": LISTING_ID, "url": url}
    if _FEED.search(start):
        listing["from"] = "feed"
    elif _SITEMAP.search(start):
        listing["from"] = "sitemap"
    else:
        listing |= {
            "from": "rows",
            "rows": _ROWS,
            "skip": [{"when": _SHORT, "reason": "short_link"}],
            "next": {"url": list(_NEXT)},
        }
    return Portal.model_validate(
        {"id": "generic", "listings": [listing], "items": [ITEM_RULE]}
    )
