"""``run-due`` and ``schedule run``: start crawls by their schedules."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.crawl import worst
from crawler.cli.state import State, state_of
from crawler.cli.values import Portals
from crawler.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from crawler.jobs.timing.due import Due, Entry
    from crawler.jobs.timing.scheduled import Schedules, Started

Workers = Annotated[
    int, typer.Option(min=1, metavar="N", help="Portals crawled at once.")
]


def run_due(
    ctx: typer.Context,
    portals: Portals = None,
    workers: Workers = 4,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what is due; start nothing.")
    ] = False,
) -> None:
    """Start the crawls that are due; each planned start is taken once.

    It may be called as often as one likes, by several processes at once.
    """
    state = state_of(ctx)
    schedules = schedules_of(state, workers)
    dues = schedules.due(entries_of(state, portals))
    if dry_run:
        _show_due(state, dues)
        return
    _run(state, schedules, dues)


def run(
    ctx: typer.Context,
    portal: Annotated[str, typer.Argument(help="Id of a portal.")],
    listing: Annotated[
        str | None, typer.Option(metavar="ID", help="By this listing's schedule.")
    ] = None,
) -> None:
    """Start a portal's scheduled crawl now, outside its plan.

    It is pinged, counted and bounded like a planned one.
    """
    from crawler.jobs.timing.due import Due

    state = state_of(ctx)
    schedules = schedules_of(state)
    found = entries_of(state, [portal])
    chosen = [x for x in found if listing is None or x.listing == listing]
    if not chosen:
        message = f"listing {listing!r} of portal {portal!r} has no schedule of its own"
        raise UsageError(message)
    now = schedules.clock.now()
    _run(state, schedules, [Due(x, x.key(now), is_again=True) for x in chosen])


def _run(state: State, schedules: Schedules, dues: Sequence[Due]) -> None:
    with _stoppable(schedules):
        started = schedules.run(dues)
    for one in started:
        output.say(_text(one))
    if state.json:
        output.dump([_as_json(one) for one in started])
    if schedules.children.is_stopping:
        raise typer.Exit(Interrupted.exit_code)
    ran = [one.end for one in started if one.state == "ended"]
    codes = (Interrupted.exit_code if x.exit_code is None else x.exit_code for x in ran)
    raise typer.Exit(worst(codes))


def schedules_of(state: State, workers: int = 1) -> Schedules:
    """Return what scheduled crawls need."""
    from crawler.jobs.timing.child import Children
    from crawler.jobs.timing.scheduled import Schedules

    again = [sys.executable, "-P", "-m", "crawler.cli", *_options(state)]
    clock, _ = state.clock()
    return Schedules(state.settings, Children(again), clock, workers)


def _options(state: State) -> list[str]:
    told = [f"-{'v' * state.verbose}"] if state.verbose else []
    return [*told, "--config", str(state.config_path().absolute())]


def entries_of(state: State, names: Sequence[str] | None) -> list[Entry]:
    """Return the schedules of portals.

    Raises:
        UsageError: a portal that is named has none.
    """
    from crawler.jobs.timing.due import entries

    chosen = state.portals(names)
    found = list(entries(chosen))
    for portal in chosen if names else ():
        if not any(entry.portal.id == portal.id for entry in found):
            message = f"portal {portal.id!r} has no schedule; add 'schedule:' to it"
            raise UsageError(message)
    return found


@contextmanager
def _stoppable(schedules: Schedules) -> Iterator[None]:
    """Pass Ctrl-C and SIGTERM on to the crawls; wait for them to end."""

    def stop(*_: object) -> None:
        schedules.children.stop()

    before = {x: signal.signal(x, stop) for x in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_due(state: State, dues: Sequence[Due]) -> None:
    if state.json:
        output.dump([_due_json(one) for one in dues])
        return
    columns = ("schedule", "planned", "late", "missed before", "again")
    rows = (
        (x.entry.name, x.key.planned_at, _yes(x.is_late), x.missed, _yes(x.is_again))
        for x in dues
    )
    output.table(columns, rows)


def _yes(fact: bool) -> str:
    return "yes" if fact else ""


def _due_json(one: Due) -> dict[str, object]:
    return {
        "schedule": one.entry.name,
        "portal": one.key.portal,
        "listing": one.key.listing or None,
        "planned_at": one.key.planned_at,
        "missed": one.missed,
        "late": one.is_late,
        "again": one.is_again,
    }


def _as_json(one: Started) -> dict[str, object]:
    return {
        "portal": one.portal,
        "listings": list(one.listings),
        "slots": [_due_json(slot) for slot in one.slots],
        "state": one.state,
        "exit_code": one.end.exit_code,
        "run_id": one.end.run_id,
        "message": one.end.message,
        "counts": dict(one.end.counts),
    }


def _text(one: Started) -> str:
    slots = ", ".join(
        f"{x.entry.name} {output.moment(x.key.planned_at)}" for x in one.slots
    )
    code = "none" if one.end.exit_code is None else one.end.exit_code
    said = f": {one.end.message}" if one.end.message else ""
    return f"{one.portal}: {one.state}, exit code {code} ({slots}){said}"
