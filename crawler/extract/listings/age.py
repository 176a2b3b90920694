"""Rows of a listing page that are older than the walk is to go back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from crawler.extract.dates.grammar import read_date

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from crawler.config.portal import Stop
    from crawler.item import Listing
    from crawler.model import Link


def old_rows(
    found: Listing, stop: Stop, *, at: datetime, zone: ZoneInfo
) -> frozenset[str]:
    """Return the URLs of links, and ids of flash items, from before ``since``.

    A row that does not say when, or of which only part of its day is before, is none.

    at: when the page was captured.
    """
    if stop.since is None:
        return frozenset()
    limit = _limit(stop.since, at, zone)
    flashes = ((x.id, x.published_range) for x in found.flashes)
    ended = {key: span[1] for key, span in flashes if span}
    ended |= {link.url: end for link in found.links for end in _end(link, zone)}
    return frozenset(key for key, end in ended.items() if end <= limit)


def _limit(since: float | str, at: datetime, zone: ZoneInfo) -> datetime:
    if isinstance(since, str):
        return datetime.combine(date.fromisoformat(since), time.min, zone)
    return at - timedelta(seconds=since)


def _end(link: Link, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the end of the time that the row says, if it says one."""
    hint = link.hint.get("published")
    for text in hint.values if hint else ():
        moment = read_date(text, at=hint.seen_at, zone=zone) if hint else None
        if moment is not None:
            yield moment.range[1]
