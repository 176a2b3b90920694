"""What a page itself was answered, where a browser asks for it first.

An answer that is nothing to show, a redirect, an error, a download, ends the asking as
soon as its head is there: before the browser has it, so that a redirect is followed by
nobody but the visit.  The visit goes on with it as with any it fetched.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.exchange import Truncated
from crawler.extract.shown import is_document
from crawler.model import Reason
from crawler.spiders.failure import FetchFailed

if TYPE_CHECKING:
    from crawler import http
    from crawler.browser.message import Asked
    from crawler.exchange import Exchange
    from crawler.model import Response

_NAVIGATES = b"\r\naccept: text/html"
_UNANSWERED = {
    reason.value: reason
    for reason in (
        Reason.DNS,
        Reason.CONNECT,
        Reason.TLS,
        Reason.TIMEOUT,
        Reason.DISCONNECTED,
    )
}
"""What the recording proxy's errors begin with, and what it counts as."""

_BY_ORIGIN = (Truncated.DISCONNECT, Truncated.TIME)
"""Ends that neither the browser made nor we."""


def navigates(method: str, head: bytes) -> bool:
    """Tell whether a request asks for a document, a frame's too."""
    return method == "GET" and _NAVIGATES in head.lower()


@dataclass(slots=True)
class Answer:
    """The answer to the page itself: of what navigates, the first.

    Attributes:
        url: of the page, None before its answer began.
        is_last: whether the page may ask for nothing more.
        response: the whole of it, None before it ended.
        flags: of it, as the handler's.
        failure: why there is none.
        is_owed: whether the origin was asked, and nobody waited for it any more.
        stands: done where there is no use in showing it.
    """

    url: str | None = None
    is_last: bool = False
    response: Response | None = None
    flags: list[str] = field(default_factory=list)
    failure: FetchFailed | None = None
    is_owed: bool = False
    stands: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def forget(self) -> None:
        """Begin anew: the page is asked for once more."""
        if not self.stands.done():
            self.url, self.response, self.is_last = None, None, False

    def heard(self, asked: Asked, head: http.Head) -> None:
        """Look at how an answer begins."""
        if self.url is None and navigates(asked.method, asked.head):
            self.url = asked.url
            self.is_last = not is_document(head.status, head.headers)

    def ended(self, exchange: Exchange, response: Response | None) -> None:
        """Take what navigated, as it was recorded."""
        if self.response is not None or self.url not in {None, exchange.url}:
            return
        if response is None:
            self.failure = _failure(exchange)
            self.is_owed = (exchange.ip or exchange.via) is not None
        else:
            self.response, self.flags = response, _flags(exchange, response)
        is_cut = exchange.truncated in _BY_ORIGIN
        if self.failure is not None or self.is_last or is_cut:
            self._stand()

    def _stand(self) -> None:
        if not self.stands.done():
            self.stands.set_result(None)


def _failure(exchange: Exchange) -> FetchFailed | None:
    """Return why no head came, None where the browser did not wait for it."""
    said, _, detail = (exchange.error or "").partition(": ")
    if said in _UNANSWERED:
        return FetchFailed(_UNANSWERED[said], detail)
    if exchange.response is not None and exchange.truncated is None:
        return FetchFailed(Reason.BAD_RESPONSE, exchange.error or "")
    return None


def _flags(exchange: Exchange, response: Response) -> list[str]:
    if exchange.truncated is not None:
        return [f"truncated:{exchange.truncated.value}"]
    return ["cut"] if response.cut else []
