"""The one spider: visits what the frontier gives it, ends every visit at the desk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, Spider

from crawler.errors import PortalkeepError
from crawler.log import get_log
from crawler.spiders.ending import Trail
from crawler.spiders.visit import Visit
from crawler.spiders.wanted import wanted_at_once
from crawler.warc.cdxj import request_digest
from crawler.warc.redact import lookup_link, mask_link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.archive.ledger import Ended, Ending
    from crawler.item import Item
    from crawler.model import Link, Work
    from crawler.spiders.context import CrawlContext

log = get_log(__name__)


class PortalSpider(Spider):
    """Visits one portal; ``scrapy crawl portal -a portal=NAME`` runs it too."""

    name = "portal"

    def __init__(self, portal: str = "", **kwargs: Any) -> None:  # noqa: ANN401 - Scrapy's
        """Name the portal."""
        super().__init__(**kwargs)
        self.portal_id = portal
        self._context: CrawlContext | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401 - Scrapy's
        """Make the spider of a crawler."""
        return super().from_crawler(crawler, *args, **kwargs)

    @property
    def context(self) -> CrawlContext:
        """The crawl's collaborators."""
        if self._context is None:
            self._context = self.crawler.portalkeep  # type: ignore[attr-defined]
        return self._context

    async def start(self) -> AsyncIterator[Any]:  # Any: Scrapy's
        """Yield nothing: seeds are in the frontier before the engine starts."""
        nothing: tuple[Any, ...] = ()
        for never in nothing:
            yield never

    def request_for(self, work: Work) -> Request:
        """Return the request that visits a leased work."""
        link = work.link
        headers = [
            (name, value) for name, value in link.headers if name.lower() != "cookie"
        ]
        return Request(
            link.url,
            method=link.method,
            headers=headers,
            body=link.body,
            cookies=dict(_cookies(link.headers)),
            callback=self.arrived,
            errback=self.missed,
            dont_filter=True,
            priority=0,
            meta={
                "work": work,
                "page_id": self.context.make_id(),
                "asked": _asked(lookup_link(link, self.context.redaction)),
                **wanted_at_once(self.context, work, link.url),
            },
        )

    async def arrived(self, response: Response) -> list[Item]:
        """End the visit whose first response came; return the items it gave."""
        request = response.request
        if request is None:
            message = "a response came without its request"
            raise PortalkeepError(message)
        visit = self._visit(request)
        try:
            ending = await visit.run(request, response.flags)
        except PortalkeepError as exc:
            self.abort(exc)
            return []
        except Exception as exc:  # noqa: BLE001 - one bad page is counted, the rest go on
            where, said = place_of(exc), repr(exc)[:200]  # a trace would show the page
            log.error("page_failed", url=request.url, error=said, at=where)  # noqa: TRY400
            ending = visit.trail.broken(f"{exc!r}"[:200])
        return await self._end(ending)

    async def missed(self, failure: Failure) -> list[Item]:
        """End the visit whose first fetch gave no response."""
        request: Request = failure.request  # type: ignore[attr-defined]
        error = failure.value or PortalkeepError("a failure without an error")
        if isinstance(error, asyncio.CancelledError):
            self.context.under_way -= 1
            return []
        ending = self._visit(request).missed(request, error)
        if isinstance(error, PortalkeepError) and not hasattr(error, "reason"):
            self.abort(error)
            return []
        return await self._end(ending)

    def _visit(self, request: Request) -> Visit:
        trail = Trail(self.context, request.meta["work"], request.meta["page_id"])
        return Visit(trail, self._fetch)

    async def _fetch(self, request: Request) -> Response:
        engine = self.crawler.engine
        if engine is None:
            message = "the engine is gone"
            raise PortalkeepError(message)
        return await engine.download_async(request)

    async def _end(self, ending: Ending) -> list[Item]:
        try:
            ended = await asyncio.wrap_future(self.context.desk.finish(ending))
        except Exception as exc:  # noqa: BLE001 - an ending nobody heard of stops all
            self.abort(exc)
            return []
        finally:
            self.context.under_way -= 1
        self._tell(ending, ended)
        self.context.ask()
        return list(ended.kept)

    def _tell(self, ending: Ending, ended: Ended) -> None:
        link = mask_link(ending.work.link, self.context.redaction)
        if self.context.progress is not None:
            seen = replace(ending, work=replace(ending.work, link=link))
            self.context.progress(seen, ended)
        log.debug(
            "page_visited",
            url=link.url,
            outcome=ending.outcome,
            reason=ending.reason,
            items=len(ended.kept),
            links=ended.new_links,
        )

    def abort(self, error: Exception) -> None:
        """Stop the crawl because it cannot go on; what was durable stays."""
        if self.context.failure is not None:
            return
        if not isinstance(error, PortalkeepError):
            error = PortalkeepError(f"{error!r} at {place_of(error)}")
        self.context.failure = error
        log.error("crawl_stopped", error=str(error))
        engine = self.crawler.engine
        if engine is not None:
            stopping = engine.close_spider_async(reason="failure")
            self._stopping: asyncio.Future[None] = asyncio.ensure_future(stopping)


def place_of(error: BaseException) -> str:
    """Return ``file:line`` of where an error was raised, "" where that is unknown."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _asked(link: Link) -> str | None:
    """Return the digest of a request that is more than its URL, None of a plain one."""
    if link.method == "GET" and not link.headers and not link.body:
        return None
    return request_digest(link.method, link.url, link.headers, link.body)


def _cookies(
    headers: tuple[tuple[str, str], ...],
) -> dict[str | bytes, str | bytes | bool | float]:
    """Return the cookies of a Cookie header: Scrapy's jar takes them apart."""
    cookies: dict[str | bytes, str | bytes | bool | float] = {}
    for name, value in headers:
        if name.lower() == "cookie":
            pairs = (part.strip().partition("=") for part in value.split(";"))
            cookies.update({key: text for key, _, text in pairs if key})
    return cookies
