"""A listing page read without rules, and the rule that gives the same links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crawler import __version__, urls
from crawler.config.portal import Portal
from crawler.errors import NotExtracted
from crawler.extract.auto.source import source_of
from crawler.extract.document.page import Page
from crawler.extract.fields.metadata import Metadata
from crawler.extract.fields.zones import zone_of
from crawler.extract.guards import check_answer, check_challenge
from crawler.extract.listings.listing import extract_listing_from
from crawler.extract.propose.listingrules import (
    Seen,
    agreement,
    html_rows,
    json_rows,
    next_rule,
)
from crawler.extract.propose.urlpattern import Pattern, fits, induce_pattern
from crawler.model import Capture, Kind, Link, Reason

if TYPE_CHECKING:
    from datetime import tzinfo

    from crawler.item import Listing
    from crawler.model import Json

ENOUGH = 0.9
"""Of rows that are read by selectors: how like the links without rules they are."""
LISTING_ID = "news"
_FEW = 2


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing page as read without rules.

    Attributes:
        rule: of rows in JSON or in a script's state; None where the page shows them.
        pattern: of the items' URLs.
        links: the items' URLs, stripped, in page order.
        next_url: of the page that follows.
        paging: how the page seems to go on, None where nothing tells.
    """

    capture: Capture
    page: Page
    rule: dict[str, Json] | None
    pattern: Pattern
    links: tuple[str, ...]
    next_url: str | None = None
    paging: str | None = None


def read_listed(capture: Capture, portal: Portal) -> Listed:
    """Return what a listing page shows, its script's state or its JSON holds.

    Raises:
        NotExtracted: it is no listing, for a reason.
    """
    check_answer(capture.main, portal.crawl.max_parse)
    page = Page.from_response(capture.main, limit=portal.crawl.max_parse)
    shown = None if page.is_json else _shown(capture, page, portal)
    held = _held(capture, page, portal)
    best = max(filter(None, (shown, held)), key=lambda x: len(x.links), default=None)
    if best is None or len(best.links) < _FEW:
        if not page.is_json:
            check_challenge(page)
        raise NotExtracted(Reason.BAD_LISTING, "hardly a link to an article")
    if r"\d" in best.pattern.match and fits(best.pattern, capture.main.url):
        detail = f"its own address is like its links', {best.pattern.match!r}"
        raise NotExtracted(Reason.BAD_LISTING, detail)
    return best


def listing_rule(listed: Listed, portal: Portal, zone: tzinfo) -> dict[str, Json]:
    """Return the listing as it is written: the first that gives the same links."""
    source = str(listed.rule["from"]) if listed.rule else source_of(listed.page)
    url = listed.capture.main.url
    named: dict[str, Json] = {"id": LISTING_ID, "from": source, "url": url}
    if listed.rule is not None:
        named |= listed.rule
    elif source == "auto":
        named |= _selectors(listed, portal, zone, {**named, "from": "rows"})
    return {**named, "expect": {"min_rows": max(1, len(listed.links) // 2)}}


def _selectors(
    listed: Listed, portal: Portal, zone: tzinfo, named: dict[str, Json]
) -> dict[str, Json]:
    """Return rows, fields and next by selectors, {} where they give other links."""
    seen = Seen(listed.page, listed.capture.first_at, zone)
    rule = html_rows(seen, listed.pattern.urls)
    if rule is None:
        return {}
    whole = named | rule
    following = next_rule(listed.page, listed.next_url) if listed.next_url else None
    if following is not None:
        whole["next"] = {"url": following}
    made = listing_by(listed, portal, whole)
    if made is None or agreement(listed.links, made) < ENOUGH:
        return {}
    return whole if _goes_on(made, listed) else {}


def listing_by(listed: Listed, portal: Portal, rule: dict[str, Json]) -> Listing | None:
    """Return what a listing rule makes of the page, None where it gives nothing."""
    tree = portal.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    tried = Portal.model_validate({**tree, "listings": [rule]})
    try:
        return _read(listed.capture, tried, str(rule["id"]))
    except NotExtracted:
        return None


def _goes_on(made: Listing, listed: Listed) -> bool:
    return (made.next.url if made.next else None) == listed.next_url


def _shown(capture: Capture, page: Page, portal: Portal) -> Listed | None:
    """Return what the page shows, None where it shows nothing."""
    try:
        listing = _read(capture, portal, portal.listings[0].id)
    except NotExtracted:
        return None
    titles = [
        (link.url, " ".join(link.hint["title"].values) if "title" in link.hint else "")
        for link in listing.links
    ]
    following = listing.next.url if listing.next else None
    found = _listed(capture, page, None, titles, following)
    paging = listing.paging.kind if listing.paging else None
    return replace(found, paging=paging) if found else None


def _held(capture: Capture, page: Page, portal: Portal) -> Listed | None:
    """Return what the page's JSON or script holds, None where it holds no rows."""
    zone = zone_of(page, portal, Metadata(page))
    found = json_rows(Seen(page, capture.first_at, zone))
    if found is None:
        return None
    rule, rows = found
    links = ((page.absolute(url), title) for url, title in rows.links)
    given = [(url, title) for url, title in links if url is not None]
    return _listed(capture, page, {**rule, "fields": dict(rows.fields)}, given, None)


def _listed(
    capture: Capture,
    page: Page,
    rule: dict[str, Json] | None,
    links: list[tuple[str, str]],
    following: str | None,
) -> Listed | None:
    pattern = induce_pattern(links)
    if pattern is None:
        return None
    stripped = [
        urls.strip_params(url, pattern.strip_params)
        for url, _ in links
        if fits(pattern, url)
    ]
    found = tuple(dict.fromkeys(stripped))
    return Listed(capture, page, rule, pattern, found, following)


def _read(capture: Capture, portal: Portal, listing: str) -> Listing:
    link = Link(capture.link.url, Kind.LISTING, listing=listing)
    same = Capture(capture.page_id, link, capture.main, capture.first_at)
    return extract_listing_from(same, portal, config_digest="", version=__version__)
