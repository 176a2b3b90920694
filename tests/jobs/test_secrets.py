"""Secrets of a crawl: planted everywhere, nowhere found in what is written."""

from __future__ import annotations

import base64
import gzip
import os
import stat
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from crawler.item import Item
from crawler.model import Kind, Link
from crawler.warc.reader import scan
from crawler.warc.redact import Policy, lookup_link, lookup_url, mask_link
from tests.crawling import QUICK, ROWS, RULE, Json, Ran, Workplace, plain
from tests.site.portal import (
    Asked,
    Handler,
    Portal,
    article,
    listing,
    page,
    redirect,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.warc.member import ParsedRecord

PROXY_PASSWORD = "pr0xy:pa$$/wörd"
TOKEN = "t0ken-Bearer-8c1f"
QUERY = "qu3ry+key/7d2e="
FORM = "f0rm&secret 5a9b"
COOKIE = "c00kie-session-41d0"
SET_COOKIE = "s3t-by-server-93bb"
KEY = "x-key-value-66aa"
ACCOUNT = "r3ader@portal.example"
ENTRY = "l0gin&pa55 wörd/77c2"
SESSION_COOKIE = "s3ssion-of-the-reader-b6"
SECRETS = (
    *(PROXY_PASSWORD, TOKEN, QUERY, FORM, COOKIE, SET_COOKIE, KEY),
    *(ACCOUNT, ENTRY, SESSION_COOKIE),
)
LOGIN = base64.b64encode(f"user:{PROXY_PASSWORD}".encode()).decode()
NEEDLES = {
    form
    for secret in (*SECRETS, LOGIN)
    for form in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        secret.replace(" ", "+"),
    )
}
ENVIRONMENT = {
    "PROXY_PASSWORD": quote(PROXY_PASSWORD, safe=""),
    "TOKEN": TOKEN,
    "QUERY_KEY": QUERY,
    "FORM_SECRET": quote(FORM, safe=""),
    "SESSION": COOKIE,
    "X_KEY": KEY,
    "ACCOUNT": ACCOUNT,
    "ENTRY": ENTRY,
}


def site(base: str) -> Json:
    """Return a portal that wants all of them, as a proxy is asked for it."""
    set_cookie = [("Set-Cookie", f"session={SET_COOKIE}; Path=/; Max-Age=3600")]
    entered = [("Set-Cookie", f"reader={SESSION_COOKIE}; Path=/")]
    form = "<form id=f action=/enter><input type=hidden name=csrf value=1></form>"
    moved = f"/item/landed?token={quote(QUERY, safe='')}&n=1"
    routes = {
        "/login": page(form),
        "/enter": page("welcome", headers=entered),
        "/latest": page(
            listing(["/item/1", "/item/moved", "/item/broken"]), headers=set_cookie
        ),
        "/more": page(listing(["/item/2?a=1&token=fr0m-the-page", "/item/1"])),
        "/item/1": page(article("one")),
        "/item/2": page(article("two")),
        "/item/moved": redirect(moved),
        "/item/landed": page(article("landed")),
        "/item/broken": page("no", 500),
    }
    return {f"{base}{path}": behave for path, behave in routes.items()}


def rules(base: str, proxy: Portal) -> Json:
    """Return the portal's configuration, its secrets in variables."""
    return {
        "id": "harbour",
        "timezone": "UTC",
        "crawl": {
            **QUICK,
            "retries": 1,
            "proxy": f"http://user:${{PROXY_PASSWORD}}@127.0.0.1:{proxy.port}",
        },
        "scope": {"hosts": ["portal.example"]},
        "login": {
            "url": f"{base}/login",
            "form": "#f",
            "fields": {"account": "${ACCOUNT}", "entry": "${ENTRY}"},
        },
        "request": {"redact_fields": ["token", "password", "X-Odd"]},
        "listings": [
            {
                **ROWS,
                "url": f"{base}/latest",
                "headers": {"Authorization": "Bearer ${TOKEN}", "X-Odd": "${X_KEY}"},
                "params": {"token": "${QUERY_KEY}"},
                "cookies": {"session": "${SESSION}"},
            },
            {
                **ROWS,
                "id": "more",
                "url": f"{base}/more",
                "method": "POST",
                "body": "user=me&password=${FORM_SECRET}",
            },
        ],
        "items": [RULE],
        "expect": {"max_failures": 1},
    }


