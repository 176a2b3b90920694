"""Finish: commit what interrupted runs left in the spool, without fetching anything.

A run whose work has all ended is closed, too.  The portal need not be configured any
more: a run knows its own rules.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from crawler.archive.commit import commit_run
from crawler.archive.spool import FILE, Spool, open_database
from crawler.archive.store import open_store
from crawler.config.portal import Portal
from crawler.errors import PortalkeepError, UsageError
from crawler.jobs.judge import problems_of
from crawler.jobs.lock import portal_lock
from crawler.jobs.run import close_run, open_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.archive.spool import RunRow
    from crawler.clock import Clock
    from crawler.config.settings import Settings
    from crawler.jobs.run import OpenRun


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of one unfinished run.

    Attributes:
        segments: how many were committed now.
        left: URLs that have not ended; `crawl` goes on with them.
        state: of the run's manifest, None where the run is not closed.
        exit_code: of the command line contract.
        message: why it was no success; empty where it was.
    """

    portal: str
    run_id: str
    segments: int = 0
    left: int = 0
    state: str | None = None
    exit_code: int = 0
    message: str = ""


def spooled_portals(spool_path: Path) -> list[str]:
    """Return the ids of the portals that have a spool, sorted."""
    return sorted(path.parent.name for path in spool_path.glob(f"*/{FILE}"))


def finish_runs(settings: Settings, portal: str, clock: Clock) -> Iterator[Finished]:
    """Commit a portal's unfinished runs; close those that have nothing left.

    One run's failure does not stop the others.

    Raises:
        SpoolUnwritable: the spool cannot be used.
    """
    directory = Path(settings.spool.path) / portal
    with closing(open_database(directory)) as db:
        rows = Spool(db).runs()
    for row in rows:
        try:
            with portal_lock(directory, row.job):
                yield _finished(settings, row, clock)
        except PortalkeepError as exc:
            code, message = exc.exit_code, str(exc)
            yield Finished(portal, row.run_id, exit_code=code, message=message)


def _finished(settings: Settings, row: RunRow, clock: Clock) -> Finished:
    run = open_run(
        settings,
        _portal(settings, row),
        row.job,
        clock,
        config=dict(row.config),
        config_digest=row.config_digest,
    )
    with closing(run.spool.db):
        if run.row.run_id != row.run_id:
            raise UsageError(f"run {row.run_id!r} ended meanwhile")
        return _committed(run, settings)


def _committed(run: OpenRun, settings: Settings) -> Finished:
    recorder = run.recorder(lambda _: None)
    recorder.start()
    recorder.stop()  # gives what a crash left without a segment one
    store = open_store(settings.store)
    done = commit_run(store, run.spool, run.directory, run.row)
    left = run.frontier.left(run.row.run_id)
    state = None
    problems: tuple[str, ...] = ()
    if not left:
        problems = problems_of(run, store)
        state = close_run(run, store, problems).state
    return Finished(
        run.portal.id,
        run.row.run_id,
        len(done),
        left,
        state,
        4 if problems else 0,
        "; ".join(problems),
    )


def _portal(settings: Settings, row: RunRow) -> Portal:
    for portal in settings.portals:
        if portal.id == row.portal:
            return portal
    try:
        return Portal.model_validate(row.config.get("portal"))
    except ValidationError as exc:
        message = (
            f"portal {row.portal!r} is not configured, and the rules of run "
            f"{row.run_id!r} cannot be read; configure it"
        )
        raise UsageError(message) from exc
