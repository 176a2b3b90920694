"""What a rendered page asked for and what was made of it, written beside its document.

The browser says as what it asks for something when it begins to; so do requests to
secure origins and to this machine.  Where neither came in time, an exchange's records
do not say it; the page information, written last, says all that is known by then.
"""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler import http
from crawler.archive.pageinfo import KEPT, PAGE_INFO, PageExchange, PageInfo
from crawler.warc.redact import mask_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.browser.renderer import Portrait
    from crawler.exchange import Exchange
    from crawler.model import RecordRef, Response
    from crawler.spiders.context import CrawlContext, Tape

MAX_REQUESTS = 1_000
MAX_BYTES = 200_000_000
"""Of one page: what it asks for beyond them is refused."""

_DESTINATIONS = {
    **dict.fromkeys(("document", "frame", "iframe", "embed", "object"), "document"),
    **dict.fromkeys(("image", "font", "script", "manifest"), None),
    **dict.fromkeys(("audio", "video"), "media"),
    **dict.fromkeys(("worker", "sharedworker", "serviceworker"), "script"),
    "style": "stylesheet",
    "track": "texttrack",
    "empty": "fetch",
}
"""Values of Sec-Fetch-Dest, and what Chromium calls such requests; None: the same."""
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MAX_TITLE_CHARS = 1000


@dataclass(slots=True)
class PageLog:
    """The exchanges of one rendered page, and what it met.

    Attributes:
        refused: how often each host was.
        limits: that the page met.
        acted: method and URL of what it asked for at a click or a step down.
        asked: requests so far, refused ones too.
        bytes: of the responses so far.
    """

    refused: Mapping[str, int] = field(default_factory=dict)
    limits: dict[str, None] = field(default_factory=dict)
    acted: frozenset[tuple[str, str]] = frozenset()
    asked: int = 0
    bytes: int = 0
    _told: dict[tuple[str, str], str] = field(default_factory=dict)
    _seen: list[tuple[Exchange, RecordRef, http.Head | None]] = field(
        default_factory=list
    )

    def admits(self) -> bool:
        """Tell whether the page may ask once more."""
        self.asked += 1
        if self.asked > MAX_REQUESTS:
            self.limits["requests"] = None
        if self.bytes > MAX_BYTES:
            self.limits["bytes"] = None
        return not self.limits

    def hear(self, method: str, url: str, resource_type: str) -> None:
        """Take what the browser says of a request it begins."""
        self._told[method, url.partition("#")[0]] = resource_type

    def type_of(self, exchange: Exchange) -> str | None:
        """Return as what an exchange was asked for, None where it is not known yet."""
        told = self._told.get((exchange.method, exchange.url))
        return told or _destination(exchange)

    def add(self, exchange: Exchange, ref: RecordRef) -> None:
        """Note an exchange and the record that stands for it."""
        block = exchange.response
        head = http.read_head(block) if block is not None else None
        self.bytes += block.size if block is not None else 0
        self._seen.append((exchange, ref, head))

    def exchanges(self) -> tuple[PageExchange, ...]:
        """Return the exchanges in the order they began."""
        seen = sorted(self._seen, key=lambda one: one[0].started_at)
        return tuple(
            PageExchange(
                record_id=ref.record_id,
                url=ref.target_uri,
                method=exchange.method,
                status=head.status if head else None,
                mime=_mime(head),
                type=self.type_of(exchange),
                acted=(exchange.method, exchange.url) in self.acted or None,
            )
            for exchange, ref, head in seen
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """Writes what was made of a page beside its document.

    Attributes:
        main: the response that the page was made of.
    """

    context: CrawlContext
    tape: Tape
    page_id: str
    main: Response
    main_id: str

    async def write(self, log: PageLog, portrait: Portrait, document: bytes) -> None:
        """Write the pictures, the text, and the page information.

        Raises:
            SpoolUnwritable: one could not be written.
        """
        url, page_id, main = self.main.url, self.page_id, self.main_id
        info = PageInfo(
            url=mask_url(url, self.context.redaction),
            title=title_of(document),
            captured_at=self.context.clock.now(),
            exchanges=log.exchanges(),
            refused=dict(log.refused),
            limits=(*log.limits, *portrait.cut),
            missing=dict(portrait.missing),
        )
        made = [(KEPT[kind], content) for kind, content in portrait.made.items()]
        made.append((PAGE_INFO, info.to_bytes()))
        written = [self.tape.keep(x, url, y, page_id, main) for x, y in made]
        await asyncio.gather(*map(asyncio.wrap_future, written))


def title_of(document: bytes) -> str | None:
    """Return the title of a rendered document."""
    found = _TITLE.search(document)
    text = html.unescape(found[1].decode("utf-8", "replace")) if found else ""
    return " ".join(text.split())[:_MAX_TITLE_CHARS] or None


def _destination(exchange: Exchange) -> str | None:
    """Return what the request's own headers say it is for."""
    if exchange.method == "OPTIONS":
        return "preflight"
    head = http.parse_request_head(exchange.request)
    said = http.header(head.headers, b"sec-fetch-dest") if head else None
    destination = (said or b"").strip().lower().decode("latin-1")
    return _DESTINATIONS.get(destination, destination) or destination or None


def _mime(head: http.Head | None) -> str | None:
    said = http.header(head.headers, b"content-type") if head else None
    return (said or b"").partition(b";")[0].strip().lower().decode("latin-1") or None
