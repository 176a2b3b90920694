"""The frontier in SQLite: one table of work, leased, never popped.

A row waits, is leased, and ends with an outcome; a lease that ends without one gives
the row back.  Statements only: the caller opens the connection and commits, so that
children, item rows and the parent's end share one transaction.

Lease times are ticks of the host's monotonic clock together with its boot id: a jump
of the wall clock moves nothing, and after a reboot every lease is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from crawler.frontier import policy
from crawler.frontier.rows import (
    dumps,
    hint_from_json,
    hint_to_json,
    link_to_json,
)
from crawler.frontier.table import SCHEMA, work_from
from crawler.model import Kind, Outcome, Reason
from crawler.urls import host_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from crawler.config.portal import Portal
    from crawler.model import Link, Work

WAITING, LEASED, ENDED = 0, 1, 2
HINT_PAGES = 20
"""Listing pages deeper than this do not hold items back."""
SUSPECT = 2
"""A row given out so often without an end is given out alone from then on."""


@dataclass(frozen=True, slots=True)
class Child:
    """A link to add, with its place in the walk."""

    link: Link
    depth: int = 0
    page: int = 1
    stale_pages: int = 0
    parent: int | None = None


class SqliteFrontier:
    """The work of one portal's runs; one connection, the caller's transactions.

    Args:
        db: a connection; its row factory is left alone.
        boot: the host's boot id.
        ticks: seconds of a clock that never goes back and that all processes of this
            host share.
    """

    def __init__(
        self, db: sqlite3.Connection, *, boot: str, ticks: Callable[[], float]
    ) -> None:
        self._db = db
        self._boot = boot
        self._ticks = ticks
        db.executescript(SCHEMA)

    def add(self, run_id: str, children: Iterable[Child], portal: Portal) -> int:
        """Add links that are new to the run, merge hints of those that wait.

        Returns:
            How many were new.
        """
        return sum(self._add(run_id, child, portal) for child in children)

    def _add(self, run_id: str, child: Child, portal: Portal) -> int:
        link, key = child.link, policy.key_of(child.link)
        row = (
            run_id,
            key,
            link.kind.value,
            dumps(link_to_json(link)),
            host_of(link.url),
            policy.priority_of(link, portal),
            child.depth,
            child.page,
            child.stale_pages,
            child.parent,
        )
        added = self._db.execute(
            "insert into work(run_id, key, kind, link, host, priority, depth, page,"
            " stale_pages, parent) values(?,?,?,?,?,?,?,?,?,?) on conflict do nothing",
            row,
        ).rowcount
        if not added and link.kind is Kind.ITEM and link.hint:
            self._merge(run_id, key, link)
        return added

    def knows(self, run_id: str, link: Link) -> bool:
        """Tell whether a link is in the run already, waiting or ended."""
        row = self._db.execute(
            "select 1 from work where run_id=? and key=?", (run_id, policy.key_of(link))
        )
        return row.fetchone() is not None

    def meet(self, run_id: str, names: Iterable[str]) -> set[str]:
        """Note things that a run saw; return those that it had not seen before."""
        statement = "insert or ignore into met values(?,?)"
        add = partial(self._db.execute, statement)
        return {name for name in names if add((run_id, name)).rowcount}

    def listing_pages(self, run_id: str, listing: str) -> int:
        """Return how many pages of a listing the run knows of."""
        row = self._db.execute(
            "select count(*) from work where run_id=? and kind=?"
            " and json_extract(link, '$.listing')=?",
            (run_id, Kind.LISTING, listing),
        ).fetchone()
        return int(row[0])

    def _merge(self, run_id: str, key: bytes, link: Link) -> None:
        row = self._db.execute(
            "select work_id, link from work where run_id=? and key=? and state=?",
            (run_id, key, WAITING),
        ).fetchone()
        if row is None:
            return
        stored = json.loads(row[1])
        known = hint_from_json(stored.get("hint", {}))
        stored["hint"] = hint_to_json(policy.merge_hints(known, link.hint))
        self._db.execute(
            "update work set link=? where work_id=?", (dumps(stored), row[0])
        )

    def lease(self, run_id: str, limit: int, lease_s: float) -> list[Work]:
        """Lease up to limit due rows, the most urgent first.

        Items wait while one of the first HINT_PAGES pages of a listing is due or
        leased: it may still say something of them.  Rows that processes died with
        come last and one by one, so that the next death tells which it was, and none
        is buried because of another.
        """
        now = self._ticks()
        self._expire(run_id, now)
        works = self._lease(run_id, limit, now, lease_s)
        if not works and limit > 0 and not self._is_any_leased(run_id):
            return self._lease(run_id, 1, now, lease_s, most=1 << 60)
        return works

    def _is_any_leased(self, run_id: str) -> bool:
        found = self._db.execute(
            "select 1 from work where run_id=? and state=1 limit 1", (run_id,)
        )
        return found.fetchone() is not None

    def _lease(
        self, run_id: str, limit: int, now: float, lease_s: float, most: int = SUSPECT
    ) -> list[Work]:
        """Lease rows given out less than most times, none beside a suspect."""
        rows = self._db.execute(
            # not_before counts from the boot that it is overwritten with here.
            "update work set state=1, boot=:boot, lease_until=:until, not_before=0,"
            " fence=fence+1, deliveries=deliveries+1"
            " where work_id in (select work_id from work"
            "  where run_id=:run and state=0"
            "  and (boot<>:boot or not_before<=:now)"
            "  and (kind=:listing or not :held) and deliveries<:most"
            "  and not exists (select 1 from work where run_id=:run and state=1"
            "   and deliveries>:suspect)"
            "  order by priority desc, work_id limit :limit)"
            " returning work_id, run_id, link, depth, page, stale_pages, deliveries,"
            " fence, tries, priority",
            {
                "boot": self._boot,
                "until": now + lease_s,
                "run": run_id,
                "now": now,
                "limit": limit,
                "listing": Kind.LISTING,
                "held": self._items_are_held(run_id, now),
                "most": most,
                "suspect": SUSPECT,
            },
        ).fetchall()
        rows.sort(key=lambda row: (-row[9], row[0]))
        return [work_from(row) for row in rows]

    def _items_are_held(self, run_id: str, now: float) -> bool:
        listing = self._db.execute(
            "select 1 from work where run_id=? and state in (0, 1) and kind=?"
            " and page<=? and (state=1 or boot<>? or not_before<=?) limit 1",
            (run_id, Kind.LISTING, HINT_PAGES, self._boot, now),
        ).fetchone()
        return listing is not None

    def _expire(self, run_id: str, now: float) -> None:
        self._db.execute(
            "update work set state=0 where run_id=? and state=1"
            " and (boot<>? or lease_until<?)",
            (run_id, self._boot, now),
        )

    def beat(self, works: Iterable[Work], lease_s: float) -> None:
        """Prolong the leases of works that are still held."""
        until = self._ticks() + lease_s
        self._db.executemany(
            "update work set lease_until=? where work_id=? and fence=? and state=1",
            [(until, work.work_id, work.fence) for work in works],
        )

    def end(
        self,
        work: Work,
        outcome: Outcome,
        reason: Reason | None = None,
        detail: str = "",
    ) -> bool:
        """End a leased row with its outcome; False where the lease was lost."""
        return bool(
            self._db.execute(
                "update work set state=2, outcome=?, reason=?, detail=?"
                " where work_id=? and fence=? and state=1",
                (outcome, reason, detail, work.work_id, work.fence),
            ).rowcount
        )

    def delay(self, work: Work, delay_s: float, *, tries: int = 1) -> bool:
        """Give a leased row back, not before delay_s from now; adds to its tries."""
        return bool(
            self._db.execute(
                "update work set state=0, boot=?, not_before=?, deliveries=0,"
                " tries=tries+? where work_id=? and fence=? and state=1",
                (self._boot, self._ticks() + delay_s, tries, work.work_id, work.fence),
            ).rowcount
        )

    def release(self, works: Iterable[Work]) -> None:
        """Give leased rows back as if they had never been leased."""
        self._db.executemany(
            "update work set state=0, deliveries=max(deliveries-1, 0)"
            " where work_id=? and fence=? and state=1",
            [(work.work_id, work.fence) for work in works],
        )

    def take_back(self, run_id: str) -> int:
        """Give back every lease of a run; only the holder of its lock may call this."""
        return self._db.execute(
            "update work set state=0 where run_id=? and state=1", (run_id,)
        ).rowcount

    def bury(self, run_id: str, max_deliveries: int) -> list[Work]:
        """End rows that were given out too often without an end; return them.

        A row whose lease has run out counts as given back, else the next lease would
        give it out once more before anyone sees how often it was.
        """
        self._expire(run_id, self._ticks())
        rows = self._db.execute(
            "update work set state=2, outcome=?, reason=? where run_id=? and state=0"
            " and deliveries>=? returning work_id, run_id, link, depth, page,"
            " stale_pages, deliveries, fence, tries",
            (Outcome.FAILED, Reason.DEAD_LETTER, run_id, max_deliveries),
        ).fetchall()
        return [work_from(row) for row in rows]

    def left(self, run_id: str) -> int:
        """Return how many rows wait or are leased."""
        row = self._db.execute(
            "select count(*) from work where run_id=? and state<2", (run_id,)
        ).fetchone()
        return int(row[0])

    def due_in_s(self, run_id: str) -> float | None:
        """Return the seconds until a waiting row is due, None where none waits.

        Items that are held back for a listing count by their own time.
        """
        row = self._db.execute(
            "select min(case when boot=? then not_before else 0 end) from work"
            " where run_id=? and state=0",
            (self._boot, run_id),
        ).fetchone()
        return None if row[0] is None else max(0.0, row[0] - self._ticks())

    def item_count(self, run_id: str) -> int:
        """Return how many item pages the run knows of."""
        row = self._db.execute(
            "select count(*) from work where run_id=? and kind='item'", (run_id,)
        ).fetchone()
        return int(row[0])

    def forget(self, run_id: str) -> None:
        """Drop the rows of a run that is closed."""
        self._db.execute("delete from work where run_id=?", (run_id,))
        self._db.execute("delete from met where run_id=?", (run_id,))
