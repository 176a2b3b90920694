"""Disks, stores and frameworks in trouble, and portals of unusual size."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from crawler.archive.collection import Collection
from crawler.archive.store import LocalStore
from crawler.jobs.lock import portal_lock
from crawler.warc.verify import verify_file
from tests.crawling import ROOT, Workplace, consistent, ended, plain, portal
from tests.site.portal import Portal, article, listing, page, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.site.portal import Behaviour, Handler

ITEMS = 20
AT_ONCE = {"commit_timeout": "0s"}


def many(handler: Handler) -> None:
    """Answer with an item page for any URL."""
    page(article(f"story {handler.asked.target}"))(handler)


def routes() -> dict[str, Behaviour]:
    """Return a portal of ITEMS items."""
    links = [f"/item/{n}" for n in range(ITEMS)]
    return {
        "/latest": page(listing(links)),
        "*": many,
        "/robots.txt": page("no", 404),
    }


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give the portal, served."""
    with serving(routes()) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, served: Portal) -> Workplace:
    """Give a workplace for the portal."""
    return Workplace(tmp_path, [portal(served.base)])


def test_spool_that_cannot_be_written(place: Workplace, served: Portal) -> None:
    """A file where the spool should be: exit 5, nothing fetched, the place is named."""
    (place.directory / "spool").write_text("in the way")
    result = place.run("crawl").of()
    assert result["exit_code"] == 5
    assert "spool" in result["message"]
    assert not served.hits


def test_store_lost_on_the_way(place: Workplace, served: Portal) -> None:
    """What could not be stored is kept; a rerun commits it and fetches nothing."""
    place.settings["store"] = {"url": str(place.directory / "store"), **AT_ONCE}
    store = place.directory / "store"

    def break_store(handler: Handler) -> None:
        shutil.rmtree(store, ignore_errors=True)
        store.write_text("in the way")
        many(handler)

    served.routes["/item/7"] = break_store
    result = place.run("crawl").of()
    assert result["exit_code"] == 5, result
    assert result["run"] is None
    hits = sum(served.hits.values())
    assert hits == ITEMS + 2
    store.unlink()
    again = place.run("crawl").of()
    assert again["exit_code"] == 0, again
    assert again["run_id"] == result["run_id"]
    assert sum(served.hits.values()) == hits
    assert len(place.items()) == ITEMS
    consistent(place, again)


def test_closed_segment_lost_before_it_was_stored(
    place: Workplace, served: Portal
) -> None:
    """A closed WARC that is gone from the spool is damage; no run is closed over it."""
    place.settings["store"] = {"url": str(place.directory / "store"), **AT_ONCE}
    store = place.directory / "store"

    def break_store(handler: Handler) -> None:
        store.write_text("in the way")
        many(handler)

    served.routes["/item/7"] = break_store
    assert place.run("crawl").of()["exit_code"] == 5
    store.unlink()
    (warc,) = (place.directory / "spool").rglob("*.warc.gz")
    warc.unlink()
    result = place.run("crawl").of()
    assert result["exit_code"] == 6, result
    assert warc.name in result["message"]
    assert place.segments() == []


@pytest.mark.parametrize("max_file", [30_000, 90_000, 300_000])
def test_disk_full_on_the_way(place: Workplace, served: Portal, max_file: int) -> None:
    """A disk that takes no more: exit 5, nothing half written; a rerun goes on."""
    place.settings["warc"] = {"max_size": "10KB"}
    result = place.run("crawl", max_file=max_file).of()
    assert result["exit_code"] == 5, result
    assert "written" in result["message"] or "write" in result["message"]
    again = place.run("crawl").of()
    assert again["exit_code"] == 0, again
    assert len(place.items()) == len({item.url for item in place.items()}) == ITEMS
    consistent(place, again)
    for path in place.warcs():
        assert list(verify_file(path, read_data=True)) == []


def test_spool_lost_on_the_way(place: Workplace, served: Portal) -> None:
    """A spool whose WARC is gone is said to be damaged, not closed as complete."""
    served.routes["/item/7"] = _slow
    place.portals[0]["crawl"]["timeout"] = "20s"
    child = place.start("crawl")
    until_s = time.monotonic() + 20
    while served.hits["/item/7"] == 0 or len(served.hits) < ITEMS + 2:
        assert time.monotonic() < until_s
        time.sleep(0.005)  # a poll with a bound
    time.sleep(0.3)  # the others' endings are committed meanwhile
    child.kill()
    child.communicate()
    for path in (place.directory / "spool").rglob("*.open"):
        path.unlink()
    result = place.run("crawl").of()
    assert result["exit_code"] == 6
    assert "is gone" in result["message"]


