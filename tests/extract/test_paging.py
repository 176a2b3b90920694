"""The page that follows a listing page, and how listing pages are asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config.portal import Portal
from crawler.errors import ConfigError
from crawler.extract.listings.listing import extract_listing_from, seed_links
from crawler.item import Listing
from crawler.model import Capture, Kind, Link, Response

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8101"


# Any: configuration as YAML gives it.
def portal_of(listing: dict[str, Any], **request: Any) -> Portal:  # noqa: ANN401
    """Return a portal of one JSON listing whose rows are under ``d``."""
    rules = {"id": "l", "from": "json", "url": f"{BASE}/list", "rows": "d"}
    return Portal.model_validate(
        {
            "id": "p",
            "items": [{"match": "^/a/"}],
            "request": request,
            "listings": [{**rules, "fields": {"url": "u"}, **listing}],
        }
    )


def read(
    portal: Portal, body: object, *, page: int = 1, link: Link | None = None
) -> Listing:
    """Return the listing that an answer gives, one row added to it."""
    given_link = link or seed_links(portal)[0]
    if isinstance(body, dict):
        body = {"d": [{"u": "/a/1"}], **body}
    text = body if isinstance(body, str) else json.dumps(body)
    main = Response(given_link.url, 200, (), text.encode(), AT)
    capture = Capture("page", given_link, main, AT, page=page)
    return extract_listing_from(capture, portal, config_digest="d", version="1")


def next_of(found: Listing) -> Link:
    """Return the next page, which is there."""
    assert found.next is not None
    assert found.ended is None
    return found.next


# --- numbered pages -----------------------------------------------------------------


def test_counts_pages_on_from_the_token() -> None:
    """A number stands in the URL; the first page is one step before ``start``."""
    portal = portal_of(
        {"url": BASE + "/l_{page}.html", "next": {"page": {"start": 20, "step": 10}}}
    )
    (seed,) = seed_links(portal)
    assert (seed.url, seed.token) == (f"{BASE}/l_10.html", None)
    second = next_of(read(portal, {}))
    assert (second.url, second.token) == (f"{BASE}/l_20.html", "20")
    third = next_of(read(portal, {}, link=second, page=2))
    assert (third.url, third.token) == (f"{BASE}/l_30.html", "30")
    assert (third.kind, third.listing, third.found_on) == (
        Kind.LISTING,
        "l",
        f"{BASE}/l_20.html",
    )


@pytest.mark.parametrize(
    ("numbers", "ended"),
    [
        ({"last": 2}, None),
        ({"last": 1}, "last_page"),
        ({"start": 8, "step": -1, "last": 8}, None),
        ({"start": 8, "step": -1, "last": 9}, "last_page"),
    ],
)
def test_ends_after_the_last_number(numbers: dict[str, int], ended: str | None) -> None:
    """The last number is still asked for, whichever way the numbers run."""
    portal = portal_of({"params": {"p": "{page}"}, "next": {"page": numbers}})
    assert read(portal, {}).ended == ended


def test_counts_from_the_walk_where_no_token_is() -> None:
    """A page without a token of its own counts by its place in the walk."""
    portal = portal_of({"params": {"p": "{page}"}, "next": {"page": 2}})
    assert next_of(read(portal, {}, page=3)).url == f"{BASE}/list?p=4"


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        (True, None),
        (1, None),
        ("1", None),
        (False, "more_false"),
        (0, "more_false"),
        ("0", "more_false"),
        ("false", "more_false"),
        ("", "more_false"),
        ([], "more_false"),
        (None, None),
    ],
)
def test_more_ends_a_walk_only_where_it_says_no(
    more: object, ended: str | None
) -> None:
    """APIs write no in many ways; saying nothing is not one of them."""
    portal = portal_of({"params": {"p": "{page}"}, "next": {"page": 2, "more": "m"}})
    assert read(portal, {"m": more}).ended == ended


# --- cursors --------------------------------------------------------------------------

CURSOR = {"params": {"c": "{cursor}"}, "next": {"cursor": "c"}}


@pytest.mark.parametrize(
    ("cursor", "ended"),
    [
        ("x", None),
        (5, None),
        (0, None),
        ("", "no_cursor"),
        (" ", "no_cursor"),
        (None, "no_cursor"),
        (True, "no_cursor"),
        ([], "no_cursor"),
        ("\ud800", None),
        ({"a": 1}, "no_cursor"),
        ("own", "cursor_repeated"),
    ],
)
def test_a_cursor_must_be_there_and_move(cursor: object, ended: str | None) -> None:
    """A walk ends without a cursor and where the answer gives its own again."""
    link = Link(f"{BASE}/list?c=own", Kind.LISTING, listing="l", token="own")
    found = read(portal_of(CURSOR), {"c": cursor}, link=link, page=2)
    assert found.ended == ended
    assert (found.next is None) == (ended is not None)


def test_a_number_is_a_cursor_as_it_is_written() -> None:
    """Cursors that are numbers go into the URL without a point."""
    assert next_of(read(portal_of(CURSOR), {"c": 1752489660.0})).token == "1752489660"


def test_the_first_cursor_may_stand_elsewhere() -> None:
    """``first`` is read on the first page only, in state or markup."""
    rules = {
        "from": "rows",
        "rows": "css:li",
        "fields": {"url": "json:u"},
        "continue": {"from": "json", "rows": "d", "url": BASE + "/api?c={cursor}"},
        "next": {"cursor": "c", "first": "css:#more::attr(data-c)"},
    }
    portal = portal_of(rules)
    page = "<li><a href=/a/1>x</a></li><b id=more data-c='k 1'></b>"
    second = next_of(read(portal, page))
    assert (second.url, second.token) == (f"{BASE}/api?c=k%201", "k 1")
    third = next_of(read(portal, {"c": "k2"}, link=second, page=2))
    assert third.url == f"{BASE}/api?c=k2"


@given(st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_any_cursor_comes_through_the_url_whole(cursor: str) -> None:
    """What a cursor holds cannot change the rest of the URL it stands in."""
    from urllib.parse import parse_qs, urlsplit

    portal = portal_of({"url": BASE + "/list?c={cursor}&z=1", "next": {"cursor": "c"}})
    link = next_of(read(portal, {"c": cursor}))
    query = parse_qs(urlsplit(link.url).query, strict_parsing=True)
    assert query["z"] == ["1"]
    assert query["c"] == [cursor.strip().encode("utf-8", "replace").decode()]


# --- whole URLs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("?page=2", f"{BASE}/list?page=2"),
        ("//127.0.0.1:8101/n#x", f"{BASE}/n"),
        ("/n?q=中", f"{BASE}/n?q=%E4%B8%AD"),
        ("", None),
        (None, None),
        ("/list#more", None),
        ("javascript:next()", None),
        ("http://[", None),
    ],
)
def test_a_next_url_is_another_page_or_none(address: object, url: str | None) -> None:
    """What names no page, or this page again, ends the walk."""
    found = read(portal_of({"next": {"url": "n"}}), {"n": address})
    assert (found.next.url if found.next else None) == url
    assert found.ended == (None if url else "no_next")


def test_no_next_rule_is_one_page() -> None:
    """A listing without ``next`` is one page."""
    assert (read(portal_of({}), {}).next, read(portal_of({}), {}).ended) == (
        None,
        "no_next",
    )


def test_state_falls_back_to_the_markup_for_the_next_url() -> None:
    """A selector for the next URL works on a page whose rows are in its state."""
    portal = portal_of(
        {
            "from": "state",
            "state": {"name": "X", "rows": "d"},
            "next": {"url": ["css:a.next::attr(href)"]},
        }
    )
    page = '<a class=next href=/2>2</a><script>X = {"d": [{"u": "/a/1"}]}</script>'
    assert next_of(read(portal, page)).url == f"{BASE}/2"


# --- requests -------------------------------------------------------------------------


def test_headers_and_parameters_add_up() -> None:
    """Portal's, listing's, continue's: the later wins, header names in any case."""
    portal = portal_of(
        {
            "url": f"{BASE}/list?size=5&keep=%2F",
            "headers": {"referer": f"{BASE}/l", "X-L": "1"},
            "params": {"size": 20, "lang": "hk"},
            "cookies": {"locale": "zh"},
            "continue": {
                "url": f"{BASE}/api?size=1",
                "headers": {"X-L": "2"},
                "params": {"p": "{page}"},
            },
            "next": {"page": 2},
        },
        headers={"Referer": f"{BASE}/", "X-P": "1"},
        params={"lang": "en", "v": "a b&c"},
        cookies={"id": "7"},
    )
    (seed,) = seed_links(portal)
    assert seed.url == f"{BASE}/list?keep=%2F&lang=hk&v=a%20b%26c&size=20"
    assert seed.headers == (
        ("referer", f"{BASE}/l"),
        ("X-P", "1"),
        ("X-L", "1"),
        ("Cookie", "id=7; locale=zh"),
    )
    found = read(portal, {})
    second = next_of(found)
    assert second.url == f"{BASE}/api?lang=hk&v=a%20b%26c&size=20&p=2"
    assert dict(second.headers)["X-L"] == "2"
    assert found.links[0].headers == (
        ("Referer", f"{BASE}/"),
        ("X-P", "1"),
        ("Cookie", "id=7"),
    )


