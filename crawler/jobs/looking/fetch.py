"""Fetch a few pages as a crawl would, guard and robots obeyed; archive nothing."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.addresses import PublicOnly
from crawler.archive.ledger import Ended
from crawler.archive.tape import Taken
from crawler.config.digest import config_digest
from crawler.frontier.policy import allows_private
from crawler.jobs.crawl import renderer_of
from crawler.jobs.looking.listener import Listener
from crawler.jobs.run import new_record_id
from crawler.jobs.states import read_states
from crawler.model import Work
from crawler.spiders.context import CrawlContext
from crawler.spiders.engine import run_engines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import TypeAlias

    from crawler.archive.ledger import Ending
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.config.settings import Settings
    from crawler.exchange import Exchange
    from crawler.extract.propose.apis import Call
    from crawler.item import Item, Listing
    from crawler.model import Capture, Link, RecordRef

    Follow: TypeAlias = Callable[["Fetched"], Iterable[Link]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One visit as it ended.

    Attributes:
        capture: what came, None where nothing that could be read did.
        calls: what a browser's page asked for on its own, by then.
    """

    link: Link
    ending: Ending
    capture: Capture | None
    calls: tuple[Call, ...] = ()


def no_more(_: Fetched) -> Iterable[Link]:
    """Follow nothing: one page is all."""
    return ()


def fetch(  # noqa: PLR0917 - each is another thing
    first: Link,
    follow: Follow,
    settings: Settings,
    portal: Portal,
    clock: Clock,
    spool: Path,
) -> list[Fetched]:
    """Visit a link with the portal's manners, then what follow names of each visit.

    May be called once in a process.

    Args:
        first: to visit; redirects are followed.
        follow: called with each visit that ended, gives further links.
        settings: for limits.
        portal: whose manners are kept.
        clock: stands for the capture time.
        spool: an empty directory for large bodies.
    """
    listener = Listener(new_record_id, clock, portal.crawl.max_parse)
    desk = _Desk(follow, deque([first]), listener)
    context = _Context(
        portal=portal,
        run_id="preview",
        config_digest=config_digest(portal),
        clock=clock,
        desk=desk,
        tape=listener,
        spool_dir=spool,
        max_record_bytes=settings.warc.max_record,
        make_id=new_record_id,
        guard=None if allows_private(portal) else PublicOnly(),
        renderer=renderer_of(settings),
        states=read_states(portal),
    )
    context.captures = desk.captures
    run_engines([context])
    if context.failure is not None:
        raise context.failure
    return desk.fetched


@dataclass(slots=True)
class _Context(CrawlContext):
    """Keeps captures: what they give is shown later, with reasons."""

    captures: dict[str, Capture] | None = None

    def extract(self, capture: Capture) -> Item | Listing:
        """Keep the capture; what it gives says whether it is a shell."""
        if self.captures is not None:
            self.captures[capture.page_id] = capture
        return CrawlContext.extract(self, capture)

    async def record(self, exchange: Exchange, request: object) -> RecordRef | None:  # noqa: ARG002
        """Write nothing."""
        return None


@dataclass(slots=True)
class _Desk:
    """Gives out each link once; a visit that is to be tried again has ended, too."""

    follow: Follow
    waiting: deque[Link]
    listener: Listener
    captures: dict[str, Capture] = field(default_factory=dict)
    fetched: list[Fetched] = field(default_factory=list)
    given: int = 0

    def lease(self, limit: int, *, urgent: bool) -> Future[Taken]:  # noqa: ARG002
        works: list[Work] = []
        while self.waiting and len(works) < limit:
            self.given += 1
            works.append(Work(self.given, "preview", self.waiting.popleft()))
        left = len(self.waiting) + self.given - len(self.fetched)
        return _done(Taken(tuple(works), left, None))

    def finish(self, ending: Ending) -> Future[Ended]:
        capture = self.captures.pop(ending.page_id or "", None)
        calls = tuple(self.listener.calls())
        fetched = Fetched(ending.work.link, ending, capture, calls)
        self.fetched.append(fetched)
        self.waiting.extend(self.follow(fetched))
        return _done(Ended())

    def release(self, works: Iterable[Work]) -> Future[None]:  # noqa: ARG002
        return _done(None)


def _done(value: object) -> Future:  # type: ignore[type-arg]  # of whatever value is
    future: Future[object] = Future()
    future.set_result(value)
    return future
