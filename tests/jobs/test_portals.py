"""Many portals crawled at once in one process, each with a way of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crawler.model import Reason
from tests.crawling import RULE, Json, Ran, Workplace, consistent, portal
from tests.site.portal import (
    Asked,
    Portal,
    article,
    json_page,
    listing,
    page,
    redirect,
    reset,
    serving,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.site.portal import Behaviour, Handler

FORBIDS = "User-agent: *\nDisallow: /item/\n"
LARGE = FORBIDS + "# filling\n" * 200_000 + "User-agent: *\nDisallow: /latest\n"
SMALL: dict[str, Behaviour] = {
    "/latest": page(listing(["/item/1", "/item/2"])),
    "/item/1": page(article("one")),
    "/item/2": page(article("two")),
}
ROBOTS: dict[str, dict[str, Behaviour]] = {
    "forbids": {"/robots.txt": page(FORBIDS)},
    "nothing": {"/robots.txt": page("no", 404)},
    "denied": {"/robots.txt": page("no", 403)},
    "broken": {"/robots.txt": page("no", 500)},
    "mended": {"/robots.txt": turns(page("no", 503), page("User-agent: *\n"))},
    "moved": {
        "/robots.txt": redirect("/rules"),
        "/rules": page(FORBIDS, content_type="text/plain"),
    },
    "markup": {"/robots.txt": page("<html>Disallow: /item/</html>")},
    "large": {"/robots.txt": page(LARGE)},
    "reset": {"/robots.txt": reset},
    "circle": {"/robots.txt": redirect("/robots.txt")},
    "api": {"/robots.txt": page("User-agent: portalkeep\nDisallow: /latest\n")},
}
OBEYED: dict[str, tuple[int, Reason | None]] = {
    "forbids": (0, Reason.ROBOTS),
    "nothing": (2, None),
    "denied": (2, None),
    "broken": (0, Reason.ROBOTS),
    "mended": (2, None),
    "moved": (0, Reason.ROBOTS),
    "markup": (2, None),
    "large": (0, Reason.ROBOTS),
    "reset": (0, Reason.ROBOTS),
    "circle": (2, None),
    "api": (0, Reason.ROBOTS),
}
"""Items made, and why URLs were skipped."""


def post_api(handler: Handler) -> None:
    """Answer a POST with the page that its body names."""
    if handler.asked.method != "POST":
        page("POST it", 405)(handler)
        return
    number = json.loads(handler.asked.body)["page"]
    rows = [{"url": f"/item/{number}{row}"} for row in range(3)]
    json_page({"rows": rows, "more": number < 3})(handler)


def posting(base: str) -> Json:
    """Return a portal whose listing is a POST API."""
    rules = {
        "from": "json",
        "url": f"{base}/api",
        "method": "POST",
        "body": '{"page": {page}}',
        "rows": "rows",
        "fields": {"url": "url"},
        "next": {"page": {"start": 2}, "more": "more"},
    }
    return portal(base, "posting", listing=rules)


def many(handler: Handler) -> None:
    """Answer with an item page for any URL."""
    page(article(f"story {handler.asked.target}"))(handler)


def portals(bases: dict[str, str]) -> list[Json]:
    """Return what is crawled: each portal has its own server."""
    limited = {"scope": {"max_items": 5}}
    wrong = {"rows": "li.no-such-row"}
    two = {"scope": {"hosts": [host(bases["two"]), host(bases["second"])]}}
    robots = [portal(bases[name], name, crawl={"retries": 1}) for name in ROBOTS]
    return [
        *robots,
        posting(bases["posting"]),
        portal(bases["limited"], "limited", **limited),
        portal(bases["wrong"], "wrong", listing=wrong),
        portal(bases["two"], "two", **two),
        portal(bases["deep"], "deep", scope={"max_depth": 1, "exclude": ["secret"]}),
        portal(bases["refused"], "refused", crawl={"retries": 1}),
        portal(bases["pages"], "pages", items=[{**RULE, "pages": "a.further"}]),
    ]


def host(base: str) -> str:
    """Return the host and port of a base URL."""
    return base.partition("//")[2]


def routes(bases: dict[str, str]) -> dict[str, dict[str, Behaviour]]:
    """Return each server's table."""
    twenty = [f"/item/{n}" for n in range(20)]
    pages = "<a class=further href=/item/1?p=2>2</a><a class=further href={}>3</a>"
    return {
        **{name: {**SMALL, **table} for name, table in ROBOTS.items()},
        "posting": {"/api": post_api, "*": many, "/robots.txt": page("", 404)},
        "limited": {
            "/latest": page(listing(twenty[:4], then="/latest?p=2")),
            "/latest?p=2": page(listing(twenty[2:], then="/latest?p=3")),
            "/latest?p=3": page(listing(twenty)),
            "*": many,
            "/robots.txt": page("", 404),
        },
        "wrong": SMALL,
        "two": {"/latest": page(listing(["/item/1", f"{bases['second']}/item/2"]))}
        | {"/item/1": page(article("one"))},
        "second": {"/item/2": page(article("two"))},
        "deep": {"/latest": page(listing(["/item/1", "/item/secret"])), "*": many}
        | {"/robots.txt": page("", 404)},
        "pages": {
            "/latest": page(listing(["/item/1", "/item/2"])),
            "/item/1": page(article("part one", more=pages.format("/item/1?p=3"))),
            "/item/1?p=2": page(article("part two")),
            "/item/1?p=3": turns(page("later", 503), page(article("part three"))),
            "/item/2": page(article("first", more=pages.format("/shut?p=3"))),
            "/shut": page(article("never seen")),
            "/robots.txt": page("User-agent: *\nDisallow: /shut\n"),
        },
    }


