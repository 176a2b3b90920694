"""Slots: the planned starts of scheduled crawls, each of which is taken once.

A slot is named by portal, listing ("" for the portal's own schedule) and planned time;
that name is unique, so that of two processes one starts it, whatever the clocks say.
The small file in the spool directory is a cache: without it nothing starts twice, for a
schedule that it does not know counts from now on.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.archive.database import transaction, unwritable
from crawler.archive.directory import make_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

FILE = "schedule.sqlite"
STALE_S = 120.0
"""A slot whose holder has not been heard of for so long was left."""
KEPT = timedelta(days=60)
RUNNING, QUEUED, ENDED = "running", "queued", "ended"
SKIPPED, MISSED = "skipped", "missed"
SCHEMA = """
create table if not exists plan(
  portal text not null, listing text not null, rule text not null,
  since text not null, primary key(portal, listing)) without rowid;
create table if not exists slot(
  portal text not null, listing text not null, planned_at text not null,
  state text not null, missed integer not null default 0,
  boot text not null default '', beat_s real not null default 0,
  started_at text, ended_at text, exit_code integer, run_id text,
  message text not null default '', counts text not null default '{}',
  primary key(portal, listing, planned_at)) without rowid;
"""
_COLUMNS = (
    "portal, listing, planned_at, state, missed, boot, beat_s, started_at, ended_at,"
    " exit_code, run_id, message, counts"
)


class Key(NamedTuple):
    """What names a slot; listing is "" for the portal's own schedule."""

    portal: str
    listing: str
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """How the crawl of a slot ended.

    Attributes:
        exit_code: of the command line contract, None where there was none.
    """

    exit_code: int | None
    run_id: str | None = None
    message: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as it stands.

    Attributes:
        state: ``running``, ``queued`` (to be started when the portal is free, or again
            after an interruption), ``ended``, ``skipped`` (the portal was being
            crawled), ``missed`` (too late, or overtaken by a newer one).
        missed: planned starts before it that were passed over.
        left: whether it runs, and its holder has not been heard of for long.
    """

    key: Key
    state: str
    missed: int
    left: bool
    started_at: datetime | None
    ended_at: datetime | None
    end: End


class Slots:
    """The table of slots; each call is a transaction.

    Args:
        db: a connection in autocommit mode.
        boot: the machine's boot id; ticks: seconds of a clock that never goes back and
            that all processes share.  Heartbeats count by them.
    """

    def __init__(
        self, db: sqlite3.Connection, *, boot: str, ticks: Callable[[], float]
    ) -> None:
        """Use the connection; the tables are made where they are missing."""
        self._db = db
        self._boot = boot
        self._ticks = ticks
        db.executescript(SCHEMA)

    def since(self, portal: str, listing: str, rule: str, now: datetime) -> datetime:
        """Return after which moment a schedule's starts are still to be taken.

        That is now for a rule that was not known, so that no change starts anything
        that lies in the past, and for a clock that went back.
        """
        with transaction(self._db):
            self._db.execute(
                "insert into plan values(?,?,?,?) on conflict do update set"
                " rule=excluded.rule, since=excluded.since"
                " where rule!=excluded.rule or since>excluded.since",
                (portal, listing, rule, _text(now)),
            )
            (since,) = self._db.execute(
                "select since from plan where portal=? and listing=?", (portal, listing)
            ).fetchone()
        return _moment(since)

    def pass_known(self, key: Key) -> bool:
        """Pass over a planned start that has its slot; False where it has none."""
        portal, listing, planned = _row(key)
        with transaction(self._db):
            passed = self._db.execute(
                "update plan set since=?3 where portal=?1 and listing=?2 and since<?3"
                " and exists(select 1 from slot where portal=?1 and listing=?2"
                " and planned_at=?3)",
                (portal, listing, planned),
            ).rowcount
        return passed > 0

    def take(
        self, key: Key, now: datetime, *, missed: int = 0, passes: bool = True
    ) -> bool:
        """Take a slot, and pass over those before it; False where somebody had it."""
        with transaction(self._db):
            taken = self._db.execute(
                "insert into slot(portal, listing, planned_at, state) values(?,?,?,?)"
                " on conflict do update set state=excluded.state where state=? or"
                " state=? and (boot!=? or beat_s<?)",
                (*_row(key), RUNNING, QUEUED, RUNNING, self._boot, self._stale_s()),
            ).rowcount
            if taken:
                self._db.execute(
                    "update slot set boot=?, beat_s=?, started_at=?, missed=?,"
                    " ended_at=null, exit_code=null"
                    " where portal=? and listing=? and planned_at=?",
                    (self._boot, self._ticks(), _text(now), missed, *_row(key)),
                )
                if passes:
                    self._pass(key, now)
        return taken > 0

    def put_off(self, key: Key, state: str, now: datetime, *, missed: int = 0) -> bool:
        """Note that a slot is not started now; False where it was known already."""
        with transaction(self._db):
            fresh = self._db.execute(
                "insert into slot(portal, listing, planned_at, state, missed)"
                " values(?,?,?,?,?) on conflict do nothing",
                (*_row(key), state, missed),
            ).rowcount
            self._pass(key, now)
        return fresh > 0

    def _pass(self, key: Key, now: datetime) -> None:
        """Pass over what was planned before; forget what is old."""
        portal, listing, planned = _row(key)
        self._db.execute(
            "update plan set since=? where portal=? and listing=? and since<?",
            (planned, portal, listing, planned),
        )
        self._db.execute(
            "update slot set state=? where portal=? and listing=? and planned_at<?"
            " and (state=? or state=? and (boot!=? or beat_s<?))",
            (
                *(MISSED, portal, listing, planned, QUEUED),
                *(RUNNING, self._boot, self._stale_s()),
            ),
        )
        self._db.execute(
            "delete from slot where planned_at<? and state not in (?,?)",
            (_text(now - KEPT), RUNNING, QUEUED),
        )

    def beat(self, key: Key) -> None:
        """Say that the slot's crawl is alive."""
        with transaction(self._db):
            self._db.execute(
                "update slot set beat_s=?"
                " where portal=? and listing=? and planned_at=?",
                (self._ticks(), *_row(key)),
            )

    def end(self, key: Key, state: str, now: datetime, end: End) -> None:
        """Note how a slot that was taken ended, or that it is queued again."""
        with transaction(self._db):
            self._db.execute(
                "update slot set state=?, ended_at=?, exit_code=?, run_id=?, message=?,"
                " counts=? where portal=? and listing=? and planned_at=?",
                (
                    *(state, _text(now), end.exit_code, end.run_id, end.message),
                    *(json.dumps(dict(end.counts)), *_row(key)),
                ),
            )

    def open(self, portal: str, listing: str) -> list[Slot]:
        """Return the slots that are queued or run, newest first."""
        rows = self._db.execute(
            f"select {_COLUMNS} from slot where portal=? and listing=? and state in"  # noqa: S608 - our own columns
            " (?,?) order by planned_at desc",
            (portal, listing, QUEUED, RUNNING),
        ).fetchall()
        return [self._slot(row) for row in rows]

    def last(self, portal: str, listing: str) -> Slot | None:
        """Return the newest slot, None where there is none."""
        row = self._db.execute(
            f"select {_COLUMNS} from slot where portal=? and listing=?"  # noqa: S608 - the same
            " order by planned_at desc limit 1",
            (portal, listing),
        ).fetchone()
        return self._slot(row) if row else None

    def all(self, portal: str) -> list[Slot]:
        """Return the slots of a portal, oldest first."""
        rows = self._db.execute(
            f"select {_COLUMNS} from slot where portal=? order by planned_at, listing",  # noqa: S608 - the same
            (portal,),
        ).fetchall()
        return [self._slot(row) for row in rows]

    def crawled_at(self, portal: str) -> datetime | None:
        """Return when a crawl of a portal last ended, None where none is known."""
        table = "select 1 from sqlite_master where name='outcome'"  # that of `metrics`
        if self._db.execute(table).fetchone() is None:
            return None
        ended = "select ended_at from outcome where portal=?"
        row = self._db.execute(ended, (portal,)).fetchone()
        return _moment(row[0]) if row else None

    def _stale_s(self) -> float:
        return self._ticks() - STALE_S

    def _slot(self, row: tuple[Any, ...]) -> Slot:  # Any: SQLite's
        portal, listing, planned_at, state, missed, boot, beat_s, *rest = row
        started_at, ended_at, exit_code, run_id, message, counts = rest
        left = boot != self._boot or float(beat_s) < self._stale_s()
        code = None if exit_code is None else int(exit_code)
        return Slot(
            Key(portal, listing, _moment(planned_at)),
            state,
            int(missed),
            state == RUNNING and left,
            _moment(started_at) if started_at else None,
            _moment(ended_at) if ended_at else None,
            End(code, run_id, message, json.loads(counts)),
        )


@contextmanager
def open_slots(
    spool_path: Path, *, boot: str, ticks: Callable[[], float]
) -> Iterator[Slots]:
    """Open the table of slots in the spool directory.

    Raises:
        SpoolUnwritable: it cannot be made or written.
    """
    with unwritable():
        make_directory(spool_path, spool_path.parent)
        db = sqlite3.connect(spool_path / FILE, isolation_level=None, timeout=30)
    try:
        with unwritable():
            db.execute("pragma journal_mode=wal")
            slots = Slots(db, boot=boot, ticks=ticks)
        yield slots
    finally:
        db.close()


def _row(key: Key) -> tuple[str, str, str]:
    return key.portal, key.listing, _text(key.planned_at)


def _text(at: datetime) -> str:
    """Return a moment so that texts sort as moments do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
