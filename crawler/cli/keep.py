"""``commit``, ``index`` and ``gc``: what keeps an archive and its spool in order."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.crawl import worst
from crawler.cli.state import State, state_of, unknown_portal
from crawler.cli.values import Portals
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.jobs.finish import Finished
    from crawler.jobs.keeping.finding import Mended
    from crawler.jobs.keeping.garbage import Garbage

DAYS = re.compile(r"(\d{1,4})d")
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would be done; change nothing.")
]


def commit(ctx: typer.Context, portals: Portals = None) -> None:
    """Commit what interrupted runs left in the spool; close runs with nothing left.

    Nothing is fetched. A portal that is no longer configured is committed, too.
    """
    from crawler.jobs.finish import finish_runs, spooled_portals

    state = state_of(ctx)
    known = spooled_portals(Path(state.settings.spool.path))
    clock, _ = state.clock()
    found: list[Finished] = []
    for name in _chosen(portals, known, state):
        for one in finish_runs(state.settings, name, clock):
            found.append(one)
            output.say(_finished(one))
    if state.json:
        output.dump([dataclasses.asdict(one) for one in found])
    if not found:
        output.say("nothing to commit")
    raise typer.Exit(worst(one.exit_code for one in found))


def _chosen(names: list[str] | None, spooled: list[str], state: State) -> list[str]:
    """Return the portals that have a spool, of those that are named.

    Raises:
        UsageError: a name is neither configured nor has a spool.
    """
    if not names:
        return spooled
    known = dict.fromkeys([*spooled, *(x.id for x in state.settings.portals)])
    for name in names:
        if name not in known:
            raise UsageError(unknown_portal(name, known))
    return [name for name in names if name in spooled]


def _finished(one: Finished) -> str:
    said = f"{one.portal} {one.run_id}: {one.segments} segments committed"
    if one.left:
        said += f", {one.left} URLs left; `crawl` goes on with them"
    elif one.state:
        said += f", closed as {one.state.replace('_', ' ')}"
    return f"{said}; {one.message}" if one.message else said


def index(
    ctx: typer.Context,
    portal: Annotated[str, typer.Argument(help="The portal.")],
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make it again of what is stored.")
    ] = False,
) -> None:
    """Tell how much the spool knows of a portal's items; make it again of the archive.

    A crawl reads by itself what its spool does not know; --rebuild is for a spool that
    knows something wrong.
    """
    from crawler.archive.spool import Spool, open_database
    from crawler.jobs.keeping.rebuild import rebuild as job
    from crawler.jobs.keeping.repair import JOBS
    from crawler.jobs.lock import portal_lock

    state = state_of(ctx)
    state.stored_names([portal])
    collection = state.collection()
    directory = Path(state.settings.spool.path) / portal
    stored = set(collection.segment_names(portal))
    with ExitStack() as stack:
        for kind in JOBS if rebuild else ():
            stack.enter_context(portal_lock(directory, kind))
        spool = Spool(stack.enter_context(closing(open_database(directory))))
        if rebuild:
            job(collection, portal, spool)
        items = spool.outbox.head_count()
        unknown = len(stored - spool.outbox.folded())
    if state.json:
        counts = {"items": items, "segments": len(stored), "unknown_segments": unknown}
        output.dump({"portal": portal, "rebuilt": rebuild, **counts})
        return
    output.line(
        f"{portal}: {items} items known, {len(stored)} segments stored, "
        f"{unknown} of them not read yet"
    )


def gc(
    ctx: typer.Context,
    portals: Portals = None,
    older_than: Annotated[
        str,
        typer.Option(metavar="DAYS", help="Objects begun less than this ago stay."),
    ] = "14d",
    dry_run: DryRun = False,
) -> None:
    """Remove what interrupted work left behind; nothing that a manifest lists.

    Those are objects of segments that were never committed, unfinished files of a
    directory store and uploads to S3 that were cut off (without a portal's name), and
    local files of segments that are in the store. Choose more days than your store was
    ever away.
    """
    state = state_of(ctx)
    age = _age(older_than)
    known = _stored_or_spooled(state)
    found: list[Garbage] = []
    for name in portals or known:
        if name not in known:
            raise UsageError(unknown_portal(name, known))
        found += _collected(state, name, age, dry_run=dry_run)
    if not dry_run and not portals:
        found += _cut_off(state, age)
    if state.json:
        output.dump([_as_json(one) for one in found])
    else:
        for one in found:
            output.line(output.clean(f"{one.where}: {one.what}"))
    total = output.size(sum(one.size for one in found))
    verb = "would be removed" if dry_run else "removed"
    output.say(f"{len(found)} things {verb}, {total}")


def _age(text: str) -> timedelta:
    if (match := DAYS.fullmatch(text)) is None:
        raise UsageError(f"--older-than {text!r} is no number of days such as '14d'")
    return timedelta(days=int(match[1]))


def _stored_or_spooled(state: State) -> list[str]:
    from crawler.jobs.finish import spooled_portals
    from crawler.jobs.keeping.check import stored_portals

    spooled = spooled_portals(Path(state.settings.spool.path))
    return sorted({*stored_portals(state.collection()), *spooled})


def _collected(
    state: State, portal: str, age: timedelta, *, dry_run: bool
) -> list[Garbage]:
    """Find a portal's garbage and remove it while no job of it runs.

    Raises:
        Locked: one runs.
    """
    from crawler.jobs.keeping.garbage import find_garbage, remove
    from crawler.jobs.keeping.repair import JOBS
    from crawler.jobs.lock import portal_lock

    directory = Path(state.settings.spool.path) / portal
    clock, _ = state.clock()
    with ExitStack() as stack:
        for kind in () if dry_run else JOBS:
            stack.enter_context(portal_lock(directory, kind))
        collection, now = state.collection(), clock.now()
        found = list(
            find_garbage(collection, portal, directory, older_than=age, now=now)
        )
        if not dry_run:
            remove(collection, found)
            # A directory is empty only once its files are gone.
            again = find_garbage(collection, portal, directory, older_than=age, now=now)
            emptied = list(again)
            remove(collection, emptied)
            found += emptied
    return found


def _cut_off(state: State, age: timedelta) -> list[Garbage]:
    """Remove uploads of any portal that were cut off and never became an object."""
    from crawler.jobs.keeping.garbage import cut_off

    clock, _ = state.clock()
    return cut_off(state.collection().store, clock.now() - age)


def _as_json(one: Garbage) -> dict[str, object]:
    return {"where": one.where, "what": one.what, "bytes": one.size}


def mend(
    state: State, targets: Iterable[tuple[str, str | None]], *, dry_run: bool
) -> list[Mended]:
    """Repair portals, or one run of each where it is named; say what was done.

    Raises:
        Locked: a job of one of the portals runs.
    """
    from crawler.archive.store import open_store
    from crawler.jobs.keeping.repair import repair_portal
    from crawler.jobs.looking.status import open_runs

    spool = Path(state.settings.spool.path)
    clock, _ = state.clock()
    found: list[Mended] = []
    for portal, run_id in targets:
        for one in repair_portal(
            open_store(state.settings.store),
            portal,
            clock,
            spool_directory=spool / portal,
            open_runs=[run.run_id for run in open_runs(spool, portal)],
            run_id=run_id,
            dry_run=dry_run,
        ):
            found.append(one)
            done = "would be mended" if dry_run else "mended"
            output.say(f"{done if one.done else 'not mended'}: {one}")
    return found
