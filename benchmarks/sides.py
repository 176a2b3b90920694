"""One measured run in a process of its own: our crawl, a stock Scrapy crawl, extract.

``python benchmarks/sides.py SIDE SIZE BASE DIRECTORY`` runs it and prints one line of
JSON: processor time, wall time, peak memory, and what was made.  Imports are done
before the clock starts, and told apart.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portals import portal as portal_of
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess

from crawler import log
from crawler.archive.collection import Collection
from crawler.archive.store import open_store
from crawler.clock import SystemClock
from crawler.config.digest import config_digest
from crawler.config.settings import Settings
from crawler.errors import NotExtracted
from crawler.extract import extract
from crawler.extract.listings.listing import seed_links
from crawler.item import Item, Listing
from crawler.jobs.crawl import crawl
from crawler.jobs.extract import Selection, Tally, extract_runs
from crawler.model import Capture, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from scrapy.http import Response as ScrapyResponse

    from crawler.config.portal import Portal
    from crawler.model import Link

ITEMS = "items.jsonl"
SETTLED_HEADERS = frozenset({b"content-encoding", b"content-length"})


@dataclass(slots=True)
class Measured:
    """What one run took; ``cpu_s`` is user and system time, threads included.

    Attributes:
        start_s: processor time before the run, mostly imports.
        items: how many were made; items_digest: over their ids and hashes, sorted.
    """

    start_s: float = 0.0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_mb: float = 0.0
    items: int = 0
    items_digest: str = ""
    more: dict[str, int] = field(default_factory=dict)


def ours(portal: Portal, directory: Path) -> Measured:
    """Crawl with everything that is the default: fsync, archive, index, commit."""
    settings = settings_in(directory)
    measured = Measured()
    with measuring(measured):
        result = crawl(settings, [portal], SystemClock())[0]
    if result.exit_code:
        raise SystemExit(f"our crawl ended with {result.exit_code}: {result.message}")
    collection = Collection(open_store(settings.store))
    segments = list(collection.segments(portal.id))
    note_items(measured, (said(x) for each in segments for x in collection.items(each)))
    measured.more["segments"] = len(segments)
    return measured


def stock(portal: Portal, directory: Path) -> Measured:
    """Crawl with Scrapy as it comes, the same extraction in its callbacks."""
    manners = portal.crawl
    settings = {
        "LOG_LEVEL": "ERROR",
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": manners.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.per_host,
        "ITEM_PIPELINES": {Lines: 300},
        "BENCH_ITEMS": str(directory / ITEMS),
    }
    measured = Measured()
    with measuring(measured):
        process = AsyncCrawlerProcess(settings)
        process.crawl(StockSpider, portal=portal)
        process.start()
    lines = (directory / ITEMS).read_text().splitlines()
    note_items(measured, (said(Item.model_validate_json(line)) for line in lines))
    return measured


def again(portal: Portal, directory: Path) -> Measured:
    """Extract the items of the archive that our crawl left in directory."""
    collection = Collection(open_store(settings_in(directory).store))
    measured, tally = Measured(), Tally()
    made: list[str] = []
    with measuring(measured), (directory / ITEMS).open("w") as file:
        for item in extract_runs(collection, portal, Selection(), SystemClock(), tally):
            file.write(item.model_dump_json() + "\n")
            made.append(said(item))
    note_items(measured, made)
    measured.more["captures"] = tally.captures
    return measured


SIDES = {"ours": ours, "stock": stock, "extract": again}


class StockSpider(Spider):
    """What one would write without portalkeep, but for the extraction."""

    name = "stock"

    def __init__(self, portal: Portal, **kwargs: Any) -> None:  # noqa: ANN401 - Scrapy's
        super().__init__(**kwargs)
        self._portal = portal
        self._digest = config_digest(portal)

    async def start(self) -> AsyncIterator[Request]:
        """Begin at the listings."""
        for link in seed_links(self._portal):
            yield self._request(link)

    def _request(self, link: Link) -> Request:
        return Request(link.url, callback=self.read, cb_kwargs={"link": link})

    def read(self, response: ScrapyResponse, link: Link) -> Iterator[Item | Request]:
        """Read an item or a listing; follow what a listing names."""
        capture = _capture(response, link)
        try:
            found = extract(capture, self._portal, config_digest=self._digest)
        except NotExtracted:
            self.logger.exception("no item: %s", response.url)
            return
        if isinstance(found, Listing):
            yield from map(self._request, found.links)
            if found.next is not None:
                yield self._request(found.next)
        else:
            yield found


class Lines:
    """The pipeline: one line of JSON an item."""

    def __init__(self, crawler: Any) -> None:  # noqa: ANN401 - Scrapy's
        self._path = Path(crawler.settings["BENCH_ITEMS"])

    @classmethod
    def from_crawler(cls, crawler: Any) -> Lines:  # noqa: ANN401 - Scrapy's
        """Make the pipeline of a crawler."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Open the file."""
        self._file = self._path.open("w")

    def process_item(self, item: Item) -> Item:
        """Write an item's line."""
        self._file.write(item.model_dump_json() + "\n")
        return item

    def close_spider(self) -> None:
        """Close the file."""
        self._file.close()


def _capture(response: ScrapyResponse, link: Link) -> Capture:
    at = datetime.now(UTC)
    headers = tuple(
        (name, value)
        for name, values in response.headers.items()
        if name.lower() not in SETTLED_HEADERS
        for value in values
    )
    main = Response(response.url, response.status, headers, response.body, at)
    return Capture("stock", link, main, at)


def settings_in(directory: Path) -> Settings:
    """Return the default settings, with spool and store in directory."""
    return Settings.model_validate(
        {
            "store": {"url": str(directory / "store")},
            "spool": {"path": str(directory / "spool")},
        }
    )


@contextmanager
def measuring(measured: Measured) -> Iterator[None]:
    """Fill in what the block took."""
    measured.start_s, began_s = cpu_s(), time.perf_counter()
    yield
    measured.cpu_s = cpu_s() - measured.start_s
    measured.wall_s = time.perf_counter() - began_s
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measured.peak_mb = peak / (2**20 if sys.platform == "darwin" else 2**10)


def cpu_s() -> float:
    """Return the processor time of this process, its threads and ended children."""
    used = [
        resource.getrusage(who)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def said(item: Item) -> str:
    """Return what an item is, and a digest of what it says."""
    return f"{item.id} {item.item_hash}"


def note_items(measured: Measured, lines: Iterable[str]) -> None:
    """Note how many items there are, and a digest of what all of them say."""
    items = sorted(lines)
    measured.items = len(items)
    measured.items_digest = hashlib.sha256("\n".join(items).encode()).hexdigest()


def main() -> None:
    """Run one side."""
    side, size, base, directory = sys.argv[1:5]
    log.configure()  # as the command line does: info and up, to stderr
    measured = SIDES[side](portal_of(size, base), Path(directory))
    print(
        json.dumps({name: getattr(measured, name) for name in Measured.__slots__}),
        flush=True,
    )


if __name__ == "__main__":
    main()
