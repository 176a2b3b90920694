"""Pages that a browser alone asks for: once each, and they end as plain ones do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from crawler.spiders.cookies import FILE, load
from tests.crawling import ROOT, RULE, Workplace, consistent, portal
from tests.jobs.test_blocked import CHALLENGE
from tests.jobs.test_login import ENVIRONMENT, Members
from tests.jobs.test_login import rules as login_rules
from tests.jobs.test_rendering import CLOCK, NAMES, SHELL, assert_all_modes_agree
from tests.site.portal import (
    article,
    json_page,
    listing,
    page,
    raw,
    redirect,
    reset,
    serving,
    turns,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.site.portal import Behaviour, Portal

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
HEAD = b"HTTP/1.1 %d OK\r\nContent-Type: text/html\r\n"
OF_HTML = HEAD % 200
SLOW_BODY = b"Location: /other/elsewhere\r\nContent-Length: 9\r\n\r\n"
BUSY = page("busy", 429, [("Retry-After", "0")])
ENDINGS: dict[str, Behaviour] = {
    "article": page(article("article")),
    "moved": redirect("/item/there"),
    "off": redirect("http://localhost:1/item/off"),
    "excluded": raw(HEAD % 302 + SLOW_BODY + b"and then"),
    "round": redirect("/item/round"),
    "gone": page("<h1>gone</h1>", 404),
    "forbidden": page("<h1>no</h1>", 403),
    "broken": page("<h1>broken</h1>", 500),
    "busy": turns(BUSY, page(article("busy"))),
    "file": page(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n\x00", content_type="application/pdf"),
    "attached": page(
        b"PK\x03\x04\x00", headers=[("Content-Disposition", "attachment")]
    ),
    "nothing": page("", 204),
    "soft": page("<title>404 Not Found</title><h1>页面不存在</h1>"),
    "challenge": page(CHALLENGE),
    "closed/page": page(article("closed")),
    "cut": raw(OF_HTML + b"Content-Length: 9000\r\n\r\n" + article("cut").encode()),
    "reset": reset,
    "headless": raw(b"hello\r\n\r\nworld"),
}
LATER = "/item/script"


def routes() -> dict[str, Behaviour]:
    """Return a portal of pages that end in every way there is."""
    found = {f"/item/{name}": behave for name, behave in ENDINGS.items()}
    found["/item/busy"] = turns(BUSY, page(article("busy")))
    links = [*found, LATER]
    return {
        **found,
        "/robots.txt": page("User-agent: *\nDisallow: /item/closed/\n"),
        "/latest": page(listing(links)),
        "/item/there": page(article("there")),
        "/other/elsewhere": page(article("elsewhere")),
        "/api/script": json_page({"title": "script", "text": "told by script"}),
        LATER: page(SHELL.format("script")),
    }


def rules(served: Portal, render: str) -> dict[str, Any]:
    """Return a portal whose pages, listings too, are asked for by a browser."""
    item = {**RULE, "render": render, "ready": ".body", "required": ["title", "body"]}
    at_once = {**RULE, "match": "^/item/(soft|challenge)", "render": render}
    at_once["required"] = item["required"]
    return portal(
        served.base,
        items=[at_once, item],
        listing={"render": render},
        scope={"exclude": ["^/other/"]},
        crawl={"retries": 1},
    )


@dataclass(frozen=True)
class Crawled:
    """A crawl of that portal.

    Attributes:
        ends: outcome and reason by path.
        hits: how often each path was asked for.
    """

    place: Workplace
    ends: dict[str, tuple[str, str | None]]
    hits: dict[str, int]


def crawled(folder: Path, render: str) -> Crawled:
    """Crawl the portal, rendered or not."""
    with serving(routes()) as served:
        browser = {"timeout": "8s"}
        place = Workplace(folder, [rules(served, render)], {"browser": browser})
        result = place.run("crawl", 120, clock=CLOCK).of()
        consistent(place, result)
        ends = {
            url.removeprefix(served.base): end[:2]
            for url, end in place.endings().items()
        }
        return Crawled(place, ends, dict(served.hits))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """Give it crawled with every page rendered."""
    return crawled(tmp_path_factory.mktemp("shown"), "always")


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """Give it crawled without a browser."""
    return crawled(tmp_path_factory.mktemp("fetched"), "never")


def test_pages_end_as_plain_ones_do(shown: Crawled, fetched: Crawled) -> None:
    """Redirects, errors, downloads, challenges, cut answers: the same reasons."""
    assert fetched.ends.pop(LATER) == ("captured", "shell_page")
    assert shown.ends.pop(LATER) == ("captured", None)
    assert shown.ends == fetched.ends
    assert shown.ends["/item/excluded"] == ("skipped", "excluded")
    assert len(set(shown.ends.values())) >= 12


def test_each_page_is_asked_for_once(shown: Crawled, fetched: Crawled) -> None:
    """The browser asks as often as a plain crawl does, whatever the answer is.

    Where there is none, each has its own idea of how often to try at once.
    """
    own = {"/api/script", "/favicon.ico", "/item/reset"}
    counts = [
        {x: n for x, n in y.hits.items() if x not in own} for y in (shown, fetched)
    ]
    assert counts[0] == counts[1]
    assert shown.hits["/latest"] == shown.hits["/item/article"] == 1
    assert "/other/elsewhere" not in shown.hits


@pytest.mark.parametrize("today", ["always", "auto"])
def test_all_modes_agree(shown: Crawled, fetched: Crawled, today: str) -> None:
    """Replay and extraction make the items again; only what never came is a miss."""
    place = shown.place
    titles = {item.title for item in place.items()}
    assert titles == {"article", "there", "busy", "script"}
    place.settings["browser"] = {"path": "/nonexistent"}
    for rule in (*place.portals[0]["items"], *place.portals[0]["listings"]):
        rule["render"] = today
    plainly, again, extracted = (
        where.run(job, ports=[], clock=CLOCK).answer
        for where, job in (
            (fetched.place, "replay"),
            (place, "replay"),
            (place, "extract"),
        )
    )
    assert again["differences"] == extracted["differences"] == []
    missed = [{x.rpartition("/")[2] for x in y["misses"]} for y in (plainly, again)]
    assert missed == [{"reset", "headless"}] * 2
    assert again["counts"]["captured"] == plainly["counts"]["captured"]
    assert extracted["misses"] == []


def test_a_session_that_ended_is_renewed(tmp_path: Path) -> None:
    """A page for strangers has us log in, and the browser asks once more."""
    members = Members(lasts=2)
    links = [f"/item/{n}" for n in range(2)]
    given: dict[str, Behaviour] = {
        "/login": members.form,
        "/enter": members.enter,
        "/home": page("<p class=hello>Welcome back"),
        "/latest": members.only(page(listing(links))),
        **{x: members.only(page(article(f"story {x}"))) for x in links},
    }
    with serving(given) as served:
        place = Workplace(tmp_path, [login_rules(served.base)])
        place.portals[0]["items"] = [{**RULE, "render": "always", "ready": "h1"}]
        place.environment |= ENVIRONMENT
        result = place.run("crawl", 90, clock=CLOCK).of()
    assert result["exit_code"] == 0, result
    assert members.entered == 2
    assert {item.title for item in place.items()} == {f"story {x}" for x in links}
    assert all(len(item.provenance.dom_records) == 1 for item in place.items())
    assert_all_modes_agree(place)


def test_cookies_of_shown_pages_are_the_portals(tmp_path: Path) -> None:
    """What pages set on the way is sent from then on, by that portal alone."""
    goes_on = page(
        "<script>location = '/item/then'</script>", 200, [("Set-Cookie", "one=1")]
    )
    given: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/first"])),
        "/item/first": redirect("/item/second"),
        "/item/second": goes_on,
        "/item/then": page(article("then"), 200, [("Set-Cookie", "two=2; Path=/")]),
    }
    with serving(given) as served:
        always = rules(served, "always")
        other = {**always, "id": "other"}
        place = Workplace(tmp_path, [always, other])
        for names in (["harbour"], ["harbour", "other"]):
            place.run("crawl", 90, portals=names)
        sent = [
            x.headers.get("Cookie") for x in served.asked if x.target == "/item/first"
        ]
    kept = {x.name: x.path for x in load(tmp_path / "spool" / "harbour" / FILE)}
    assert kept == {"one": "/item", "two": "/"}
    assert sent[:1] == [None]
    assert sent[1:].count(None) == 1  # the other portal's
    assert {frozenset(x.split("; ")) for x in sent if x} == {
        frozenset({"one=1", "two=2"})
    }


OLD = ROOT / "tests/archives/fetched_first"
"""Made before pages were asked for once: each was fetched, then rendered."""


@pytest.mark.parametrize("render", ["always", "auto"])
def test_pages_that_were_fetched_first_are_replayed(
    tmp_path: Path, render: str
) -> None:
    """An older archive, one plain response before each document, is as it was."""
    shutil.copytree(OLD, tmp_path / "store")
    item = {**RULE, "render": render, "ready": ".body", "required": ["title", "body"]}
    place = Workplace(tmp_path, [portal("http://127.0.0.1:42401", items=[item])])
    assert {item.title for item in place.items()} == {"plain", "script"}
    assert_all_modes_agree(place)
