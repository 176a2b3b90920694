"""One page visit from its first response to its ending: hops, pages, extraction.

1. Redirects are followed here, each hop checked, fetched by the same middlewares and
   recorded; the chain is one visit.
2. A failure that may pass gives the work back with a delay; the frontier counts tries.
3. An article's further pages are fetched under the same page id.
4. Extraction makes an item or a listing of the capture, or a reason why not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from crawler import http, urls
from crawler.archive.captures import first_at
from crawler.archive.ledger import Ending
from crawler.errors import NotExtracted
from crawler.extract import further_urls
from crawler.frontier import policy
from crawler.frontier.rows import link_to_json
from crawler.item import Listing
from crawler.model import Capture, Kind, Outcome, Reason, RecordRef
from crawler.spiders.handler import FetchFailed
from crawler.spiders.manners import HostBusy
from crawler.spiders.robots import REDIRECTS, Refused
from crawler.warc.redact import mask_link, mask_response, mask_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from crawler.model import Link, Response, Skipped, Work
    from crawler.spiders.context import CrawlContext

HTTP_ERROR = 400
SERVER_ERROR = 500
MAX_FURTHER = 50
TOO_LONG = "truncated:length"
OF_A_BODY = frozenset({b"content-type", b"content-length"})
CAPTURE_FORMAT = {"format": "portalkeep-capture", "version": 1}


class Arrived(Protocol):
    """What a fetch gives of Scrapy's response; the rest is in the request's meta."""

    flags: list[str]


class _Stop(Exception):
    """The visit ends here, with this ending."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.outcome)
        self.ending = ending


