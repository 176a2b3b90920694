"""What counts as suspiciously little."""

from __future__ import annotations

import pytest

from crawler.config.portal import Portal
from crawler.jobs.expectation import shortfalls

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
