"""Crawl: visit portals live, archive what comes, emit items; stop and resume."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.addresses import PublicOnly
from crawler.archive.committer import Committer
from crawler.archive.store import open_store
from crawler.archive.store.probe import probe_once
from crawler.browser.renderer import Renderer
from crawler.config.digest import config_digest, resolved
from crawler.errors import PortalkeepError, StoreUnavailable
from crawler.extract.listings.listing import seed_links
from crawler.frontier.hosts import Hosts, open_hosts
from crawler.frontier.policy import allows_private
from crawler.frontier.sqlite import Child
from crawler.jobs.judge import problems_of
from crawler.jobs.lock import portal_lock
from crawler.jobs.redaction import hidden_texts, redaction_of
from crawler.jobs.run import (
    boot_id,
    close_run,
    new_record_id,
    open_run,
    restricted_to,
)
from crawler.jobs.states import read_states, secrets_of
from crawler.log import get_log, hide, shown
from crawler.spiders.context import CrawlContext
from crawler.spiders.cookies import FILE as COOKIES
from crawler.spiders.engine import run_engines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.archive.ledger import Ended, Ending
    from crawler.archive.manifest import Run
    from crawler.archive.recorder import Recorder
    from crawler.archive.store import Store
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.config.settings import Settings
    from crawler.jobs.run import OpenRun

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How the crawl of one portal ended.

    Attributes:
        run: its manifest, None where the run is not closed.
        run_id: None where no run was opened.
        exit_code: of the command line contract.
        message: what happened, where it was no success.
        counts: the run's counters.
    """

    portal: str
    run_id: str | None
    exit_code: int
    run: Run | None = None
    message: str = ""
    counts: dict[str, int] | None = None


@dataclass(slots=True)
class Crawl:
    """One portal's crawl under way."""

    run: OpenRun
    store: Store
    recorder: Recorder
    committer: Committer
    context: CrawlContext


def crawl(
    settings: Settings,
    portals: Sequence[Portal],
    clock: Clock,
    *,
    job: str = "crawl",
    limit: int | None = None,
    listings: Sequence[str] = (),
    clock_note: str | None = None,
    progress: Callable[[str, Ending, Ended], None] | None = None,
) -> list[Result]:
    """Crawl portals at the same time in this process; return how each ended.

    One portal's failure does not stop the others.

    Args:
        settings: store, spool, limits.
        portals: to crawl.
        clock: the wall clock of the archive.
        job: kind of the runs, ``crawl`` or ``backfill``.
        limit: item pages per portal.
        listings: ids of the only ones to walk; all for none.
        clock_note: noted in the archive where the clock was set.
        progress: called for each visit that ended, with the portal's id.
    """
    results: list[Result] = []
    renderer = renderer_of(settings)
    with ExitStack() as stack:
        crawls: list[Crawl] = []
        for portal in portals:
            try:
                begun = begin(
                    stack,
                    settings,
                    _limited(portal, limit),
                    clock,
                    job=job,
                    listings=listings,
                    clock_note=clock_note,
                    renderer=renderer,
                )
                begun.context.progress = progress and partial(progress, portal.id)
                crawls.append(begun)
            except PortalkeepError as exc:
                results.append(_failed(portal.id, None, exc))
        run_engines([crawl.context for crawl in crawls])
        results.extend(finish(crawl) for crawl in crawls)
    return results


def _limited(portal: Portal, limit: int | None) -> Portal:
    if limit is None:
        return portal
    scope = portal.scope.model_copy(update={"max_items": limit})
    return portal.model_copy(update={"scope": scope})


