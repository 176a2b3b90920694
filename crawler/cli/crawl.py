"""``crawl``: visit portals live."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.progress import CrawlProgress, Ticker
from crawler.cli.state import State, state_of
from crawler.cli.values import Portals
from crawler.config.problem import did_you_mean
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.config.portal import Portal
    from crawler.jobs.crawl import Result

WORST_FIRST = (1, 3, 2, 6, 5, 7, 4, 75)
"""Of several portals' exit codes the first of these is the command's."""
_RUN_EVENTS = ("captured", "revisited", "failed")


def crawl(
    ctx: typer.Context,
    portals: Portals = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="At most N item pages a portal."),
    ] = None,
    listing: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this listing of the one portal named."),
    ] = None,
) -> None:
    """Crawl portals, archive what comes, emit items; go on where a run stopped."""
    from crawler.jobs.crawl import crawl as job
    from crawler.jobs.timing.metrics import note as note_end

    state = state_of(ctx)
    chosen = state.portals(portals)
    check_listings(chosen, listing or ())
    clock, note = state.clock()
    with Ticker() as ticker:
        results = job(
            state.settings,
            chosen,
            clock,
            limit=limit,
            listings=listing or (),
            clock_note=note,
            progress=CrawlProgress(ticker, _waiting(Path(state.settings.spool.path))),
        )
    for result in results:
        counts = result.counts or {}
        note_end(state.settings, result.portal, result.exit_code, counts, clock.now())
    show(results, state)
    raise typer.Exit(worst(result.exit_code for result in results))


def check_listings(portals: Sequence[Portal], names: Iterable[str]) -> None:
    """Check that names are of listings of the only portal.

    Raises:
        UsageError: there are several portals, or there is no such listing.
    """
    for name in names:
        if len(portals) != 1:
            raise UsageError(f"--listing {name!r} wants its portal; name one")
        known = [rule.id for rule in portals[0].listings]
        if name not in known:
            near = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
            message = f"portal {portals[0].id!r} has no listing {name!r}{near}"
            raise UsageError(message)


def _waiting(spool: Path) -> Callable[[str], int]:
    """Return what tells how many URLs of a portal are left, by its spool."""
    from crawler.jobs.looking.status import open_runs

    def waiting(portal: str) -> int:
        return sum(run.waiting + run.leased for run in open_runs(spool, portal))

    return waiting


def worst(codes: Iterable[int]) -> int:
    """Return the exit code that says most of several; an unknown one is a bug's."""
    found = set(codes) - {0}
    if found - set(WORST_FIRST):
        return 1
    return next((code for code in WORST_FIRST if code in found), 0)


def show(results: Iterable[Result], state: State) -> None:
    """Say how each portal's crawl ended; the results as JSON on stdout if wanted."""
    store = state.settings.store.url if not state.settings.secrets else "the store"
    found = list(results)
    for result in found:
        for text in summary(result, store):
            output.say(text)
    if state.json:
        output.dump([_as_json(result) for result in found])


def _as_json(result: Result) -> dict[str, object]:
    fields = {x.name: getattr(result, x.name) for x in dataclasses.fields(result)}
    fields["run"] = result.run and result.run.model_dump(
        mode="json", exclude={"config"}
    )
    return fields


def summary(result: Result, store: str) -> list[str]:
    """Return how a portal's crawl ended, in a few lines."""
    if result.run_id is None:
        return [f"{result.portal}: {result.message}"]
    counts = result.counts or {}
    state = result.run.state.replace("_", " ") if result.run else "not closed"
    lines = [f"{result.portal}: run {result.run_id} {state}"]
    if result.message:
        lines.append(f"  {result.message}")
    lines.append(f"  items: {_items(counts)}")
    visited = sum(counts.get(name, 0) for name in _RUN_EVENTS)
    lines.append(f"  visited: {visited}{_reasons(counts, 'captured')}")
    lines += [
        f"  {name}: {counts[name]}{_reasons(counts, name)}"
        for name in ("skipped", "failed")
        if counts.get(name)
    ]
    segments = len(result.run.segments) if result.run else 0
    if segments:
        lines.append(f"  stored: {segments} {_plural('segment', segments)} in {store}")
    return lines


def _items(counts: Mapping[str, int]) -> str:
    changes = ("new", "revised", "unchanged")
    return ", ".join(f"{counts.get(f'items:{x}', 0)} {x}" for x in changes)


def _reasons(counts: Mapping[str, int], outcome: str) -> str:
    found = [
        f"{name.partition(':')[2]} {count}"
        for name, count in sorted(counts.items(), key=lambda pair: -pair[1])
        if name.startswith(f"{outcome}:")
    ]
    return f" ({', '.join(found)})" if found else ""


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
