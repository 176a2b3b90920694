"""The outbox: what segments hold and runs add up to, until it is committed.

Index lines of records, item rows, decisions, counters and heads of items.  The WARC,
CDXJ and item parts in the store are exports of these rows.

Statements only; the caller begins and commits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.archive import findings
from crawler.frontier.rows import dumps
from crawler.item import Head

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

_PAGE_ROWS = 200
"""Items read at once; the largest have some 100 kB."""

SCHEMA = f"""{findings.SCHEMA}
create table if not exists record(
  record_id text not null, segment text not null, cdx text not null);
create index if not exists record_segment on record(segment);
create table if not exists item_row(
  row integer primary key, segment text not null, item_id text not null,
  revision integer not null, item text not null, unique(item_id, revision));
create index if not exists item_segment on item_row(segment);
create table if not exists decision(
  row integer primary key, segment text not null, outcome text not null,
  reason text, entry text not null);
create index if not exists decision_segment on decision(segment);
create table if not exists tally(
  run_id text not null, name text not null, count integer not null,
  primary key(run_id, name)) without rowid;
create table if not exists walk(
  run_id text not null, listing text not null, pages integer not null default 0,
  rows integer not null default 0, ended text, primary key(run_id, listing));
create table if not exists head(
  item_id text primary key, revision integer not null, item_hash text not null,
  extractor text not null, config_digest text not null,
  record text not null default '', warc text not null default '') without rowid;
