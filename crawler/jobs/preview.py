"""Preview: one page or file to its item or listing; nothing is archived."""

from __future__ import annotations

import re
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler import urls
from crawler.addresses import PublicOnly
from crawler.archive.ledger import Ended
from crawler.archive.tape import Taken
from crawler.config.digest import config_digest
from crawler.errors import NotExtracted, UsageError
from crawler.extract import extract_explained
from crawler.extract.listing import seed_links
from crawler.extract.request import Position, templated_link
from crawler.extract.rules import rule_for
from crawler.frontier.policy import allows_private
from crawler.jobs.run import new_record_id
from crawler.model import Capture, Kind, Link, Outcome, Response, Work
from crawler.spiders.context import CrawlContext
from crawler.spiders.engine import run_engines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from crawler.archive.ledger import Ending
    from crawler.clock import Clock
    from crawler.config.portal import ListingRule, Portal
    from crawler.config.settings import Settings
    from crawler.item import Item, Listing

OK = 200
_PLACE = re.compile(r"\{(?:page|cursor)\}")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page gives now.

    Attributes:
        outcome: how the visit ended; reason and detail where it gave nothing.
        methods: item field to how it was found.
        excluded: lines left out of the body, each with its reason.
    """

    url: str
    outcome: Outcome
    item: Item | None = None
    listing: Listing | None = None
    reason: str | None = None
    detail: str = ""
    methods: dict[str, str] | None = None
    excluded: tuple[tuple[str, str], ...] = ()


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
    for seed in seed_links(portal):
        if seed.url == address:
            return seed
    if rule_for(portal, address, at.date()) is not None:
        return Link(address, Kind.ITEM)
    for rule in portal.listings:
        if link := _further_link(address, portal, rule):
            return link
    names = ", ".join(repr(rule.match) for rule in portal.items) or "none"
    seeds = ", ".join(repr(seed.url) for seed in seed_links(portal))
    message = (
        f"{address!r} is neither a listing of portal {portal.id!r} ({seeds}) nor "
        f"matches an item rule ({names})"
    )
    raise UsageError(message)


def _further_link(address: str, portal: Portal, rule: ListingRule) -> Link | None:
    """Return the link of a listing's further page where address can be one.

    Host and path tell; the address itself says which page it is, so one that is
    posted to cannot be shown.
    """
    if rule.next is None or rule.next.url:
        return None
    position = Position(page=1) if rule.next.page else Position(cursor="-")
    link = templated_link(portal, rule, position)
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
    desk = _Desk(Work(1, "preview", link))
    seen: list[Capture] = []
    context = _PreviewContext(
        portal=portal,
        run_id="preview",
        config_digest=config_digest(portal),
        clock=clock,
        desk=desk,
        tape=None,
        spool_dir=spool,
        max_record_bytes=settings.warc.max_record,
        make_id=new_record_id,
        guard=None if allows_private(portal) else PublicOnly(),
    )
    context.seen = seen
    run_engines([context])
    if context.failure is not None:
        raise context.failure
    if seen:
        return _read(seen[-1], portal)
    ending = desk.ending
    reason = ending.reason.value if ending and ending.reason else None
    outcome = ending.outcome if ending else Outcome.FAILED
    detail = ending.detail if ending else "no response"
    return Preview(link.url, outcome, reason=reason, detail=detail)


@dataclass(slots=True)
class _PreviewContext(CrawlContext):
    """Keeps the capture instead of extracting: that is done once, with reasons."""

    seen: list[Capture] | None = None

    def extract(self, capture: Capture) -> Item | Listing:
        """Keep the capture."""
        if self.seen is not None:
            self.seen.append(capture)
        raise NotExtracted("not_a_page", "preview")


@dataclass(slots=True)
class _Desk:
    """Gives out one work once."""

    work: Work
    ending: Ending | None = None
    given: bool = False

    def lease(self, limit: int, *, urgent: bool) -> Future[Taken]:  # noqa: ARG002
        works = () if self.given else (self.work,)
        self.given = True
        left = 0 if self.ending is not None else 1
        return _done(Taken(works, left, None))

    def finish(self, ending: Ending) -> Future[Ended]:
        self.ending = ending
        return _done(Ended())

    def release(self, works: Iterable[Work]) -> Future[None]:  # noqa: ARG002
        return _done(None)


def _done(value: object) -> Future:  # type: ignore[type-arg]  # of whatever value is
    future: Future[object] = Future()
    future.set_result(value)
    return future


def _read(capture: Capture, portal: Portal) -> Preview:
    """Extract a capture and keep how."""
    url = capture.main.url
    try:
        found = extract_explained(capture, portal, config_digest=config_digest(portal))
    except NotExtracted as exc:
        return Preview(url, Outcome.CAPTURED, reason=exc.reason, detail=exc.detail)
    if found.listing is not None:
        return Preview(url, Outcome.CAPTURED, listing=found.listing)
    excluded = tuple((line.text, line.reason) for line in found.excluded)
    return Preview(
        url,
        Outcome.CAPTURED,
        item=found.item,
        methods=found.methods,
        excluded=excluded,
    )
