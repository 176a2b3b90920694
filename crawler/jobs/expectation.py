"""Whether a run found what it should: too little is no success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.model import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from crawler.config.portal import ListingRule, Portal

VISITED = (Outcome.CAPTURED, Outcome.REVISITED, Outcome.FAILED)
EMPTY_HANDED = (
    *(Reason.BLOCKED, Reason.HTTP_STATUS, Reason.SHELL_PAGE, Reason.LAYOUT_CHANGED),
    *(Reason.BAD_LISTING, Reason.NOT_DECODABLE, Reason.TRUNCATED),
)
"""Why a captured page gave nothing though it should have; a gone one should not."""
MANY = 5
"""Item pages of which one at least is to give an item."""


def shortfalls(
    portal: Portal,
    counts: Mapping[str, int],
    walks: Sequence[tuple[str, int, int, str | None]],
    listings: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Return in words what is below the portal's ``expect``; empty where nothing is.

    Args:
        portal: what was expected of it.
        counts: the run's counters: outcomes, and items as ``items:new`` and so on.
        walks: listing, pages, rows, why it ended.
        listings: the only ones that the run was to walk, None for all.
    """
    pages = sum(count for _, count, _, _ in walks)
    rules = [x for x in portal.listings if listings is None or x.id in listings]
    return (
        *(() if listings else _items(portal, counts)),  # a floor of all of them
        *_barren(counts, pages),
        *_failures(portal, counts),
        *_rows(rules, walks),
    )


def _found(counts: Mapping[str, int]) -> int:
    return sum(
        counts.get(f"items:{change}", 0) for change in ("new", "revised", "unchanged")
    )


def _items(portal: Portal, counts: Mapping[str, int]) -> list[str]:
    found, floor = _found(counts), portal.expect.min_items
    return [f"{found} items, expected {floor} at least"] if found < floor else []


def _barren(counts: Mapping[str, int], listing_pages: int) -> list[str]:
    """Say so where item pages were visited or forbidden and not one gave an item."""
    tried = sum(
        counts.get(name, 0) for name in (*VISITED, f"{Outcome.SKIPPED}:{Reason.ROBOTS}")
    )
    item_pages = tried - listing_pages
    if item_pages < MANY or _found(counts):
        return []
    return [f"none of {item_pages} item pages gave an item"]


def _failures(portal: Portal, counts: Mapping[str, int]) -> list[str]:
    reasons = {
        reason.value: sum(counts.get(f"{end}:{reason}", 0) for end in VISITED[:2])
        for reason in EMPTY_HANDED
    }
    failed = counts.get(Outcome.FAILED, 0) + sum(reasons.values())
    visited = sum(counts.get(outcome, 0) for outcome in VISITED)
    limit = portal.expect.max_failures
    if not visited or failed / visited <= limit:
        return []
    met = ", ".join(f"{name} {count}" for name, count in reasons.items() if count)
    what = f"failed or gave nothing ({met})" if met else "failed"
    return [f"{failed} of {visited} visits {what}, {limit:.0%} may at most"]


def _rows(
    rules: Sequence[ListingRule], walks: Sequence[tuple[str, int, int, str | None]]
) -> list[str]:
    rows = {listing: count for listing, _, count, _ in walks}
    return [
        f"listing {rule.id!r} gave {rows.get(rule.id, 0)} rows, expected "
        f"{_floor(rule)} at least"
        for rule in rules
        if rows.get(rule.id, 0) < _floor(rule)
    ]


def _floor(rule: ListingRule) -> int:
    """Return the rows a listing must give: one, unless the configuration says 0."""
    said = "min_rows" in rule.expect.model_fields_set
    return rule.expect.min_rows if said else 1
