"""Start Scrapy over one or more crawl contexts and return when all are done."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from scrapy.crawler import AsyncCrawlerProcess, Crawler

from crawler.errors import PortalkeepError
from crawler.log import get_log
from crawler.spiders.portal import PortalSpider
from crawler.spiders.settings import CAPTURE, PROCESS_SETTINGS, settings_for

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from crawler.spiders.context import CrawlContext


FRAMEWORKS = ("asyncio", "py.warnings", "scrapy", "twisted")
SAID_CHARACTERS = 300
log = get_log(__name__)


def run_engines(contexts: Sequence[CrawlContext], handler: str = CAPTURE) -> None:
    """Visit what the contexts' desks give out until nothing is left.

    Ctrl-C lets the visits under way end and gives the rest back; a second one does not
    wait.  May be called once in a process: a Twisted reactor cannot be started again.

    Args:
        contexts: one a portal; none is success.
        handler: dotted path of the download handler.
    """
    if not contexts:
        return
    process = AsyncCrawlerProcess(PROCESS_SETTINGS)
    for name in FRAMEWORKS:
        _listen(logging.getLogger(name))
    for context in contexts:
        crawler = Crawler(PortalSpider, settings_for(context.portal, handler=handler))
        crawler.portalkeep = context  # type: ignore[attr-defined]
        crawling = process.crawl(crawler, portal=context.portal.id)
        crawling.add_done_callback(partial(_note_failure, context))
    process.start()


class _Passed(logging.Handler):
    """Passes on what a framework warns of as an event, without traces."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log.warning(
            "framework_warned",
            by=record.name,
            said=record.getMessage()[:SAID_CHARACTERS],
            error=repr(error)[:SAID_CHARACTERS] if error else None,
        )


def _listen(logger: logging.Logger) -> None:
    if not any(isinstance(handler, _Passed) for handler in logger.handlers):
        logger.addHandler(_Passed(logging.WARNING))
        logger.propagate = False


def _note_failure(context: CrawlContext, crawling: asyncio.Future[None]) -> None:
    """Keep why Scrapy could not even begin; its process would say nothing of it."""
    error = None if crawling.cancelled() else crawling.exception()
    if error is None or context.failure is not None:
        return
    if not isinstance(error, PortalkeepError):
        error = PortalkeepError(f"Scrapy failed: {error!r}")
    context.failure = error
