"""Portals that show their pages to those who logged in."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from crawler.item import Item
from tests.crawling import Json, Workplace, consistent, plain, portal
from tests.site.portal import article, listing, page, redirect, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.site.portal import Behaviour, Handler, Portal

ITEMS = 6
USER, PASSWORD = "reader-7c1e", "p4ss & wörd/19e2"
ENVIRONMENT = {"READER": USER, "READER_PASSWORD": PASSWORD}
STRANGER = '<form id=login action="/enter" method=post>{}<input name=user></form>'


@dataclass
class Members:
    """What the portal knows of its readers.

    Attributes:
        lasts: pages that a session is good for.
        sessions: by their cookie, pages that are left.
        tokens: handed out with forms and not used yet.
        entered: logins that succeeded; refused: those that did not.
    """

    lasts: int = 1000
    sessions: dict[str, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    entered: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def form(self, handler: Handler) -> None:
        """Show the form, with a token that is good once."""
        with self.lock:
            token = f"token-{len(self.tokens)}-{self.entered}-{self.refused}"
            self.tokens.add(token)
        hidden = f'<input type=hidden name=csrf value="{token}">'
        page(f"<h1>Who are you?</h1>{STRANGER.format(hidden)}")(handler)

    def enter(self, handler: Handler) -> None:
        """Take a form that was filled in."""
        given = parse_qs(handler.asked.body.decode())
        wanted = {"user": [USER], "password": [PASSWORD], "remember": ["1"]}
        with self.lock:
            known = given.pop("csrf", [""])[0] in self.tokens and given == wanted
            self.entered, self.refused = (
                self.entered + known,
                self.refused + (not known),
            )
            session = f"session-{self.entered}"
            if known:
                self.sessions[session] = self.lasts
        if not known:
            self.form(handler)
            return
        cookie = ("Set-Cookie", f"sid={session}; Path=/; HttpOnly")
        page("", 303, [("Location", "/home"), cookie])(handler)

    def only(self, behaviour: Behaviour) -> Behaviour:
        """Return a behaviour for readers; strangers are sent to the form."""

        def behave(handler: Handler) -> None:
            cookies = handler.asked.headers.get("Cookie", "")
            with self.lock:
                session = next((x for x in self.sessions if x in cookies), None)
                left = self.sessions.get(session or "", 0)
                if session is not None:
                    self.sessions[session] = left - 1
            (behaviour if left > 0 else redirect("/login"))(handler)

        return behave


@pytest.fixture
def members() -> Members:
    """Give the readers."""
    return Members()


@pytest.fixture
def served(members: Members) -> Iterator[Portal]:
    """Give a portal for its readers alone."""
    links = [f"/item/{n}" for n in range(ITEMS)]
    routes: dict[str, Behaviour] = {
        "/login": members.form,
        "/enter": members.enter,
        "/home": members.only(page("<p class=hello>Welcome back")),
        "/latest": members.only(page(listing(links))),
    }
    routes |= {x: members.only(page(article(f"story {x}"))) for x in links}
    with serving(routes) as running:
        yield running


def rules(base: str, **changes: str) -> Json:
    """Return the portal's configuration."""
    login = {
        "url": f"{base}/login",
        "form": "#login",
        "fields": {"user": "${READER}", "password": "${READER_PASSWORD}"},
        "constants": {"remember": 1},
        "ok": ".hello",
        "logged_out": "css:form#login",
    }
    return portal(base, login={**login, **changes})


@pytest.fixture
def place(tmp_path: Path, served: Portal) -> Workplace:
    """Give a workplace for the portal."""
    return Workplace(tmp_path, [rules(served.base)], environment={**ENVIRONMENT})


def test_logs_in_before_anything_else(
    place: Workplace, served: Portal, members: Members
) -> None:
    """The form comes first, once, with its token; then everything is shown to us."""
    result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    assert len(place.items()) == ITEMS
    assert (members.entered, members.refused) == (1, 0)
    asked = [one.target for one in served.asked if one.target != "/robots.txt"]
    assert asked[:4] == ["/login", "/enter", "/home", "/latest"]
    assert served.hits["/login"] == 1
    consistent(place, result)


def test_replay_and_extract_need_no_login(place: Workplace, served: Portal) -> None:
    """What was seen by a reader is read again by anybody who holds the archive."""
    place.run("crawl")
    stored = plain(place.items())
    place.environment["READER_PASSWORD"] = "another one by now"
    hits = sum(served.hits.values())
    replayed = place.run("replay", ports=[])
    assert replayed.answer["misses"] == []
    assert replayed.answer["differences"] == []
    items = [Item.model_validate(row) for row in replayed.answer["items"]]
    assert plain(items) == stored
    assert place.run("extract", ports=[]).answer["differences"] == []
    assert sum(served.hits.values()) == hits


