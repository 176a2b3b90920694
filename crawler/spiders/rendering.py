"""Pages shown by a browser: the download handler for requests that ask for it.

Such a request passes the same middlewares as any other: robots.txt, turns, cookies.
What the page then asks for on its own goes through a recording proxy and is written
with the visit's page id; the document it showed is written beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy.http import Headers, Response

from crawler import urls
from crawler.archive.pageinfo import DOM
from crawler.browser.ca import Authority
from crawler.browser.order import order_of
from crawler.browser.proxy import Limits, RecordingProxy
from crawler.browser.renderer import NotRendered, TooLate
from crawler.browser.seats import Seats
from crawler.browser.upstream import Dialer, Refused, Unreachable
from crawler.errors import ConfigError
from crawler.log import get_log
from crawler.model import Reason
from crawler.spiders.answer import Answer
from crawler.spiders.failure import FetchFailed
from crawler.spiders.handler import CaptureDownloadHandler
from crawler.spiders.manners import HostBusy
from crawler.spiders.pagelog import Beside
from crawler.spiders.showing import show
from crawler.spiders.taken import Taken, bare
from crawler.spiders.wanted import Rendition
from crawler.warc.redact import mask_url

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler import model
    from crawler.browser.proxy import Port
    from crawler.browser.renderer import Order, Rendered, Renderer
    from crawler.proxy import Proxy
    from crawler.spiders.context import CrawlContext
    from crawler.spiders.wanted import Wanted

log = get_log(__name__)


class RenderingDownloadHandler(CaptureDownloadHandler):
    """Lets a browser show what is to be rendered; downloads everything else."""

    def __init__(self, crawler: Crawler) -> None:
        """Take part in the process's browser.

        Raises:
            CaptureUnavailable, ConfigError: as of `CaptureDownloadHandler`.
        """
        super().__init__(crawler)
        self._crawl: CrawlContext = crawler.portalkeep  # type: ignore[attr-defined]
        self._authority: Authority | None = None
        self._seats = Seats(1)
        if self._crawl.renderer is not None:
            self._crawl.renderer.hold()
            self._seats = Seats(self._crawl.renderer.pages)

    async def download_request(self, request: Request) -> Response:
        """Fetch or render request; return the response once all is recorded.

        Raises:
            FetchFailed: no response head came, or the browser showed nothing.
            SpoolUnwritable: something could not be kept.
        """
        crawl = self._crawl
        if "render" not in request.meta:
            self._warm()
            return await super().download_request(request)
        if crawl.renderer is None or crawl.tape is None:
            raise FetchFailed(Reason.NOT_RENDERED, "this crawl has no browser")
        wanted: Wanted = request.meta["render"]
        taken = Taken(
            crawl,
            crawl.tape,
            request.meta["page_id"],
            tuple(map(re.compile, wanted.rule.browser.block_urls)),
            Answer() if wanted.first else None,
        )
        try:
            rendered = await self._render(crawl.renderer, request, taken)
            if rendered is None:
                return _answered(request, taken)
            return await _kept(request, taken, rendered)
        except FetchFailed:
            if taken.answer is not None and taken.answer.response is not None:
                request.meta["capture_response"] = taken.answer.response
            raise

    def _warm(self) -> None:
        """Start the browser beside the first fetches, where a page is sure to want it.

        With ``render: auto`` most portals never do, and it takes a second and memory.
        """
        portal, renderer = self._crawl.portal, self._crawl.renderer
        wanted = {x.render for x in portal.items} | {x.render for x in portal.listings}
        if renderer is not None and "always" in wanted:
            renderer.warm()

    async def _render(
        self, renderer: Renderer, request: Request, taken: Taken
    ) -> Rendered | None:
        async with self._seats.turn():
            if not self._goes_on():
                raise HostBusy(urls.host_of(request.url), 0.0)
            return await self._shown(renderer, request, taken)

    async def _shown(
        self, renderer: Renderer, request: Request, taken: Taken
    ) -> Rendered | None:
        """Return what the page shows, None where its answer is all."""
        proxy = self._proxy(self._proxies.choose(urls.hostname_of(request.url)))
        answer = taken.answer
        if answer is not None:
            await _check_address(proxy.dialer, request.url)
        port = await self._seats.open_port(
            proxy,
            taken.take,
            allow=taken.allows,
            heard=answer.heard if answer is not None else None,
        )
        taken.log.refused = port.refused
        rendered, failure = None, None
        try:
            rendered = await self._show(renderer, request, taken, port)
        except (NotRendered, ConfigError) as exc:
            failure = exc
        finally:
            # All that came of the page is known then.
            await self._seats.close(port, is_whole=rendered is not None)
            self._tell(request, port)
        if answer is not None and answer.stands.done():
            return None
        if failure is not None:
            raise FetchFailed(_reason(failure, answer), str(failure)) from failure
        return rendered

    async def _show(
        self, renderer: Renderer, request: Request, taken: Taken, port: Port
    ) -> Rendered | None:
        return await show(
            renderer,
            replace(_order(request, self._crawl), told=taken.log.hear),
            port.server,
            goes_on=self._goes_on,
            forget=taken.forget,
            stands=taken.answer.stands if taken.answer is not None else None,
        )

    def _goes_on(self) -> bool:
        return self.crawler.crawling and self._crawl.failure is None

    def _proxy(self, proxy: Proxy | None) -> RecordingProxy:
        """Return a recording proxy that leaves through proxy."""
        crawl = self._crawl
        if self._authority is None:
            self._authority = Authority()
        return RecordingProxy(
            crawl.clock,
            Limits(crawl.max_record_bytes, crawl.portal.crawl.timeout),
            Dialer(crawl.guard, proxy),
            crawl.spool_dir,
            self._authority,
        )

    def _tell(self, request: Request, port: Port) -> None:
        log.info(
            "page_rendered",
            url=mask_url(request.url, self._crawl.redaction),
            exchanges=port.recorded,
            refused=sum(port.refused.values()),
        )

    async def close(self) -> None:
        """Close the connections; the last one closes the browser."""
        await super().close()
        if self._crawl.renderer is not None:
            await self._crawl.renderer.release()


async def _check_address(dialer: Dialer, url: str) -> None:
    """Pass what may be connected to, and what is not found.

    Raises:
        FetchFailed: the guard lets none of its addresses pass (private_address).
    """
    if dialer.guard is None:
        return
    try:
        with contextlib.suppress(Unreachable):  # found out again, and recorded
            await dialer.addresses(urls.hostname_of(url), 0)
    except Refused as exc:
        raise FetchFailed(Reason.PRIVATE_ADDRESS, str(exc)) from exc


def _reason(failure: Exception, answer: Answer | None) -> Reason:
    """Return what a page counts as that shows nothing: it may never have come."""
    late = isinstance(failure, TooLate) and answer is not None and answer.is_owed
    return Reason.TIMEOUT if late else Reason.NOT_RENDERED


def _answered(request: Request, taken: Taken) -> Response:
    """Return the response of a page that is not to be shown.

    Raises:
        FetchFailed: there is none.
    """
    answer = taken.answer
    if answer is None or answer.response is None:
        failure = answer.failure if answer is not None else None
        raise failure or FetchFailed(Reason.NOT_RENDERED, "it came from no response")
    request.meta["capture_response"] = answer.response
    return _response(answer.response, answer.flags)


async def _kept(request: Request, taken: Taken, rendered: Rendered) -> Response:
    """Write what the page showed; return its response.

    Raises:
        FetchFailed: it is too long, or made of no response that was seen.
        SpoolUnwritable: it could not be written.
    """
    chain = taken.chain(rendered.documents)
    refs = tuple(response.ref for response in chain if response.ref is not None)
    if not refs or bare(chain[-1].url) != bare(rendered.documents[-1]):
        raise FetchFailed(Reason.NOT_RENDERED, "it came from no response")
    size, limit = len(rendered.steps[0]), taken.context.max_parse_bytes
    if size > limit:
        raise FetchFailed(Reason.NOT_RENDERED, f"{size} bytes are beyond max_parse")
    main = chain[-1]
    written = [
        taken.tape.keep(DOM, main.url, step, taken.page_id, refs[-1].record_id)
        for step in rendered.steps
    ]
    dom = tuple([await asyncio.wrap_future(each) for each in written])
    taken.log.refused = Counter(taken.log.refused) + Counter(rendered.blocked)
    taken.log.acted = rendered.acted
    beside = Beside(taken.context, taken.tape, taken.page_id, main, refs[-1].record_id)
    await beside.write(taken.log, rendered.portrait, rendered.document)
    request.meta["capture_response"] = main
    wanted: Wanted = request.meta["render"]
    request.meta["rendition"] = Rendition(
        refs, rendered.steps, dom, rendered.ended, wanted.hops, tuple(chain[:-1])
    )
    answer = taken.answer
    flags = answer.flags if answer is not None and main is answer.response else []
    return _response(main, ["rendered", *flags])


def _response(response: model.Response, flags: list[str]) -> Response:
    return Response(
        response.url,
        status=response.status,
        headers=Headers(response.headers),
        body=response.payload,
        flags=flags,
    )


def _order(request: Request, crawl: CrawlContext) -> Order:
    wanted: Wanted = request.meta["render"]
    referer = request.headers.get("Referer")
    return order_of(
        wanted.rule,
        crawl.portal,
        request.url,
        crawl.clock,
        referer=referer.decode("latin-1") if referer else None,
        cookies=tuple(_cookies(request)),
        state=crawl.states.get(wanted.rule.browser.storage_state or ""),
    )


def _cookies(request: Request) -> list[tuple[str, str]]:
    sent = b"; ".join(request.headers.getlist("Cookie")).decode("latin-1")
    pairs = (part.strip().partition("=") for part in sent.split(";"))
    return [(name, value) for name, equals, value in pairs if name and equals]
