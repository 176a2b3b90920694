"""The recorder: what is written, in which order, and what a crash leaves."""

from __future__ import annotations

import shutil
import sqlite3
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.archive.captures import Archive
from crawler.archive.collection import Collection
from crawler.archive.commit import commit_run
from crawler.archive.database import transaction
from crawler.archive.ledger import Ending, Ledger
from crawler.archive.recorder import Recorder
from crawler.archive.refs import ref_from_json, ref_to_json
from crawler.archive.segment import Origin
from crawler.archive.spool import RunRow, Spool, open_database
from crawler.archive.store import LocalStore
from crawler.archive.tape import Limits, Tape
from crawler.block import Block
from crawler.clock import SystemClock
from crawler.config.portal import Portal
from crawler.errors import SpoolUnwritable
from crawler.exchange import Exchange
from crawler.frontier.sqlite import Child, SqliteFrontier
from crawler.history.fold import fold
from crawler.model import Kind, Link, Outcome, Reason, RecordRef

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "http://portal.example/a"
RUN = RunRow(
    "20250715060000caaaaaa",
    "news",
    "crawl",
    "open",
    datetime(2025, 7, 15, 6, tzinfo=UTC),
    "sha256:0",
    {"portal": {"id": "news"}},
)
PORTAL = Portal(id="news")


def make_id() -> str:
    """Return a new record id."""
    return f"urn:uuid:{uuid.uuid4()}"


def exchange(url: str = URL, body: bytes = b"<p>hello</p>" * 20) -> Exchange:
    """Return an exchange as the wire hook makes it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
    return Exchange(
        url,
        "GET",
        b"GET /a HTTP/1.1\r\nHost: portal.example\r\n"
        b"Authorization: Basic c2VjcmV0\r\n\r\n",
        Block(head % len(body) + body),
        datetime.now(UTC),
    )


@dataclass
class Bench:
    """A recorder with its spool, and what it handed on."""

    directory: Path
    spool: Spool
    ledger: Ledger
    tape: Tape
    recorder: Recorder
    rolled: list[str] = field(default_factory=list)

    def visit(self, url: str, body: bytes) -> RecordRef:
        """Record one exchange of a leased work and end it."""
        (work,) = self.recorder.lease(1, urgent=True).result(10).works
        ref = self.recorder.record(exchange(url, body), "urn:uuid:page").result(10)
        page_id = make_id()
        capture = {"page_id": page_id, "hops": [ref.record_id], "further": []}
        ending = Ending(
            work, Outcome.CAPTURED, None, "", page_id, ref, {**capture, "link": {}}
        )
        self.recorder.finish(ending).result(10)
        return ref


def bench(directory: Path, limits: Limits | None = None) -> Bench:
    """Return a bench over a spool in directory, its recorder started."""
    spool = Spool(open_database(directory))
    frontier = SqliteFrontier(spool.db, boot="boot", ticks=time.monotonic)
    if not spool.runs():
        with transaction(spool.db):
            spool.begin_run(RUN)
    ledger = Ledger(spool, frontier, PORTAL, RUN.run_id, fold, SystemClock())
    rolled: list[str] = []
    origin = Origin(RUN.run_id, "news", (("software", "test"),), RUN.config, "sha256:0")
    serial = len(spool.segments(RUN.run_id))
    tape = Tape(
        directory,
        ledger,
        origin,
        limits or Limits(),
        SystemClock(),
        make_id,
        rolled.append,
        serial,
    )
    recorder = Recorder(tape)
    recorder.start()
    return Bench(directory, spool, ledger, tape, recorder, rolled)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose recorder is stopped in the end."""
    made = bench(tmp_path / "spool")
    yield made
    if made.recorder.is_alive():
        made.recorder.stop()
    made.spool.db.close()


