"""An article's further pages: fetched one after the other, as parts of its visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy import Request

from crawler.errors import NotExtracted
from crawler.extract import further_urls
from crawler.frontier import policy
from crawler.model import Reason
from crawler.spiders.ending import Stop, Trail
from crawler.spiders.robots import REDIRECTS
from crawler.warc.redact import mask_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from crawler.model import Capture, Response

HTTP_ERROR = 400
MAX_FURTHER = 50


@dataclass(frozen=True, slots=True)
class FurtherPages:
    """The pages after an article's first.

    Attributes:
        trail: of the visit; they are added to it.
        get: fetches a request, or raises `Stop`.
    """

    trail: Trail
    get: Callable[[Request], Awaitable[Sequence[str]]]

    async def read(self, capture: Callable[[], Capture]) -> None:
        """Fetch the pages that the article, as far as it is there, leads to.

        Raises:
            Stop: one is not to be had.
            NotExtracted: one may not be fetched.
        """
        for _ in range(MAX_FURTHER):
            following = self._following(capture())
            if not following:
                break
            self.trail.further.append(await self._page(following[0]))

    def _following(self, capture: Capture) -> list[str]:
        """Return the further pages still to fetch; one read already is masked there."""
        read = {
            capture.link.url,
            *(page.url for page in (capture.main, *capture.further)),
        }
        context = self.trail.context
        following = further_urls(capture, context.portal)
        return [
            url for url in following if mask_url(url, context.redaction) not in read
        ]

    async def _page(self, url: str) -> Response:
        trail = self.trail
        refused = policy.refuse(url, trail.context.portal, depth=trail.work.depth)
        if refused is not None:
            raise NotExtracted(
                Reason.TRUNCATED, f"further page {url!r}: {refused.reason}"
            )
        request = Request(url, dont_filter=True, meta={"page_id": trail.page_id})
        try:
            await self.get(request)
        except Stop as stop:
            if stop.ending.reason is Reason.ROBOTS and stop.ending.again_s is None:
                raise NotExtracted(
                    Reason.TRUNCATED, f"further page {url!r}: robots"
                ) from stop
            raise
        response: Response = request.meta["capture_response"]
        trail.last = response
        if response.status >= HTTP_ERROR or response.status in REDIRECTS:
            raise Stop(
                trail.failure(
                    Reason.HTTP_STATUS, f"{response.status} {url}", response.status
                )
            )
        return response