def test_a_session_that_ends_is_renewed(place: Workplace, members: Members) -> None:
    """A page for strangers is visited once more after a new login, and replayed so."""
    members.lasts = 4  # the first: /home, /latest and two items
    place.portals[0]["crawl"]["concurrency"] = 1
    result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    assert len(place.items()) == ITEMS
    assert members.entered == 3
    consistent(place, result)
    stored = plain(place.items())
    replayed = place.run("replay", ports=[]).answer
    assert (replayed["misses"], replayed["differences"]) == ([], [])
    assert plain([Item.model_validate(row) for row in replayed["items"]]) == stored
    assert place.run("extract", ports=[]).answer["differences"] == []


def test_many_visits_that_are_logged_out_share_one_login(
    place: Workplace, members: Members
) -> None:
    """Of the visits under way when a session ends, one logs in for all."""
    members.lasts = 2  # /home and /latest; after it, for ever
    waits = threading.Barrier(ITEMS + 1)

    def outlast() -> None:
        waits.wait(15)
        members.lasts = 1000

    threading.Thread(target=outlast, daemon=True).start()
    served_only = members.only

    def together(behaviour: Behaviour) -> Behaviour:
        inner = served_only(behaviour)

        def behave(handler: Handler) -> None:
            if members.lasts == 2:
                waits.wait(15)
            inner(handler)

        return behave

    with serving(
        {
            "/login": members.form,
            "/enter": members.enter,
            "/home": members.only(page("<p class=hello>Welcome")),
            "/latest": members.only(page(listing([f"/item/{n}" for n in range(6)]))),
            "*": together(page(article("story"))),
            "/robots.txt": page("no", 404),
        }
    ) as running:
        place.portals = [rules(running.base)]
        result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    assert result["counts"].get("failed:logged_out", 0) == 0
    assert members.entered == 2


def test_a_page_for_strangers_twice_in_a_row_fails(
    place: Workplace, served: Portal, members: Members
) -> None:
    """It ends as logged_out, and logins that do not help are not repeated for ever."""
    for number in range(ITEMS):
        served.routes[f"/item/{number}"] = members.form
    place.portals[0]["crawl"]["concurrency"] = 1
    result = place.run("crawl").of()
    assert place.items() == []
    assert result["counts"]["failed:logged_out"] == ITEMS
    assert result["exit_code"] == 4
    assert 1 < members.entered <= 1 + 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "'ok' was not found"),
        ({"ok": [], "logged_out": []}, "the form was shown again"),
        ({"ok": [], "ok_url": "/home$"}, "not to '/home$'"),
        ({"form": "#nowhere"}, "no form '#nowhere'"),
    ],
)
def test_a_refused_login_is_not_repeated(
    place: Workplace, served: Portal, members: Members, changes: Json, said: str
) -> None:
    """One try with a wrong password, then every URL fails and the run says why."""
    place.environment["READER_PASSWORD"] = "wrong-9f3a77"
    place.portals = [rules(served.base, **changes)]
    ran = place.run("crawl")
    assert ran.of()["exit_code"] == 4
    assert members.entered == 0
    assert members.refused <= 1
    assert served.hits["/latest"] == 0
    (ending,) = place.endings().values()
    assert ending[:2] == ("failed", "logged_out")
    assert said in ending[2]
    assert "login_refused" in ran.stderr
    assert "wrong-9f3a77" not in ran.stderr


def test_a_form_that_is_sent_elsewhere_is_not_filled_in(
    place: Workplace, served: Portal
) -> None:
    """A login page cannot have the password sent to a host that is not the portal's."""
    evil = '<form id=login action="http://127.0.0.2:9/"><input name=user></form>'
    served.routes["/login"] = page(evil)
    result = place.run("crawl").of()
    assert result["exit_code"] == 4
    (ending,) = place.endings().values()
    assert "not in scope" in ending[2]


def test_a_login_that_cannot_be_asked_for_is_tried_again(
    place: Workplace, served: Portal, members: Members
) -> None:
    """A form page that is down for a moment costs a retry, nothing else."""
    down = [page("later", 503)]

    def form(handler: Handler) -> None:
        (down.pop() if down else members.form)(handler)

    served.routes["/login"] = form
    result = place.run("crawl").of()
    assert result["exit_code"] == 0, result
    assert len(place.items()) == ITEMS
    assert members.entered == 1
