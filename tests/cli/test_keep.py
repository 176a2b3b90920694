"""Verbs that keep an archive and its spool in order."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from crawler.archive.spool import FILE, open_database
from tests.cli.program import Collected, Program, pages, serving

OLD = 40 * 86_400


@pytest.fixture
def own(collected: Collected, tmp_path: Path) -> Program:
    """Give a program over a copy of the collection and its spool."""
    shutil.copytree(collected.store.parent, tmp_path / "data")
    program = Program(tmp_path)
    program.configure(collected.base)
    return program


def one(program: Program, pattern: str) -> Path:
    """Return the first stored file that a pattern finds."""
    return min((program.directory / "data" / "store").glob(pattern))


def test_repair_mends_and_checks_again(own: Program) -> None:
    """Damage is told, mended and found no more; the verb ends well."""
    one(own, "indexes/*/*/*/*").unlink()
    dry = own("verify", "--repair", "--dry-run")
    assert dry.code == 6
    assert "would be mended: index of" in dry.err
    done = own("verify", "harbour", "--read-data", "--repair")
    assert done.code == 0, done.err
    assert "the object is missing" in done.out
    assert "mended: index of" in done.err
    assert own("verify", "--read-data").code == 0


def test_repair_as_json(own: Program) -> None:
    """What was found, done and left is one JSON value; what is lost stays damage."""
    one(own, "archive/*/*/*/*").unlink()
    one(own, "items/*/*/*/*").unlink()
    done = own("--json", "verify", "--repair")
    assert done.code == 6
    report = json.loads(done.out)
    assert {row["done"] for row in report["repairs"]} == {False}
    assert len(report["left"]) == len(report["findings"]) > 1


def test_index_rebuild(own: Program) -> None:
    """A spool is made again of the archive; what it knows is told."""
    shutil.rmtree(own.directory / "data" / "spool")
    before = json.loads(own("--json", "index", "harbour").out)
    assert (before["items"], before["unknown_segments"]) == (0, 2)
    done = own("--json", "index", "harbour", "--rebuild")
    after = json.loads(done.out)
    assert (after["items"], after["segments"], after["unknown_segments"]) == (3, 2, 0)
    assert own("index", "nowhere").code == 2


def test_gc_removes_what_was_never_committed(own: Program) -> None:
    """Old orphans and unfinished files go; what a manifest lists and strangers stay."""
    warc = one(own, "archive/*/*/*/*")
    name = warc.name.replace("-00001.", "-00009.")
    orphan, stranger = warc.with_name(name), warc.with_name("notes.txt")
    young, old = warc.with_name(".a.123.new"), warc.with_name(".b.123.new")
    for path in (orphan, stranger, young, old):
        path.write_bytes(b"x")
    now = 1_754_000_000  # after the crawls, as the clock below
    os.utime(old, (now - OLD, now - OLD))
    os.utime(young, (now, now))
    clock = "2025-08-01T00:00:00Z;frozen"
    dry = own("--json", "gc", "--dry-run", clock=clock)
    assert {row["where"].rpartition("/")[2] for row in json.loads(dry.out)} == {
        orphan.name,
        old.name,
    }
    assert orphan.exists()
    assert own("gc", "--older-than", "60d", clock=clock).out == ""
    assert own("gc", "harbour", clock=clock).code == 0
    assert [x.exists() for x in (orphan, old, young, stranger)] == [False] * 2 + [
        True
    ] * 2
    assert own("verify", "--read-data").code == 0


def test_gc_clears_the_spool(own: Program, collected: Collected) -> None:
    """Local files of stored segments go with their directory; others stay."""
    run = own.directory / "data" / "spool" / "harbour" / collected.runs[0]
    run.mkdir(exist_ok=True)
    stored = run / one(own, "archive/*/*/*/*").name
    stored.write_bytes(b"x")
    assert own("gc").code == 0
    assert not run.exists()
    run.mkdir()
    strange = run / stored.name.replace("-00001.", "-00007.")
    strange.write_bytes(b"x")
    assert own("gc").code == 0
    assert strange.exists()


def test_gc_wants_days(own: Program) -> None:
    """An age that is none is refused."""
    assert own("gc", "--older-than", "soon").code == 2


def test_commit_closes_what_the_store_refused(program: Program) -> None:
    """A run that could not be committed is, later, without a single fetch."""
    with serving(pages()) as base:
        program.configure(base)
        text = program.config.read_text("utf-8")
        text = text.replace("/store}", "/store, commit_timeout: 1s}", 1)
        program.config.write_text(text, "utf-8")
        blocked = program.directory / "data" / "store" / "archive"
        blocked.parent.mkdir(parents=True)
        blocked.write_text("in the way", "utf-8")
        assert program("crawl").code == 5
    assert program("commit").code == 5
    blocked.unlink()
    done = program("--json", "commit")
    assert done.code == 0, done.err
    (run,) = json.loads(done.out)
    assert (run["state"], run["left"], run["segments"]) == ("complete", 0, 1)
    assert program("verify", "--read-data").code == 0
    assert program("items").out.count("\n") == 3
    assert "nothing to commit" in program("commit").err
    assert program("commit", "nowhere").code == 2


def captured(spool: Path) -> bool:
    """Tell whether a first page visit is durable."""
    if not (spool / FILE).exists():
        return False
    with closing(open_database(spool)) as db:
        rows = db.execute("select count(*) from work where state=2").fetchone()
        return bool(rows[0])


def test_commit_leaves_what_is_to_be_fetched(program: Program) -> None:
    """Of a killed run the records are committed; its URLs are left for a crawl."""
    with serving(pages(), delay_s=0.3) as base:
        program.configure(base, delay="0.2s")
        spool = program.directory / "data" / "spool" / "harbour"
        process = program.start("crawl")
        end = time.monotonic() + 30
        while time.monotonic() < end and not captured(spool):
            time.sleep(0.05)  # a poll with a bound
        process.send_signal(signal.SIGKILL)
        process.communicate()
        done = program("--json", "commit")
        (run,) = json.loads(done.out)
        assert (run["state"], run["exit_code"]) == (None, 0)
        assert run["left"] > 0
        assert program("verify", "--read-data").code == 0
        assert program("crawl").code == 0
    assert program("items").out.count("\n") == 3