class Crawled:
    """The one crawl of all portals."""

    def __init__(self, place: Workplace, ran: Ran, served: dict[str, Portal]) -> None:
        self.place = place
        self.ran = ran
        self.served = served

    def reasons(self, name: str) -> set[str | None]:
        """Return why URLs of a portal were skipped."""
        rows = self.place.decisions(name)
        return {row.get("reason") for row in rows if row["outcome"] == "skipped"}

    def asked(self, name: str) -> list[Asked]:
        """Return what a portal's server was asked."""
        return self.served[name].asked


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    """Crawl all portals once."""
    names = [*routes({"second": ""}), "refused"]
    with serving({}) as gone:
        refused = gone.base
    gone.server_close()
    import contextlib

    with contextlib.ExitStack() as stack:
        served = {name: stack.enter_context(serving({})) for name in names}
        bases = {name: one.base for name, one in served.items()}
        for name, table in routes(bases).items():
            served[name].routes.update(table)
        bases["refused"] = refused
        place = Workplace(tmp_path_factory.mktemp("many"), portals(bases))
        yield Crawled(place, place.run("crawl", 90), served)


@pytest.mark.parametrize("name", ROBOTS)
def test_robots(crawled: Crawled, name: str) -> None:
    """robots.txt is obeyed in every state it can be in."""
    items, reason = OBEYED[name]
    assert len(crawled.place.items(name)) == items
    assert crawled.reasons(name) == ({reason} if reason else set())
    consistent(crawled.place, crawled.ran.of(name), name)


def test_listing_api_is_asked_for_by_robots_too(crawled: Crawled) -> None:
    """A listing that robots.txt forbids is not fetched, and the run is no success."""
    assert [asked.target for asked in crawled.asked("api")] == ["/robots.txt"]
    assert crawled.ran.of("api")["exit_code"] == 4


def test_robots_is_captured(crawled: Crawled) -> None:
    """What decided is in the archive."""
    place = crawled.place
    urls = [x.url for s in place.segments("moved") for x in place.collection.lines(s)]
    base = crawled.served["moved"].base
    assert {f"{base}/robots.txt", f"{base}/rules"} <= set(urls)


def test_post_listing(crawled: Crawled) -> None:
    """A POST listing is walked by its body; each page is its own URL of the run."""
    bodies = [x.body for x in crawled.asked("posting") if x.method == "POST"]
    assert [json.loads(body)["page"] for body in bodies] == [1, 2, 3]
    assert len(crawled.place.items("posting")) == 9
    again = crawled.place.run("replay", portals=["posting"], ports=[]).answer
    assert again["differences"] == []
    assert again["misses"] == []


def test_max_items_counts_each_item_once(crawled: Crawled) -> None:
    """Items named by two pages count once; those over the limit are skipped."""
    assert len(crawled.place.items("limited")) == 5
    result = crawled.ran.of("limited")
    assert result["exit_code"] == 0
    consistent(crawled.place, result, "limited")
    kept = {item.url for item in crawled.place.items("limited")}
    rows = crawled.place.decisions("limited")
    over = {row["url"] for row in rows if row.get("reason") == Reason.PAGE_LIMIT}
    assert len(over) == 15
    assert not over & kept


def test_listing_that_matches_nothing_names_the_rule(crawled: Crawled) -> None:
    """A changed layout is no success, and the log says which rule found nothing."""
    result = crawled.ran.of("wrong")
    assert result["exit_code"] == 4
    assert result["run"]["state"] == "below_expectation"
    assert "'latest'" in result["message"]
    ((outcome, reason, detail),) = crawled.place.endings("wrong").values()
    assert (outcome, reason) == ("captured", Reason.BAD_LISTING)
    assert "li.no-such-row" in detail


def test_two_hosts(crawled: Crawled) -> None:
    """Items of a second host in scope are fetched, after its own robots.txt."""
    assert len(crawled.place.items("two")) == 2
    asked = [asked.target for asked in crawled.asked("second")]
    assert asked == ["/robots.txt", "/item/2"]


def test_excluded(crawled: Crawled) -> None:
    """What scope excludes is skipped, with the pattern."""
    assert crawled.reasons("deep") == {Reason.EXCLUDED}
    assert len(crawled.place.items("deep")) == 1


def test_refused_connection(crawled: Crawled) -> None:
    """A portal that is not there: tried again, then counted; no success."""
    result = crawled.ran.of("refused")
    assert result["exit_code"] == 4
    ((outcome, reason, _),) = crawled.place.endings("refused").values()
    assert (outcome, reason) in (
        ("failed", Reason.CONNECT),
        ("skipped", Reason.ROBOTS),
        ("failed", Reason.HOST_DOWN),
    )


def test_pages_of_an_article(crawled: Crawled) -> None:
    """Further pages are one item; where one may not be read there is none."""
    (item,) = crawled.place.items("pages")
    assert "part three" in (item.body_text or "")
    endings: dict[str, Any] = crawled.place.endings("pages")
    base = crawled.served["pages"].base
    assert endings[f"{base}/item/2"][1] == Reason.TRUNCATED
    for job in ("replay", "extract"):
        answer = crawled.place.run(job, portals=["pages"], ports=[]).answer
        assert answer["differences"] == []