create table if not exists folded(segment text primary key) without rowid;
"""


class Outbox:
    """The statements; one connection, the caller's transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use the spool's connection."""
        self.db = db

    # what a segment holds

    def add_records(self, segment: str, lines: Iterable[tuple[str, str]]) -> None:
        """Add indexed records: id and index line.

        No index over the ids, which are random: each would touch a page of its own.
        """
        self.db.executemany(
            "insert into record values(?,?,?)",
            [(record_id, segment, cdx) for record_id, cdx in lines],
        )

    def cdx_lines(self, segment: str) -> list[str]:
        """Return the index lines of a segment, sorted by bytes."""
        rows = self.db.execute("select cdx from record where segment=?", (segment,))
        return sorted((row[0] for row in rows), key=str.encode)

    def add_item(self, segment: str, item_id: str, revision: int, item: str) -> None:
        """Add an item's line to a segment."""
        self.db.execute(
            "insert into item_row(segment, item_id, revision, item) values(?,?,?,?)",
            (segment, item_id, revision, item),
        )

    def item_lines(self, segment: str) -> Iterator[str]:
        """Yield the item lines of a segment in the order they were added.

        A page at a time: all of a segment's may be more than memory, and a cursor
        that stayed open, say where a disk is full, would hold back every later
        transaction of its connection.  The segment must not change meanwhile.
        """
        last = -1
        while page := self.db.execute(
            "select row, item from item_row where segment=? and row>? order by row"
            " limit ?",
            (segment, last, _PAGE_ROWS),
        ).fetchall():
            last = page[-1][0]
            yield from (item for _, item in page)

    def add_decision(self, segment: str, entry: Mapping[str, object]) -> None:
        """Add how one URL ended: outcome, reason and whatever else entry holds."""
        self.db.execute(
            "insert into decision(segment, outcome, reason, entry) values(?,?,?,?)",
            (
                segment,
                entry["outcome"],
                entry.get("reason"),
                dumps(entry),
            ),
        )

    def orphan_decisions(self, segment: str) -> None:
        """Take the decisions of a segment that was cut by a crash out of it."""
        self.db.execute("update decision set segment='' where segment=?", (segment,))

    def adopt_decisions(self, segment: str) -> None:
        """Give decisions without a segment to the one that begins."""
        self.db.execute("update decision set segment=? where segment=''", (segment,))

    def has_orphans(self) -> bool:
        """Tell whether decisions wait for a segment."""
        row = self.db.execute("select 1 from decision where segment='' limit 1")
        return row.fetchone() is not None

    def decision_lines(self, segment: str) -> list[str]:
        """Return the decisions of a segment in order."""
        rows = self.db.execute(
            "select entry from decision where segment=? order by row", (segment,)
        )
        return [row[0] for row in rows]

    def decision_counts(self, segment: str) -> dict[str, int]:
        """Return a segment's URLs by outcome and by ``outcome:reason``."""
        rows = self.db.execute(
            "select outcome, reason, count(*) from decision where segment=?"
            " group by outcome, reason",
            (segment,),
        )
        counts: dict[str, int] = {}
        for outcome, reason, count in rows:
            counts[outcome] = counts.get(outcome, 0) + count
            if reason:
                counts[f"{outcome}:{reason}"] = count
        return counts

    # what a run adds up to

    def count(self, run_id: str, name: str, by: int = 1) -> None:
        """Add to one of a run's counters."""
        self.db.execute(
            "insert into tally values(?,?,?) on conflict(run_id, name)"
            " do update set count=count+excluded.count",
            (run_id, name, by),
        )

    def counts(self, run_id: str) -> dict[str, int]:
        """Return a run's counters by name."""
        rows = self.db.execute(
            "select name, count from tally where run_id=? order by name", (run_id,)
        )
        return dict(rows.fetchall())

    def note_walk(
        self, run_id: str, listing: str, rows: int, ended: str | None
    ) -> None:
        """Note one more page of the walk over a listing."""
        self.db.execute(
            "insert into walk values(?,?,1,?,?) on conflict(run_id, listing) do update"
            " set pages=pages+1, rows=rows+excluded.rows, ended=excluded.ended",
            (run_id, listing, rows, ended),
        )

    def walks(self, run_id: str) -> list[tuple[str, int, int, str | None]]:
        """Return a run's walks: listing, pages, rows, why it ended."""
        return self.db.execute(
            "select listing, pages, rows, ended from walk where run_id=?"
            " order by listing",
            (run_id,),
        ).fetchall()

    # what later captures are compared with

    def head(self, item_id: str) -> Head | None:
        """Return what is known of an item, None for nothing."""
        row = self.db.execute(
            "select revision, item_hash, extractor, config_digest, record, warc"
            " from head where item_id=?",
            (item_id,),
        ).fetchone()
        return Head(*row) if row else None

    def set_head(self, item_id: str, head: Head) -> None:
        """Note the newest revision of an item."""
        self.db.execute(
            "insert or replace into head values(?,?,?,?,?,?,?)",
            (
                item_id,
                head.revision,
                head.item_hash,
                head.extractor,
                head.config_digest,
                head.record,
                head.warc,
            ),
        )

    def raise_head(self, item_id: str, head: Head) -> None:
        """Note a stored revision of an item, unless a newer one is known.

        Of one that is known, where it is: that may be new.
        """
        known = self.head(item_id)
        if known is None or known.revision < head.revision:
            self.set_head(item_id, head)
        elif known.revision == head.revision:
            moved = replace(known, record=head.record, warc=head.warc)
            self.set_head(item_id, moved)

    def head_count(self) -> int:
        """Return of how many items something is known."""
        row = self.db.execute("select count(*) from head").fetchone()
        return int(row[0])

    def forget_heads(self) -> None:
        """Drop all heads, and which segments they know."""
        self.db.execute("delete from head")
        self.unfold_all()

    def pending_items(self) -> list[str]:
        """Return the item lines of segments that are not committed, oldest first."""
        rows = self.db.execute("select item from item_row order by row")
        return [row[0] for row in rows]

    def note_folded(self, segment: str) -> None:
        """Note a committed segment whose items the heads know."""
        self.db.execute("insert or ignore into folded values(?)", (segment,))

    def folded(self) -> set[str]:
        """Return the committed segments whose items the heads know."""
        return {row[0] for row in self.db.execute("select segment from folded")}

    def unfold(self, segment: str) -> None:
        """Note that a committed segment is no longer there."""
        self.db.execute("delete from folded where segment=?", (segment,))

    def unfold_all(self) -> None:
        """Have all committed segments read again."""
        self.db.execute("delete from folded")
