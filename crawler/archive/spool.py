"""The spool: one SQLite file a portal that holds all that is not yet committed.

Runs, segments, index lines of records, item rows, decisions, heads of items and payload
digests, beside the frontier's table of work in the same file, so that what belongs
together is one transaction.  It is a queue before the archive and a cache of it: when
it is lost, committed segments are untouched.

Statements only; the caller begins and commits.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.errors import SpoolUnwritable
from crawler.frontier.rows import dumps
from crawler.item import Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FILE = "spool.sqlite"

SCHEMA = """
create table if not exists run(
  run_id text primary key, portal text not null, job text not null,
  state text not null, started_at text not null, config_digest text not null,
  config text not null);
create table if not exists segment(
  name text primary key, run_id text not null, serial integer not null,
  state text not null, begun_at text not null, closed_at text,
  synced_bytes integer not null default 0, records integer not null default 0);
create table if not exists record(
  record_id text primary key, segment text not null, cdx text);
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
  extractor text not null, config_digest text not null) without rowid;
create table if not exists payload(
  run_id text not null, digest text not null, ref text not null,
  primary key(run_id, digest)) without rowid;
"""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run that is not closed.

    Attributes:
        state: ``open`` while work is left, ``closing`` once only commits are.
        config: the resolved, secret-free configuration.
    """

    run_id: str
    portal: str
    job: str
    state: str
    started_at: datetime
    config_digest: str
    config: Mapping[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment in the spool.

    Attributes:
        state: ``open``, ``rolled`` (closed, to be committed) or ``committed``.
        synced_bytes: size of the WARC at the last transaction; what lies beyond it
            after a crash belongs to no committed work.
    """

    name: str
    run_id: str
    serial: int
    state: str
    begun_at: datetime
    closed_at: datetime | None
    synced_bytes: int
    records: int


def open_database(directory: Path) -> sqlite3.Connection:
    """Open the spool's file in directory, making both where they are not there.

    The connection commits only when told to, and a commit is synced to the disk.

    Raises:
        SpoolUnwritable: directory or file cannot be made or written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            directory / FILE, isolation_level=None, timeout=30, check_same_thread=False
        )
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.executescript(SCHEMA)
    except (OSError, sqlite3.Error) as exc:
        message = f"the spool {str(directory)!r} cannot be written: {exc}"
        raise SpoolUnwritable(message) from exc
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block did, or nothing of it.

    Raises:
        SpoolUnwritable: the disk is full or not writable.
    """
    try:
        db.execute("begin immediate")
        yield
        db.execute("commit")
    except sqlite3.Error as exc:
        _roll_back(db)
        message = f"the spool cannot be written: {exc}"
        raise SpoolUnwritable(message) from exc
    except BaseException:
        _roll_back(db)
        raise


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("rollback")


class Spool:
    """The statements of a spool; one connection, the caller's transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use the connection that open_database gave."""
        self.db = db

    # runs

    def begin_run(self, run: RunRow) -> None:
        """Note a run that starts."""
        self.db.execute(
            "insert into run values(?,?,?,?,?,?,?)",
            (
                run.run_id,
                run.portal,
                run.job,
                run.state,
                run.started_at.isoformat(),
                run.config_digest,
                dumps(run.config),
            ),
        )

    def runs(self, job: str | None = None) -> list[RunRow]:
        """Return the runs that are not closed, oldest first."""
        rows = self.db.execute(
            "select run_id, portal, job, state, started_at, config_digest, config"
            " from run where ?1 is null or job=?1 order by run_id",
            (job,),
        ).fetchall()
        return [
            RunRow(
                run_id,
                portal,
                kind,
                state,
                datetime.fromisoformat(at),
                digest,
                json.loads(config),
            )
            for run_id, portal, kind, state, at, digest, config in rows
        ]

    def set_run_state(self, run_id: str, state: str) -> None:
        """Move a run to another state."""
        self.db.execute("update run set state=? where run_id=?", (state, run_id))

    def forget_run(self, run_id: str) -> None:
        """Drop what was kept for a run whose manifest is stored."""
        for table in ("run", "segment", "tally", "walk", "payload"):
            self.db.execute(f"delete from {table} where run_id=?", (run_id,))  # noqa: S608 - names are ours

    # segments

    def begin_segment(self, segment: SegmentRow) -> None:
        """Note a segment that is begun."""
        self.db.execute(
            "insert into segment values(?,?,?,?,?,null,0,0)",
            (
                segment.name,
                segment.run_id,
                segment.serial,
                segment.state,
                segment.begun_at.isoformat(),
            ),
        )

    def note_synced(self, name: str, synced_bytes: int, records: int) -> None:
        """Note how much of a segment's WARC this transaction stands on."""
        self.db.execute(
            "update segment set synced_bytes=?, records=? where name=?",
            (synced_bytes, records, name),
        )

    def roll_segment(self, name: str, closed_at: datetime) -> None:
        """Note that a segment's WARC is closed under its final name."""
        self.db.execute(
            "update segment set state='rolled', closed_at=? where name=?",
            (closed_at.isoformat(), name),
        )

    def commit_segment(self, name: str) -> None:
        """Note that a segment is in the store; its rows are no longer needed."""
        self.db.execute("update segment set state='committed' where name=?", (name,))
        for table in ("record", "item_row", "decision"):
            self.db.execute(f"delete from {table} where segment=?", (name,))  # noqa: S608 - names are ours

    def drop_segment(self, name: str) -> None:
        """Forget a segment in which nothing was ever committed."""
        self.db.execute("delete from segment where name=?", (name,))

    def segments(self, run_id: str, state: str | None = None) -> list[SegmentRow]:
        """Return a run's segments in order, those in one state if it is given."""
        rows = self.db.execute(
            "select name, run_id, serial, state, begun_at, closed_at, synced_bytes,"
            " records from segment where run_id=?1 and (?2 is null or state=?2)"
            " order by serial",
            (run_id, state),
        ).fetchall()
        return [
            SegmentRow(
                name,
                run_id,
                serial,
                state,
                datetime.fromisoformat(begun_at),
                datetime.fromisoformat(closed_at) if closed_at else None,
                synced_bytes,
                records,
            )
            for (
                name,
                run_id,
                serial,
                state,
                begun_at,
                closed_at,
                synced_bytes,
                records,
            ) in rows
        ]

    # what a segment holds

    def add_records(
        self, segment: str, lines: Iterable[tuple[str, str | None]]
    ) -> None:
        """Add records by id, with their index line where they have one."""
        self.db.executemany(
            "insert into record values(?,?,?)",
            [(record_id, segment, cdx) for record_id, cdx in lines],
        )

    def cdx_lines(self, segment: str) -> list[str]:
        """Return the index lines of a segment, sorted by bytes."""
        rows = self.db.execute(
            "select cdx from record where segment=? and cdx is not null", (segment,)
        )
        return sorted((row[0] for row in rows), key=str.encode)

    def add_item(self, segment: str, item_id: str, revision: int, item: str) -> None:
        """Add an item's line to a segment."""
        self.db.execute(
            "insert into item_row(segment, item_id, revision, item) values(?,?,?,?)",
            (segment, item_id, revision, item),
        )

    def item_lines(self, segment: str) -> list[str]:
        """Return the item lines of a segment in the order they were added."""
        rows = self.db.execute(
            "select item from item_row where segment=? order by row", (segment,)
        )
        return [row[0] for row in rows]

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
            "select revision, item_hash, extractor, config_digest from head"
            " where item_id=?",
            (item_id,),
        ).fetchone()
        return Head(*row) if row else None

    def set_head(self, item_id: str, head: Head) -> None:
        """Note the newest revision of an item."""
        self.db.execute(
            "insert or replace into head values(?,?,?,?,?)",
            (
                item_id,
                head.revision,
                head.item_hash,
                head.extractor,
                head.config_digest,
            ),
        )

    def payload(self, run_id: str, digest: str) -> str | None:
        """Return the stored reference of the first record with a payload digest."""
        row = self.db.execute(
            "select ref from payload where run_id=? and digest=?", (run_id, digest)
        ).fetchone()
        return row[0] if row else None

    def add_payload(self, run_id: str, digest: str, ref: str) -> None:
        """Note the first record of a run with a payload digest."""
        self.db.execute(
            "insert or ignore into payload values(?,?,?)", (run_id, digest, ref)
        )
