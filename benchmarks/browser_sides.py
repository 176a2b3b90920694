"""One measured run that renders: our crawl, or one with plain scrapy-playwright.

``python benchmarks/browser_sides.py SIDE BASE DIRECTORY PAGES_AT_ONCE`` runs it and
prints one line of JSON, as ``sides.py`` does.  Chromium, the number of pages at once,
and what a page is waited for are the same on both sides.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import playwright.async_api  # noqa: F401 - before the clock starts, on both sides
import sides
from scrapy.crawler import AsyncCrawlerProcess
from scrapy_playwright.page import PageMethod
from scripted import SHOWN, portal
from sides import ITEMS, Lines, Measured, StockSpider, measuring, note_items, said

from crawler import log
from crawler.archive.collection import Collection
from crawler.archive.store import open_store
from crawler.browser.chromium import FLAGS, find_chromium
from crawler.clock import SystemClock
from crawler.config.settings import BrowserSettings, Settings
from crawler.item import Item
from crawler.jobs.crawl import crawl
from crawler.model import Kind

if TYPE_CHECKING:
    from scrapy import Request

    from crawler.model import Link

HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
RENDER = {"always": "always", "auto": "auto", "theirs": "always"}


def ours(base: str, directory: Path, at_once: int, render: str) -> Measured:
    """Crawl with everything that is the default, the archive included."""
    settings = sides.settings_in(directory)
    settings = Settings.model_validate(
        {**settings.model_dump(), "browser": BrowserSettings(pages=at_once)}
    )
    measured = Measured()
    rules = portal(base, render=render)
    with measuring(measured):
        result = crawl(settings, [rules], SystemClock())[0]
    if result.exit_code:
        raise SystemExit(f"our crawl ended with {result.exit_code}: {result.message}")
    collection = Collection(open_store(settings.store))
    segments = list(collection.segments(rules.id))
    note_items(measured, (said(x) for each in segments for x in collection.items(each)))
    archive = Path(settings.store.url) / "archive"
    measured.more["bytes"] = sum(x.stat().st_size for x in archive.rglob("*.warc.gz"))
    return measured


def theirs(base: str, directory: Path, at_once: int) -> Measured:
    """Crawl with scrapy-playwright as it comes; nothing is archived."""
    rules = portal(base, render="always")
    settings = {
        "LOG_LEVEL": "ERROR",
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_HANDLERS": {"http": HANDLER, "https": HANDLER},
        "PLAYWRIGHT_LAUNCH_OPTIONS": {
            "executable_path": find_chromium(None),
            "args": [flag for flag in FLAGS if "features" not in flag],
        },
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": at_once,
        "CONCURRENT_REQUESTS": rules.crawl.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": rules.crawl.per_host,
        "ITEM_PIPELINES": {Lines: 300},
        "BENCH_ITEMS": str(directory / ITEMS),
    }
    measured = Measured()
    with measuring(measured):
        process = AsyncCrawlerProcess(settings)
        process.crawl(PlaywrightSpider, portal=rules)
        process.start()
    lines = (directory / ITEMS).read_text().splitlines()
    note_items(measured, (said(Item.model_validate_json(line)) for line in lines))
    measured.more["bytes"] = 0
    return measured


class PlaywrightSpider(StockSpider):
    """The stock spider, its articles shown by scrapy-playwright."""

    name = "playwright"

    def _request(self, link: Link) -> Request:
        request = super()._request(link)
        if link.kind is Kind.ITEM:
            shown = PageMethod("wait_for_selector", SHOWN, state="attached")
            request.meta.update(
                playwright=True,
                playwright_page_goto_kwargs={"wait_until": "commit"},
                playwright_page_methods=[shown],
            )
        return request


def main() -> None:
    """Run one side."""
    side, base, directory, at_once = sys.argv[1:5]
    log.configure()  # as the command line does: info and up, to stderr
    if side == "theirs":
        measured = theirs(base, Path(directory), int(at_once))
    else:
        measured = ours(base, Path(directory), int(at_once), RENDER[side])
    print(
        json.dumps({name: getattr(measured, name) for name in Measured.__slots__}),
        flush=True,
    )


if __name__ == "__main__":
    main()