def begin(
    stack: ExitStack,
    settings: Settings,
    portal: Portal,
    clock: Clock,
    *,
    job: str = "crawl",
    listings: Sequence[str] = (),
    clock_note: str | None = None,
    renderer: Renderer | None = None,
) -> Crawl:
    """Lock a portal, open or resume its run, start its threads, plant its seeds.

    What stack holds is to be closed after `finish`; renderer is shared by the crawls
    of a process.

    Raises:
        Locked: another process crawls it.
        ConfigError: the store cannot keep an archive as it is configured, or a file
            of a session cannot be used.
        SpoolUnwritable: the spool cannot be used.
    """
    states = read_states(portal)
    hide(hidden_texts(portal, settings) | secrets_of(states))
    stack.enter_context(portal_lock(Path(settings.spool.path) / portal.id, job))
    store = open_store(settings.store)
    try:
        probe_once(store)
    except StoreUnavailable as exc:  # the spool keeps what comes meanwhile
        log.warning("store_away", portal=portal.id, error=str(exc))
    run = open_run(
        settings,
        portal,
        job,
        clock,
        config=resolved(portal, settings) | restricted_to(listings),
        config_digest=config_digest(portal),
        clock_note=clock_note,
    )
    stack.callback(run.spool.db.close)
    committer = Committer(
        store,
        run.spool_directory,
        run.directory,
        run.row,
        timeout_s=settings.store.commit_timeout,
    )
    recorder = run.recorder(committer.wake, committer.away_s)
    recorder.start()
    committer.start()
    begins = seed_links(portal, run.row.started_at)
    seeds = [x for x in begins if not listings or x.listing in listings]
    recorder.seed([Child(link) for link in seeds]).result()
    context = CrawlContext(
        portal=portal,
        run_id=run.row.run_id,
        config_digest=run.row.config_digest,
        clock=clock,
        desk=recorder,
        tape=recorder,
        spool_dir=run.directory,
        max_record_bytes=settings.warc.max_record,
        make_id=new_record_id,
        guard=None if allows_private(portal) else PublicOnly(),
        redaction=redaction_of(portal, settings),
        states=states,
        cookie_file=run.spool_directory / COOKIES,
        hosts=_hosts(stack, settings),
        renderer=renderer or renderer_of(settings),
    )
    log.info("run_started", portal=portal.id, run=run.row.run_id, resumed=run.resumed)
    return Crawl(run, store, recorder, committer, context)


def renderer_of(settings: Settings) -> Renderer:
    """Return the process's browser, not started."""
    browser = settings.browser
    return Renderer(browser.path, browser.timeout, browser.pages, browser.max_memory)


def _hosts(stack: ExitStack, settings: Settings) -> Hosts:
    db = open_hosts(Path(settings.spool.path))
    stack.callback(db.close)
    return Hosts(db, boot=boot_id(), ticks=time.monotonic)


def finish(crawl: Crawl) -> Result:
    """Commit what there is, close the run where its work is done."""
    run, portal = crawl.run, crawl.run.portal
    failure: PortalkeepError | None = crawl.context.failure
    try:
        crawl.recorder.stop()
    except PortalkeepError as exc:
        failure = failure or exc
    try:
        crawl.committer.stop()
    except PortalkeepError as exc:  # what waiting does not mend is why it stopped
        failure = exc if failure is None or not exc.retryable else failure
    counts = run.spool.outbox.counts(run.row.run_id)
    failure = failure or _uncommitted(run)
    if failure is not None:
        return replace(_failed(portal.id, run.row.run_id, failure), counts=counts)
    if run.frontier.left(run.row.run_id):
        message = "interrupted; the same command resumes it"
        return Result(portal.id, run.row.run_id, 7, message=message, counts=counts)
    return _close(crawl, counts)


def _uncommitted(run: OpenRun) -> PortalkeepError | None:
    """Return what is to be said where a segment is not in the store."""
    segments = run.spool.segments(run.row.run_id)
    waiting = [x.name for x in segments if x.state != "committed"]
    if not waiting:
        return None
    return StoreUnavailable(f"{waiting[0]!r} is not in the store; a rerun commits it")


def _close(crawl: Crawl, counts: dict[str, int]) -> Result:
    run = crawl.run
    problems = problems_of(run, crawl.store)
    try:
        closed = close_run(run, crawl.store, problems)
    except PortalkeepError as exc:
        return replace(_failed(run.portal.id, run.row.run_id, exc), counts=counts)
    log.info(
        "run_closed",
        portal=run.portal.id,
        run=run.row.run_id,
        state=closed.state,
        items=closed.items,
    )
    return Result(
        run.portal.id,
        run.row.run_id,
        4 if problems else 0,
        closed,
        "; ".join(problems),
        counts,
    )


def _failed(portal: str, run_id: str | None, error: PortalkeepError) -> Result:
    return Result(portal, run_id, error.exit_code, message=shown(str(error)))
