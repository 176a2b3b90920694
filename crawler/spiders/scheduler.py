"""The frontier as Scrapy's scheduler: leases in, requests out, nothing kept.

Work is leased a few rows ahead; the engine is woken when new rows have come.  A
request is never popped: it ends when its visit has ended at the desk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.defer import deferred_from_coro

from crawler.errors import PortalkeepError
from crawler.spiders.scrapy_private import wake

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

    from crawler.archive.tape import Taken
    from crawler.model import Work
    from crawler.spiders.context import CrawlContext

LOOK_AGAIN_S = 1.0


class FrontierScheduler(BaseScheduler):
    """Gives the engine the requests of leased work."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the crawl's context; nothing is leased before `open`."""
        self._crawler = crawler
        self._context: CrawlContext = crawler.portalkeep  # type: ignore[attr-defined]
        self._ready: deque[Work] = deque()
        self._asking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asked_again = False
        self._drained = False
        self._closed = False
        self._ahead = 2 * self._context.portal.crawl.concurrency

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the scheduler of a crawler."""
        return cls(crawler)

    def open(self, spider: Spider) -> None:
        """Begin to lease."""
        self.spider = spider
        self._context.ask = self.ask
        self.ask()

    def close(self, reason: str) -> Deferred[None]:
        """Give back what was leased and not begun."""
        return deferred_from_coro(self._close())  # the engine awaits nothing else

    async def _close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is not None:
            await asyncio.wait({self._asking})
        if self._ready and self._context.failure is None:
            works = tuple(self._ready)
            self._ready.clear()
            await asyncio.wrap_future(self._context.desk.release(works))

    def has_pending_requests(self) -> bool:
        """Tell whether work is left, waiting for its time included."""
        return not self._drained and self._context.failure is None

    def enqueue_request(self, request: Request) -> bool:
        """Refuse: work comes from the frontier alone."""
        message = f"{request.url!r} did not come from the frontier"
        raise PortalkeepError(message)

    def next_request(self) -> Request | None:
        """Return the next leased work as a request, None where there is none yet."""
        if len(self._ready) <= self._ahead // 4:
            self.ask()
        if not self._ready:
            return None
        self._context.under_way += 1
        made: Request = self.spider.request_for(self._ready.popleft())  # type: ignore[attr-defined]
        return made

    def ask(self) -> None:
        """Lease more; while that is under way, once more after it."""
        if self._closed or self._drained:
            return
        if self._asking is not None:
            self._asked_again = True
            return
        self._asked_again = False
        self._asking = asyncio.ensure_future(self._ask())

    async def _ask(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        context = self._context
        urgent = not self._ready and context.under_way == 0
        limit = max(1, self._ahead - len(self._ready))
        try:
            taken = await asyncio.wrap_future(context.desk.lease(limit, urgent=urgent))
        except Exception as exc:  # noqa: BLE001 - else the crawl would wait for ever
            self.spider.abort(exc)  # type: ignore[attr-defined]
            return
        finally:
            self._asking = None
        self._take(taken)

    def _take(self, taken: Taken) -> None:
        self._ready.extend(taken.works)
        if taken.works:
            wake(self._crawler)
            return
        if not taken.left and not self._ready and self._context.under_way == 0:
            self._drained = True
            wake(self._crawler)
            return
        if self._asked_again:  # a visit ended meanwhile: it may have brought work
            self.ask()
        else:
            self._look_again(taken.due_in_s)

    def _look_again(self, due_in_s: float | None) -> None:
        wait_s = LOOK_AGAIN_S
        if due_in_s and not self._context.under_way:  # else a visit's end asks again
            wait_s = min(due_in_s, LOOK_AGAIN_S)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.01, wait_s), self.ask)
