"""``schedule``: what is planned, and what calls ``run-due`` again and again."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from crawler import __version__
from crawler.cli import output
from crawler.cli.due import entries_of, schedules_of
from crawler.cli.state import State, state_of
from crawler.cli.values import Portals
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.jobs.timing.due import Entry
    from crawler.jobs.timing.scheduled import Schedules
    from crawler.jobs.timing.slots import Slot
    from crawler.jobs.timing.units import Call

SHOWN_STARTS = 5
KINDS = ("systemd", "cron", "k8s")
MINUTES = (1, 2, 3, 4, 5, 6, 10)
"""Parts of an hour, and less than what counts as late."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start to come: as planned, with its jitter, and that in the schedule's zone."""

    planned_at: datetime
    start_at: datetime
    local: str

    @classmethod
    def of(cls, entry: Entry, planned_at: datetime, zone: ZoneInfo) -> Start:
        """Make the start of a planned time."""
        at = entry.start_at(planned_at)
        return cls(planned_at, at, f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S %z}")


def listed(ctx: typer.Context, portals: Portals = None) -> None:
    """List the schedules: the next start of each, and how the last one ended."""
    state = state_of(ctx)
    schedules = schedules_of(state)
    found = []
    with schedules.slots() as slots:
        for entry in entries_of(state, portals):
            last = slots.last(entry.portal.id, entry.listing)
            found.append((entry, _starts(entry, schedules, 1), last))
    if state.json:
        output.dump(
            [
                {**_entry_json(e), "next": n[0].start_at, "last": _slot_json(x)}
                for e, n, x in found
            ]
        )
        return
    columns = ("schedule", "cron", "timezone", "next start", "last planned", "state")
    output.table(
        (*columns, "exit code"),
        (
            (
                *(e.name, e.rule.cron, e.table.timezone, n[0].start_at),
                *((x.key.planned_at, x.state, x.end.exit_code) if x else ("", "", "")),
            )
            for e, n, x in found
        ),
    )


def explain(ctx: typer.Context, portals: Portals = None) -> None:
    """Show the next five starts of each schedule, in its time zone and in UTC."""
    state = state_of(ctx)
    schedules = schedules_of(state)
    found = [
        (entry, _starts(entry, schedules, SHOWN_STARTS))
        for entry in entries_of(state, portals)
    ]
    if state.json:
        output.dump(
            [
                {**_entry_json(e), "starts": [asdict(x) for x in starts]}
                for e, starts in found
            ]
        )
        return
    for entry, starts in found:
        walks = ", ".join(entry.listings)
        output.line(f"{entry.name}: {entry.rule.cron!r} in {entry.table.timezone}")
        output.line(f"  walks {walks}; overlap: {entry.rule.overlap}, {_rest(entry)}")
        for one in starts:
            output.line(f"  {one.local}   {output.moment(one.start_at)}")


def _rest(entry: Entry) -> str:
    limit = entry.rule.max_runtime
    ends = f"stopped after {limit:g} s" if limit else "no max_runtime"
    return (
        f"catch_up: {entry.rule.catch_up}, jitter up to {entry.rule.jitter:g} s, {ends}"
    )


def _starts(entry: Entry, schedules: Schedules, count: int) -> list[Start]:
    """Return the next starts of a schedule, jitter included."""
    now, zone = schedules.clock.now(), ZoneInfo(entry.table.timezone)
    begin = now - timedelta(seconds=entry.rule.jitter)
    planned = (x for x in entry.table.after(begin) if entry.start_at(x) > now)
    return [Start.of(entry, at, zone) for at in islice(planned, count)]


def _entry_json(entry: Entry) -> dict[str, object]:
    rule = entry.rule.model_dump(mode="json", exclude={"ping", "timezone"})
    return {
        "schedule": entry.name,
        "portal": entry.portal.id,
        "listing": entry.listing or None,
        "listings": list(entry.listings),
        "timezone": entry.table.timezone,
        **rule,
    }


def _slot_json(slot: Slot | None) -> dict[str, object] | None:
    if slot is None:
        return None
    return {
        "planned_at": slot.key.planned_at,
        "state": slot.state,
        "missed": slot.missed,
        "started_at": slot.started_at,
        "ended_at": slot.ended_at,
        "exit_code": slot.end.exit_code,
        "run_id": slot.end.run_id,
        "message": slot.end.message,
        "counts": dict(slot.end.counts),
    }


def export(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="systemd, cron or k8s.")],
    portals: Portals = None,
    *,
    every: Annotated[
        int, typer.Option(metavar="MINUTES", help="Between two looks at what is due.")
    ] = 5,
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help="Container with portalkeep, for k8s.")
    ] = f"portalkeep:{__version__}",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write the files there."),
    ] = None,
) -> None:
    """Write what calls run-due every few minutes: complete files.

    systemd: a service and a timer; cron: a crontab; k8s: a CronJob for each portal.
    """
    from crawler.jobs.timing import units

    if kind not in KINDS or every not in MINUTES:
        known = f"kinds: {', '.join(KINDS)}; --every: {', '.join(map(str, MINUTES))}"
        raise UsageError(f"there is no {kind!r} every {every} minutes; {known}")
    state = state_of(ctx)
    entries = entries_of(state, portals)
    if not entries:
        raise UsageError("no portal has a schedule; add 'schedule:' to one")
    names = list(dict.fromkeys(entry.portal.id for entry in entries))
    call = _call(state, every, image)
    if kind == "systemd":
        files = units.systemd(call, names)
    elif kind == "cron":
        files = units.crontab(call)
    else:
        files = units.kubernetes(call, entries)
    _write(state, files, out)


def _call(state: State, every: int, image: str) -> Call:
    from crawler.jobs.timing.units import Call

    program = shutil.which("portalkeep")
    again = [program] if program else [sys.executable, "-P", "-m", "crawler.cli"]
    config = state.config_path().absolute()
    return Call([*again, "--config", str(config)], Path.cwd(), config, every, image)


def _write(state: State, files: dict[str, str], out: Path | None) -> None:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            output.bytes_to(out / name, text.encode())
            output.say(f"wrote {out / name}")
    if state.json:
        output.dump({"files": files})
    elif out is None:
        marks = len(files) > 1
        for name, text in files.items():
            output.write((f"# {name}\n" if marks else "") + text + "\n" * marks)
