"""Every way of listing, by YAML alone: what is asked for, and why each walk ends."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.crawling import ROOT, Ran, Workplace, plain
from tests.mechanisms.origin import BOMB, NOON, ROUTES, signature
from tests.site.portal import serving

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.item import Item
    from tests.site.portal import Asked

CONFIG = ROOT / "tests/portals/mechanisms.yaml"
POSTED = '/m8 {"channel": 7, "pageidx": "%d"}'


def day(written: str) -> str:
    """Return the address of a day's page, in the old layout where there are dashes."""
    if "-" in written:
        return f"/m12/html/{written}/node_01.htm"
    return f"/m12/{written}/news.shtml"


def signed(**query: str) -> str:
    """Return a signed address of the listing m6."""
    asked = {**query, **signature(query, "")}
    return "/m6?" + "&".join(f"{name}={value}" for name, value in asked.items())


DAYS = ["2026/0715", "2026/0714", "2026/0713"]
OLD_DAYS = ["2026-07/12", "2026-07/11", "2026-07/10", "2026-07/09", "2026-07/08"]
WALKS: dict[str, tuple[list[str], int, str]] = {
    "m1": (["/m1/1.html", "/m1/2.html", "/m1/3.html"], 4, "not_found"),
    "endless": ([f"/endless?p={n}" for n in (1, 2, 3, 4)], 4, "seen_pages"),
    "ignored": ([f"/ignored?p={n}" for n in (1, 2, 3)], 6, "seen_pages"),
    "m2": (["/m2", "/m2/more?after=2"], 3, "no_next"),
    "nuxt": (["/nuxt"], 2, "no_next"),
    "nuxt2": (["/nuxt2"], 0, "bad_listing"),
    "m3": ([f"/m3?page={n}" for n in (1, 2, 3)], 4, "empty"),
    "m4": ([f"/m4?offset={n}&limit=3" for n in (0, 2, 4, 5, 6)], 10, "seen_pages"),
    "m5": (["/m5", "/m5?seq=a", "/m5?seq=b"], 3, "cursor_repeated"),
    "circle": (["/circle", *(f"/circle?seq={x}" for x in "abc")], 4, "loop"),
    "m6": (
        [
            signed(app="web"),
            *(signed(app="web", last_time=x) for x in ("800", "799", "600", "599")),
        ],
        14,
        "empty",
    ),
    "m6x": (
        ["/m6x", *(f"/m6x?last_time={x}" for x in (801, 800, 601, 600))],
        9,
        "empty",
    ),
    "heedless": (
        [f"/heedless?last_time={x}" for x in ("", "898", "897")],
        6,
        "cursor_ignored",
    ),
    "m7": (
        [f"/m7/cm_0{n}.js?callback=data_callback" for n in (1, 2, 3)],
        2,
        "not_found",
    ),
    "m8": ([POSTED % n for n in (1, 2, 3)], 2, "bad_listing"),
    "html": (["/html"], 0, "bad_listing"),
    "rss": (["/rss.xml"], 1, "no_next"),
    "atom": (["/atom.xml"], 1, "no_next"),
    "rdf": (["/rdf.xml"], 1, "no_next"),
    "jsonfeed": (["/feed.json"], 1, "no_next"),
    "bomb": (["/bomb.xml"], 0, "bad_listing"),
    "m11": (["/m11/index.xml", "/m11/news.xml", "/m11/pages.xml.gz"], 6, "no_next"),
    "nest": (
        ["/nest.xml", *(f"/nest.xml?n={n}" for n in (1, 2, 3, 4))],
        5,
        "no_next",
    ),
    "m12": ([day(x) for x in (*DAYS, *OLD_DAYS)], 4, "empty_pages"),
}
ITEMS = {
    *("m1-2", "m1-3", "m1-4", "m1-5", "endless-1", "endless-2"),
    *("ignored-1", "ignored-2", "m2-1", "m2-2", "m2-3", "nuxt-1", "nuxt-2"),
    *(f"m3-{n}" for n in range(1, 5)),
    *(f"m4-{n}" for n in range(1, 6)),
    *("m5-1", "m5-2", "m5-3"),
    *(f"circle-{n}" for n in range(4)),
    *(f"{name}-{n}" for name in ("m6", "m6x") for n in range(1, 7)),
    *("heedless-1", "heedless-2", "m7-1", "m7-2", "m8-1", "m8-2"),
    *("rss-1", "atom-1", "rdf-1", "jsonfeed-1", "m11-1", "m11-2", "m11-3"),
    *("m12-15", "m12-13", "m12-12", "m12-10"),
}


@dataclass(frozen=True)
class Crawled:
    """A crawl of all mechanisms.

    Attributes:
        asked: in order, robots.txt and item pages, too.
        items: by name.
    """

    place: Workplace
    ran: Ran
    asked: list[Asked]
    items: dict[str, Item]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """Crawl them all once, at noon of a day."""
    place = Workplace(tmp_path_factory.mktemp("mechanisms"), config_file=CONFIG)
    with serving(ROUTES) as served:
        place.environment["MECHANISMS"] = served.base
        clock = f"{NOON.isoformat()};frozen"
        ran = place.run("crawl", clock=clock, ports=[served.port])
    items = {item.url.rpartition("/")[2]: item for item in place.items("mechanisms")}
    return Crawled(place, ran, served.asked, items)


