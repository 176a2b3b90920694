"""Start Scrapy over one or more crawl contexts and return when all are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.crawler import AsyncCrawlerProcess, Crawler

from crawler.spiders.portal import PortalSpider
from crawler.spiders.settings import CAPTURE, PROCESS_SETTINGS, settings_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.spiders.context import CrawlContext


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
    for context in contexts:
        crawler = Crawler(PortalSpider, settings_for(context.portal, handler=handler))
        crawler.portalkeep = context  # type: ignore[attr-defined]
        process.crawl(crawler, portal=context.portal.id)
    process.start()
