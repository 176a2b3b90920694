"""Scrapy's HTTP/1.1 handler with every exchange recorded before its response is seen.

One download is: bind a job, let Scrapy's handler do it, end what is still open, have
each wire exchange recorded in order, make the response of the recorded bytes.  The
record is durable before anything above the handler sees the response.
"""

from __future__ import annotations

import asyncio
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urldefrag

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Headers, Response
from scrapy.utils.reactor import is_asyncio_reactor_installed

from crawler import http, urls
from crawler.addresses import literal_address, private_host
from crawler.archive.refs import ref_to_json
from crawler.block import SPILL_BYTES
from crawler.errors import (
    CaptureUnavailable,
    PortalkeepError,
    SpoolUnwritable,
)
from crawler.proxy import Proxies
from crawler.spiders import canary, scrapy_private
from crawler.spiders.failure import EXPECTED, FetchFailed, end_failed, fail
from crawler.spiders.wire import Job

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler import model
    from crawler.clock import Clock
    from crawler.exchange import Exchange
    from crawler.model import RecordRef
    from crawler.proxy import Proxy

__all__ = [
    "AddressGuard",
    "CaptureContext",
    "CaptureDownloadHandler",
    "FetchFailed",
    "to_scrapy",
]

_SECRET_HEADER = b"Proxy-Authorization"


class AddressGuard(Protocol):
    """Says which addresses may be connected to."""

    def allows(self, address: str) -> bool:
        """Tell whether address, IPv4 or IPv6 as text, may be connected to."""
        ...


class CaptureContext(Protocol):
    """What the handler needs of the run, found as ``crawler.portalkeep``.

    Attributes:
        max_record_bytes: longest response archived; beyond it, it is cut.
        max_parse_bytes: longest payload handed on.
        spool_dir: where large responses wait to be written.
        proxy: of every request, or several for the hosts in turn; None for none.
        guard: None lets every address pass.
    """

    @property
    def clock(self) -> Clock: ...  # noqa: D102 - a field
    @property
    def max_record_bytes(self) -> int: ...  # noqa: D102
    @property
    def max_parse_bytes(self) -> int: ...  # noqa: D102
    @property
    def spool_dir(self) -> Path: ...  # noqa: D102
    @property
    def proxy(self) -> str | tuple[str, ...] | None: ...  # noqa: D102
    @property
    def guard(self) -> AddressGuard | None: ...  # noqa: D102

    async def record(self, exchange: Exchange, request: Request) -> RecordRef | None:
        """Return once exchange is durable, with the ref of its response record.

        None: there is no response to refer to.  The block stays open; the handler
        reads it after this and closes it.
        """
        ...