def test_a_cursor_may_stand_in_a_header() -> None:
    """A header that changes from page to page is absent where nothing is there yet."""
    portal = portal_of({"headers": {"X-C": "c={cursor}"}, "next": {"cursor": "c"}})
    assert seed_links(portal)[0].headers == ()
    assert next_of(read(portal, {"c": "k 1"})).headers == (("X-C", "c=k 1"),)


@pytest.mark.parametrize(
    ("body", "kind", "first", "then"),
    [
        (
            '{"page": {page}, "k": "{x}"}',
            "application/json",
            b'{"page": 1, "k": "{x}"}',
            b'{"page": 2, "k": "{x}"}',
        ),
        (
            "page={page}&size=20",
            "application/x-www-form-urlencoded",
            b"page=1&size=20",
            b"page=2&size=20",
        ),
    ],
)
def test_posts_bodies(body: str, kind: str, first: bytes, then: bytes) -> None:
    """A POST listing's body changes from page to page and says what it is."""
    portal = portal_of({"method": "POST", "body": body, "next": {"page": 2}})
    (seed,) = seed_links(portal)
    assert (seed.method, seed.body) == ("POST", first)
    assert seed.headers == (("Content-Type", kind),)
    second = next_of(read(portal, {}))
    assert (second.method, second.body, second.url) == ("POST", then, f"{BASE}/list")