def _slow(handler: Handler) -> None:
    handler.server.closing.wait(15)
    handler.close_connection = True


def test_scrapy_command_makes_the_same_archive(
    tmp_path: Path, served: Portal, place: Workplace
) -> None:
    """``scrapy crawl portal -a portal=NAME`` gives the items that ``crawl`` gives."""
    assert place.run("crawl").of()["exit_code"] == 0
    other = Workplace(tmp_path / "scrapy", [portal(served.base)])
    other.directory.mkdir()
    other.environment["PORTALKEEP_CONFIG"] = str(other.config)
    ran = scrapy(other, "-a", "portal=harbour")
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "Traceback" not in ran.stderr, ran.stderr[-3000:]
    (run,) = other.collection.runs("harbour")
    assert run.state == "complete"
    assert {item.url for item in other.items()} == {item.url for item in place.items()}
    (first,) = place.collection.runs("harbour")
    assert run.counts == first.counts
    assert run.config_digest == first.config_digest


def scrapy(place: Workplace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Scrapy's own command in a child."""
    return subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "portal", *arguments],
        cwd=ROOT,
        env=place.variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-a", "portal=nowhere"), 2, "there is no portal 'nowhere'"),
        ((), 2, "name a portal"),
        (("-a", "portal=harbour"), 75, "is running"),
    ],
)
def test_scrapy_command_that_cannot_begin(
    place: Workplace, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """It says why in one line and ends with the code of ``crawl``."""
    place.environment["PORTALKEEP_CONFIG"] = str(place.config)
    with portal_lock(place.directory / "spool" / "harbour", "crawl"):
        ran = scrapy(place, *arguments)
    assert ran.returncode == code
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_capture_that_is_not_exact_fetches_nothing(
    place: Workplace, served: Portal
) -> None:
    """When the canary fails, the crawl ends with its words and can be resumed."""
    result = place.run("crawl", broken=True).of()
    assert result["exit_code"] == 1
    assert result["message"] == "Scrapy is not as it was"
    assert not served.hits
    assert place.run("crawl").of()["exit_code"] == 0


def test_limited_crawl_replays(place: Workplace) -> None:
    """A replay of a run with ``--limit`` asks for no more than that run did."""
    result = place.run("crawl", limit=3).of()
    assert result["exit_code"] == 0
    assert len(place.items()) == 3
    answer = place.run("replay", ports=[]).answer
    assert (answer["misses"], answer["differences"]) == ([], [])
    visits = {
        name: count
        for name, count in result["counts"].items()
        if not name.startswith(("items", "fields"))
    }
    assert answer["counts"] == visits


def test_replay_lists_what_was_never_captured(place: Workplace) -> None:
    """A replay under rules that want more lists each miss and makes the rest."""
    place.run("crawl", limit=3)
    place.portals[0]["listings"].append(
        {**place.portals[0]["listings"][0], "id": "more", "url": "http://127.0.0.1:9/m"}
    )
    place.portals[0]["scope"] = {"hosts": ["127.0.0.1"]}
    answer = place.run("replay", ports=[]).answer
    assert answer["misses"] == ["http://127.0.0.1:9/robots.txt"]
    assert len(answer["items"]) == 3


def test_ten_thousand_links_on_one_page(tmp_path: Path) -> None:
    """A very long listing is taken in at once, in a few seconds."""
    links = [f"/item/{n}" for n in range(10_000)]
    with serving({"/latest": page(listing(links)), "*": many}) as served:
        place = Workplace(tmp_path, [portal(served.base)])
        begun_s = time.monotonic()
        result = place.run("crawl", limit=50).of()
        took_s = time.monotonic() - begun_s
    assert result["exit_code"] == 0
    consistent(place, result)
    assert result["counts"]["skipped:page_limit"] == 9_950
    assert len(place.items()) == 50
    assert took_s < 30


def test_sibling_is_crawled_though_one_portal_is_locked(
    place: Workplace, served: Portal
) -> None:
    """One portal's trouble does not stop the others."""
    place.portals.append(portal(served.base, "sibling"))
    (place.directory / "spool").mkdir()
    (place.directory / "spool" / "harbour").write_text("in the way")
    answer = place.run("crawl").answer
    assert answer["harbour"]["exit_code"] == 5
    assert answer["sibling"]["exit_code"] == 0
    assert plain(place.items("sibling"))


def test_store_is_only_read_by_replay_and_extract(place: Workplace) -> None:
    """Both leave the store as it is, to the last byte."""
    place.run("crawl")
    store = place.directory / "store"
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    for job in ("replay", "extract"):
        ended(place.start(job, ports=[]))
    after = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    assert before == after
    assert list(Collection(LocalStore(store)).portals()) == ["harbour"]