@pytest.fixture
def proxy() -> Iterator[Portal]:
    """Give a proxy that answers for the portal itself."""
    with serving(site("http://portal.example")) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, proxy: Portal) -> Workplace:
    """Give a workplace for the portal."""
    return Workplace(
        tmp_path,
        [rules("http://portal.example", proxy)],
        {"warc": {"redact": "all"}},
        {**ENVIRONMENT, "PYTHONWARNINGS": "default"},
    )


def found_in(content: bytes) -> set[str]:
    """Return the secrets that content holds."""
    return {one for one in NEEDLES if one.encode() in content}


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below folder, and what its gzip members hold."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), content
            if path.suffix == ".gz":
                yield f"{path} unzipped", gzip.decompress(content)


def check_nothing_shown(ran: Ran) -> None:
    """Check the child's words."""
    assert found_in(ran.stderr.encode()) == set()
    assert found_in(repr(ran.answer).encode()) == set()


def test_the_secrets_are_sent(place: Workplace, proxy: Portal) -> None:
    """The portal and the proxy get what they want: else the search proves nothing."""
    place.run("crawl")
    first = next(one for one in proxy.asked if "/latest" in one.target)
    posted = [one for one in proxy.asked if one.method == "POST"]
    login, form = posted
    assert login.body.decode() == (
        f"csrf=1&account={quote_plus(ACCOUNT)}&entry={quote_plus(ENTRY)}"
    )
    assert SESSION_COOKIE in first.headers["Cookie"]
    assert first.headers["Proxy-Authorization"] == f"Basic {LOGIN}"
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"
    assert first.headers["X-Odd"] == KEY
    assert COOKIE in first.headers["Cookie"]
    assert f"token={quote(QUERY, safe='')}" in first.target
    assert form.body == f"user=me&password={quote(FORM, safe='')}".encode()
    assert all("Proxy-Authorization" in one.headers for one in proxy.asked)


def test_no_secret_is_in_anything_written(place: Workplace, proxy: Portal) -> None:
    """Store, spool, logs and answers hold none of them; what was masked is marked."""
    ran = place.run("crawl")
    assert ran.of()["exit_code"] == 0, ran.answer
    check_nothing_shown(ran)
    everything = dict(contents(place.directory / "store"))
    assert len(everything) > 4
    spool = place.directory / "spool"
    everything |= {n: c for n, c in contents(spool) if not n.endswith("cookies.json")}
    leaks = {name: found for name, c in everything.items() if (found := found_in(c))}
    assert leaks == {}
    assert stat.S_IMODE((spool / "harbour").stat().st_mode) == stat.S_IRWXU
    consistent_lengths(place, proxy)


def test_the_search_would_find_them(place: Workplace) -> None:
    """With ``redact: none`` the same search finds what was sent, but no proxy login."""
    place.settings = {"warc": {"redact": "none"}}
    place.run("crawl")
    found = {one for _, c in contents(place.directory / "store") for one in found_in(c)}
    assert {TOKEN, KEY, COOKIE, SET_COOKIE} <= found
    assert {PROXY_PASSWORD, LOGIN}.isdisjoint(found)


def consistent_lengths(place: Workplace, proxy: Portal) -> None:
    """Check that each stored request is as long as what was sent, and marked."""
    marks: dict[str, str] = {}
    sizes: dict[str, set[int]] = {}
    for record in requests_of(place):
        url = record.header("WARC-Target-URI") or ""
        marks[url.partition("?")[0]] = record.header("WARC-Redacted") or ""
        sizes.setdefault(url, set()).add(record.block.size)
    base = "http://portal.example"
    wanted = "authorization, cookie, field:token, set-cookie, x-odd"
    assert marks[f"{base}/latest"] == wanted
    assert "field:password" in marks[f"{base}/more"]
    assert marks[f"{base}/enter"] == "field:account, field:entry, set-cookie"
    assert "field:token" in marks[f"{base}/item/landed"]
    masked = f"{base}/latest?token={'*' * len(quote(QUERY, safe=''))}"
    sent = next(one for one in proxy.asked if "/latest" in one.target)
    assert sizes[masked] == {length_of(sent, base)}