def test_only_further_pages_may_be_posted() -> None:
    """A page is fetched, and the API that its script calls next is posted to."""
    body = '{"after": "{cursor}"}'
    api = {"method": "POST", "url": f"{BASE}/api", "body": body}
    portal = portal_of({"continue": api, "next": {"cursor": "c"}})
    (seed,) = seed_links(portal)
    assert (seed.method, seed.body, seed.headers) == ("GET", b"", ())
    second = next_of(read(portal, {"c": "k1"}))
    assert (second.method, second.url) == ("POST", f"{BASE}/api")
    assert second.body == b'{"after": "k1"}'
    assert second.headers == (("Content-Type", "application/json"),)


def test_only_the_first_page_may_be_posted() -> None:
    """Without POST further pages are sent no body, and no type of one."""
    later = {"method": "GET", "url": f"{BASE}/api?p={{page}}"}
    first = {"method": "POST", "body": "a=1", "continue": later, "next": {"page": 2}}
    second = next_of(read(portal_of(first), {}))
    assert (second.method, second.body, second.headers) == ("GET", b"", ())


def test_writes_a_cursor_into_a_body_as_it_needs() -> None:
    """In JSON a cursor is escaped, in a form it is percent-encoded."""
    cursor = 'a"b\\c&d=e 中'
    for body, inside in (
        ('{"c": "{cursor}"}', json.dumps({"c": cursor}).encode()),
        ("c={cursor}", b"c=a%22b%5Cc%26d%3De%20%E4%B8%AD"),
    ):
        portal = portal_of({"method": "POST", "body": body, "next": {"cursor": "c"}})
        assert next_of(read(portal, {"c": cursor})).body == inside


def test_a_content_type_of_ones_own_stays() -> None:
    """A header that is configured is not replaced by what the body looks like."""
    portal = portal_of(
        {"method": "POST", "body": "{}", "headers": {"content-type": "text/x"}}
    )
    assert seed_links(portal)[0].headers == (("content-type", "text/x"),)


def test_seeds_are_the_first_pages_in_order() -> None:
    """Each listing has one seed, in the order of the configuration."""
    listings = [
        {"id": "a", "from": "sitemap", "url": f"{BASE}/map.xml"},
        {"id": "b", "from": "feed", "url": f"{BASE}/feed#x"},
        {
            "id": "c",
            "from": "json",
            "url": f"{BASE}/c?k={{cursor}}",
            "params": {"c": "{cursor}"},
        },
    ]
    seeds = seed_links(Portal.model_validate({"id": "p", "listings": listings}))
    assert [(x.listing, x.url, x.kind, x.token) for x in seeds] == [
        ("a", f"{BASE}/map.xml", Kind.LISTING, None),
        ("b", f"{BASE}/feed", Kind.LISTING, None),
        ("c", f"{BASE}/c?k=", Kind.LISTING, None),
    ]


def test_pages_that_could_not_differ_are_a_mistake_of_the_configuration() -> None:
    """Paging without a place for the number would ask for one page for ever."""
    with pytest.raises(ConfigError, match="listing 'l': next needs"):
        read(portal_of({"next": {"page": 2}}), {})


def test_a_seed_without_an_address_is_a_mistake_of_the_configuration() -> None:
    """A listing's URL must be one."""
    with pytest.raises(ConfigError, match="listing 'l': 'ftp://x' is no http"):
        seed_links(portal_of({"url": "ftp://x"}))
