"""What `try` has for a tape: nothing is written, the APIs that pages call are noted."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler import http
from crawler.archive.pageinfo import PAGE_INFO, PageInfo
from crawler.extract.propose.apis import Call
from crawler.model import RecordRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crawler.archive.pageinfo import Made
    from crawler.clock import Clock
    from crawler.exchange import Exchange
    from crawler.model import Response

_KINDS = ("xhr", "fetch")
_FILE = "preview"


@dataclass(slots=True)
class Listener:
    """Stands for a tape; its references lead nowhere.

    Attributes:
        limit: bytes of an answer beyond which nothing is noted.
    """

    make_id: Callable[[], str]
    clock: Clock
    limit: int
    _answers: dict[str, tuple[Response, bytes]] = field(default_factory=dict)
    _pages: list[PageInfo] = field(default_factory=list)

    def record(
        self,
        exchange: Exchange,
        page_id: str | None,  # noqa: ARG002 - a tape's
        asked: str | None = None,  # noqa: ARG002
        resource_type: str | None = None,  # noqa: ARG002
    ) -> Future[RecordRef]:
        """Keep an answer, if it is not too long."""
        record_id = self.make_id()
        ref = RecordRef(record_id, _FILE, 0, 0, exchange.url, exchange.started_at)
        block = exchange.response
        if block is not None and block.size <= self.limit:
            answer = http.response_from_block(
                exchange.url,
                block,
                exchange.started_at,
                method=exchange.method,
                limit=self.limit,
                ref=ref,
                truncated=exchange.truncated is not None,
            )
            head = http.head_end(exchange.request) or 0
            if answer is not None and b"json" in _type_of(answer):
                self._answers[record_id] = (answer, exchange.request[head:])
        return _done(ref)

    def keep(
        self,
        made: Made,
        url: str,
        content: bytes,
        page_id: str,  # noqa: ARG002 - a tape's
        main: str,  # noqa: ARG002
    ) -> Future[RecordRef]:
        """Note what a page asked for."""
        if made == PAGE_INFO:
            self._pages.append(PageInfo.model_validate_json(content))
        ref = RecordRef(self.make_id(), _FILE, 0, 0, made.uri(url), self.clock.now())
        return _done(ref)

    def calls(self) -> Iterator[Call]:
        """Yield what scripts of the pages asked for and got as JSON."""
        for page in self._pages:
            for asked in page.exchanges:
                known = self._answers.get(asked.record_id)
                if known is not None and asked.type in _KINDS:
                    answer, body = known
                    yield Call(asked.method, answer, body, bool(asked.acted))


def _type_of(response: Response) -> bytes:
    return (http.header(response.headers, b"content-type") or b"").lower()


def _done(ref: RecordRef) -> Future[RecordRef]:
    future: Future[RecordRef] = Future()
    future.set_result(ref)
    return future
