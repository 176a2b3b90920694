"""Whether a run found what it should: too little is no success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.config.portal import Portal


def shortfalls(
    portal: Portal,
    counts: Mapping[str, int],
    walks: Sequence[tuple[str, int, int, str | None]],
) -> tuple[str, ...]:
    """Return in words what is below the portal's ``expect``; empty where nothing is.

    Args:
        portal: what was expected of it.
        counts: the run's counters: outcomes, and items as ``items:new`` and so on.
        walks: listing, pages, rows, why it ended.
    """
    return (*_items(portal, counts), *_failures(portal, counts), *_rows(portal, walks))


def _items(portal: Portal, counts: Mapping[str, int]) -> list[str]:
    found = sum(
        counts.get(f"items:{change}", 0) for change in ("new", "revised", "unchanged")
    )
    floor = portal.expect.min_items
    return [f"{found} items, expected {floor} at least"] if found < floor else []


def _failures(portal: Portal, counts: Mapping[str, int]) -> list[str]:
    failed = counts.get(Outcome.FAILED, 0)
    visited = failed + sum(
        counts.get(outcome, 0) for outcome in (Outcome.CAPTURED, Outcome.REVISITED)
    )
    limit = portal.expect.max_failures
    if not visited or failed / visited <= limit:
        return []
    return [f"{failed} of {visited} visits failed, {limit:.0%} may at most"]


def _rows(
    portal: Portal, walks: Sequence[tuple[str, int, int, str | None]]
) -> list[str]:
    rows = {listing: count for listing, _, count, _ in walks}
    return [
        f"listing {rule.id!r} gave {rows.get(rule.id, 0)} rows, expected "
        f"{max(1, rule.expect.min_rows)} at least"
        for rule in portal.listings
        if rows.get(rule.id, 0) < max(1, rule.expect.min_rows)
    ]
