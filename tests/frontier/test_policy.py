"""Decisions about URLs, without I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config.portal import Manners, Portal, Scope, Stop
from crawler.frontier import policy
from crawler.model import HintValue, Kind, Link, Origin, Reason, Work

NOW = datetime(2025, 7, 15, 12, tzinfo=UTC)
PORTAL = Portal.model_validate(
    {
        "id": "p",
        "scope": {
            "hosts": ["news.example.com"],
            "exclude": [r"^/login", r"[?&]print=1"],
            "max_depth": 3,
        },
        "listings": [
            {
                "id": "top",
                "url": "https://news.example.com/top",
                "from": "rows",
                "priority": 5,
            },
            {"id": "api", "url": "https://api.example.net:8443/list", "from": "rows"},
        ],
    }
)


def item(url: str = "https://news.example.com/a", **more: object) -> Link:
    """Make a link to an item page."""
    return Link(url, Kind.ITEM, **more)  # type: ignore[arg-type]  # any field


def test_key_tells_kind_method_url_and_body_apart() -> None:
    """Only what changes the request, or what the page is for, makes another link."""
    links = [
        item(),
        item("https://news.example.com/b"),
        item(method="POST"),
        item(method="POST", body=b"x"),
        Link("https://news.example.com/a", Kind.LISTING),
        Link("https://news.example.com/a", Kind.LISTING, token="in a header"),
    ]
    assert len({policy.key_of(link) for link in links}) == len(links)
    assert all(len(policy.key_of(link)) == policy.KEY_BYTES for link in links)
    same = item(listing="top", found_on="https://x.example/", token="2")
    assert policy.key_of(same) == policy.key_of(item())


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (item(), 0),
        (item(listing="top"), 0),
        (Link("u", Kind.LISTING, "top"), policy.LISTING_PRIORITY + 5),
        (Link("u", Kind.LISTING, "api"), policy.LISTING_PRIORITY),
        (Link("u", Kind.LISTING, "gone"), policy.LISTING_PRIORITY),
    ],
)
def test_listings_are_more_urgent(link: Link, expected: int) -> None:
    """Listings go before items, by their own priority among each other."""
    assert policy.priority_of(link, PORTAL) == expected


def test_hosts_are_those_configured_or_those_of_the_listings() -> None:
    """Without a scope the hosts of the listings, ports included, are in it."""
    assert policy.hosts_of(PORTAL) == ("news.example.com",)
    open_portal = PORTAL.model_copy(update={"scope": Scope()})
    assert set(policy.hosts_of(open_portal)) == {
        "news.example.com",
        "api.example.net:8443",
    }


@pytest.mark.parametrize(
    ("url", "reason", "detail"),
    [
        ("https://news.example.com/a", None, ""),
        ("http://m.news.example.com/a", None, ""),
        ("ftp://news.example.com/a", Reason.BAD_SCHEME, "ftp"),
        ("javascript:void(0)", Reason.BAD_SCHEME, "javascript"),
        ("/relative", Reason.BAD_SCHEME, ""),
        ("https://other.example/a", Reason.OFF_SCOPE, "other.example"),
        ("https://badnews.example.com/", Reason.OFF_SCOPE, "badnews.example.com"),
        ("https://[broken/", Reason.OFF_SCOPE, ""),
        ("https://news.example.com/login?x", Reason.EXCLUDED, "^/login"),
        ("https://news.example.com/a?print=1", Reason.EXCLUDED, "[?&]print=1"),
    ],
)
def test_refuse(url: str, reason: Reason | None, detail: str) -> None:
    """A URL that must not be visited has its reason and what it was judged by."""
    refused = policy.refuse(url, PORTAL)
    assert (refused.reason if refused else None) == reason
    if refused:
        assert (refused.url, refused.detail) == (url, detail)


def test_refuse_long_urls_and_deep_ones() -> None:
    """Length and depth are limits, themselves included."""
    base = "https://news.example.com/"
    longest = base + "x" * (8_190 - len(base))
    assert policy.refuse(longest, PORTAL) is None
    too_long = policy.refuse(longest + "x", PORTAL)
    assert too_long is not None
    assert too_long.reason is Reason.URL_TOO_LONG
    assert len(too_long.url) == 500
    assert policy.refuse(base, PORTAL, depth=3) is None
    too_deep = policy.refuse(base, PORTAL, depth=4)
    assert too_deep is not None
    assert too_deep.reason is Reason.DEPTH_LIMIT


@given(st.text(max_size=60))
def test_refuse_never_raises(text: str) -> None:
    """Whatever a page links to gets a verdict."""
    policy.refuse(text, PORTAL)
    policy.refuse(f"https://news.example.com/{text}", PORTAL)


def said(text: str, origin: Origin) -> HintValue:
    """Make a hint's value."""
    return HintValue((text,), origin, NOW)


def test_hints_merge_field_by_field_by_trust() -> None:
    """The more trusted origin wins a field, of equal ones the first."""
    old = {"title": said("row", Origin.ROWS), "time": said("feed", Origin.FEED)}
    new = {
        "title": said("json", Origin.JSON),
        "time": said("json", Origin.JSON),
        "tags": said("json", Origin.JSON),
    }
    merged = policy.merge_hints(old, new)
    assert {name: x.values[0] for name, x in merged.items()} == {
        "title": "json",
        "time": "feed",
        "tags": "json",
    }
    again = policy.merge_hints(merged, {"title": said("later", Origin.JSON)})
    assert again == merged
    assert set(old) == {"title", "time"}


