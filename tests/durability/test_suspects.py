"""A page that kills the process: it is found among those it was fetched with."""

from __future__ import annotations

import sqlite3

import pytest

from crawler.config.portal import Portal
from crawler.frontier.sqlite import SUSPECT, Child, SqliteFrontier
from crawler.model import Kind, Link, Outcome

RUN, LEASE_S, MOST = "run", 300.0, 5
URLS = [f"http://portal.example/{number}" for number in range(20)]
GUILTY = URLS[7]


@pytest.fixture
def frontier() -> SqliteFrontier:
    """Give a frontier with 20 pages."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    made = SqliteFrontier(db, boot="boot", ticks=lambda: 0.0)
    made.add(RUN, [Child(Link(url, Kind.ITEM)) for url in URLS], Portal(id="news"))
    return made


def live(frontier: SqliteFrontier) -> tuple[list[str], int]:
    """Fetch until the guilty page kills this life; return what ended, and deaths."""
    ended: list[str] = []
    while works := frontier.lease(RUN, 8, LEASE_S):
        if GUILTY in [work.link.url for work in works]:
            return ended, 1
        for work in works:
            assert frontier.end(work, Outcome.CAPTURED)
            ended.append(work.link.url)
    return ended, 0


def test_only_the_page_that_kills_is_given_up(frontier: SqliteFrontier) -> None:
    """All others end as captured; it is buried after as many deaths as allowed."""
    captured, buried, deaths = list[str](), list[str](), 0
    for _ in range(MOST + 1):
        frontier.take_back(RUN)
        buried += [work.link.url for work in frontier.bury(RUN, MOST)]
        ended, died = live(frontier)
        captured += ended
        deaths += died
    assert buried == [GUILTY]
    assert sorted(captured) == sorted(set(URLS) - {GUILTY})
    assert deaths == MOST
    assert frontier.left(RUN) == 0


def test_nothing_is_leased_beside_a_suspect(frontier: SqliteFrontier) -> None:
    """While a page is under way that others died with, nothing else is."""
    for _ in range(SUSPECT):
        assert len(frontier.lease(RUN, 100, LEASE_S)) == len(URLS)
        frontier.take_back(RUN)
    (alone,) = frontier.lease(RUN, 100, LEASE_S)
    fresh = [Child(Link("http://portal.example/new", Kind.ITEM))]
    frontier.add(RUN, fresh, Portal(id="news"))
    assert frontier.lease(RUN, 100, LEASE_S) == []
    frontier.end(alone, Outcome.CAPTURED)
    (new,) = frontier.lease(RUN, 100, LEASE_S)
    assert new.link.url == "http://portal.example/new"
    assert frontier.lease(RUN, 0, LEASE_S) == []
