"""The spool: one SQLite file a portal that holds all that is not yet committed.

Runs and segments, what they hold (``outbox``), and the frontier's table of work are in
one file, so that what belongs together is one transaction.  It is a queue before the
archive and a cache of it: when it is lost, committed segments are untouched.

Statements only; the caller begins and commits.
"""

from __future__ import annotations

import json
import sqlite3
import stat
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.archive import originals, outbox
from crawler.archive.directory import make_directory
from crawler.archive.originals import Originals
from crawler.archive.outbox import Outbox
from crawler.errors import SpoolUnwritable
from crawler.frontier.rows import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "spool.sqlite"

SCHEMA = """
create table if not exists run(
  run_id text primary key, portal text not null, job text not null,
  state text not null, started_at text not null, config_digest text not null,
  config text not null, retry_at real not null default 0);
create table if not exists segment(
  name text primary key, run_id text not null, serial integer not null,
  state text not null, begun_at text not null, closed_at text,
  synced_bytes integer not null default 0, records integer not null default 0);
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
        make_directory(directory, directory.parent)
        directory.chmod(stat.S_IRWXU)  # URLs and headers to fetch may hold secrets
        db = sqlite3.connect(
            directory / FILE, isolation_level=None, timeout=30, check_same_thread=False
        )
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.execute("pragma secure_delete=on")  # what a closed run forgets is gone
        db.executescript(SCHEMA + outbox.SCHEMA + originals.SCHEMA)
        _renew(db)
    except (OSError, sqlite3.Error) as exc:
        message = f"the spool {str(directory)!r} cannot be written: {exc}"
        raise SpoolUnwritable(message) from exc
    return db


def open_in_memory() -> sqlite3.Connection:
    """Return a spool that lives as long as its connection: for replay."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.executescript(SCHEMA + outbox.SCHEMA + originals.SCHEMA)
    return db


def _renew(db: sqlite3.Connection) -> None:
    """Have a spool of an earlier version read the archive once more."""
    columns = {row[1] for row in db.execute("pragma table_info(head)")}
    if "record" not in columns:
        db.executescript(
            "begin; delete from folded; drop table if exists payload;"
            "alter table head add column record text not null default '';"
            "alter table head add column warc text not null default ''; commit;"
        )


class Spool:
    """Runs and segments that are not closed; the caller begins and commits.

    Attributes:
        outbox: what the segments hold and the runs add up to.
        originals: which records hold the portal's payloads.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use the connection that open_database gave."""
        self.db = db
        self.outbox = Outbox(db)
        self.originals = Originals(db)

    # runs

    def begin_run(self, run: RunRow) -> None:
        """Note a run that starts."""
        self.db.execute(
            "insert into run(run_id, portal, job, state, started_at, config_digest,"
            " config) values(?,?,?,?,?,?,?)",
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

    def set_run_config(
        self, run_id: str, config_digest: str, config: Mapping[str, Any]
    ) -> None:
        """Note that a run goes on under another configuration."""
        self.db.execute(
            "update run set config_digest=?, config=? where run_id=?",
            (config_digest, dumps(config), run_id),
        )

    def forget_run(self, run_id: str) -> None:
        """Drop what was kept for a run whose manifest is stored."""
        for table in ("run", "segment", "tally", "walk"):
            self.db.execute(f"delete from {table} where run_id=?", (run_id,))  # noqa: S608 - names are ours

    def retry_at(self, run_id: str, at: float) -> None:
        """Note when the store is to be tried again, in seconds of the wall clock."""
        self.db.execute("update run set retry_at=? where run_id=?", (at, run_id))

    def retry_in_s(self, run_id: str, now: float) -> float:
        """Return the seconds until the store is to be tried again."""
        row = self.db.execute("select retry_at from run where run_id=?", (run_id,))
        found = row.fetchone()
        return max(0.0, float(found[0]) - now) if found else 0.0

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
        self.outbox.note_folded(name)
        for table in ("record", "item_row", "decision"):
            self.db.execute(f"delete from {table} where segment=?", (name,))  # noqa: S608 - names are ours

    def waiting_bytes(self, run_id: str) -> int:
        """Return the bytes of a run's WARCs that are not committed."""
        row = self.db.execute(
            "select coalesce(sum(synced_bytes), 0) from segment where run_id=?"
            " and state<>'committed'",
            (run_id,),
        ).fetchone()
        return int(row[0])

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