@given(st.permutations(list(Origin)))
def test_the_order_of_pages_does_not_decide(origins: list[Origin]) -> None:
    """Whoever comes first, the most trusted origin's word stands."""
    merged: dict[str, HintValue] = {}
    for origin in origins:
        merged = policy.merge_hints(merged, {"title": said(origin, origin)})
    assert merged["title"].origin is Origin.FEED


@pytest.mark.parametrize(
    ("page", "stale", "new", "next_url", "expected"),
    [
        (1, 0, 5, "https://x.example/?p=2", None),
        (1, 0, 0, "https://x.example/?p=2", None),
        (2, 1, 0, "https://x.example/?p=3", "seen_pages"),
        (2, 1, 1, "https://x.example/?p=3", None),
        (10, 0, 5, "https://x.example/?p=11", "max_pages"),
        (1, 0, 5, "https://x.example/", "same_page"),
    ],
)
def test_walk_ends(
    page: int, stale: int, new: int, next_url: str, expected: str | None
) -> None:
    """A walk ends at its limit, after pages without news, or on its own page."""
    link = Link("https://x.example/", Kind.LISTING, "top")
    work = Work(1, "run", link, page=page, stale_pages=stale)
    stop = Stop(seen_pages=2, max_pages=10)
    next_link = Link(next_url, Kind.LISTING, "top")
    assert policy.walk_ends(work, new, next_link, stop) == expected


def test_a_post_listing_may_stay_on_its_url() -> None:
    """The next page of a POST listing differs in its body alone."""
    link = Link("https://x.example/", Kind.LISTING, method="POST", body=b"p=1")
    next_link = Link("https://x.example/", Kind.LISTING, method="POST", body=b"p=2")
    work = Work(1, "run", link)
    assert policy.walk_ends(work, 5, next_link, Stop()) is None
    assert policy.walk_ends(work, 5, link, Stop()) == "same_page"


@pytest.mark.parametrize(
    ("new", "old", "rows", "expected"),
    [
        (3, 3, 5, "since"),
        (3, 2, 5, None),
        (0, 0, 5, "seen_pages"),
        (0, 0, 0, "empty_pages"),
    ],
)
def test_walk_ends_where_news_is_old(
    new: int, old: int, rows: int, expected: str | None
) -> None:
    """Old rows end a walk where they are all that is new; known ones do not count."""
    work = Work(1, "run", Link("https://x.example/", Kind.LISTING, "top"))
    then = Link("https://x.example/2", Kind.LISTING, "top")
    stop = Stop(seen_pages=1)
    ended = policy.walk_ends(work, new, then, stop, old_links=old, rows=rows)
    assert ended == expected


MANNERS = Manners(retries=3, retry_delay=10.0)


@pytest.mark.parametrize(
    ("reason", "status", "tries", "asked_s", "expected_s"),
    [
        (Reason.TIMEOUT, None, 1, None, 10.0),
        (Reason.CONNECT, None, 2, None, 20.0),
        (Reason.DNS, None, 3, None, 40.0),
        (Reason.DNS, None, 4, None, None),
        (Reason.HTTP_STATUS, 503, 1, None, 10.0),
        (Reason.HTTP_STATUS, 429, 1, 77.0, 77.0),
        (Reason.HTTP_STATUS, 429, 1, 1e9, policy.MAX_RETRY_AFTER_S),
        (Reason.HTTP_STATUS, 404, 1, None, None),
        (Reason.GONE, 410, 1, 5.0, None),
        (Reason.CALLBACK, None, 1, None, None),
    ],
)
def test_after_failure(
    reason: Reason,
    status: int | None,
    tries: int,
    asked_s: float | None,
    expected_s: float | None,
) -> None:
    """What may pass is tried again, ever later, a bounded number of times."""
    again = policy.after_failure(
        reason, tries, MANNERS, status=status, retry_after_s=asked_s
    )
    assert (again.delay_s if again else None) == expected_s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"Tue, 15 Jul 2025 12:01:00 GMT", 60.0),
        (b"Tue, 15 Jul 2025 11:00:00 GMT", 0.0),
        (b"Tue, 15 Jul 2025 12:01:00 -0000", 60.0),
        (b"soon", None),
        (b"", None),
        (b"-5", None),
        (b"\xb2", None),
        (b"Mon, 01 Jan 2024 00:00:00 +99999999999999999999999", None),
    ],
)
def test_retry_after(value: bytes | None, expected: float | None) -> None:
    """Seconds and dates are understood, anything else says nothing."""
    assert policy.retry_after_s(value, NOW) == expected


@given(st.binary(max_size=40))
def test_retry_after_never_raises(value: bytes) -> None:
    """Whatever a server sends, the answer is no time or one to come."""
    found_s = policy.retry_after_s(value, NOW + timedelta(0))
    assert found_s is None or found_s >= 0
