"""Pages that a browser is to show: who asks for it, and what came of it.

A page whose rule says ``render: always`` is asked for by the browser alone: the visit's
own requests, redirects included, say so.  Any other that is to be shown was fetched
before; then a further request of the visit says it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.extract.shown import rule_to_ask_by

if TYPE_CHECKING:
    from crawler.extract.shown import ShownRule
    from crawler.model import RecordRef, Response, Work
    from crawler.spiders.context import CrawlContext


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request to render has in its meta as ``render``.

    Attributes:
        hops: how many records the visit left before it.
        first: whether the page was not fetched before: where its answer is nothing to
            show, that is the answer to the request.
    """

    rule: ShownRule
    hops: int
    first: bool = False


@dataclass(frozen=True, slots=True)
class Rendition:
    """What came of it, in the meta as ``rendition``.

    Attributes:
        hops: records of the documents the page went through, the shown one's last.
        dom, dom_refs: what it showed, step by step.
        ended: why nothing more was done with it, None where nothing was to be.
        since: how many of the visit's records came before.
        passed: responses of the documents before the shown one; live only.
    """

    hops: tuple[RecordRef, ...]
    dom: tuple[bytes, ...]
    dom_refs: tuple[RecordRef, ...]
    ended: str | None = None
    since: int = 0
    passed: tuple[Response, ...] = ()


def wanted_at_once(
    context: CrawlContext, work: Work, url: str, hops: int = 0
) -> dict[str, Wanted]:
    """Return the meta of a request for url: a browser's, or nothing.

    Args:
        context: of the crawl.
        work: that the visit is for.
        url: of the page, which redirects may have led to.
        hops: how many records the visit left before.
    """
    portal = context.portal
    on = context.clock.now().astimezone(ZoneInfo(portal.timezone)).date()
    rule = rule_to_ask_by(work.link, portal, url, on, page=work.page)
    return {"render": Wanted(rule, hops, first=True)} if rule is not None else {}
