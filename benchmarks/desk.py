"""A recorder as a crawl has it, and the visits that `benchmarks/commit.py` records."""

from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from portals import site
from warcio.archiveiterator import ArchiveIterator

from crawler.archive.database import transaction
from crawler.archive.ledger import Ending, Ledger
from crawler.archive.recorder import Recorder
from crawler.archive.segment import Origin
from crawler.archive.spool import RunRow, Spool, open_database
from crawler.archive.tape import Tape
from crawler.block import Block
from crawler.clock import SystemClock
from crawler.config.portal import Portal
from crawler.exchange import Exchange
from crawler.frontier.sqlite import Child, SqliteFrontier
from crawler.history.fold import fold
from crawler.model import Kind, Link, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.archive.tape import Limits

NOW = datetime(2025, 7, 15, 6, tzinfo=UTC)
RUN = RunRow("20250715060000caaaaaa", "bench", "crawl", "open", NOW, "sha256:0", {})
BASE = "http://portal.example"
BATCH = 16
"""Visits under way at a time, as in a crawl with default settings."""
IMAGE_BYTES = 1 << 18
ITEM_WORDS = 1_200


class Visit(NamedTuple):
    """An exchange to be recorded: bytes as they crossed the wire."""

    url: str
    request: bytes
    response: bytes


@dataclass(slots=True)
class Desk:
    """A recorder with its spool."""

    spool: Spool
    tape: Tape
    recorder: Recorder

    def visit(self, visits: list[Visit]) -> None:
        """Record visits and end them, as many at a time as a crawl has under way."""
        left = iter(visits)
        while works := self.recorder.lease(BATCH, urgent=False).result(60).works:
            pages = [make_id() for _ in works]
            asked = [
                self.recorder.record(exchange(next(left)), page_id) for page_id in pages
            ]
            for work, page_id, future in zip(works, pages, asked, strict=True):
                ref = future.result(60)
                link = {"url": work.link.url, "kind": work.link.kind.value}
                body = {"page_id": page_id, "hops": [ref.record_id], "link": link}
                ending = Ending(
                    work, Outcome.CAPTURED, None, "", page_id, ref, {**body}
                )
                self.recorder.finish(ending)

    def records(self) -> int:
        """Return how many records the segments hold, warcinfo included."""
        rows = self.spool.segments(RUN.run_id)
        return sum(row.records + 1 for row in rows)


def desk(directory: Path, visits: list[Visit], limits: Limits) -> Desk:
    """Return a started recorder with links to all visits in its frontier."""
    spool = Spool(open_database(directory))
    with transaction(spool.db):
        spool.begin_run(RUN)
    frontier = SqliteFrontier(spool.db, boot="boot", ticks=time.monotonic)
    clock, portal = SystemClock(), Portal(id=RUN.portal)
    ledger = Ledger(spool, frontier, portal, RUN.run_id, fold, clock)
    origin = Origin(RUN.run_id, portal.id, (("software", "bench"),), {}, "sha256:0")
    tape = Tape(directory, ledger, origin, limits, clock, make_id, lambda _: None)
    recorder = Recorder(tape)
    recorder.start()
    links = [Child(Link(visit.url, Kind.ITEM)) for visit in visits]
    recorder.seed(links).result(60)
    return Desk(spool, tape, recorder)


def exchange(visit: Visit) -> Exchange:
    """Return a visit as the wire hook gives it."""
    block = Block(visit.response)
    return Exchange(visit.url, "GET", visit.request, block, datetime.now(UTC))


def make_id() -> str:
    """Return a new record id."""
    return f"urn:uuid:{uuid.uuid4()}"


def visits_of(path: Path) -> list[Visit]:
    """Return the exchanges of a WARC, read with warcio."""
    blocks: dict[str, dict[str, bytes]] = {}
    with path.open("rb") as file:
        for found in ArchiveIterator(file, no_record_parse=True):
            if found.rec_type in ("request", "response"):
                url = found.rec_headers.get_header("WARC-Target-URI")
                of_url = blocks.setdefault(url, {})
                of_url[found.rec_type] = found.raw_stream.read()
    return [Visit(url, x["request"], x["response"]) for url, x in blocks.items()]


def page_visits(count: int) -> list[Visit]:
    """Return visits of pages of some 4 kB, gzip-encoded."""
    made = site("light", count).items()
    return [_visit(path.decode(), block) for path, block in made]


def image_visits(count: int) -> list[Visit]:
    """Return visits of what cannot be compressed."""
    chance = random.Random(1)  # noqa: S311 - the same bytes every time
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {IMAGE_BYTES}\r\n"
    kind = "Content-Type: image/jpeg\r\n\r\n"
    return [
        _visit(
            f"/img/{n}.jpg", f"{head}{kind}".encode() + chance.randbytes(IMAGE_BYTES)
        )
        for n in range(count)
    ]


def _visit(path: str, response: bytes) -> Visit:
    asked = f"GET {path} HTTP/1.1\r\nHost: portal.example\r\nAccept: */*\r\n\r\n"
    return Visit(f"{BASE}{path}", asked.encode(), response)


def add_items(made: Desk, directory: Path, count: int) -> None:
    """Add item lines of some 8 kB to the segment that is open.

    Over a connection of its own: the recorder's is its thread's.
    """
    made.recorder.lease(0, urgent=True).result(60)  # settles what is gathered
    chance = random.Random(2)  # noqa: S311 - the same items every time
    words = [f"{chance.getrandbits(24):x}" for _ in range(5_000)]
    spool = Spool(open_database(directory))
    (row,) = spool.segments(RUN.run_id, "open")
    with transaction(spool.db):
        for number in range(count):
            text = " ".join(chance.choices(words, k=ITEM_WORDS))
            line = json.dumps({"id": f"{number}", "body_text": text})
            spool.outbox.add_item(row.name, str(number), 1, line)
    spool.db.close()
