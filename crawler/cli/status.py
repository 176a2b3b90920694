"""``status`` and ``runs``: how portals stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.state import state_of
from crawler.cli.values import Portals

if TYPE_CHECKING:
    from crawler.jobs.looking.status import PortalStatus, RunStatus


def status(ctx: typer.Context, portals: Portals = None) -> None:
    """Tell of each portal its last run, what is unfinished, and totals."""
    from crawler.jobs.looking.status import portal_status

    state = state_of(ctx)
    collection = state.collection()
    spool = Path(state.settings.spool.path)
    names = state.stored_names(portals)
    found = [portal_status(collection, spool, name) for name in names]
    if state.json:
        output.dump([dataclasses.asdict(one) for one in found])
        return
    now = state.clock()[0].now()
    for one in found:
        output.write(
            "".join(f"{output.clean(text)}\n" for text in _portal_text(one, now))
        )
    if not found:
        output.say("no portal is configured, and none is stored")


def _portal_text(found: PortalStatus, now: datetime) -> list[str]:
    totals = found.totals
    stored = (
        f"{totals.runs} runs, {totals.segments} segments, {totals.records} records, "
        f"{totals.items} items, {output.size(totals.warc_bytes)}"
    )
    last = _run_text(found.last) if found.last else ["none yet"]
    lines = [f"{found.portal}", f"  stored    {stored}"]
    lines += _under("last run", last)
    lines += _under("fresh", [_fresh(found, now)])
    for run in found.unfinished:
        lines += _under("open run", _run_text(run))
    return lines


def _fresh(found: PortalStatus, now: datetime) -> str:
    """Return how old the newest item and the last complete run are."""
    item = f"newest item {_ago(found.newest_at, now)}"
    return f"{item}; last complete run {_ago(found.good_at, now)}"


def _ago(at: datetime | None, now: datetime) -> str:
    from crawler.jobs.expectation import span

    if at is None:
        return "unknown"
    age = span(max(0.0, (now - at).total_seconds()))
    return f"{output.moment(at)}, {age} ago"


def _under(label: str, texts: Iterable[str]) -> list[str]:
    labels = (label, *[""] * 100)
    return [f"  {name:<9} {text}" for name, text in zip(labels, texts, strict=False)]


def _run_text(run: RunStatus) -> list[str]:
    at = output.moment(run.ended_at or run.started_at)
    lines = [f"{run.run_id} {run.state}, {at}", f"items: {_items(run.items)}"]
    if not run.is_closed:
        left = f"{run.waiting} waiting, {run.leased} leased"
        lines.append(f"left: {left}; {run.uncommitted} segments not committed")
    if failed := run.counts.get("failed"):
        lines.append(f"failed: {failed}")
    return lines + [f"problem: {text}" for text in run.problems]


def _items(items: Mapping[str, int]) -> str:
    return ", ".join(f"{items.get(x, 0)} {x}" for x in ("new", "revised", "unchanged"))


def runs(
    ctx: typer.Context,
    portal: Annotated[
        str | None, typer.Argument(help="Id of a portal; all without one.")
    ] = None,
) -> None:
    """List runs, the newest last: closed ones and those that are not."""
    from crawler.jobs.looking.status import run_statuses

    state = state_of(ctx)
    collection = state.collection()
    spool = Path(state.settings.spool.path)
    names = state.stored_names([portal] if portal else None)
    found = [run for name in names for run in run_statuses(collection, spool, name)]
    found.sort(key=lambda run: (run.started_at, run.run_id))
    if state.json:
        output.dump([dataclasses.asdict(run) for run in found])
        return
    columns = ("run", "portal", "job", "state", "started", "ended", "items", "failed")
    output.table((*columns, "segments", "left"), (_row(run) for run in found))


def _row(run: RunStatus) -> tuple[object, ...]:
    new = sum(run.items.get(x, 0) for x in ("new", "revised", "unchanged"))
    times = (run.started_at, run.ended_at)
    counts = (new, run.counts.get("failed", 0), run.segments, run.waiting + run.leased)
    return (run.run_id, run.portal, run.job, run.state, *times, *counts)