def test_failing_commit_leaves_nobody_waiting(desk: Bench) -> None:
    """What was asked for just when a commit failed is answered, and stop returns."""
    seed(desk, URL)
    (work,) = desk.recorder.lease(1, urgent=True).result(10).works
    ref = desk.recorder.record(exchange(), "urn:uuid:page").result(10)
    desk.spool.db.execute("pragma query_only=on")
    ending = Ending(work, Outcome.CAPTURED, None, "", make_id(), ref, {"link": {}})
    ended = desk.recorder.finish(ending)
    leased = desk.recorder.lease(1, urgent=True)
    for future in (ended, leased):
        with pytest.raises(SpoolUnwritable):
            future.result(10)
    with pytest.raises(SpoolUnwritable):
        desk.recorder.stop()


def test_failing_commit_at_the_stop_ends_the_thread(desk: Bench) -> None:
    """A stop whose last commit fails says so instead of waiting for ever."""
    seed(desk, URL)
    (work,) = desk.recorder.lease(1, urgent=True).result(10).works
    ref = desk.recorder.record(exchange(), "urn:uuid:page").result(10)
    desk.spool.db.execute("pragma query_only=on")
    ending = Ending(work, Outcome.CAPTURED, None, "", make_id(), ref, {"link": {}})
    ended = desk.recorder.finish(ending)
    with pytest.raises(SpoolUnwritable):
        desk.recorder.stop()
    with pytest.raises(SpoolUnwritable):
        ended.result(10)


def seed(made: Bench, *urls: str) -> None:
    """Add item links to the frontier."""
    made.recorder.seed([Child(Link(url, Kind.ITEM)) for url in urls]).result(10)


def records_of(path: Path) -> list[tuple[str, str | None]]:
    """Return type and target URI of each record, read by warcio."""
    with path.open("rb") as file:
        return [
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"))
            for record in ArchiveIterator(file)
        ]


def test_a_visit_leaves_its_records_in_order(desk: Bench) -> None:
    """A segment begins with warcinfo and configuration and ends with the decisions."""
    seed(desk, URL)
    desk.visit(URL, b"x" * 500)
    desk.recorder.stop()

    (name,) = desk.rolled
    records = records_of(desk.directory / f"{name}.warc.gz")
    kinds = [kind for kind, _ in records]
    assert kinds == [
        *("warcinfo", "resource", "response", "request", "metadata", "metadata"),
        "resource",
    ]
    assert records[-1][1] == f"urn:portalkeep:run:{RUN.run_id}"


def test_credentials_are_not_written(desk: Bench) -> None:
    """What Authorization held is masked before anything reaches the disk."""
    seed(desk, URL)
    desk.visit(URL, b"x" * 500)
    desk.recorder.stop()

    written = b""
    (name,) = desk.rolled
    with (desk.directory / f"{name}.warc.gz").open("rb") as file:
        for record in ArchiveIterator(file, no_record_parse=True):
            written += record.raw_stream.read()
    assert b"c2VjcmV0" not in written
    assert b"Authorization: ***** ********" in written


def test_the_same_payload_again_is_a_revisit(desk: Bench) -> None:
    """A second page with the same payload refers to the first, also after a commit."""
    seed(desk, URL, f"{URL}2")
    first = desk.visit(URL, b"same" * 200)
    second = desk.visit(f"{URL}2", b"same" * 200)

    assert second.payload_record == first.record_id
    assert second.payload_at == first.captured_at
    assert second.payload_digest == first.payload_digest


def test_an_ending_is_heard_of_only_when_it_is_durable(desk: Bench) -> None:
    """When finish is done, another connection sees the decision and its record."""
    seed(desk, URL)
    ref = desk.visit(URL, b"x" * 500)

    other = sqlite3.connect(desk.directory / "spool.sqlite")
    states = other.execute("select state, outcome from work").fetchall()
    known = other.execute(
        "select count(*) from record where record_id=?", (ref.record_id,)
    ).fetchone()
    (synced,) = other.execute("select synced_bytes from segment").fetchone()
    other.close()
    assert states == [(2, "captured")]
    assert known == (1,)
    assert synced >= ref.offset + ref.length


def test_segments_roll_by_size(tmp_path: Path) -> None:
    """A segment that has reached its size is closed, and the next one begun."""
    made = bench(tmp_path / "spool", Limits(max_size=2_000))
    urls = [f"{URL}{n}" for n in range(4)]
    seed(made, *urls)
    for n, url in enumerate(urls):
        made.visit(url, bytes(range(256)) * 20 + bytes([n]))
    made.recorder.stop()
    made.spool.db.close()

    assert len(made.rolled) == len(set(made.rolled)) == 4
    assert [name[-5:] for name in made.rolled] == ["00001", "00002", "00003", "00004"]


