from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.archive.collection import Collection
from crawler.archive.database import transaction
from crawler.archive.spool import RunRow, SegmentRow, Spool, open_database
from crawler.config.portal import Portal
from crawler.errors import SpoolUnwritable
from crawler.frontier.sqlite import Child, SqliteFrontier
from crawler.jobs.looking.status import open_runs, portal_status, run_statuses
from crawler.model import Kind, Link
from tests.cli.program import Collected

AT = datetime(2025, 7, 17, 6, 0, tzinfo=UTC)
RUN = "20250717060000cabcdef"


@pytest.fixture
def spool_path(tmp_path: Path) -> Path:
    """Give spools in which harbour's run has 3 URLs left, one of them leased."""
    db = open_database(tmp_path / "harbour")
    spool = Spool(db)
    frontier = SqliteFrontier(db, boot="b", ticks=lambda: 0.0)
    urls = [f"https://harbour.example/news/{n}" for n in range(3)]
    with transaction(db):
        spool.begin_run(RunRow(RUN, "harbour", "crawl", "open", AT, "sha256:0", {}))
        for serial, state in enumerate(("committed", "rolled", "open"), 1):
            name = f"harbour-20250717060000000-{RUN}-0-{serial:05d}"
            spool.begin_segment(SegmentRow(name, RUN, serial, state, AT, None, 0, 0))
        spool.outbox.count(RUN, "captured", 5)
        spool.outbox.count(RUN, "items:new", 4)
        links = [Child(Link(url, Kind.ITEM)) for url in urls]
        frontier.add(RUN, links, Portal(id="harbour"))
        frontier.lease(RUN, 1, 60.0)
    db.close()
    return tmp_path


def test_closed_runs_and_totals(collection: Collection, collected: Collected) -> None:
    """The last run and totals come from what is committed."""
    found = portal_status(collection, collected.store / "no-spool", "harbour")
    assert found.last is not None
    assert found.last.run_id == collected.runs[1]
    assert found.last.state == "complete"
    assert found.last.items["revised"] == 1
    assert found.unfinished == ()
    assert (found.totals.runs, found.totals.segments, found.totals.items) == (2, 2, 4)
    assert found.totals.warc_bytes > 1000


def test_open_run_tells_what_is_left(collection: Collection, spool_path: Path) -> None:
    """An unfinished run shows from the spool, after the closed ones."""
    runs = run_statuses(collection, spool_path, "harbour")
    assert [run.is_closed for run in runs] == [True, True, False]
    run = runs[-1]
    assert (run.run_id, run.state) == (RUN, "open")
    assert (run.waiting, run.leased) == (2, 1)
    assert (run.segments, run.uncommitted) == (1, 2)
    assert (run.items, run.counts) == ({"new": 4}, {"captured": 5})


def test_run_with_nothing_left_is_closing(spool_path: Path) -> None:
    """Once no URL is left, only commits are: the run is closing."""
    with sqlite3.connect(spool_path / "harbour" / "spool.sqlite") as db:
        db.execute("update work set state=2")
    db.close()
    assert [run.state for run in open_runs(spool_path, "harbour")] == ["closing"]


def test_looking_writes_nothing(spool_path: Path) -> None:
    """A spool that is not there is not made, and one that is there is not changed."""
    assert open_runs(spool_path, "nowhere") == []
    assert not (spool_path / "nowhere").exists()
    file = spool_path / "harbour" / "spool.sqlite"
    before = file.read_bytes()
    open_runs(spool_path, "harbour")
    assert file.read_bytes() == before


def test_unclosed_run_of_another_spool_shows(copied: Path, tmp_path: Path) -> None:
    """Segments whose run no manifest closes and no spool knows are told."""
    for path in copied.glob("runs/*/*"):
        path.unlink()
    from crawler.archive.store import LocalStore

    runs = run_statuses(Collection(LocalStore(copied)), tmp_path, "harbour")
    assert [run.state for run in runs] == ["unclosed", "unclosed"]
    assert [run.segments for run in runs] == [1, 1]


def test_damaged_spool_is_told(tmp_path: Path) -> None:
    """A spool that is no database is an error with its path."""
    (tmp_path / "harbour").mkdir()
    (tmp_path / "harbour" / "spool.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(SpoolUnwritable, match="cannot be read"):
        open_runs(tmp_path, "harbour")