@dataclass(slots=True)
class Visit:
    """The visit of one leased work.

    Attributes:
        fetch: fetches a request through the middlewares.
        tries: how often this work was tried, this time included.
        hops: records of the redirect chain so far.
        last: the response that came last.
        too_long: whether it was cut at max_record: asking again cannot help.
    """

    context: CrawlContext
    work: Work
    page_id: str
    fetch: Callable[[Request], Awaitable[Arrived]]
    hops: list[RecordRef] = field(default_factory=list)
    further: list[Response] = field(default_factory=list)
    last: Response | None = None
    too_long: bool = False

    async def run(self, request: Request, flags: Sequence[str]) -> Ending:
        """Return how the visit ends, its first response having come.

        Args:
            request: with that response in its meta.
            flags: of that response.
        """
        try:
            main = await self._arrive(request, flags)
            self._check(main)
            return await self._read(main)
        except _Stop as stop:
            return stop.ending

    def failed(self, failure: BaseException) -> Ending:
        """Return how the visit ends when its first fetch failed."""
        if isinstance(failure, HostBusy):
            busy = self._end(Outcome.FAILED, Reason.HOST_DOWN, str(failure))
            return replace(busy, again_s=failure.wait_s, counts_try=False)
        if isinstance(failure, Refused):
            return self._refused(failure)
        if isinstance(failure, FetchFailed):
            if failure.reason is Reason.PRIVATE_ADDRESS:  # nothing was fetched
                return self._end(Outcome.SKIPPED, failure.reason, failure.detail)
            return self._failure(failure.reason, failure.detail)
        return self._failure(Reason.BAD_RESPONSE, f"{type(failure).__name__}")

    def broken(self, detail: str) -> Ending:
        """Return how the visit ends when our own code failed on it."""
        return self._end(Outcome.FAILED, Reason.CALLBACK, detail)

    async def _arrive(self, request: Request, flags: Sequence[str]) -> Response:
        """Follow redirects; return the response at their end."""
        seen = {request.url}
        response = self._note(request, flags)
        while (target := redirect_target(response)) is not None:
            if target in seen:
                raise _Stop(self._end(Outcome.FAILED, Reason.REDIRECT_LOOP, target))
            if len(seen) > self.context.portal.crawl.max_redirects:
                raise _Stop(self._end(Outcome.FAILED, Reason.REDIRECT_LIMIT, target))
            refused = policy.refuse(target, self.context.portal, depth=self.work.depth)
            if refused is not None:
                raise _Stop(self._skipped(refused))
            seen.add(target)
            request = self._hop(request, response, target)
            response = self._note(request, await self._get(request))
        return response

    def _note(self, request: Request, flags: Sequence[str]) -> Response:
        response: Response = request.meta["capture_response"]
        if response.ref is not None:  # tries of the same download stand not in it
            self.hops.append(response.ref)
        self.last = response
        self.too_long = TOO_LONG in flags
        return response

    def _hop(self, request: Request, response: Response, target: str) -> Request:
        """Return the request for target; after 303, or 301 or 302 of a POST, by GET."""
        by_get = response.status == 303 or (  # noqa: PLR2004
            response.status in (301, 302) and request.method == "POST"
        )
        method, body = ("GET", b"") if by_get else (request.method, request.body)
        kept = request.headers if _same_host(request.url, target) else {}
        headers = {
            name: values
            for name, values in kept.items()
            if not (by_get and name.lower() in OF_A_BODY)
        }
        return Request(
            target,
            method=method,
            body=body,
            headers=headers,
            dont_filter=True,
            meta={"page_id": self.page_id},
        )

    async def _get(self, request: Request) -> Sequence[str]:
        """Fetch a request; return the flags of its response."""
        try:
            return (await self.fetch(request)).flags
        except (FetchFailed, IgnoreRequest) as exc:
            raise _Stop(self.failed(exc)) from exc

    def _check(self, main: Response) -> None:
        """Pass a response that is worth reading.

        Raises:
            _Stop: it is a failure, for good or to be tried again.
        """
        status = main.status
        if status >= SERVER_ERROR or status in policy.RETRYABLE_STATUS:
            raise _Stop(self._failure(Reason.HTTP_STATUS, str(status), status))
        if main.cut and not self.too_long and self._may_be_whole_next_time(main):
            raise _Stop(self._failure(Reason.TRUNCATED, main.url))

    def _may_be_whole_next_time(self, main: Response) -> bool:
        long = len(main.payload) >= self.context.max_parse_bytes
        return not long and main.status < HTTP_ERROR

    async def _read(self, main: Response) -> Ending:
        try:
            capture = await self._capture(main)
            result = self.context.extract(capture)
        except NotExtracted as exc:
            return self._captured(Reason(exc.reason), exc.detail)
        ending = self._captured(None, "")
        if isinstance(result, Listing):
            return _with(ending, listing=result)
        return _with(ending, items=(result,))

    async def _capture(self, main: Response) -> Capture:
        capture = self._bare(main)
        if capture.link.kind is not Kind.ITEM:
            return capture
        for _ in range(MAX_FURTHER):
            following = self._following(capture)
            if not following:
                break
            self.further.append(await self._page(following[0]))
            capture = self._bare(main)
        return capture

    def _following(self, capture: Capture) -> list[str]:
        """Return the further pages still to fetch; one read already is masked there."""
        read = {
            capture.link.url,
            *(page.url for page in (capture.main, *capture.further)),
        }
        redaction = self.context.redaction
        following = further_urls(capture, self.context.portal)
        return [url for url in following if mask_url(url, redaction) not in read]

    def _bare(self, main: Response) -> Capture:
        ref = self.hops[-1] if self.hops else None
        redaction = self.context.redaction
        return Capture(
            page_id=self.page_id,
            link=self._stored_link(ref) or mask_link(self.work.link, redaction),
            main=mask_response(main, redaction),
            first_at=first_at(main, ref),
            hops=tuple(self.hops),
            further=tuple(mask_response(page, redaction) for page in self.further),
            run_id=self.context.run_id,
            page=self.work.page,
        )

    def _stored_link(self, ref: RecordRef | None) -> Link | None:
        visits = self.context.visits
        return visits.link(ref) if visits is not None and ref is not None else None

    async def _page(self, url: str) -> Response:
        refused = policy.refuse(url, self.context.portal, depth=self.work.depth)
        if refused is not None:
            raise NotExtracted(
                Reason.TRUNCATED, f"further page {url!r}: {refused.reason}"
            )
        request = Request(url, dont_filter=True, meta={"page_id": self.page_id})
        try:
            await self._get(request)
        except _Stop as stop:
            if stop.ending.reason is Reason.ROBOTS and stop.ending.again_s is None:
                raise NotExtracted(
                    Reason.TRUNCATED, f"further page {url!r}: robots"
                ) from stop
            raise
        response: Response = request.meta["capture_response"]
        self.last = response
        if response.status >= HTTP_ERROR or response.status in REDIRECTS:
            raise _Stop(
                self._failure(
                    Reason.HTTP_STATUS, f"{response.status} {url}", response.status
                )
            )
        return response

    # endings

    def _refused(self, refused: Refused) -> Ending:
        """Wait for a robots.txt that could not be read; else it is a no."""
        ending = self._skipped(refused.skipped)
        if not refused.temporary:
            return ending
        again = policy.after_failure(
            Reason.CONNECT, self.work.tries, self.context.portal.crawl
        )
        return replace(ending, again_s=again.delay_s) if again else ending

    def _skipped(self, skipped: Skipped) -> Ending:
        detail = skipped.detail
        if skipped.url != self.work.link.url:
            detail = f"{skipped.url} {detail}".strip()
        return self._end(Outcome.SKIPPED, skipped.reason, detail)

    def _captured(self, reason: Reason | None, detail: str) -> Ending:
        ref = self.hops[-1] if self.hops else None
        again = ref is not None and ref.payload_record is not None
        outcome = Outcome.REVISITED if again else Outcome.CAPTURED
        return self._end(outcome, reason, detail)

    def _failure(
        self, reason: Reason, detail: str, status: int | None = None
    ) -> Ending:
        """Return an ending that tries again while that may help."""
        asked_s = None
        if self.last is not None and self.context.visits is None:
            value = http.header(self.last.headers, b"retry-after")
            asked_s = policy.retry_after_s(value, self.context.clock.now())
        again = policy.after_failure(
            reason,
            self.work.tries,
            self.context.portal.crawl,
            status=status,
            retry_after_s=asked_s,
        )
        ending = self._end(Outcome.FAILED, reason, detail)
        return _with(ending, again_s=again.delay_s) if again else ending

    def _end(self, outcome: Outcome, reason: Reason | None, detail: str) -> Ending:
        ref = self.hops[-1] if self.hops else None
        return Ending(
            self.work,
            outcome,
            reason,
            detail,
            self.page_id,
            ref,
            self._body(outcome, reason, detail) if ref is not None else None,
        )

    def _body(
        self, outcome: Outcome, reason: Reason | None, detail: str
    ) -> dict[str, Any]:  # Any: JSON
        """Return the body of the visit's capture record."""
        body: dict[str, Any] = {
            **CAPTURE_FORMAT,
            "page_id": self.page_id,
            "run_id": self.context.run_id,
            "link": link_to_json(mask_link(self.work.link, self.context.redaction)),
            "page": self.work.page,
            "hops": [ref.record_id for ref in self.hops],
            "further": [
                response.ref.record_id for response in self.further if response.ref
            ],
            "render": "never",
            "outcome": outcome.value,
        }
        if reason is not None:
            body["reason"] = reason.value
        if detail:
            body["detail"] = mask_url(detail[:500], self.context.redaction)
        return body


def _with(ending: Ending, **changes: Any) -> Ending:  # noqa: ANN401 - fields of Ending
    return replace(ending, **changes)


def redirect_target(response: Response) -> str | None:
    """Return the absolute URL a response redirects to, None where it does not."""
    if response.status not in REDIRECTS:
        return None
    location = http.header(response.headers, b"location")
    if location is None:
        return None
    return urls.absolute(response.url, location.decode("utf-8", "replace"))


def _same_host(one: str, other: str) -> bool:
    return urls.host_of(one) == urls.host_of(other)
