"""What silence and thin items are told by: the newest time a listing gave, and fields.

The newest times outlive their runs: a listing whose items are all known still says when
something was last published.  They are a cache; the next run that meets an item of a
listing knows its time again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.extract.dates.grammar import read_date

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from crawler.archive.ledger import Ending
    from crawler.archive.outbox import Outbox
    from crawler.config.portal import Portal
    from crawler.item import Item
    from crawler.model import Link

SCHEMA = """
create table if not exists newest(
  listing text primary key, published_at text not null) without rowid;
"""
ARTICLES = "fields:articles"
"""Counts the articles that a run looked at, those that did not change included."""
FIELDS: dict[str, Callable[[Item], object]] = {
    "title": lambda item: item.title,
    "body": lambda item: item.body_text,
    "published": lambda item: item.published_at,
    "authors": lambda item: item.authors,
    "source": lambda item: item.source.name,
    "summary": lambda item: item.summary,
    "images": lambda item: item.images,
    "tags": lambda item: item.tags,
}
"""What coverage is counted of, as ``fields:title`` and so on."""


def note_findings(
    outbox: Outbox, run_id: str, portal: Portal, ending: Ending, now: datetime
) -> None:
    """Note of a visit that ended what its items hold and how new they are.

    In the caller's transaction.  Times that lie in the future tell nothing.
    """
    flashes = ending.listing.flashes if ending.listing else ()
    for item in (*ending.items, *flashes):
        if (at := _published(item, now)) is not None:
            _raise(outbox.db, item.listing or "", at)
        if item.kind == "article":
            outbox.count(run_id, ARTICLES)
            for name, read in FIELDS.items():
                if read(item):
                    outbox.count(run_id, f"fields:{name}")
    for listing, at in _hinted(ending, portal, now):
        _raise(outbox.db, listing, at)


def newest(db: sqlite3.Connection) -> dict[str, datetime]:
    """Return when the newest item of each listing was published, as far as known."""
    rows = db.execute("select listing, published_at from newest")
    return {listing: datetime.fromisoformat(at) for listing, at in rows}


def _raise(db: sqlite3.Connection, listing: str, at: datetime) -> None:
    text = at.astimezone(UTC).isoformat(timespec="microseconds")
    db.execute(
        "insert into newest values(?,?) on conflict do update set"
        " published_at=max(published_at, excluded.published_at)",
        (listing, text),
    )


def _published(item: Item, now: datetime) -> datetime | None:
    """Return the last moment at which an item can have been published by now."""
    at = item.published_at
    if at is None or at > now:
        return None
    if item.published_precision == "day" and item.published_range is not None:
        return min(now, item.published_range[1])
    return at


def _hinted(
    ending: Ending, portal: Portal, now: datetime
) -> Iterator[tuple[str, datetime]]:
    """Yield what a listing page says of its links, where silence of it matters."""
    watched = {x.id for x in portal.listings if x.expect.every is not None}
    for link in ending.listing.links if ending.listing and watched else ():
        at = _of_link(link, ZoneInfo(portal.timezone))
        if link.listing in watched and at is not None and at <= now:
            yield link.listing or "", at


def _of_link(link: Link, zone: ZoneInfo) -> datetime | None:
    said = link.hint.get("published")
    for value in said.values if said else ():
        if (moment := read_date(value, at=said.seen_at, zone=zone)) is not None:  # type: ignore[union-attr]  # said has values
            return moment.at
    return None
