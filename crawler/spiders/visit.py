"""One page visit from its first response to its ending: hops, pages, extraction.

1. Redirects are followed here, each hop checked, fetched by the same middlewares and
   recorded; the chain is one visit.
2. A page that its rule has rendered is asked for by a browser alone; one whose plain
   response is a shell is shown by it, too: a further request of the same visit
   (`crawler.spiders.rendering`).
3. An article's further pages are fetched under the same page id.
4. Extraction makes an item or a listing of the capture, or a reason why not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from crawler.archive.captures import first_at
from crawler.errors import NotExtracted
from crawler.extract.shown import calls_for_browser, rule_to_show
from crawler.frontier import policy
from crawler.item import Listing
from crawler.model import Capture, Kind, Outcome, Reason
from crawler.spiders.ending import Stop, Trail
from crawler.spiders.failure import FetchFailed
from crawler.spiders.further import FurtherPages
from crawler.spiders.hop import hop, redirect_target
from crawler.spiders.login import in_newer_session
from crawler.spiders.wanted import Wanted, wanted_at_once
from crawler.warc.redact import mask_link, mask_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from crawler.archive.ledger import Ending
    from crawler.extract.shown import ShownRule
    from crawler.item import Item
    from crawler.model import Link, RecordRef, Response
    from crawler.spiders.context import CrawlContext
    from crawler.spiders.wanted import Rendition

HTTP_ERROR = 400
SERVER_ERROR = 500
TOO_LONG = "truncated:length"


class Arrived(Protocol):
    """What a fetch gives of Scrapy's response; the rest is in the request's meta."""

    flags: list[str]


@dataclass(slots=True)
class Visit:
    """The visit of one leased work.

    Attributes:
        trail: what it left so far.
        fetch: fetches a request through the middlewares.
        too_long: whether its last page was cut at max_record: asking again cannot help.
    """

    trail: Trail
    fetch: Callable[[Request], Awaitable[Arrived]]
    too_long: bool = False

    @property
    def context(self) -> CrawlContext:
        """The crawl's collaborators."""
        return self.trail.context

    async def run(self, request: Request, flags: Sequence[str]) -> Ending:
        """Return how the visit ends, its first response having come.

        Args:
            request: with that response in its meta.
            flags: of that response.
        """
        try:
            main = await self._arrive(request, flags)
            self._check(main)
            ending = await self._read(main)
            if ending.reason is Reason.LOGGED_OUT:
                ending = await self._revisit(request)
        except Stop as stop:
            return stop.ending
        return ending

    async def _revisit(self, request: Request) -> Ending:
        """Visit once more in a new session: the first page was one for strangers."""
        again = in_newer_session(request)
        again.meta.update(self._at_once(again.url))
        self.trail.forget()
        main = await self._arrive(again, await self._get(again))
        self._check(main)
        ending = await self._read(main)
        session = self.context.session
        out = ending.reason is Reason.LOGGED_OUT
        session.useless = session.useless + 1 if out else 0
        return ending

    async def _arrive(self, request: Request, flags: Sequence[str]) -> Response:
        """Follow redirects; return the response at their end."""
        seen = {request.url}
        response = self._note(request, flags)
        while (target := redirect_target(response)) is not None:
            if target in seen:
                raise Stop(self.trail.end(Outcome.FAILED, Reason.REDIRECT_LOOP, target))
            if len(seen) > self.context.portal.crawl.max_redirects:
                raise Stop(
                    self.trail.end(Outcome.FAILED, Reason.REDIRECT_LIMIT, target)
                )
            refused = policy.refuse(
                target, self.context.portal, depth=self.trail.work.depth
            )
            if refused is not None:
                raise Stop(self.trail.skipped(refused))
            seen.add(target)
            request = hop(request, response, target)
            request.meta.update(self._at_once(target))
            response = self._note(request, await self._get(request))
        return response

    def _at_once(self, url: str) -> dict[str, Wanted]:
        trail = self.trail
        return wanted_at_once(self.context, trail.work, url, len(trail.hops))

    def _note(self, request: Request, flags: Sequence[str]) -> Response:
        response: Response = request.meta["capture_response"]
        rendition: Rendition | None = request.meta.get("rendition")
        if "render" in request.meta:
            self.trail.render = request.meta["render"].rule.render
        if rendition is not None:
            self.trail.show(rendition)
        elif response.ref is not None:  # tries of the same download stand not in it
            self.trail.hops.append(response.ref)
        self.trail.last = response
        self.too_long = TOO_LONG in flags
        if rendition is not None:
            self._check_place(request.url, response.url)
        return response

    def _check_place(self, asked: str, shown: str) -> None:
        """Pass a page that its scripts did not lead elsewhere.

        Raises:
            Stop: it is none of ours.
        """
        portal, depth = self.context.portal, self.trail.work.depth
        refused = policy.refuse(shown, portal, depth=depth)
        if refused is not None and shown != asked:
            raise Stop(self.trail.skipped(refused))

    async def _get(self, request: Request) -> Sequence[str]:
        """Fetch a request; return the flags of its response."""
        try:
            return (await self.fetch(request)).flags
        except (FetchFailed, IgnoreRequest) as exc:
            raise Stop(self.missed(request, exc)) from exc

    def missed(self, request: Request, error: BaseException) -> Ending:
        """Return how the visit ends, a fetch having failed; a page may have come."""
        if "capture_response" in request.meta:
            self._note(request, ())
        return self.trail.failed(error)

    def _check(self, main: Response) -> None:
        """Pass a response that is worth reading.

        Raises:
            Stop: it is a failure, for good or to be tried again.
        """
        self._check_status(main.status)
        if main.cut and not self.too_long and self._may_be_whole_next_time(main):
            raise Stop(self.trail.failure(Reason.TRUNCATED, main.url))

    def _check_status(self, status: int) -> None:
        if status >= SERVER_ERROR or status in policy.RETRYABLE_STATUS:
            raise Stop(self.trail.failure(Reason.HTTP_STATUS, str(status), status))

    def _may_be_whole_next_time(self, main: Response) -> bool:
        long = len(main.payload) >= self.context.max_parse_bytes
        return not long and main.status < HTTP_ERROR

    async def _read(self, main: Response) -> Ending:
        try:
            result = await self._result(main)
        except NotExtracted as exc:
            return self.trail.unread(Reason(exc.reason), exc.detail)
        ending = self.trail.captured(None, "")
        if isinstance(result, Listing):
            return replace(ending, listing=result)
        return replace(ending, items=(result,))

    async def _result(self, main: Response) -> Item | Listing:
        """Extract, of the rendered page where the rule or the archive has one."""
        if self.trail.dom:
            return self.context.extract(await self._capture(main))
        visits = self.context.visits
        rule = rule_to_show(self._bare(main), self.context.portal)
        stored = visits is not None and visits.is_rendered(self.trail.page_id)
        if rule is not None and (rule.render == "always" or stored):
            main = await self._rendered(main, rule)
        elif rule is not None and rule.render == "auto":
            found = await self._of_plain(main)
            if not isinstance(found, NotExtracted):
                return found
            main = await self._rendered(main, rule)
        return self.context.extract(await self._capture(main))

    async def _of_plain(self, main: Response) -> Item | Listing | NotExtracted:
        """Return what the plain response gives, or the reason to have it rendered.

        Raises:
            NotExtracted: it gives nothing, and rendering it is no help.
        """
        try:
            found = self.context.extract(await self._capture(main))
        except NotExtracted as exc:
            if not calls_for_browser(exc):
                raise
            return exc
        return NotExtracted(Reason.SHELL_PAGE) if calls_for_browser(found) else found

    async def _rendered(self, main: Response, rule: ShownRule) -> Response:
        """Have a browser show the page; return the response that it showed.

        Raises:
            Stop: it showed nothing, or a page that is none of ours.
        """
        trail = self.trail
        trail.render = rule.render
        referer = [x for x in trail.work.link.headers if x[0].lower() == "referer"]
        request = Request(
            main.url,
            headers=referer,
            dont_filter=True,
            meta={"page_id": trail.page_id, "render": Wanted(rule, len(trail.hops))},
        )
        shown = self._note(request, await self._get(request))
        self._check_status(shown.status)
        return shown

    async def _capture(self, main: Response) -> Capture:
        """Return the capture, an article's further pages with it."""
        if self.trail.work.link.kind is Kind.ITEM:
            await FurtherPages(self.trail, self._get).read(lambda: self._bare(main))
        return self._bare(main)

    def _bare(self, main: Response) -> Capture:
        ref = self.trail.hops[-1] if self.trail.hops else None
        redaction = self.context.redaction
        return Capture(
            page_id=self.trail.page_id,
            link=self._stored_link(ref) or mask_link(self.trail.work.link, redaction),
            main=mask_response(main, redaction),
            first_at=first_at(main, None if self.trail.dom else ref),
            hops=tuple(self.trail.hops),
            further=tuple(
                mask_response(page, redaction) for page in self.trail.further
            ),
            dom=self.trail.dom,
            dom_refs=self.trail.dom_refs,
            dom_ended=self.trail.dom_ended,
            run_id=self.context.run_id,
            page=self.trail.work.page,
        )

    def _stored_link(self, ref: RecordRef | None) -> Link | None:
        visits = self.context.visits
        return visits.link(ref) if visits is not None and ref is not None else None
