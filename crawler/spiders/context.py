"""What one crawl hands to the Scrapy edge, found there as ``crawler.portalkeep``.

Live, the desk is a recorder thread and exchanges are written; in replay both are
stand-ins over the archive.  The edge does not know which.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from crawler.extract import extract
from crawler.warc.redact import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from scrapy import Request

    from crawler.archive.ledger import Ended, Ending
    from crawler.archive.pageinfo import Made
    from crawler.archive.tape import Taken
    from crawler.browser.renderer import Renderer
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.errors import PortalkeepError
    from crawler.exchange import Exchange
    from crawler.frontier.hosts import Hosts
    from crawler.frontier.robots import Robots
    from crawler.item import Item, Listing
    from crawler.model import Capture, Json, Link, RecordRef, Work
    from crawler.spiders.handler import AddressGuard


class Desk(Protocol):
    """Gives out work and takes it back; every answer comes when it is durable."""

    def lease(self, limit: int, *, urgent: bool) -> Future[Taken]:
        """Lease up to limit works; urgent where nothing else is under way."""
        ...

    def finish(self, ending: Ending) -> Future[Ended]:
        """End a work."""
        ...

    def release(self, works: Iterable[Work]) -> Future[None]:
        """Give works back that were not begun."""
        ...


class Tape(Protocol):
    """Writes exchanges."""

    def record(
        self,
        exchange: Exchange,
        page_id: str | None,
        asked: str | None = None,
        resource_type: str | None = None,
    ) -> Future[RecordRef]:
        """Write an exchange; its reference is known when the future is done."""
        ...

    def keep(
        self, made: Made, url: str, content: bytes, page_id: str, main: str
    ) -> Future[RecordRef]:
        """Write what was made of a rendered page, itself made of the response main."""
        ...


class Visits(Protocol):
    """What the archive says of visits; replay only."""

    def link(self, ref: RecordRef) -> Link | None:
        """Return the link, with its merged hint, that a stored visit was made for."""
        ...

    def is_rendered(self, page_id: str) -> bool:
        """Tell whether the visit that is played has rendered documents."""
        ...


@dataclass(slots=True)
class Session:
    """What a portal with a login takes us for.

    Attributes:
        number: of log-ins so far.
        useless: pages in a row that took us for a stranger right after one.
        refused: why there will be no other one, None while there may.
    """

    number: int = 0
    useless: int = 0
    refused: str | None = None


@dataclass(slots=True)
class CrawlContext:
    """One run's collaborators and limits (a `crawler.spiders.handler.CaptureContext`).

    Attributes:
        robots: rules by origin (``https://host``) as read in this run.
        make_id: makes page ids.
        hosts: whose turn it is; None asks nobody (replay).
        visits: None live.
        renderer: shows pages; None where nothing is to be rendered (replay).
        states: what is in the files that ``storage_state`` names, by their names.
        cookie_file: where cookies are kept from run to run, None for not at all.
        redaction: what is masked in what extraction sees, as it is in the archive.
        abort: called once when the run cannot go on; the reason is kept in failure.
        session: of a portal with a login.
        under_way: visits begun and not ended.
        ask: makes the scheduler lease more; set by it.
        progress: called for each visit that ended.
    """

    portal: Portal
    run_id: str
    config_digest: str
    clock: Clock
    desk: Desk
    tape: Tape | None
    spool_dir: Path
    max_record_bytes: int
    make_id: Callable[[], str]
    guard: AddressGuard | None = None
    hosts: Hosts | None = None
    visits: Visits | None = None
    redaction: Policy = field(default_factory=Policy)
    renderer: Renderer | None = None
    states: Mapping[str, Mapping[str, Json]] = field(default_factory=dict, repr=False)
    cookie_file: Path | None = None
    robots: dict[str, Robots] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    under_way: int = 0
    failure: PortalkeepError | None = None
    progress: Callable[[Ending, Ended], None] | None = None
    ask: Callable[[], None] = lambda: None

    @property
    def max_parse_bytes(self) -> int:
        """Longest payload that extraction reads."""
        return self.portal.crawl.max_parse

    @property
    def proxy(self) -> str | tuple[str, ...] | None:
        """The one proxy of every request, or several for the hosts in turn."""
        return self.portal.crawl.proxy

    async def record(self, exchange: Exchange, request: Request) -> RecordRef | None:
        """Write an exchange; return its reference once it is known.

        Raises:
            SpoolUnwritable: it could not be written.
        """
        if self.tape is None:
            return None
        page_id: str | None = request.meta.get("page_id")
        asked: str | None = request.meta.get("asked")
        recorded = self.tape.record(exchange, page_id, asked)
        return await asyncio.wrap_future(recorded)

    def extract(self, capture: Capture) -> Item | Listing:
        """Read an item or a listing of a capture by the portal's rules.

        Raises:
            NotExtracted: it gives none.
        """
        return extract(capture, self.portal, config_digest=self.config_digest)
