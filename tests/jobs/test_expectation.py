"""What counts as suspiciously little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.config.portal import Portal
from crawler.jobs.expectation import shortfalls, silences, span, thin_fields

Walk = tuple[str, int, int, str | None]
LISTING = {"id": "news", "from": "rows", "url": "http://h.example/", "rows": "li"}
WALKS: list[Walk] = [("news", 1, 20, "no_next")]


def portal(*, min_items: int = 0, max_failures: float = 0.5, **expect: int) -> Portal:
    """Return a portal that expects something."""
    floors = {"min_items": min_items, "max_failures": max_failures}
    listing = {**LISTING, "expect": expect}
    return Portal.model_validate(
        {"id": "harbour", "listings": [listing], "expect": floors}
    )


@pytest.mark.parametrize(
    ("rules", "counts", "walks", "said"),
    [
        (portal(), {"captured": 21, "items:new": 20}, WALKS, None),
        (portal(), {"captured": 21, "items:unchanged": 20}, WALKS, None),
        (portal(min_items=3), {"captured": 3, "items:new": 2}, WALKS, "2 items"),
        (portal(), {"captured": 21}, WALKS, "none of 20 item pages"),
        (portal(), {"captured": 1, "skipped:robots": 9}, WALKS, "none of 9 item pages"),
        (portal(), {"captured": 5}, WALKS, None),
        (portal(), {"captured": 9, "failed": 10, "items:new": 8}, WALKS, "10 of 19"),
        (
            portal(),
            {"captured": 19, "captured:http_status": 10, "items:new": 8},
            WALKS,
            "10 of 19 visits failed or gave nothing (http_status 10)",
        ),
        (portal(), {"captured": 19, "captured:gone": 10, "items:new": 8}, WALKS, None),
        (portal(max_failures=1), {"failed": 9, "items:new": 1}, WALKS, None),
        (portal(), {}, [], "listing 'news' gave 0 rows"),
        (portal(min_rows=0), {}, [], None),
        (portal(min_rows=30), {"items:new": 20}, WALKS, "20 rows, expected 30"),
    ],
)
def test_shortfalls(
    rules: Portal, counts: dict[str, int], walks: list[Walk], said: str | None
) -> None:
    """Each floor has its sentence, and nothing is said where all is well."""
    found = shortfalls(rules, counts, walks)
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_restricted_run_is_asked_for_its_listings_alone() -> None:
    """Of a run over one listing neither another's rows nor the portal's items count."""
    listings = [LISTING, {**LISTING, "id": "markets"}]
    rules = Portal.model_validate(
        {"id": "harbour", "listings": listings, "expect": {"min_items": 9}}
    )
    assert len(shortfalls(rules, {"items:new": 1}, WALKS)) == 2
    assert shortfalls(rules, {"items:new": 1}, WALKS, {"news"}) == ()
    (said,) = shortfalls(rules, {"items:new": 1}, WALKS, {"markets"})
    assert "listing 'markets' gave 0 rows" in said


NOW = datetime(2025, 7, 15, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "age_h", "said"),
    [
        ("6h", 5, None),
        ("6h", 6, None),
        (
            "6h",
            7,
            "newest item is 7h old (2025-07-14 23:00Z), one is expected every 6h",
        ),
        ("1d12h", 49, "2d1h old"),
        ("6h", None, "no item with a time is known"),
        (None, 9999, None),
    ],
)
def test_silence(every: str | None, age_h: int | None, said: str | None) -> None:
    """A listing whose newest item is older than its `every` is told, with the age."""
    listing = {**LISTING, "expect": {"every": every}}
    rules = Portal.model_validate({"id": "harbour", "listings": [listing]})
    newest = {} if age_h is None else {"news": NOW - timedelta(hours=age_h)}
    found = silences(rules, newest, NOW)
    assert len(found) == (said is not None)
    assert said is None or said in found[0]
    assert silences(rules, newest, NOW, {"markets"}) == ()


USUAL = {"title": 1.0, "body": 1.0, "published": 0.5}


@pytest.mark.parametrize(
    ("fields", "coverage", "usual", "said"),
    [
        ({"articles": 20, "title": 20, "body": 17, "published": 7}, {}, USUAL, None),
        (
            {"articles": 20, "title": 20, "body": 15, "published": 7},
            {},
            USUAL,
            "75% of 20 articles have body, expected 80% at least",
        ),
        ({"articles": 9, "title": 9, "body": 1, "published": 7}, {}, USUAL, None),
        ({"articles": 20, "title": 20, "published": 9}, {}, {}, None),
        ({"articles": 20, "title": 9, "body": 20}, {"title": 0.4}, USUAL, "published"),
        (
            {"articles": 2, "images": 1},
            {"images": 0.9},
            {},
            "50% of 2 articles have im",
        ),
        ({}, {"images": 0.9}, USUAL, None),
    ],
)
def test_thin_fields(
    fields: dict[str, int],
    coverage: dict[str, float],
    usual: dict[str, float],
    said: str | None,
) -> None:
    """A field that fewer articles have than is expected, or than used to, is told."""
    rules = Portal.model_validate(
        {"id": "harbour", "listings": [LISTING], "expect": {"coverage": coverage}}
    )
    counts = {f"fields:{name}": count for name, count in fields.items()}
    found = thin_fields(rules, counts, usual)
    assert len(found) == (said is not None), found
    assert said is None or said in found[0]


def test_spans_are_for_people() -> None:
    """A span is told in its two largest units."""
    shown = [span(x) for x in (0, 59, 61, 3_600, 90_061, 864_000)]
    assert shown == ["0s", "59s", "1m1s", "1h", "1d1h", "10d"]
