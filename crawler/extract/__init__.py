"""Items and listings from captures: pure, no clock, network or randomness.

`extract` is what every mode calls; `extract_item` and `extract_listing` are stable
wrappers for the bytes of one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler import __version__
from crawler.config.digest import config_digest as digest_of
from crawler.errors import NotExtracted
from crawler.extract.generic import boundless_portal, generic_portal
from crawler.extract.guards import check_logged_in
from crawler.extract.item import extract_item_from
from crawler.extract.listings.further import further_urls
from crawler.extract.listings.listing import extract_listing_from, seed_links
from crawler.model import Capture, Kind, Link, Reason, Response

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.config.portal import Portal
    from crawler.extract.article.body import Excluded
    from crawler.item import Item, Listing

__all__ = [
    "Explained",
    "extract",
    "extract_explained",
    "extract_item",
    "extract_listing",
    "further_urls",
]

_OK = 200


@dataclass(frozen=True, slots=True)
class Explained:
    """An item or a listing, and how it came about.

    Attributes:
        excluded: lines of an item page that are not in the item.
        methods: item field to how it was found.
    """

    item: Item | None = None
    listing: Listing | None = None
    excluded: tuple[Excluded, ...] = ()
    methods: dict[str, str] | None = None


def extract(
    capture: Capture, portal: Portal, *, config_digest: str | None = None
) -> Item | Listing:
    """Return the item or the listing that a capture gives by a portal's rules.

    Args:
        capture: as archived; the same result live, replayed and re-extracted.
        portal: its rules.
        config_digest: of them, if it is known already.

    Raises:
        NotExtracted: it gives none, for a reason that is counted.
    """
    found = extract_explained(capture, portal, config_digest=config_digest)
    result = found.item or found.listing
    if result is None:
        raise NotExtracted(Reason.NO_RULE, capture.main.url)
    return result


def extract_explained(
    capture: Capture, portal: Portal, *, config_digest: str | None = None
) -> Explained:
    """Return what `extract` does, with what was left out and how fields were found.

    Raises:
        NotExtracted: the capture gives nothing, for a reason that is counted.
    """
    digest = config_digest or digest_of(portal)
    check_logged_in(capture, portal)
    if capture.link.kind is Kind.LISTING:
        listing = extract_listing_from(
            capture, portal, config_digest=digest, version=__version__
        )
        return Explained(listing=listing)
    made = extract_item_from(capture, portal, config_digest=digest)
    return Explained(made.item, None, made.excluded, made.methods)


def extract_item(
    body: bytes,
    *,
    url: str,
    captured_at: datetime,
    content_type: str | None = None,
    portal: Portal | None = None,
) -> Item:
    """Return the item of one page's bytes.

    Args:
        body: as served, content-coding undone; any encoding.
        url: the page's own.
        captured_at: relative dates count from it; aware.
        content_type: of the response, if known.
        portal: its rules; None reads everything generically.

    Raises:
        NotExtracted: the page gives no item, for a reason.
    """
    link = Link(url, Kind.ITEM)
    capture = _capture(link, body, url, captured_at, content_type)
    rules = portal or generic_portal(url)
    return extract_item_from(capture, rules, config_digest=digest_of(rules)).item


def extract_listing(
    body: bytes,
    *,
    url: str,
    captured_at: datetime,
    content_type: str | None = None,
    portal: Portal | None = None,
) -> Listing:
    """Return the listing of one page's bytes.

    The portal's listing that begins at url is read, else its first one.  Without a
    portal it is read as ``from: auto`` is: items and next page are found by what the
    page shows, feeds and sitemaps are told by their root element.

    Args:
        body: as served, content-coding undone; any encoding.
        url: the page's own.
        captured_at: relative dates count from it; aware.
        content_type: of the response, if known.
        portal: its rules; None reads everything generically.

    Raises:
        NotExtracted: the page gives no listing, for a reason.
    """
    rules = portal or boundless_portal(url)
    seeds = seed_links(rules, captured_at)
    if not seeds:
        raise NotExtracted(Reason.NO_RULE, f"portal {rules.id!r} has no listing")
    link = next((seed for seed in seeds if seed.url == url), seeds[0])
    capture = _capture(link, body, url, captured_at, content_type)
    return extract_listing_from(
        capture, rules, config_digest=digest_of(rules), version=__version__
    )


def _capture(
    link: Link, body: bytes, url: str, at: datetime, content_type: str | None
) -> Capture:
    headers = ((b"Content-Type", content_type.encode()),) if content_type else ()
    return Capture("preview", link, Response(url, _OK, headers, body, at), at)
