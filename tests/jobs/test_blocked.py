"""Portals that do not want us: challenges and forbidden listings."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from crawler.item import Item
from tests.crawling import Workplace, consistent, plain, portal
from tests.site.portal import article, listing, page, serving, turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.site.portal import Behaviour, Portal

CHALLENGE = "<title>Just a moment...</title><p>Checking your browser</p>"
MANNERS = {"retries": 2, "delay": "0s", "retry_delay": "0.05s"}


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give a portal of one item page that is well and two that are not."""
    routes: dict[str, Behaviour] = {
        "/latest": turns(
            page("go away", 403), page(listing([f"/item/{n}" for n in range(3)]))
        ),
        "/item/0": page(article("zero")),
        "/item/1": turns(page(CHALLENGE), page(CHALLENGE, 403), page(article("one"))),
        "/item/2": page(CHALLENGE),
    }
    with serving(routes) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, served: Portal) -> Workplace:
    """Give a workplace for the portal."""
    return Workplace(tmp_path, [portal(served.base, crawl=MANNERS)])


def test_blocked_pages_are_tried_again_and_never_items(
    place: Workplace, served: Portal
) -> None:
    """A page that lets us in later is an item; one that never does is blocked."""
    ran = place.run("crawl")
    result = ran.of()
    assert result["exit_code"] == 0, result
    assert {item.title for item in place.items()} == {"zero", "one"}
    endings = place.endings()
    assert endings[f"{served.base}/item/2"][:2] in {
        ("captured", "blocked"),
        ("revisited", "blocked"),
    }
    hits = {path: served.hits[path] for path in ("/latest", "/item/1", "/item/2")}
    assert hits == {"/latest": 2, "/item/1": 3, "/item/2": 3}
    assert result["counts"]["retries:blocked"] == 1 + 2 + 2
    assert ran.stderr.count("host_blocked") == 1 + 2 + 3
    consistent(place, result)


def test_a_listing_that_stays_forbidden_is_blocked(
    place: Workplace, served: Portal
) -> None:
    """It is asked for a bounded number of times, and the run is no success."""
    served.routes["/latest"] = page("go away", 403)
    result = place.run("crawl").of()
    assert result["exit_code"] == 4
    assert served.hits["/latest"] == 3
    (ending,) = place.endings().values()
    assert ending[1:] == ("blocked", "403")


def test_ban_signs_slow_the_host(place: Workplace, served: Portal) -> None:
    """After a challenge the next requests keep a distance that was not asked before."""
    served.routes["/latest"] = page("go away", 403)
    place.run("crawl")
    served.routes["/latest"] = page(listing([f"/item/{n}" for n in range(4)]))
    served.routes["*"] = served.routes["/item/0"]
    served.routes["/item/1"] = served.routes["/item/2"] = page(article("x"))
    started = len(served.times)
    place.run("crawl")
    items = served.times[started + 1 :]
    gaps = [later - earlier for earlier, later in itertools.pairwise(items)]
    assert len(gaps) >= 3
    assert min(gaps) > 0.2


def test_replay_and_extract_say_the_same(place: Workplace) -> None:
    """The archive's tries are played again in order, with the same items."""
    place.run("crawl")
    stored = plain(place.items())
    replayed = place.run("replay", ports=[])
    assert replayed.answer["misses"] == []
    assert replayed.answer["differences"] == []
    items = [Item.model_validate(row) for row in replayed.answer["items"]]
    assert plain(items) == stored
    assert place.run("extract", ports=[]).answer["differences"] == []