class CaptureDownloadHandler(HTTP11DownloadHandler):
    """Downloads http and https, recording what crosses the wire.

    Leaves in ``request.meta``: ``hops``, a new list with the refs of this download
    added, as JSON; ``capture_response``, the `crawler.model.Response` (in-process
    only); ``download_latency``, seconds to the first byte.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        """Take the place of Scrapy's handler.

        Raises:
            CaptureUnavailable: capture would not be exact; nothing is fetched.
            ConfigError: the proxy is not one this handler can use.
        """
        if not is_asyncio_reactor_installed():
            raise CaptureUnavailable("capture needs Scrapy's asyncio reactor")
        canary.check()
        super().__init__(crawler)
        scrapy_private.install(self)
        context: CaptureContext | None = getattr(crawler, "portalkeep", None)
        if context is None:
            raise CaptureUnavailable("the crawler has no capture context to record to")
        self._context = context
        self._proxies = Proxies.of(context.proxy)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the handler of a crawler.

        Scrapy logs what is raised here and goes on without a handler, so the context
        is told: the crawl ends before anything is asked for.
        """
        try:
            return super().from_crawler(crawler)
        except PortalkeepError as exc:
            context = getattr(crawler, "portalkeep", None)
            if context is not None:
                context.failure = exc
            raise

    async def download_request(self, request: Request) -> Response:
        """Fetch request; return the response once it is recorded.

        A response that is not whole is returned with the flag ``truncated:<reason>``
        (one longer than ``max_parse_bytes``, or with broken chunks, with ``cut``).

        Raises:
            FetchFailed: no response head came.
            SpoolUnwritable: the response could not be kept.
        """
        proxy = self._proxies.choose(urls.hostname_of(request.url))
        job = self._job(request, proxy)
        bare, failure = await self._fetch(job, request, proxy)
        if failure is not None:
            end_failed(job, failure)
        exchanges = [recording.exchange() for recording in job.recordings]
        try:
            refs = [await self._context.record(each, request) for each in exchanges]
            if job.broken is not None:
                raise SpoolUnwritable(f"{self._context.spool_dir}: {job.broken}")
            request.meta["hops"] = [
                *request.meta.get("hops", ()),
                *(ref_to_json(ref) for ref in refs if ref is not None),
            ]
            response = await self._response(exchanges[-1], refs[-1])
            if response is None:
                fail(job, failure)
            request.meta["capture_response"] = response
            if exchanges[-1].first_byte_ms is not None:
                request.meta["download_latency"] = exchanges[-1].first_byte_ms / 1000
            return to_scrapy(
                response, exchanges[-1], getattr(bare, "certificate", None)
            )
        finally:
            for exchange in exchanges:
                if exchange.response is not None:
                    exchange.response.close()

    def _job(self, request: Request, proxy: Proxy | None) -> Job:
        guard = self._context.guard
        return Job(
            url=urldefrag(request.url)[0],
            method=request.method,
            clock=self._context.clock,
            max_record_bytes=self._context.max_record_bytes,
            spool_dir=self._context.spool_dir,
            via=proxy.address if proxy else None,
            allows=guard.allows if guard else None,
        )

    async def _fetch(
        self, job: Job, request: Request, proxy: Proxy | None
    ) -> tuple[Response | None, BaseException | None]:
        """Let Scrapy's handler fetch; its response is a stand-in without the body."""
        if (refused := _refused_host(job)) is not None:
            return None, CannotResolveHostError(f"{refused} is not allowed")
        token = scrapy_private.bound_job.set(job)
        through = scrapy_private.bound_socks.set(proxy.socks if proxy else None)
        try:
            return await super().download_request(_outgoing(request, proxy)), None
        except EXPECTED as exc:
            return None, exc
        finally:
            scrapy_private.bound_socks.reset(through)
            scrapy_private.bound_job.reset(token)

    async def _response(
        self, exchange: Exchange, ref: RecordRef | None
    ) -> model.Response | None:
        """Make the response of the recorded bytes, in a thread where they are many."""
        block = exchange.response
        if block is None:
            return None
        make = partial(
            http.response_from_block,
            exchange.url,
            block,
            ref.captured_at if ref else exchange.started_at,
            method=exchange.method,
            limit=self._context.max_parse_bytes,
            ref=ref,
            truncated=exchange.truncated is not None,
        )
        return make() if block.size <= SPILL_BYTES else await asyncio.to_thread(make)


def to_scrapy(
    response: model.Response, exchange: Exchange, certificate: object = None
) -> Response:
    """Return response as Scrapy's plain class, payload and content-coding as they are.

    Flags: ``truncated:<reason>`` where the record is not whole, else ``cut`` where the
    payload is not.
    """
    flags = ["cut"] if response.cut else []
    if exchange.truncated is not None:
        flags = [f"truncated:{exchange.truncated.value}"]
    head = http.read_head(exchange.response) if exchange.response else None
    return Response(
        url=response.url,
        status=response.status,
        headers=Headers(response.headers),
        body=response.payload,
        flags=flags,
        certificate=certificate,
        ip_address=ip_address(exchange.ip) if exchange.ip else None,
        protocol=head.version.decode("ascii").upper() if head else None,
    )


def _outgoing(request: Request, proxy: Proxy | None) -> Request:
    """Return request as it goes out: by our proxy or by none."""
    named = "proxy" in request.meta or _SECRET_HEADER in request.headers
    if proxy is None and not named:
        return request
    headers = request.headers.copy()
    headers.pop(_SECRET_HEADER, None)
    meta = {key: value for key, value in request.meta.items() if key != "proxy"}
    if proxy is not None and proxy.socks is None:
        meta["proxy"] = proxy.address
        if proxy.authorization is not None:
            headers[_SECRET_HEADER] = proxy.authorization
    return request.replace(headers=headers, meta=meta)


def _refused_host(job: Job) -> str | None:
    """Return what the URL itself spells and that may not be connected to, None of most.

    Nothing is looked up; with a proxy this is all that is seen.
    """
    host = urls.hostname_of(job.url)
    spelt = private_host(host) or literal_address(host)
    return spelt if spelt is not None and not job.may_connect(spelt) else None
