"""Whether a run found what it should: too little is no success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.model import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from crawler.config.portal import ListingRule, Portal

VISITED = (Outcome.CAPTURED, Outcome.REVISITED, Outcome.FAILED)
EMPTY_HANDED = (
    *(Reason.BLOCKED, Reason.HTTP_STATUS, Reason.SHELL_PAGE, Reason.LAYOUT_CHANGED),
    *(Reason.BAD_LISTING, Reason.NOT_DECODABLE, Reason.TRUNCATED),
)
"""Why a captured page gave nothing though it should have; a gone one should not."""
_UNITS = (
    *(("d", 86_400, float("inf")), ("h", 3_600, 86_400)),
    *(("m", 60, 3_600), ("s", 1, 60)),
)
WATCHED = ("title", "body", "published")
ENOUGH = 10
"""Of fewer articles a share says little."""
DROP = 0.2
"""So far below the usual share of articles a field may fall."""
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


def silences(
    portal: Portal,
    newest: Mapping[str, datetime],
    now: datetime,
    listings: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Return which listings gave nothing new for longer than their ``every``.

    newest: by listing, when the newest item known of it was published.
    """
    return tuple(
        f"listing {rule.id!r}: {_age(newest.get(rule.id), now)}, one is expected every "
        f"{span(rule.expect.every)}"
        for rule in portal.listings
        if rule.expect.every is not None
        and (listings is None or rule.id in listings)
        and _is_silent(newest.get(rule.id), now, rule.expect.every)
    )


def _is_silent(at: datetime | None, now: datetime, every_s: float) -> bool:
    return at is None or (now - at).total_seconds() > every_s


def _age(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "no item with a time is known"
    age = span((now - at).total_seconds())
    return f"its newest item is {age} old ({at:%Y-%m-%d %H:%MZ})"


def span(seconds: float) -> str:
    """Return a span in its two largest units: ``1d4h``."""
    left = [(name, int(seconds % whole // unit)) for name, unit, whole in _UNITS]
    shown = [f"{count}{name}" for name, count in left if count]
    return "".join(shown[:2]) or "0s"


def thin_fields(
    portal: Portal, counts: Mapping[str, int], usual: Mapping[str, float]
) -> tuple[str, ...]:
    """Return which fields too few articles of a run have.

    usual: share of articles that had a field in the runs before; it counts for
    WATCHED fields without a floor of their own, where the run met ENOUGH articles.
    """
    articles = counts.get("fields:articles", 0)
    floors: dict[str, float] = {}
    if articles >= ENOUGH:
        floors = {name: usual[name] - DROP for name in WATCHED if name in usual}
    floors.update(portal.expect.coverage.items())
    shares = {x: counts.get(f"fields:{x}", 0) / max(articles, 1) for x in floors}
    return tuple(
        f"{shares[name]:.0%} of {articles} articles have {name}, "
        f"expected {floor:.0%} at least"
        for name, floor in floors.items()
        if articles and shares[name] < floor
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