def length_of(asked: Asked, base: str) -> int:
    """Return the size of a request in origin-form without what is the proxy's."""
    line = f"{asked.method} {asked.target.removeprefix(base)} HTTP/1.1\r\n"
    lines = [
        f"{name}: {value}\r\n"
        for name, value in asked.headers.items()
        if name != "Proxy-Authorization"
    ]
    return len("".join([line, *lines, "\r\n"])) + len(asked.body)


def requests_of(place: Workplace) -> Iterator[ParsedRecord]:
    """Yield the request records of all WARCs."""
    for path in place.warcs():
        for member in scan(path):
            if member.record.type == "request":
                yield member.record


def test_replay_finds_what_is_masked(place: Workplace) -> None:
    """With other secrets by then, in length too, replay gives the same items."""
    place.run("crawl")
    stored = plain(place.items())
    assert len(stored) == 3
    changed = {name: f"{value}-rotated" for name, value in ENVIRONMENT.items()}
    place.environment.update(changed)
    replayed = place.run("replay", ports=[])
    assert replayed.tried == []
    assert replayed.answer["misses"] == []
    assert replayed.answer["differences"] == []
    items = [Item.model_validate(row) for row in replayed.answer["items"]]
    assert plain(items) == stored
    assert place.run("extract", ports=[]).answer["differences"] == []


def test_a_spool_that_is_still_needed_is_ours_alone(
    place: Workplace, proxy: Portal
) -> None:
    """A stopped run keeps what it needs to go on; nobody else may read it."""

    def die(handler: Handler) -> None:
        os.kill(child.pid, 9)

    proxy.routes["http://portal.example/item/1"] = die
    child = place.start("crawl")
    child.communicate(timeout=60)
    spool = place.directory / "spool" / "harbour"
    assert stat.S_IMODE(spool.stat().st_mode) == stat.S_IRWXU
    for name, content in contents(place.directory / "store"):
        assert found_in(content) == set(), name


POLICY = Policy(fields=frozenset({"token"}), named=frozenset({"x-odd"}), login=True)


def test_a_link_is_masked_like_its_request() -> None:
    """URL, headers and body of a link lose their secrets and keep their lengths."""
    link = Link(
        "http://a.example/?token=abc&b=1",
        Kind.LISTING,
        found_on="http://u:p@a.example/?token=x",
        headers=(
            ("Authorization", "Bearer abc"),
            ("x-Odd", "abc"),
            ("Cookie", "a=b"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Referer", "http://a.example/?token=abc"),
        ),
        body=b"b=1&token=abc",
    )
    masked = mask_link(link, POLICY)
    assert masked.url == "http://a.example/?token=***&b=1"
    assert masked.found_on == "http://***@a.example/?token=*"
    assert dict(masked.headers) == {
        "Authorization": "****** ***",
        "x-Odd": "***",
        "Cookie": "***",
        "Content-Type": "application/x-www-form-urlencoded",
        "Referer": "http://a.example/?token=***",
    }
    assert masked.body == b"b=1&token=***"
    assert mask_link(masked, POLICY) == masked


def test_a_secret_of_another_length_is_looked_up_alike() -> None:
    """What is asked for with one secret is found though stored with another."""
    one = Link("http://a.example/?token=abc", Kind.ITEM, headers=(("X-Odd", "a b"),))
    other = Link(
        "http://a.example/?token=abcdef", Kind.ITEM, headers=(("X-Odd", "abc"),)
    )
    assert lookup_link(one, POLICY) == lookup_link(other, POLICY)
    stored = mask_link(one, POLICY).url
    assert lookup_url(stored, POLICY) == lookup_url(other.url, POLICY)
