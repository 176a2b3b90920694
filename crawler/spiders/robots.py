"""robots.txt before every URL we choose: fetched once an origin, captured, obeyed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from crawler import urls
from crawler.coding import decode_content
from crawler.errors import NotDecodable
from crawler.frontier.robots import robots_url, rules_from
from crawler.model import Reason, Skipped
from crawler.spiders.failure import FetchFailed
from crawler.spiders.manners import HostBusy

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler import model
    from crawler.frontier.robots import Robots
    from crawler.spiders.context import CrawlContext

MAX_BYTES = 512_000
MAX_HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Refused(IgnoreRequest):
    """A URL is not to be fetched; the errback ends its work as skipped.

    Attributes:
        temporary: robots.txt could not be read; it may be later.
    """

    def __init__(self, skipped: Skipped, *, temporary: bool = False) -> None:
        """Keep why."""
        super().__init__(f"{skipped.reason}: {skipped.url}")
        self.skipped = skipped
        self.temporary = temporary


class RobotsMiddleware:
    """Asks robots.txt, live and in replay alike: the same bytes decide."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the crawl's context."""
        self._crawler = crawler
        self._context: CrawlContext = crawler.portalkeep  # type: ignore[attr-defined]
        self._pending: dict[str, asyncio.Task[Robots]] = {}
        self._until_s: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            Refused: robots.txt forbids it.
        """
        manners = self._context.portal.crawl
        if request.meta.get("robots") or manners.robots == "ignore":
            return
        robots = await self._rules(request.url)
        if not robots.allows(request.url, manners.user_agent):
            skipped = Skipped(request.url, Reason.ROBOTS, robots.reason)
            raise Refused(skipped, temporary=robots.temporary)

    async def _rules(self, url: str) -> Robots:
        address = robots_url(url)
        known = self._context.robots.get(address)
        if known is not None and time.monotonic() < self._until_s.get(address, 0.0):
            return known
        if address not in self._pending:
            self._pending[address] = asyncio.ensure_future(self._ask(address))
        return await asyncio.shield(self._pending[address])

    async def _ask(self, address: str) -> Robots:
        """Fetch rules and keep them for their time; what failed, until a retry."""
        manners = self._context.portal.crawl
        try:
            robots = await self._fetch(address)
            keep_s = manners.retry_delay if robots.temporary else manners.robots_ttl
            self._until_s[address] = time.monotonic() + keep_s
            self._context.robots[address] = robots
            return robots
        finally:
            self._pending.pop(address, None)

    async def _fetch(self, address: str) -> Robots:
        """Return the rules at address; what cannot be had forbids all for now."""
        url = address
        for _ in range(MAX_HOPS):
            request = Request(
                url,
                dont_filter=True,
                meta={"robots": True, "page_id": self._context.make_id()},
            )
            try:
                await self._crawler.engine.download_async(request)
            except HostBusy:
                raise
            except (FetchFailed, IgnoreRequest) as exc:
                if url == address and _is_private(exc):
                    raise  # so is the page that is asked for
                return rules_from(None, str(exc))
            response: model.Response = request.meta["capture_response"]
            target = _target(response)
            if target is None:
                return rules_from(response.status, _text(response))
            url = target
        return rules_from(404, "")


def _is_private(exc: Exception) -> bool:
    return isinstance(exc, FetchFailed) and exc.reason is Reason.PRIVATE_ADDRESS


def _target(response: model.Response) -> str | None:
    if response.status not in REDIRECTS:
        return None
    location = next((v for n, v in response.headers if n.lower() == b"location"), b"")
    return urls.absolute(response.url, location.decode("utf-8", "replace"))


def _text(response: model.Response) -> str:
    try:
        decoded = decode_content(response.payload, response.headers, MAX_BYTES)
    except NotDecodable:
        return ""
    return decoded.body.decode("utf-8", "replace")
