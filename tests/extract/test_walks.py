"""Offsets, times of oldest rows, days and ages: which page comes next, by the rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.config.portal import Portal
from crawler.errors import ConfigError
from crawler.extract.listings.listing import extract_listing_from, seed_links
from crawler.item import Listing
from crawler.model import Capture, Kind, Link, Response

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8101"
LOCAL = "%Y-%m-%d %H:%M"


# Any: configuration as YAML gives it, and JSON.
def portal_of(**listing: Any) -> Portal:  # noqa: ANN401
    """Return a portal of one JSON listing whose rows are under ``d``."""
    url = f"{BASE}/l?at={{oldest}}"
    rules: dict[str, Any] = {"id": "l", "from": "json", "url": url, "rows": "d"}
    rules |= {"fields": {"url": "u", "published": "t"}, **listing}
    return Portal.model_validate(
        {
            "id": "p",
            "timezone": "Asia/Shanghai",
            "items": [{"match": "^/a/"}],
            "listings": [rules],
        }
    )


def read(
    portal: Portal, *times: object, token: str | None = None, status: int = 200
) -> Listing:
    """Return the listing of an answer with a row for each time."""
    rows = [{"u": f"/a/{n}", "t": time} for n, time in enumerate(times)]
    link = Link(f"{BASE}/l", Kind.LISTING, listing="l", token=token)
    main = Response(link.url, status, (), json.dumps({"d": rows}).encode(), AT)
    capture = Capture("page", link, main, AT, page=2 if token else 1)
    return extract_listing_from(capture, portal, config_digest="d", version="1")


def token_of(found: Listing) -> str | None:
    """Return what the next page is asked for by, None where there is none."""
    return found.next.token if found.next else None


@pytest.mark.parametrize(
    ("times", "token", "expected"),
    [
        ((900, 800, 700), None, "700"),
        ((5, 900, 800), None, "800"),  # pinned on top
        ((700, 800, 900), None, "700"),  # the oldest first
        ((900, "800.5", None), None, "800"),
        ((800, 700, 700), "800", "700"),
        ((800, 800, 800), "800", "799"),  # nothing older came
        ((99_999_999_999, 800), None, "800"),  # one from the future
        ((900, 990, 800), "850", "800"),
    ],
)
def test_next_is_asked_for_by_the_oldest_row(
    times: tuple[object, ...], token: str | None, expected: str
) -> None:
    """The time itself is sent, so that rows of the same time come again."""
    portal = portal_of(next={"oldest": "t"})
    assert token_of(read(portal, *times, token=token)) == expected


@pytest.mark.parametrize(
    ("times", "token", "ended"),
    [
        (("soon", None), None, "no_cursor"),
        ((float("1e300"),), None, "no_cursor"),
        ((900, 880), "700", "cursor_ignored"),
        ((), "700", "empty"),
    ],
)
def test_a_time_that_leads_nowhere_ends_the_walk(
    times: tuple[object, ...], token: str | None, ended: str
) -> None:
    """No time, or a server that does not look at it."""
    found = read(portal_of(next={"oldest": "t"}), *times, token=token)
    assert (found.next, found.ended) == (None, ended)


def test_a_local_time_is_sent_as_it_was_read() -> None:
    """A form of its own steps by what it can tell: here minutes."""
    portal = portal_of(next={"oldest": {"field": "t", "unit": LOCAL}})
    first = read(portal, "2026-03-01 00:01", "2026-03-01 00:00")
    assert first.next is not None
    assert first.next.url == f"{BASE}/l?at=2026-03-01%2000%3A00"
    stuck = read(portal, "2026-03-01 00:00", token="2026-03-01 00:00")
    assert token_of(stuck) == "2026-02-28 23:59"


def test_an_overlap_is_added_to_what_is_sent() -> None:
    """So that an API that gives only what is older gives the same time again."""
    portal = portal_of(next={"oldest": {"field": "t", "unit": "ms", "overlap": 1}})
    assert token_of(read(portal, 900, 800)) == "801"
    assert token_of(read(portal, 800, token="801")) == "800"


def test_offsets_count_what_came() -> None:
    """Neither what was asked for nor what stands on every page is counted."""
    skip = [{"when": "t == `0`", "reason": "pinned"}]
    url = f"{BASE}/l?o={{offset}}"
    portal = portal_of(url=url, skip=skip, next={"offset": {"start": 10, "size": 2}})
    assert seed_links(portal)[0].url == f"{BASE}/l?o=10"
    assert token_of(read(portal, 0, 3, 2)) == "12"
    assert token_of(read(portal, 0, 3, 2, token="12")) == "14"
    assert read(portal, 3, token="12").ended == "short_page"
    gone = read(portal, token="14", status=404)
    assert (gone.next, gone.ended) == (None, "not_found")


def test_days_go_back_over_empty_ones_to_the_first() -> None:
    """The day is the portal's; each is asked for by the layout of its time."""
    layouts = [
        {"until": "2026-02-28", "url": f"{BASE}/b/{{day:%d%m%y}}"},
        {"until": "2026-01-01", "url": f"{BASE}/a/{{day}}"},
    ]
    url = f"{BASE}/c/{{day:%Y/%m%d}}"
    portal = portal_of(url=url, layouts=layouts, next={"day": {"since": "2025-12-31"}})
    (seed,) = seed_links(portal, datetime(2026, 2, 28, 17, 0, tzinfo=UTC))
    assert (seed.url, seed.token) == (f"{BASE}/c/2026/0301", "2026-03-01")
    for token, status, expected in (
        ("2026-03-01", 200, "/c/2026/0228"),
        ("2026-02-28", 404, "/b/270226"),
        ("2026-01-01", 200, "/a/2025-12-31"),
    ):
        then = read(portal, token=token, status=status).next
        assert then is not None
        assert then.url == f"{BASE}{expected}"
    last = read(portal, 1, token="2025-12-31")
    assert (last.next, last.ended) == (None, "since")
    with pytest.raises(ConfigError, match="wants to know the day"):
        seed_links(portal)


@pytest.mark.parametrize(
    ("since", "old"),
    [
        ("2026-02-27", {"/a/3"}),
        (86_400, {"/a/2", "/a/3"}),
        (None, set()),
    ],
)
def test_rows_from_before_since_are_told(since: object, old: set[str]) -> None:
    """By a day of the portal, or by how long before the capture."""
    portal = portal_of(stop={"since": since}, url=f"{BASE}/l")
    days = ("2026-03-01 09:00", "2026-02-28", "2026-02-27 00:00", "2026-02-26 23:59")
    found = read(portal, *days)
    assert found.old == {BASE + path for path in old}


def test_a_signer_that_fails_is_told_with_the_listing() -> None:
    """What the function raises names listing and function."""
    portal = portal_of(url=f"{BASE}/l", sign="operator:truediv")
    with pytest.raises(ConfigError, match=r"listing 'l': sign 'operator:truediv'"):
        seed_links(portal)
