"""How a visit ends, by what came of it so far and what stopped it.

A failure that may pass gives the work back with a delay; the frontier counts tries.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crawler import http, urls
from crawler.archive.ledger import Ending
from crawler.frontier import policy
from crawler.frontier.rows import link_to_json
from crawler.log import get_log
from crawler.model import Outcome, Reason, RecordRef
from crawler.spiders.failure import FetchFailed
from crawler.spiders.manners import HostBusy
from crawler.spiders.robots import Refused
from crawler.warc.redact import mask_link, mask_url

if TYPE_CHECKING:
    from crawler.model import Response, Skipped, Work
    from crawler.spiders.context import CrawlContext
    from crawler.spiders.wanted import Rendition

CAPTURE_FORMAT = {"format": "portalkeep-capture", "version": 1}
log = get_log(__name__)


class Stop(Exception):
    """The visit ends here, with this ending."""

    def __init__(self, ending: Ending) -> None:
        """Keep the ending."""
        super().__init__(ending.outcome)
        self.ending = ending


@dataclass(slots=True)
class Trail:
    """What the visit of one leased work left so far.

    Attributes:
        hops: records of the redirect chain.
        further: an article's further pages.
        last: the response that came last.
        render: why it was rendered, ``auto`` or ``always``; ``never``: it was not.
        dom, dom_refs: what it showed then, step by step.
        dom_ended: why there was no further step.
        dom_from: how many hops came before the documents that showed it.
    """

    context: CrawlContext
    work: Work
    page_id: str
    hops: list[RecordRef] = field(default_factory=list)
    further: list[Response] = field(default_factory=list)
    last: Response | None = None
    render: str = "never"
    dom: tuple[bytes, ...] = ()
    dom_refs: tuple[RecordRef, ...] = ()
    dom_ended: str | None = None
    dom_from: int = 0

    def show(self, rendition: Rendition) -> None:
        """Take what a browser showed, in place of what it showed before."""
        self.hops[rendition.since :] = rendition.hops
        self.dom, self.dom_refs = rendition.dom, rendition.dom_refs
        self.dom_ended, self.dom_from = rendition.ended, rendition.since

    def forget(self) -> None:
        """Visit once more: what was read counts no more, what was met does."""
        self.further.clear()
        self.dom, self.dom_refs, self.dom_ended = (), (), None

    def failed(self, failure: BaseException) -> Ending:
        """Return how the visit ends when its first fetch failed."""
        if isinstance(failure, HostBusy):
            busy = self.end(Outcome.FAILED, Reason.HOST_DOWN, str(failure))
            return replace(busy, again_s=failure.wait_s, counts_try=False)
        if isinstance(failure, Refused):
            return self._refused(failure)
        if isinstance(failure, FetchFailed):
            if failure.reason is Reason.PRIVATE_ADDRESS:  # nothing was fetched
                return self.end(Outcome.SKIPPED, failure.reason, failure.detail)
            return self.failure(failure.reason, failure.detail)
        return self.failure(Reason.BAD_RESPONSE, f"{type(failure).__name__}")

    def broken(self, detail: str) -> Ending:
        """Return how the visit ends when our own code failed on it."""
        return self.end(Outcome.FAILED, Reason.CALLBACK, detail)

    def _refused(self, refused: Refused) -> Ending:
        """Wait for a robots.txt that could not be read; else it is a no."""
        ending = self.skipped(refused.skipped)
        if not refused.temporary:
            return ending
        again = policy.after_failure(
            Reason.CONNECT, self.work.tries, self.context.portal.crawl
        )
        return replace(ending, again_s=again.delay_s) if again else ending

    def skipped(self, skipped: Skipped) -> Ending:
        """Return the ending of a visit that was not to go on."""
        detail = skipped.detail
        if skipped.url != self.work.link.url:
            detail = f"{skipped.url} {detail}".strip()
        return self.end(Outcome.SKIPPED, skipped.reason, detail)

    def captured(self, reason: Reason | None, detail: str) -> Ending:
        """Return the ending of a page that came whole; reason: why it gives no item."""
        ref = self.hops[-1] if self.hops else None
        own = {hop.record_id for hop in self.hops}
        again = ref is not None and ref.payload_record not in {None, *own}
        outcome = Outcome.REVISITED if again else Outcome.CAPTURED
        return self.end(outcome, reason, detail)

    def failure(self, reason: Reason, detail: str, status: int | None = None) -> Ending:
        """Return an ending that tries again while that may help."""
        ending = self.end(Outcome.FAILED, reason, detail)
        return self._again(ending, reason, status)

    def unread(self, reason: Reason, detail: str) -> Ending:
        """Return the ending of a page that gives nothing.

        A challenge, or a listing that is forbidden, says that we are not welcome: its
        host is slowed down, and the page is tried again later while that may help.
        """
        if reason is Reason.LOGGED_OUT:
            return self.end(Outcome.FAILED, reason, detail)
        ending = self.captured(reason, detail)
        if reason is not Reason.BLOCKED:
            return ending
        hosts = self.context.hosts
        if hosts is not None and self.last is not None:
            host = urls.host_of(self.last.url)
            hosts.slow_down(host, None)
            log.warning("host_blocked", host=host, said=detail)
        return self._again(ending, reason, None)

    def _again(self, ending: Ending, reason: Reason, status: int | None) -> Ending:
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
        return replace(ending, again_s=again.delay_s) if again else ending

    def end(self, outcome: Outcome, reason: Reason | None, detail: str) -> Ending:
        """Return an ending with all that the visit left."""
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
            "render": self.render,
            "outcome": outcome.value,
        }
        if self.dom_refs:
            body["dom"] = [ref.record_id for ref in self.dom_refs]
            body["dom_from"] = self.dom_from
        if self.dom_ended is not None:
            body["dom_ended"] = self.dom_ended
        if reason is not None:
            body["reason"] = reason.value
        if detail:
            body["detail"] = mask_url(detail[:500], self.context.redaction)
        return body
