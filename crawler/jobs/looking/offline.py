"""A rendered visit shown by Chromium again, from what was archived of it alone.

What the page asks for is answered with the bytes that came then; what it asks for and
did not then is a miss.  Where today's document gives what the stored one gives, the
archive holds all that the page needs.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from crawler.archive.captures import Archive
from crawler.archive.pageinfo import PageExchange
from crawler.browser.offline import OfflinePort
from crawler.browser.order import order_of
from crawler.browser.renderer import NotRendered
from crawler.clock import SetClock
from crawler.config.digest import config_digest
from crawler.errors import ArchiveDamaged, NotExtracted, UsageError
from crawler.extract import extract
from crawler.extract.shown import rule_to_show
from crawler.item import Item
from crawler.jobs.extract import MAKERS, comparable
from crawler.jobs.looking.answers import Answers
from crawler.jobs.looking.shown import page_info

if TYPE_CHECKING:
    from crawler.archive.collection import Collection
    from crawler.archive.pageinfo import PageInfo
    from crawler.browser.renderer import Order, Rendered, Renderer
    from crawler.config.portal import Portal
    from crawler.jobs.looking.shown import Shown
    from crawler.model import Capture
    from crawler.warc.redact import Policy


@dataclass(frozen=True, slots=True)
class ShownAgain:
    """What a browser shows of an archived page, without a network.

    Attributes:
        steps: the documents; none where it showed nothing in time.
        failure: why it showed nothing.
        answered: how many requests were answered from the archive.
        misses: (method, URL, how often) of what was asked for in vain.
        differences: in which fields the item or listing of these documents differs
            from that of the stored ones.
    """

    steps: tuple[bytes, ...]
    failure: NotRendered | None
    answered: int
    misses: tuple[tuple[str, str, int], ...]
    differences: tuple[str, ...]


def show_again(
    collection: Collection,
    portal: Portal,
    shown: Shown,
    renderer: Renderer,
    redaction: Policy,
) -> ShownAgain:
    """Show an archived page by today's rules, the archive its only transport.

    Raises:
        UsageError: none of today's rules has such a page rendered.
        ConfigError: there is no browser.
        ArchiveDamaged: a record is not there or not whole.
    """
    segments = collection.segments(portal.id, shown.stored.run_id)
    archive = Archive.of(collection, segments, portal.crawl.max_parse)
    visit = archive.visit_of(shown.page_id)
    capture = archive.capture(visit) if visit is not None else None
    if capture is None:
        raise ArchiveDamaged(f"page {shown.page_id!r} is not whole; run `verify`")
    info = page_info(collection, shown)
    refused = frozenset(info.refused if info is not None else ())
    answers = Answers(archive, _exchanges(shown, info), redaction, refused)
    order = _order(capture, portal, answers)
    rendered, port, failure = asyncio.run(_render(order, answers, renderer))
    steps = rendered.steps if rendered is not None else ()
    misses = sorted((*asked, count) for asked, count in port.misses.items())
    return ShownAgain(
        steps,
        failure,
        port.answered,
        tuple(misses),
        _differences(portal, capture, steps),
    )


def _exchanges(shown: Shown, info: PageInfo | None) -> tuple[PageExchange, ...]:
    """Return what the browser asked for; without page information, all of the visit."""
    if info is not None:
        return info.exchanges
    lines = (part.line for part in shown.parts)
    return tuple(
        PageExchange(record_id=x.record, url=x.url, method=x.method or "GET")
        for x in lines
        if not x.url.startswith("urn:")
    )


def _order(capture: Capture, portal: Portal, answers: Answers) -> Order:
    """Return the order for the page, at the time it was captured."""
    rule = rule_to_show(replace(capture, dom=()), portal)
    if rule is None:
        message = (
            f"no rule of {portal.id!r} has {capture.main.url!r} rendered; set `render` "
            "in its rule"
        )
        raise UsageError(message)
    clock = SetClock(capture.main.captured_at, time.monotonic(), frozen=False)
    return order_of(rule, portal, answers.first_url or capture.main.url, clock)


async def _render(
    order: Order, answers: Answers, renderer: Renderer
) -> tuple[Rendered | None, OfflinePort, NotRendered | None]:
    port = OfflinePort(answers)
    await port.open()
    try:
        return await renderer.render(order, port.server), port, None
    except NotRendered as exc:
        return None, port, exc
    finally:
        await port.close()
        await renderer.close()


def _differences(
    portal: Portal, capture: Capture, steps: tuple[bytes, ...]
) -> tuple[str, ...]:
    """Return in which fields what steps give differs from what is stored."""
    digest = config_digest(portal)
    then = _values(capture, portal, digest)
    now = _values(replace(capture, dom=steps), portal, digest)
    names = sorted(then.keys() | now.keys())
    return tuple(x for x in names if then.get(x) != now.get(x) and x not in MAKERS)


def _values(capture: Capture, portal: Portal, digest: str) -> dict[str, object]:
    """Return what a capture gives, by field."""
    if not capture.dom:
        return {"document": None}
    try:
        found = extract(capture, portal, config_digest=digest)
    except NotExtracted as exc:
        return {"reason": str(exc)}
    if isinstance(found, Item):
        return comparable(found)
    return {each.name: getattr(found, each.name) for each in fields(found)}
