"""Status: what runs there are and were, read from manifests and from the spool.

Nothing is written: a spool is opened read only, so that looking at a crawl never
disturbs it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.archive import findings
from crawler.archive.spool import FILE, Spool
from crawler.errors import SpoolUnwritable
from crawler.frontier.sqlite import LEASED, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Run, Segment
    from crawler.archive.spool import RunRow

BUSY_S = 10.0
COMPLETE = "complete"
_HAS_NEWEST = "select 1 from sqlite_master where name='newest'"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run, closed or not.

    Attributes:
        state: ``complete``, ``below_expectation``; ``open`` while URLs are left,
            ``closing`` while only commits are; ``unclosed`` where segments
            are in the store, but neither a manifest nor this spool knows the run.
        items: ``new``, ``revised``, ``unchanged``, and ``kind:…``.
        counts: URLs by outcome and by ``outcome:reason``.
        segments: committed ones.
        waiting, leased: URLs that are left; 0 for a closed run.
        uncommitted: segments that are not in the store yet.
    """

    run_id: str
    portal: str
    job: str
    state: str
    started_at: datetime
    ended_at: datetime | None = None
    items: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    segments: int = 0
    waiting: int = 0
    leased: int = 0
    uncommitted: int = 0

    @property
    def is_closed(self) -> bool:
        """Tell whether the run's manifest is stored."""
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class Totals:
    """What is committed of a portal: counts, and bytes of WARC."""

    runs: int = 0
    segments: int = 0
    records: int = 0
    items: int = 0
    warc_bytes: int = 0


@dataclass(frozen=True, slots=True)
class PortalStatus:
    """How a portal stands.

    Attributes:
        last: the newest closed run, None where there is none.
        unfinished: runs that are not closed, oldest first.
        good_at: when a run was last complete.
        newest_at: when the newest item that is known was published; the spool knows.
    """

    portal: str
    last: RunStatus | None
    unfinished: tuple[RunStatus, ...]
    totals: Totals
    good_at: datetime | None = None
    newest_at: datetime | None = None


def portal_status(
    collection: Collection, spool_path: Path, portal: str
) -> PortalStatus:
    """Return how a portal stands.

    Raises:
        StoreUnavailable: the store cannot be read.
        ArchiveDamaged: a manifest cannot be read.
    """
    runs = run_statuses(collection, spool_path, portal)
    closed = [run for run in runs if run.is_closed]
    good = [run.ended_at for run in closed if run.ended_at and run.state == COMPLETE]
    return PortalStatus(
        portal,
        closed[-1] if closed else None,
        tuple(run for run in runs if not run.is_closed),
        _totals(len(closed), collection.segments(portal)),
        max(good, default=None),
        newest_item(spool_path, portal),
    )


def _totals(runs: int, segments: Iterable[Segment]) -> Totals:
    sums: Counter[str] = Counter()
    for segment in segments:
        sums["segments"] += 1
        for stored in segment.files:
            sums[stored.role] += stored.entries
            sums["bytes"] += stored.bytes if stored.role == "warc" else 0
    return Totals(runs, sums["segments"], sums["cdxj"], sums["items"], sums["bytes"])


def run_statuses(
    collection: Collection, spool_path: Path, portal: str
) -> list[RunStatus]:
    """Return a portal's runs, oldest first: open, closed and unclosed ones.

    The store is read after the spool: a run that is closed meanwhile is seen.

    Raises:
        StoreUnavailable: the store cannot be read.
        ArchiveDamaged: a manifest cannot be read.
    """
    found = {run.run_id: run for run in open_runs(spool_path, portal)}
    found.update((run.run_id, _closed(run)) for run in collection.runs(portal))
    committed = Counter(segment.run_id for segment in collection.segments(portal))
    for segment in collection.segments(portal):
        if segment.run_id not in found:
            found[segment.run_id] = _unclosed(segment, committed[segment.run_id])
    return [found[run_id] for run_id in sorted(found)]


def _closed(run: Run) -> RunStatus:
    return RunStatus(
        run.run_id,
        run.portal,
        run.job,
        run.state,
        run.started_at,
        run.ended_at,
        dict(run.items),
        dict(run.counts),
        run.problems,
        len(run.segments),
    )


def _unclosed(segment: Segment, segments: int) -> RunStatus:
    return RunStatus(
        segment.run_id,
        segment.portal,
        segment.job,
        "unclosed",
        segment.begun_at,
        problems=("never closed, and not in this spool; crawl on where it was begun",),
        segments=segments,
    )


def open_runs(spool_path: Path, portal: str) -> list[RunStatus]:
    """Return the runs in a portal's spool, oldest first; empty without a spool.

    Raises:
        SpoolUnwritable: the spool is there and cannot be read.
    """
    with _looked_at(spool_path, portal) as db:
        if db is None:
            return []
        spool = Spool(db)
        return [_open(spool, row) for row in spool.runs()]


def newest_item(spool_path: Path, portal: str) -> datetime | None:
    """Return when the newest item of a portal was published, None where unknown.

    Raises:
        SpoolUnwritable: the spool is there and cannot be read.
    """
    with _looked_at(spool_path, portal) as db:
        known = db and db.execute(_HAS_NEWEST).fetchone()
        return max(findings.newest(db).values(), default=None) if db and known else None


@contextmanager
def _looked_at(spool_path: Path, portal: str) -> Iterator[sqlite3.Connection | None]:
    """Open a portal's spool to read it; None where there is none.

    Raises:
        SpoolUnwritable: the spool is there and cannot be read.
    """
    file = spool_path / portal / FILE
    if not file.exists():
        yield None
        return
    try:
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, BUSY_S, uri=True)) as db:
            yield db
    except sqlite3.Error as exc:
        message = f"the spool {str(file)!r} cannot be read: {exc}"
        raise SpoolUnwritable(message) from exc


def _open(spool: Spool, row: RunRow) -> RunStatus:
    segments = spool.segments(row.run_id)
    committed = sum(segment.state == "committed" for segment in segments)
    left = _left(spool.db, row.run_id)
    counts = spool.outbox.counts(row.run_id)
    return RunStatus(
        row.run_id,
        row.portal,
        row.job,
        row.state if sum(left.values()) else "closing",
        row.started_at,
        items=_part(counts, of_items=True),
        counts=_part(counts, of_items=False),
        segments=committed,
        waiting=left.get(WAITING, 0),
        leased=left.get(LEASED, 0),
        uncommitted=len(segments) - committed,
    )


def _left(db: sqlite3.Connection, run_id: str) -> dict[int, int]:
    """Return how many rows of the frontier wait and are leased, by state."""
    rows = db.execute(
        "select state, count(*) from work where run_id=? and state in (?, ?)"
        " group by state",
        (run_id, WAITING, LEASED),
    )
    return dict(rows.fetchall())


def _part(counts: dict[str, int], *, of_items: bool) -> dict[str, int]:
    """Return the counters of items, or the others, as a run manifest splits them."""
    return {
        name.removeprefix("items:"): count
        for name, count in counts.items()
        if name.startswith("items:") == of_items and not name.startswith("fields:")
    }
