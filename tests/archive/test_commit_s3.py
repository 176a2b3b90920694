"""One spool, two kinds of store: the same objects, whatever the network does."""

from __future__ import annotations

import random
import shutil
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from crawler.archive.captures import Archive
from crawler.archive.collection import Collection
from crawler.archive.commit import commit_run
from crawler.archive.database import transaction
from crawler.archive.ledger import Ending, Ledger
from crawler.archive.recorder import Recorder
from crawler.archive.segment import Origin
from crawler.archive.spool import RunRow, Spool, open_database
from crawler.archive.store import LocalStore, Store
from crawler.archive.store.s3 import S3Store
from crawler.archive.tape import Limits, Tape
from crawler.block import Block
from crawler.clock import SystemClock
from crawler.config.portal import Portal
from crawler.errors import StoreUnavailable
from crawler.exchange import Exchange
from crawler.frontier.sqlite import Child, SqliteFrontier
from crawler.history.fold import fold
from crawler.model import Kind, Link, Outcome
from tests.site.fault_proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archive.seaweed import Seaweed

RUN = RunRow(
    "20250715060000caaaaaa",
    "news",
    "crawl",
    "open",
    datetime(2025, 7, 15, 6, tzinfo=UTC),
    "sha256:0",
    {"portal": {"id": "news"}},
)
BODIES = [bytes(range(256)) * 12, "消息".encode() * 700, b"<p>" * 999]
LARGE = 12_000_000
"""More than two parts; the largest object."""


def urn() -> str:
    """Return a new record id."""
    return f"urn:uuid:{uuid.uuid4()}"


def noise(size: int) -> bytes:
    """Return bytes that do not get smaller, always the same."""
    return random.Random(7).randbytes(size)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A spool with closed segments that nobody writes any more.

    Attributes:
        bodies: what was recorded, by record id.
    """

    directory: Path
    bodies: dict[str, bytes]

    def commit(self, place: Path, store: Store) -> dict[str, bytes]:
        """Commit a copy of it, laid at place; return all objects of the store."""
        if not place.exists():
            shutil.copytree(self.directory, place)
        spool = Spool(open_database(place))
        try:
            (run,) = spool.runs()
            commit_run(store, spool, place, run)
        finally:
            spool.db.close()
        return {info.key: store.get(info.key) for info in store.list()}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Record three small pages and a large one, in a segment each or so."""
    directory = tmp_path_factory.mktemp("frozen") / "spool"
    bodies = [*BODIES, noise(LARGE)]
    spool = Spool(open_database(directory))
    frontier = SqliteFrontier(spool.db, boot="boot", ticks=lambda: 0.0)
    with transaction(spool.db):
        spool.begin_run(RUN)
    ledger = Ledger(spool, frontier, Portal(id="news"), RUN.run_id, fold, SystemClock())
    origin = Origin(RUN.run_id, "news", (("software", "test"),), RUN.config, "sha256:0")
    limits = Limits(max_size=3_000)
    tape = Tape(
        directory, ledger, origin, limits, SystemClock(), urn, lambda _: None, 0
    )
    recorder = Recorder(tape)
    recorder.start()
    urls = [f"http://portal.example/{n}" for n in range(len(bodies))]
    recorder.seed([Child(Link(url, Kind.ITEM)) for url in urls]).result(10)
    recorded = {
        record(recorder, url, body): body
        for url, body in zip(urls, bodies, strict=True)
    }
    recorder.stop()
    spool.db.close()
    return Frozen(directory, recorded)


def record(recorder: Recorder, url: str, body: bytes) -> str:
    """Record one visit; return its record's id."""
    (work,) = recorder.lease(1, urgent=True).result(10).works
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    request = b"GET / HTTP/1.1\r\nHost: portal.example\r\n\r\n"
    exchange = Exchange(url, "GET", request, Block(head + body), datetime.now(UTC))
    ref = recorder.record(exchange, "urn:uuid:page").result(30)
    page = urn()
    capture = {"page_id": page, "hops": [ref.record_id], "further": [], "link": {}}
    ending = Ending(work, Outcome.CAPTURED, None, "", page, ref, capture)
    recorder.finish(ending).result(30)
    return ref.record_id


def test_the_same_objects_in_both_stores(
    frozen: Frozen, seaweed: Seaweed, tmp_path: Path
) -> None:
    """Key for key and byte for byte, small objects and large ones; both read back."""
    local = LocalStore(tmp_path / "store")
    bucket = S3Store(seaweed.settings())
    expected = frozen.commit(tmp_path / "a", local)
    found = frozen.commit(tmp_path / "b", bucket)

    assert found.keys() == expected.keys()
    assert found == expected
    assert max(map(len, found.values())) > LARGE
    assert len(found) == 8  # two segments of four objects
    collection = Collection(bucket)
    archive = Archive.of(collection, collection.segments("news"), 2 * LARGE)
    for record_id, body in frozen.bodies.items():
        response = archive.response(record_id)
        assert response is not None
        assert response.payload == body


def test_a_commit_through_a_bad_network(
    frozen: Frozen, seaweed: Seaweed, tmp_path: Path
) -> None:
    """Tried until it is through, it leaves the very same objects and an empty spool."""
    expected = frozen.commit(tmp_path / "a", LocalStore(tmp_path / "store"))
    faults = [
        Fault("lose", "PUT", times=2),
        Fault("answer", "PUT", "partNumber=2", times=3),
        Fault("lose", "POST", "?uploadId="),
        Fault("reset", "HEAD", times=2),
        Fault("answer", "PUT", "segments/", times=3, status=500),
    ]
    with FaultProxy(seaweed.port, *faults) as proxy:
        store = S3Store(seaweed.settings(proxy.url))
        failures = 0
        for _ in range(10):
            try:
                found = frozen.commit(tmp_path / "b", store)
                break
            except StoreUnavailable:
                failures += 1
        else:
            pytest.fail("never committed")
        assert not [fault for fault in proxy.faults if fault.times]
    assert failures >= 2
    assert found == expected
    assert list((tmp_path / "b").glob("*.gz")) == []
