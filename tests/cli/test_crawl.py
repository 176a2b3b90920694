from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable

from crawler.errors import SpoolUnwritable
from crawler.jobs.looking.status import open_runs
from tests.cli.program import Program, pages, serving

DEADLINE_S = 30.0


def test_crawl_tells_on_stderr_what_it_did(program: Program) -> None:
    """A crawl's summary is talk: stdout stays empty, nothing is logged besides."""
    with serving(pages()) as base:
        program.configure(base)
        ended = program("crawl")
    assert (ended.code, ended.out) == (0, "")
    assert "harbour: run " in ended.err
    assert "items: 3 new, 0 revised, 0 unchanged" in ended.err
    assert "http_status 1" in ended.err
    assert "stored: 1 segment in " in ended.err
    assert "Traceback" not in ended.err
    assert "segment_rolled" not in ended.err


def test_crawl_with_json_gives_its_results(program: Program) -> None:
    """With --json stdout is one JSON array, a result a portal."""
    with serving(pages()) as base:
        program.configure(base)
        ended = program("--json", "-v", "crawl", "harbour", "--limit", "1")
    (result,) = json.loads(ended.out)
    assert (result["portal"], result["exit_code"]) == ("harbour", 0)
    assert result["counts"]["items:new"] == 1
    assert result["run"]["state"] == "complete"
    assert "run_closed" in ended.err  # -v tells the run's story


def test_crawl_below_expectation_ends_with_4(program: Program) -> None:
    """A run that finds too little ends with 4 and says what is missing."""
    with serving(pages()) as base:
        program.configure(base, min_items=9)
        ended = program("crawl")
    assert ended.code == 4
    assert "3 items, expected 9 at least" in ended.err
    assert program("status").out.count("problem: ") == 1


def test_second_crawl_of_a_portal_ends_with_75(program: Program) -> None:
    """While a portal is crawled, another crawl of it is refused."""
    with serving(pages(), delay_s=0.2) as base:
        program.configure(base, delay="1s")
        with program.start("crawl") as first:
            lock = program.directory / "data" / "spool" / "harbour" / "crawl.lock"
            _wait_for(lambda: lock.exists() and lock.stat().st_size > 0)
            second = program("crawl")
            first.send_signal(signal.SIGINT)
            first.communicate(timeout=DEADLINE_S)
    assert second.code == 75
    assert "another crawl of 'harbour' is running" in second.err


def test_interrupted_crawl_goes_on(program: Program) -> None:
    """Ctrl-C ends a crawl with 7; the same command takes the same run to its end."""
    with serving(pages(more=30)) as base:
        program.configure(base, delay="200ms")
        with program.start("crawl", clock=None) as first:
            _wait_for(lambda: _has_begun(program))
            first.send_signal(signal.SIGINT)
            _, err = first.communicate(timeout=DEADLINE_S)
        assert first.returncode == 7, err
        assert "Traceback" not in err
        (left,) = json.loads(program("--json", "runs").out)
        assert left["state"] == "open"
        assert left["waiting"] > 0
        assert "left: " in program("status").out
        program.configure(base)
        ended = program("crawl", clock=None)
    assert ended.code == 0, ended.err
    assert f"run {left['run_id']} complete" in ended.err
    assert program("verify").code == 0


def test_try_of_a_url_archives_nothing(program: Program) -> None:
    """A page is fetched and read, the portal found by its host; nothing is kept."""
    with serving(pages()) as base:
        program.configure(base)
        item = program("try", f"{base}/news/3")
        listing = program("--json", "try", f"{base}/news/")
        missing = program("try", f"{base}/news/4")
    assert item.code == 0, item.err
    assert json.loads(item.out)["title"] == "灯塔开放"
    found = json.loads(listing.out)["listing"]
    assert found["links"][0]["url"] == f"{base}/news/1"
    assert (missing.code, missing.out) == (4, "")
    assert "http_status" in missing.err
    assert not (program.directory / "data").exists()


def _has_begun(program: Program) -> bool:
    """Tell whether a page was captured, so that there is more to do."""
    with contextlib.suppress(SpoolUnwritable):  # its tables are being made
        runs = open_runs(program.directory / "data" / "spool", "harbour")
        return bool(runs) and runs[0].counts.get("captured", 0) > 0
    return False


def _wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
