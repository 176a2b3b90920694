"""Preview: one page or file to its item or listing; nothing is archived."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler import urls
from crawler.config.digest import config_digest
from crawler.errors import NotExtracted, UsageError
from crawler.extract import Explained, extract_explained
from crawler.extract.document.rules import rule_for
from crawler.extract.explain import explain_item, facts_of
from crawler.extract.listings.listing import seed_links
from crawler.extract.listings.position import Position
from crawler.extract.listings.request import templated_link
from crawler.extract.propose.apis import apis_of
from crawler.jobs.looking.fetch import fetch, no_more
from crawler.model import Capture, Kind, Link, Outcome, Response

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.config.portal import ListingRule, Portal
    from crawler.config.settings import Settings
    from crawler.extract.explain import Field, PageFacts
    from crawler.extract.propose.apis import Api
    from crawler.item import Item, Listing

OK = 200
_PLACE = re.compile(r"\{(?:page|offset|cursor|oldest)(?::0\d)?\}")
_POSITIONS = {
    "page": Position(page=1),
    "offset": Position(offset=0),
    "cursor": Position(cursor="-"),
    "oldest": Position(oldest="-"),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page gives now.

    Attributes:
        outcome: how the visit ended; reason and detail where it gave nothing.
        methods: item field to how it was found.
        excluded: lines left out of the body, each with its reason.
        fields: of an item page, also one that gave no item.
        facts: what the page is, None where it cannot be read.
        apis: where a page that a browser showed had rows from.
    """

    url: str
    outcome: Outcome
    item: Item | None = None
    listing: Listing | None = None
    reason: str | None = None
    detail: str = ""
    methods: dict[str, str] | None = None
    excluded: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    facts: PageFacts | None = None
    apis: tuple[Api, ...] = ()


def preview_file(
    path: Path, url: str, portal: Portal, at: datetime, content_type: str | None = None
) -> Preview:
    """Return what the bytes of a file give as if they had been captured from url.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        body = path.read_bytes()
    except OSError as exc:
        message = f"{str(path)!r} cannot be read: {exc.strerror}"
        raise UsageError(message) from exc
    link = link_for(url, portal, at)
    headers = ((b"Content-Type", content_type.encode()),) if content_type else ()
    main = Response(link.url, OK, headers, body, at)
    return _read(Capture("preview", link, main, at), portal)


def link_for(url: str, portal: Portal, at: datetime) -> Link:
    """Return the link that a visit of url would be made for.

    A listing's pages are listings, all else an item page.

    Raises:
        UsageError: url is no http or https URL, or no page of the portal.
    """
    try:
        address = urls.canonical(url)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    seeds = seed_links(portal, at)
    for seed in seeds:
        if seed.url == address:
            return seed
    if rule_for(portal, address, at.date()) is not None:
        return Link(address, Kind.ITEM)
    for rule in portal.listings:
        if link := _further_link(address, portal, rule):
            return link
    names = ", ".join(repr(rule.match) for rule in portal.items) or "none"
    begins = ", ".join(repr(seed.url) for seed in seeds)
    message = (
        f"{address!r} is neither a listing of portal {portal.id!r} ({begins}) nor "
        f"matches an item rule ({names})"
    )
    raise UsageError(message)


def _further_link(address: str, portal: Portal, rule: ListingRule) -> Link | None:
    """Return the link of a listing's further page where address can be one.

    Host and path tell; the address itself says which page it is, so one that is
    posted to cannot be shown.
    """
    place = rule.next.place if rule.next else None
    if place not in _POSITIONS:
        return None
    link = templated_link(portal, rule, _POSITIONS[place])
    template = urlsplit((rule.continue_ and rule.continue_.url) or rule.url)
    path = "[^/]+".join(map(re.escape, _PLACE.split(template.path)))
    given = urlsplit(address)
    is_one = template.netloc == given.netloc and re.fullmatch(path, given.path)
    return replace(link, url=address) if is_one and link.method == "GET" else None


def preview_url(
    url: str, settings: Settings, portal: Portal, clock: Clock, spool: Path
) -> Preview:
    """Fetch url with the portal's manners and return what it gives.

    Args:
        url: to fetch; redirects are followed.
        settings: for limits.
        portal: whose rules are tried.
        clock: stands for the capture time.
        spool: an empty directory for large bodies.

    Raises:
        UsageError: url is neither a listing nor an item page of the portal.
    """
    link = link_for(url, portal, clock.now())
    (found,) = fetch(link, no_more, settings, portal, clock, spool)
    ending, apis = found.ending, apis_of(found.calls)
    if found.capture is not None and ending.outcome is not Outcome.FAILED:
        return replace(_read(found.capture, portal), apis=apis)
    reason = ending.reason.value if ending.reason else None
    return Preview(
        link.url, ending.outcome, reason=reason, detail=ending.detail, apis=apis
    )


def _read(capture: Capture, portal: Portal) -> Preview:
    """Extract a capture and keep how."""
    found, failed = Explained(), None
    try:
        found = extract_explained(capture, portal, config_digest=config_digest(portal))
    except NotExtracted as exc:
        failed = exc
    methods = found.methods or {}
    return Preview(
        capture.main.url,
        Outcome.CAPTURED,
        item=found.item,
        listing=found.listing,
        reason=failed.reason if failed else None,
        detail=failed.detail if failed else "",
        methods=methods,
        excluded=tuple((line.text, line.reason) for line in found.excluded),
        fields=explain_item(capture, portal, found.item, methods),
        facts=facts_of(capture, portal),
    )
