"""Manners towards hosts: turns, slow-downs and rests, shared with all other processes.

Every request passes, robots.txt and further pages too.  A short wait is waited here; a
long one gives the work back to the frontier, which costs it no try.  So does any wait
when the crawl is to stop.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Self

from scrapy.exceptions import IgnoreRequest

from crawler import http, urls
from crawler.frontier import policy
from crawler.frontier.robots import robots_url
from crawler.log import get_log
from crawler.model import Reason
from crawler.spiders.failure import FetchFailed, LoginFailed

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler import model
    from crawler.frontier.hosts import Turn
    from crawler.spiders.context import CrawlContext

LONGEST_WAIT_S = 30.0
LOOK_S = 0.2  # how often those who wait look whether the crawl is to stop
LONGEST_CRAWL_DELAY_S = 60.0
SERVER_ERROR = 500
ASKS_FOR_LESS = frozenset({429, 503})
NO_ANSWER = frozenset(
    {Reason.CONNECT, Reason.DISCONNECTED, Reason.DNS, Reason.TIMEOUT, Reason.TLS}
)
log = get_log(__name__)


class HostBusy(IgnoreRequest):
    """A host's turn is too far away; the work goes back for that long."""

    def __init__(self, host: str, wait_s: float) -> None:
        """Keep how long."""
        super().__init__(f"{host}: not before {wait_s:.0f} s")
        self.wait_s = wait_s


class MannersMiddleware:
    """Takes a host's turn before each request and learns from each answer."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the crawl's context."""
        self._crawler = crawler
        self._waiting: defaultdict[str, set[Turn]] = defaultdict(set)
        self._context: CrawlContext = crawler.portalkeep  # type: ignore[attr-defined]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass when it is its turn.

        Raises:
            HostBusy: that is too long to wait for, or the crawl is to stop.
            FetchFailed: the host was given up (`Reason.HOST_DOWN`).
        """
        hosts = self._context.hosts
        if hosts is None:
            return
        host = urls.host_of(request.url)
        turn = hosts.reserve(host, self._delay_s(request.url), LONGEST_WAIT_S)
        self._check(host, turn)
        self._waiting[host].add(turn)
        try:
            await self._wait(host, turn.wait_s)
        finally:
            self._waiting[host].discard(turn)

    async def _wait(self, host: str, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while (left_s := until - time.monotonic()) > 0:
            if not self._crawler.crawling or self._context.failure is not None:
                self._give_back()
                raise HostBusy(host, 0.0)
            await asyncio.sleep(min(left_s, LOOK_S))

    def _give_back(self) -> None:
        """Give back the turns of all that wait: the next process may use them."""
        for host, turns in self._waiting.items():
            if self._context.hosts is not None:
                self._context.hosts.give_back(host, turns)

    def _check(self, host: str, turn: Turn) -> None:
        if turn.given_up:
            detail = f"{host} gave no answer {turn.wait_s:.0f} s before its next try"
            raise FetchFailed(Reason.HOST_DOWN, detail)
        if turn.resting or turn.wait_s > LONGEST_WAIT_S:
            raise HostBusy(host, turn.wait_s)

    def _delay_s(self, url: str) -> float:
        """Return the portal's delay, or what robots.txt asks for where that is more."""
        manners = self._context.portal.crawl
        robots = self._context.robots.get(robots_url(url))
        if robots is None or manners.robots == "ignore":
            return manners.delay
        asked_s = robots.crawl_delay_s(manners.user_agent) or 0.0
        return max(manners.delay, min(asked_s, LONGEST_CRAWL_DELAY_S))

    def process_response(self, request: Request, response: Response) -> Response:
        """Learn from an answer."""
        hosts = self._context.hosts
        if hosts is None:
            return response
        host = urls.host_of(request.url)
        if response.status in ASKS_FOR_LESS:
            hosts.slow_down(host, self._asked_s(request))
        elif response.status >= SERVER_ERROR:
            self._failed(host)
        else:
            hosts.well(host)
        return response

    def _asked_s(self, request: Request) -> float | None:
        answer: model.Response = request.meta["capture_response"]
        value = http.header(answer.headers, b"retry-after")
        return policy.retry_after_s(value, self._context.clock.now())

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Learn from a failure."""
        if self._context.hosts is None or not isinstance(exception, FetchFailed):
            return
        if isinstance(exception, LoginFailed):
            return
        if exception.reason in NO_ANSWER:
            self._failed(urls.host_of(request.url))

    def _failed(self, host: str) -> None:
        if self._context.hosts is None:
            return
        rest_s = self._context.hosts.failed(host, self._context.portal.crawl.rest)
        if rest_s is not None:
            log.warning("host_rested", host=host, rest_s=rest_s)
