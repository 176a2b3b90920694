"""Ctrl-C: a crawl stops at once, however long it would have to wait for its hosts."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from crawler.frontier.hosts import Hosts, open_hosts
from crawler.jobs.run import boot_id
from tests.crawling import Workplace, consistent, ended, portal
from tests.site.portal import article, listing, page, serving, silent

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.site.portal import Behaviour, Handler, Portal

ITEMS = 12
DELAY_S = 5


def any_item(handler: Handler) -> None:
    """Answer with an item page for any URL."""
    page(article(f"story {handler.asked.target}"))(handler)


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give a portal of ITEMS items."""
    routes: dict[str, Behaviour] = {
        "/latest": page(listing([f"/item/{n}" for n in range(ITEMS)])),
        "*": any_item,
    }
    with serving(routes) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, served: Portal) -> Workplace:
    """Give a workplace for the portal; robots.txt takes no turn."""
    return Workplace(tmp_path, [portal(served.base, crawl={"robots": "ignore"})])


def until(child: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Wait until something happened; give up after 20 s."""
    give_up_s = time.monotonic() + 20
    while not happened():
        if child.poll() is not None or time.monotonic() > give_up_s:
            child.kill()
            pytest.fail(child.communicate()[1][-2000:])
        time.sleep(0.02)  # a poll with a bound


def leased(place: Workplace) -> int:
    """Return how many works are given out."""
    with contextlib.suppress(sqlite3.OperationalError):  # its tables are being made
        rows = place.spool("select count(*) from work where state=1 and kind='item'")
        return int(rows[0][0]) if rows else 0
    return 0


def test_a_stop_does_not_wait_for_turns(place: Workplace, served: Portal) -> None:
    """Requests that wait for their host give work and turn back; nothing is lost."""
    place.portals[0]["crawl"]["delay"] = f"{DELAY_S}s"
    child = place.start("crawl")
    until(child, lambda: leased(place) >= 8)
    child.send_signal(signal.SIGINT)
    began_s = time.monotonic()
    stopped = ended(child).of()
    took_s = time.monotonic() - began_s
    assert stopped["exit_code"] == 7
    assert took_s < DELAY_S - 1
    assert sum(served.hits.values()) <= 2
    assert place.spool("select * from work where state=1") == []
    db = open_hosts(place.directory / "spool")
    hosts = Hosts(db, boot=boot_id(), ticks=time.monotonic)
    assert hosts.reserve(served.base.removeprefix("http://"), 0).wait_s <= DELAY_S
    db.close()
    place.portals[0]["crawl"]["delay"] = "0s"
    result = place.run("crawl").of()
    assert result["exit_code"] == 0
    assert result["run_id"] == stopped["run_id"]
    assert len(place.items()) == ITEMS
    assert set(served.hits.values()) == {1}
    consistent(place, result)


def test_a_second_stop_waits_for_nothing(place: Workplace, served: Portal) -> None:
    """A page that never answers keeps the first Ctrl-C waiting, not the second."""
    place.portals[0]["crawl"]["timeout"] = "60s"
    served.routes["/item/3"] = silent
    child = place.start("crawl")
    until(child, lambda: len(served.hits) == ITEMS + 1 and leased(place) == 1)
    child.send_signal(signal.SIGINT)
    with pytest.raises(TimeoutError):
        wait(child, 1)
    child.send_signal(signal.SIGINT)
    wait(child, 5)
    stopped = ended(child).of()
    assert stopped["exit_code"] == 7
    served.routes["/item/3"] = any_item
    result = place.run("crawl").of()
    assert result["exit_code"] == 0
    assert len(place.items()) == ITEMS
    consistent(place, result)


def wait(child: subprocess.Popen[str], timeout_s: float) -> None:
    """Wait for a child's end.

    Raises:
        TimeoutError: it did not end in time.
    """
    give_up_s = time.monotonic() + timeout_s
    while child.poll() is None:
        if time.monotonic() > give_up_s:
            raise TimeoutError
        time.sleep(0.02)  # a poll with a bound
