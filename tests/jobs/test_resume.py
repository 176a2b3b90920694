"""Killed, stopped and locked crawls: nothing lost, nothing twice."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.jobs.lock import portal_lock
from crawler.warc.verify import verify_file
from tests.crawling import Workplace, consistent, ended, plain, portal
from tests.site.portal import Portal, article, listing, page, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.item import Item
    from tests.site.portal import Behaviour, Handler

PAGES, ROWS = 15, 20


def slowed(behaviour: Behaviour, delay_s: float) -> Behaviour:
    """Return a behaviour that takes its time, so that a crawl has a middle."""

    def behave(handler: Handler) -> None:
        handler.server.closing.wait(delay_s)
        behaviour(handler)

    return behave


def routes(delay_s: float = 0.02) -> dict[str, Behaviour]:
    """Return a portal of PAGES listing pages with ROWS items each."""
    table: dict[str, Behaviour] = {}
    for number in range(PAGES):
        target = f"/latest?p={number}" if number else "/latest"
        links = [f"/item/{number * ROWS + row}" for row in range(ROWS)]
        then = f"/latest?p={number + 1}" if number + 1 < PAGES else None
        table[target] = slowed(page(listing(links, then)), delay_s)
        table |= {
            link: slowed(page(article(f"story {link}")), delay_s) for link in links
        }
    return table


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give the portal, served."""
    with serving(routes()) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, served: Portal) -> Workplace:
    """Give a workplace whose segments are small, so that some close on the way."""
    return Workplace(tmp_path, [portal(served.base)], {"warc": {"max_size": "60KB"}})


def wait_for_hits(child: subprocess.Popen[str], served: Portal, count: int) -> None:
    """Return when the portal was asked so often; give up after 20 s."""
    until_s = time.monotonic() + 20
    while sum(served.hits.values()) < count:
        if child.poll() is not None or time.monotonic() > until_s:
            child.kill()
            _, err = child.communicate()
            pytest.fail(f"{sum(served.hits.values())} of {count} hits\n{err[-2000:]}")
        time.sleep(0.005)  # a poll with a bound


def kill_at(place: Workplace, served: Portal, count: int) -> None:
    """Start a crawl and kill it -9 when the portal was asked so often."""
    child = place.start("crawl")
    wait_for_hits(child, served, count)
    child.kill()
    child.communicate()


def assert_whole(place: Workplace, served: Portal, run_id: str) -> None:
    """Check that every item is there once and every WARC is good."""
    items: list[Item] = place.items()
    keys = [(item.id, item.revision) for item in items]
    assert len(keys) == len(set(keys)) == PAGES * ROWS
    assert {item.revision for item in items} == {1}
    assert {item.provenance.run_id for item in items} == {run_id}
    wanted = {f"{served.base}/item/{n}" for n in range(PAGES * ROWS)}
    assert {item.url for item in items} == wanted
    visited = place.endings()
    assert wanted <= visited.keys()
    assert {ending[:2] for ending in visited.values()} == {("captured", None)}
    for path in place.warcs():
        assert list(verify_file(path, read_data=True)) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_three_times_and_started_again(
    place: Workplace, served: Portal, seed: int
) -> None:
    """After kill -9 the run goes on under its id and loses or repeats nothing."""
    chance = random.Random(seed)
    run_ids: set[str] = set()
    for _ in range(3):
        already = sum(served.hits.values())
        kill_at(place, served, already + chance.randrange(2, 90))
        run_ids |= {row[0] for row in place.spool("select run_id from run")}
    result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    run_ids.add(result["run_id"])
    assert len(run_ids) == 1
    assert_whole(place, served, result["run_id"])
    consistent(place, result)
    repeated = sum(served.hits.values()) - PAGES * (ROWS + 1) - 4  # robots.txt
    assert repeated <= 3 * 80
    assert list((place.directory / "spool").rglob("*.warc.gz*")) == []


def test_killed_between_closing_a_segment_and_saying_so(
    place: Workplace, served: Portal
) -> None:
    """A WARC that already has its own name is cut and closed as an open one is."""
    kill_at(place, served, 60)
    for path in (place.directory / "spool").rglob("*.warc.gz.open"):
        path.rename(path.with_suffix(""))
    result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    assert_whole(place, served, result["run_id"])
    consistent(place, result)


def test_files_of_stored_segments_are_removed_at_the_next_start(
    place: Workplace, served: Portal
) -> None:
    """What a crash left after a segment was stored does not stay for ever."""
    kill_at(place, served, 150)
    run = "select run_id, name from run join segment using(run_id)"
    stored = place.spool(f"{run} where segment.state='committed'")
    assert stored
    run_id, name = stored[0]
    left = place.directory / "spool/harbour" / run_id / f"{name}.warc.gz"
    left.write_bytes(b"left over")
    assert place.run("crawl").of()["exit_code"] == 0
    assert not left.exists()
    assert not left.parent.exists()


def test_killed_crawl_replays_and_extracts_equal(
    place: Workplace, served: Portal
) -> None:
    """What was made over two processes is made again by both other modes."""
    kill_at(place, served, 60)
    assert place.run("crawl").of()["exit_code"] == 0
    stored = plain(place.items())
    for job in ("replay", "extract"):
        answer = place.run(job, ports=[]).answer
        assert answer["differences"] == []
        assert {(row["id"], row["revision"]) for row in answer["items"]} == set(stored)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_stopped_crawl_is_resumed(place: Workplace, served: Portal, name: str) -> None:
    """A stop lets pages under way end, exits 7, and the same command goes on."""
    child = place.start("crawl")
    wait_for_hits(child, served, 60)
    child.send_signal(signal.Signals[name])
    stopped = ended(child).of()
    assert stopped["exit_code"] == 7
    assert stopped["run"] is None
    hits = sum(served.hits.values())
    assert hits < PAGES * ROWS
    assert place.spool("select * from work where state=1") == []
    result = place.run("crawl").of()
    assert result["exit_code"] == 0
    assert result["run_id"] == stopped["run_id"]
    assert_whole(place, served, result["run_id"])
    consistent(place, result)
    assert served.hits.most_common(1)[0][1] <= 2  # robots.txt
    assert sum(served.hits.values()) == PAGES * (ROWS + 1) + 2


def test_two_crawls_of_one_portal_at_once(tmp_path: Path) -> None:
    """The second one is told so and starts nothing."""
    with serving({"/latest": page(listing(["/item/1"]))}) as served:
        place = Workplace(tmp_path, [portal(served.base)])
        with portal_lock(tmp_path / "spool" / "harbour", "crawl"):
            result = place.run("crawl").of()
        assert result["exit_code"] == 75
        assert "is running" in result["message"]
        assert not served.hits


def test_changed_rules_of_a_resumed_run_are_named_in_its_items(
    place: Workplace, served: Portal
) -> None:
    """Items of a run that goes on under other rules carry the digest of those."""
    kill_at(place, served, 60)
    place.portals[0]["name"] = "Harbour News"
    assert place.run("crawl").of()["exit_code"] == 0
    digests = {item.provenance.config_digest for item in place.items()}
    assert len(digests) == 2
    answer = place.run("extract", ports=[]).answer
    fields = {row["field"] for row in answer["differences"]}
    assert fields <= {"source"}
