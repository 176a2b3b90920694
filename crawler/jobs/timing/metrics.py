"""Metrics: how the last crawl of each portal went, as a textfile for Prometheus.

The file is for node_exporter's textfile collector.  It is written anew after each
crawl, whole, under a name of its own and then renamed, so that no reader meets a half.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.database import transaction, unwritable
from crawler.archive.directory import make_directory
from crawler.errors import Locked, SpoolUnwritable
from crawler.jobs.looking.status import newest_item
from crawler.jobs.timing.slots import FILE
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crawler.config.settings import Settings

NO_CODE = -1
"""Stands for the exit code of a crawl that was killed."""
SCHEMA = """
create table if not exists outcome(
  portal text primary key, ended_at text not null, exit_code integer not null,
  success_at text, new integer not null, revised integer not null,
  failed integer not null) without rowid;
"""
log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last crawl of a portal ended.

    Attributes:
        success_at: when one last ended with 0.
        new, revised: items; failed: pages.
        newest_at: publication time of the portal's newest item.
    """

    portal: str
    ended_at: datetime
    exit_code: int
    success_at: datetime | None
    new: int
    revised: int
    failed: int
    newest_at: datetime | None = None


def text_of(outcomes: Iterable[Outcome]) -> str:
    """Return the metrics in Prometheus' text format, sorted by portal."""
    found = sorted(outcomes, key=lambda one: one.portal)
    return "".join(_gauge(name, what, found, read) for name, what, read in GAUGES)


def _gauge(
    name: str,
    what: str,
    outcomes: Sequence[Outcome],
    read: Callable[[Outcome], Mapping[str, float | None]],
) -> str:
    lines = [
        f'portalkeep_{name}{{portal="{one.portal}"{label}}} {value:.15g}\n'
        for one in outcomes
        for label, value in read(one).items()
        if value is not None
    ]
    head = f"# HELP portalkeep_{name} {what}\n# TYPE portalkeep_{name} gauge\n"
    return head + "".join(lines) if lines else ""


def _seconds(at: datetime | None) -> dict[str, float | None]:
    return {"": None if at is None else at.timestamp()}


GAUGES: tuple[tuple[str, str, Callable[[Outcome], Mapping[str, float | None]]], ...] = (
    (
        "last_success_timestamp_seconds",
        "When a crawl last ended with 0.",
        lambda x: _seconds(x.success_at),
    ),
    (
        "last_run_timestamp_seconds",
        "When the last crawl ended.",
        lambda x: _seconds(x.ended_at),
    ),
    (
        "last_run_exit_code",
        "Of the last crawl; -1: it was killed.",
        lambda x: {"": x.exit_code},
    ),
    (
        "last_run_items",
        "Items of the last crawl.",
        lambda x: {',change="new"': x.new, ',change="revised"': x.revised},
    ),
    (
        "last_run_pages_failed",
        "Pages that failed in the last crawl.",
        lambda x: {"": x.failed},
    ),
    (
        "newest_item_timestamp_seconds",
        "When the newest item was published.",
        lambda x: _seconds(x.newest_at),
    ),
)


def note(
    settings: Settings,
    portal: str,
    exit_code: int | None,
    counts: Mapping[str, int],
    now: datetime,
) -> None:
    """Keep how a crawl ended, and write the textfile where one is wanted.

    A crawl that met another is none.  What cannot be written is a warning.
    """
    if exit_code == Locked.exit_code:
        return
    code = NO_CODE if exit_code is None else exit_code
    tallies = (counts.get(x, 0) for x in ("items:new", "items:revised", "failed"))
    row = (portal, now.isoformat(), code, None if code else now.isoformat(), *tallies)
    try:
        _keep(settings, row)
    except SpoolUnwritable as exc:
        log.warning("outcome_not_kept", portal=portal, error=str(exc))


def _keep(settings: Settings, row: tuple[object, ...]) -> None:
    spool, file = Path(settings.spool.path), settings.metrics.textfile
    with unwritable():
        make_directory(spool, spool.parent)
        db = sqlite3.connect(spool / FILE, isolation_level=None, timeout=30)
    with closing(db):
        with unwritable():
            db.executescript(SCHEMA)
        # Under one lock: the file of the last to write has what all others kept.
        with transaction(db):
            db.execute(
                "insert into outcome values(?,?,?,?,?,?,?) on conflict do update set"
                " ended_at=excluded.ended_at, exit_code=excluded.exit_code,"
                " success_at=coalesce(excluded.success_at, success_at),"
                " new=excluded.new, revised=excluded.revised, failed=excluded.failed",
                row,
            )
            if file is not None:
                write(Path(file), text_of(_all(db, spool)))


def _all(db: sqlite3.Connection, spool: Path) -> list[Outcome]:
    rows = db.execute("select * from outcome").fetchall()
    return [
        Outcome(
            portal,
            datetime.fromisoformat(ended_at),
            code,
            datetime.fromisoformat(success_at) if success_at else None,
            new,
            revised,
            failed,
            newest_item(spool, portal),
        )
        for portal, ended_at, code, success_at, new, revised, failed in rows
    ]


def write(path: Path, text: str) -> None:
    """Write a file in one step; a reader has the one before, or this one whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as exc:
        log.warning("metrics_not_written", file=str(path), error=exc.strerror)