def asked_for(asked: list[Asked]) -> list[str]:
    """Return the targets in order, a body after its own."""
    return [f"{x.target} {x.body.decode()}".strip() for x in asked]


def test_every_walk_ends_for_its_reason(crawled: Crawled) -> None:
    """The manifest has a walk of each listing: its pages, its rows, why it ended."""
    walks = crawled.ran.of("mechanisms")["run"]["walks"]
    found = {x["listing"]: (x["pages"], x["rows"], x["ended"]) for x in walks}
    wanted = {name: (len(urls), rows, end) for name, (urls, rows, end) in WALKS.items()}
    assert found == wanted


@pytest.mark.parametrize("listing", WALKS)
def test_a_walk_asks_for_these_pages(crawled: Crawled, listing: str) -> None:
    """The pages of a listing come in order."""
    urls = WALKS[listing][0]
    own = [x for x in asked_for(crawled.asked) if x in urls]
    assert own == urls if listing != "m11" else sorted(own) == urls


def test_nothing_else_is_asked_for_and_nothing_twice(crawled: Crawled) -> None:
    """Each listing page and each item is asked for once, and robots.txt."""
    pages = [url for urls, _, _ in WALKS.values() for url in urls]
    items = [f"/item/{name}" for name in ITEMS]
    wanted = Counter([*pages, *items, "/robots.txt"])
    assert Counter(asked_for(crawled.asked)) == wanted
    assert set(crawled.items) == ITEMS


def test_a_listing_that_gave_nothing_is_a_shortfall(crawled: Crawled) -> None:
    """Pages that are no listings are counted, and listings without a row named."""
    result = crawled.ran.of("mechanisms")
    assert result["counts"]["captured:bad_listing"] == 4
    assert result["exit_code"] == 4
    problems = " ".join(result["run"]["problems"])
    assert [x for x in WALKS if f"'{x}'" in problems] == ["nuxt2", "html", "bomb"]


def test_what_gives_nothing_says_why(crawled: Crawled) -> None:
    """A function for a state, HTML for JSON, entities, and an answer that is not ok."""
    ends = crawled.place.endings("mechanisms")
    details = {url.rpartition("/")[2]: end[2] for url, end in ends.items() if end[1]}
    assert "render: always" in details["nuxt2"]
    assert details["html"].startswith("HTML where JSON was to come")
    assert details["bomb.xml"] == "the document declares entities"
    assert details["m8"].startswith("ok 'code == `0`' is not met")
    assert len(BOMB) < 3_000


@pytest.mark.parametrize(
    ("name", "published", "modified"),
    [
        ("rss-1", "2026-07-15T08:30:10+00:00", None),
        ("atom-1", "2026-07-15T08:30:11+00:00", "2026-07-15T09:30:12+00:00"),
        ("rdf-1", "2026-07-15T08:30:13+00:00", None),
        ("jsonfeed-1", "2026-07-15T08:30:14+00:00", None),
        ("m11-1", None, "2026-07-14T07:00:05+00:00"),
        ("m11-3", "2026-07-15T06:00:07+00:00", None),
        ("m2-1", "2026-07-15T17:00:00+08:00", None),
    ],
)
def test_times_of_a_listing_reach_the_item(
    crawled: Crawled, name: str, published: str | None, modified: str | None
) -> None:
    """Pages that say nothing of their time have it from feed, sitemap or state."""
    item = crawled.items[name]
    assert published == (item.published_at and item.published_at.isoformat())
    assert modified == (item.modified_at and item.modified_at.isoformat())


def test_a_signature_is_masked_where_it_is_stored(crawled: Crawled) -> None:
    """``redact_fields`` holds for what ``sign`` makes."""
    sent = signed(app="web").rpartition("=")[2]
    assert any(sent in x.target for x in crawled.asked)
    stored = b"".join(gzip.decompress(x.read_bytes()) for x in crawled.place.warcs())
    assert b"/m6?app=web&sign=" + b"*" * len(sent) in stored
    assert sent.encode() not in stored


def test_live_replay_and_extract_are_equal(crawled: Crawled) -> None:
    """Offline, the same pages are asked for and the same items come."""
    live = plain(list(crawled.items.values()))
    for job in ("replay", "extract"):
        again = crawled.place.run(job, ports=[]).answer
        assert (again["misses"], again["differences"]) == ([], [])
        assert len(again["items"]) == len(live)


def test_the_day_that_is_open_is_asked_for_again(tmp_path: Path) -> None:
    """A run of the next day begins with that day, and looks at the one before again."""
    place = Workplace(tmp_path, config_file=CONFIG)
    with serving(ROUTES) as served:
        place.environment["MECHANISMS"] = served.base
        for later in (timedelta(), timedelta(hours=8)):  # 2026-07-16 04:00 there
            served.asked.clear()
            clock = f"{(NOON + later).isoformat()};frozen"
            place.run("crawl", clock=clock, listings=["m12"])
        asked = [x for x in asked_for(served.asked) if x.startswith("/m12")]
    assert asked == [day(x) for x in ("2026/0716", *DAYS, *OLD_DAYS)]
