"""Crawl, replay and extract of a small portal, each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crawler.item import Item
from tests.crawling import Workplace, consistent, plain, portal
from tests.site.portal import Portal, article, listing, page, redirect, serving, turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.site.portal import Behaviour

ITEMS = 12


def site() -> dict[str, Behaviour]:
    """Return a portal of two listing pages and ITEMS items, some with a past."""
    first = [f"/item/{n}" for n in range(ITEMS // 2)]
    second = [f"/item/{n}" for n in range(ITEMS // 2 - 2, ITEMS)]
    return {
        "/latest": page(listing(first, then="/latest?p=2")),
        "/latest?p=2": page(listing([*second, "/item/gone", "/item/moved"])),
        **{f"/item/{n}": page(article(f"story {n}")) for n in range(ITEMS)},
        "/item/3": turns(page("later", 503), page(article("story 3"))),
        "/item/moved": redirect("/item/landed", 301),
        "/item/landed": page(article("the story that moved")),
        "/item/gone": page("gone", 410),
    }


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give the portal, served."""
    with serving(site()) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, served: Portal) -> Workplace:
    """Give a workplace for the portal."""
    return Workplace(tmp_path, [portal(served.base)])


def test_live_replay_and_extract_give_the_same_items(
    place: Workplace, served: Portal
) -> None:
    """All three modes give equal items, the last two without any connection."""
    result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    stored = plain(place.items())
    assert len(stored) == ITEMS + 1
    consistent(place, result)

    hits = sum(served.hits.values())
    replayed = place.run("replay", ports=[])
    again = place.run("extract", ports=[])
    assert replayed.tried == again.tried == []
    assert sum(served.hits.values()) == hits
    for answer in (replayed.answer, again.answer):
        items = [Item.model_validate(row) for row in answer["items"]]
        assert answer["differences"] == []
        assert plain(items) == stored
    assert replayed.answer["misses"] == []


def test_second_crawl_of_an_unchanged_portal_brings_nothing(
    place: Workplace,
) -> None:
    """A page that did not change makes no item, and is counted as unchanged."""
    place.run("crawl")
    result = place.run("crawl").of()
    assert result["exit_code"] == 0
    assert result["run"]["items"] == {"unchanged": ITEMS + 1}
    assert len(place.items()) == ITEMS + 1