def test_what_is_committed_reads_back(desk: Bench, tmp_path: Path) -> None:
    """After commit, the archive gives the visit's response, and the spool is empty."""
    seed(desk, URL)
    ref = desk.visit(URL, b"body" * 300)
    desk.recorder.stop()
    store = LocalStore(tmp_path / "store")
    (run,) = desk.spool.runs()
    (segment,) = commit_run(store, desk.spool, desk.directory, run)

    collection = Collection(store)
    archive = Archive.of(collection, collection.segments("news"), 1_000_000)
    response = archive.response(ref.record_id)
    assert response is not None
    assert response.payload == b"body" * 300
    assert archive.ref(ref.record_id) == ref
    assert segment.counts == {"captured": 1}
    assert list(desk.directory.glob("*.gz*")) == []


def test_commit_again_is_success(desk: Bench, tmp_path: Path) -> None:
    """A commit that stopped before the spool heard of it gives the same bytes."""
    seed(desk, URL)
    desk.visit(URL, b"body" * 300)
    desk.recorder.stop()
    store = LocalStore(tmp_path / "store")
    (run,) = desk.spool.runs()
    (name,) = desk.rolled
    kept = (desk.directory / f"{name}.warc.gz").read_bytes()
    (warc,) = [desk.directory / f"{name}.warc.gz"]
    store.put_if_absent(f"archive/news/{name[5:9]}/{name[9:11]}/{name}.warc.gz", warc)

    commit_run(store, desk.spool, desk.directory, run)

    objects = {info.key: store.get(info.key) for info in store.list()}
    assert kept in objects.values()
    assert len(objects) == 4


def test_a_manifest_stored_before_a_crash_stays(desk: Bench, tmp_path: Path) -> None:
    """A rerun under other rules finds the segment stored, and takes it as it is."""
    seed(desk, URL)
    desk.visit(URL, b"body" * 300)
    desk.recorder.stop()
    before = tmp_path / "before"
    shutil.copytree(desk.directory, before)
    store = LocalStore(tmp_path / "store")
    (run,) = desk.spool.runs()
    (first,) = commit_run(store, desk.spool, desk.directory, run)

    again = Spool(open_database(before))
    changed = replace(run, config_digest="sha256:1")
    assert commit_run(store, again, before, changed) == [first]
    again.db.close()


def test_a_skip_needs_no_record(desk: Bench) -> None:
    """A URL that is skipped leaves a decision with its reason, and no capture."""
    seed(desk, URL)
    (work,) = desk.recorder.lease(1, urgent=True).result(10).works
    desk.recorder.finish(Ending(work, Outcome.SKIPPED, Reason.ROBOTS)).result(10)

    (segment,) = desk.spool.segments(RUN.run_id)
    assert desk.spool.outbox.decision_counts(segment.name) == {
        "skipped": 1,
        "skipped:robots": 1,
    }


def test_a_spool_that_cannot_be_written_stops_everything(tmp_path: Path) -> None:
    """When the WARC cannot be made, whoever waits hears why, and stop says it again."""
    made = bench(tmp_path / "spool")
    seed(made, URL)
    (work,) = made.recorder.lease(1, urgent=True).result(10).works
    made.tape.directory = tmp_path / "gone"

    with pytest.raises(SpoolUnwritable):
        made.recorder.record(exchange(), None).result(10)
    with pytest.raises(SpoolUnwritable):
        made.recorder.finish(Ending(work, Outcome.CAPTURED)).result(10)
    with pytest.raises(SpoolUnwritable):
        made.recorder.stop()
    made.spool.db.close()


def test_references_are_json_and_back(desk: Bench) -> None:
    """A reference survives the spool and a request's meta unchanged."""
    seed(desk, URL)
    ref = desk.visit(URL, b"x" * 500)
    assert ref_from_json(ref_to_json(ref)) == ref
