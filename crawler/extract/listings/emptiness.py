"""A listing page without rows: the end of a walk, a day without news, or a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.errors import NotExtracted
from crawler.extract.guards import check_challenge
from crawler.extract.listings.oldest import EMPTY
from crawler.extract.listings.paging import day_before, is_further
from crawler.item import Listing
from crawler.model import Origin, Reason

if TYPE_CHECKING:
    from crawler.config.portal import ListingRule, Portal
    from crawler.extract.listings.rows import Rows
    from crawler.model import Capture


def may_be_missing(capture: Capture, rule: ListingRule) -> bool:
    """Tell whether a page that is not there ends a walk, or is a day without news."""
    numbered = rule.next is not None and rule.next.place in ("page", "offset")
    return rule.days is not None or (numbered and is_further(capture))


def nothing(capture: Capture, portal: Portal, rule: ListingRule, ended: str) -> Listing:
    """Return a page without rows: the end of a walk, or one day of many."""
    if rule.days is None:
        return Listing((), ended=ended)
    then, over = day_before(capture, portal, rule)
    then = then and replace(then, found_on=capture.link.url)
    return Listing((), next=then, ended=over)


def empty(rows: Rows, capture: Capture, portal: Portal, rule: ListingRule) -> Listing:
    """Return what a page gives on which the rule found nothing.

    Raises:
        NotExtracted: blocked, or bad_listing: it is a walk's first page.
    """
    if rows.document is None:
        check_challenge(rows.page)
    child = rows.origin is Origin.SITEMAP and capture.link.found_on is not None
    if is_further(capture) or child:
        return nothing(capture, portal, rule, EMPTY)
    raise NotExtracted(
        Reason.BAD_LISTING,
        f"listing rows {rows.wanted!r} matched nothing on {capture.main.url!r}; "
        "the layout may have changed",
    )
