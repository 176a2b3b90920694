"""What a rendered page asks for: allowed or not, written as it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from crawler import http, urls
from crawler.block import SPILL_BYTES
from crawler.browser.policy import allow_public, is_vendor
from crawler.spiders.answer import navigates
from crawler.spiders.pagelog import PageLog
from crawler.warc.cdxj import request_digest

if TYPE_CHECKING:
    import re

    from crawler.exchange import Exchange
    from crawler.model import RecordRef, Response
    from crawler.spiders.answer import Answer
    from crawler.spiders.context import CrawlContext, Tape


@dataclass(slots=True)
class Taken:
    """What one page asked for, written as it ends.

    Attributes:
        unwanted: what is found in URLs that it may not ask for.
        answer: to the page itself, None where it was fetched before.
        documents: responses to navigations, frames' too, in the order they ended.
    """

    context: CrawlContext
    tape: Tape
    page_id: str
    unwanted: tuple[re.Pattern[str], ...] = ()
    answer: Answer | None = None
    documents: list[Response] = field(default_factory=list)
    log: PageLog = field(default_factory=PageLog)

    def forget(self) -> None:
        """Begin anew: the page is asked for once more."""
        self.documents.clear()
        if self.answer is not None:
            self.answer.forget()

    def allows(self, host: str, port: int, url: str) -> bool:
        """Tell whether the page may ask for url; the addresses are guarded later."""
        if self.answer is not None and self.answer.is_last:
            return False
        if not self.log.admits() or any(each.search(url) for each in self.unwanted):
            return False
        if self.context.guard is not None:
            return allow_public(host, port, url)
        return urls.scheme_of(url) in ("http", "https") and not is_vendor(host)

    async def take(self, exchange: Exchange) -> None:
        """Write an exchange; keep the response where it may be the page's own.

        Raises:
            SpoolUnwritable: it could not be written.
        """
        try:
            kind = self.log.type_of(exchange)
            asked = _asked(exchange)
            recorded = self.tape.record(exchange, self.page_id, asked, kind)
            ref = await asyncio.wrap_future(recorded)
            self.log.add(exchange, ref)
            if navigates(exchange.method, exchange.request):
                await self._keep(exchange, ref)
        finally:
            if exchange.response is not None:
                exchange.response.close()

    async def _keep(self, exchange: Exchange, ref: RecordRef) -> None:
        response = await self._response(exchange, ref)
        if response is not None:
            self.documents.append(response)
        if self.answer is not None:
            self.answer.ended(exchange, response)

    async def _response(self, exchange: Exchange, ref: RecordRef) -> Response | None:
        if (block := exchange.response) is None:
            return None
        make = partial(
            http.response_from_block,
            exchange.url,
            block,
            ref.captured_at,
            method=exchange.method,
            limit=self.context.max_parse_bytes,
            ref=ref,
            truncated=exchange.truncated is not None,
        )
        small = block.size <= SPILL_BYTES
        return make() if small else await asyncio.to_thread(make)

    def chain(self, shown: tuple[str, ...]) -> list[Response]:
        """Return the responses that the documents of these URLs were made of."""
        left, found = list(self.documents), []
        for url in shown:
            for at, response in enumerate(left):
                if bare(response.url) == bare(url):
                    found.append(response)
                    del left[: at + 1]
                    break
        return found


def _asked(exchange: Exchange) -> str | None:
    """Return the digest of a request that is more than its URL, None of a plain one."""
    if exchange.method == "GET":
        return None
    body = exchange.request[http.head_end(exchange.request) or 0 :]
    return request_digest(exchange.method, exchange.url, (), body)


def bare(url: str) -> str:
    """Return url without its fragment."""
    return url.partition("#")[0]
