"""``replay``, ``extract`` and ``try``: items made again, or made without an archive."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.preview import show_preview
from crawler.cli.progress import Ticker
from crawler.cli.state import State, state_of
from crawler.cli.values import (
    AtOption,
    FromOption,
    OutOption,
    Portals,
    RunOption,
    ToOption,
    day,
    moment,
)
from crawler.clock import SetClock
from crawler.errors import ArchiveMiss, UsageError
from crawler.urls import host_of, in_scope

if TYPE_CHECKING:
    from crawler.config.portal import Portal
    from crawler.jobs.extract import Difference, Selection, Tally
    from crawler.jobs.looking.preview import Preview
    from crawler.jobs.replay import Replayed

SHOWN = 20
"""Misses and differences named one by one; more are counted."""
LAST = "last"


def replay(
    ctx: typer.Context,
    portal: Annotated[str, typer.Argument(help="Id of a portal.")],
    *,
    run: RunOption = None,
    from_day: FromOption = None,
    to_day: ToOption = None,
    out: OutOption = None,
) -> None:
    """Run the spider again over one stored run; the archive is its only transport.

    Items go to stdout (with --json: the report). Misses, and items that differ from
    the stored ones, are listed; either ends with exit code 4.
    """
    from crawler.jobs.redaction import redaction_of
    from crawler.jobs.replay import replay as job

    state = state_of(ctx)
    chosen = state.portal(portal)
    selection = selection_of(state, chosen, run, from_day, to_day)
    with Ticker() as ticker:
        done = job(
            state.collection(),
            chosen,
            selection,
            state.clock()[0],
            redaction=redaction_of(chosen, state.settings),
            progress=lambda ending, _: ticker.tick(
                f"{chosen.id}: {ending.work.link.url}"
            ),
        )
    _write_replayed(done, out, as_json=state.json)
    if done.misses or done.differences:
        raise ArchiveMiss(_replay_text(done))
    output.say(_replay_text(done))


def _write_replayed(done: Replayed, out: Path | None, *, as_json: bool) -> None:
    if out is not None or not as_json:
        with output.lines_to(out) as lines:
            for item in done.items:
                lines.write(item.model_dump_json())
    if as_json:
        report = dataclasses.asdict(dataclasses.replace(done, items=()))
        output.dump(report | {"items": len(done.items)})
    for url in done.misses[:SHOWN]:
        output.say(f"never captured: {url}")
    _say_differences(list(done.differences))


def _replay_text(done: Replayed) -> str:
    return (
        f"{done.portal}: replayed run {done.run_id}: {len(done.items)} items, "
        f"{len(done.misses)} misses, {len(done.differences)} differences from what "
        "is stored"
    )


def _say_differences(found: list[Difference]) -> None:
    for one in found[:SHOWN]:
        stored, made = _brief(one.stored), _brief(one.made)
        output.say(f"differs: {one.url} {one.field}: stored {stored}, now {made}")
    if len(found) > SHOWN:
        output.say(f"… and {len(found) - SHOWN} differences more; --json has them all")


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:79]}…"  # noqa: PLR2004 - a line


def selection_of(
    state: State,
    portal: Portal,
    run: str | None,
    from_day: str | None,
    to_day: str | None,
) -> Selection:
    """Return the runs that options name.

    Raises:
        UsageError: a run and days are named at once, or a day is none.
    """
    from crawler.jobs.extract import Selection

    if run is not None and (from_day or to_day):
        raise UsageError("name a run with --run, or days with --from and --to")
    if run == LAST:
        run = next(reversed(state.collection().run_ids(portal.id)), None)
    return Selection(run, day(from_day, "--from"), day(to_day, "--to"))


def extract(
    ctx: typer.Context,
    portals: Portals = None,
    *,
    run: RunOption = None,
    from_day: FromOption = None,
    to_day: ToOption = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only how the items differ from the stored.")
    ] = False,
    out: OutOption = None,
) -> None:
    """Make items of stored captures by today's code and rules; nothing is stored."""
    from crawler.jobs.extract import Tally

    state = state_of(ctx)
    chosen = state.portals(portals)
    many = len(chosen) > 1
    if run not in (None, LAST) and many:
        raise UsageError("a run belongs to one portal; name the portal, too")
    with output.lines_to(out) as lines, Ticker() as ticker:
        for portal in chosen:
            tally = Tally()
            selection = selection_of(state, portal, run, from_day, to_day)
            if many and not state.collection().run_ids(portal.id):
                output.say(f"{portal.id}: nothing is stored")
                continue
            for text in _extracted(state, portal, selection, tally, diff=diff):
                ticker.tick(f"{portal.id}: {tally.captures} captures…")
                lines.write(text)
            for url in tally.misses[:SHOWN]:
                output.say(f"never captured: {url}")
            output.say(_tally_text(portal.id, tally))


def _extracted(
    state: State, portal: Portal, selection: Selection, tally: Tally, *, diff: bool
) -> Iterator[str]:
    from crawler.jobs import extract as job

    args = (state.collection(), portal, selection, state.clock()[0], tally)
    if not diff:
        for item in job.extract_runs(*args):
            yield item.model_dump_json()
        return
    for one in job.diff_runs(*args):
        yield json.dumps(dataclasses.asdict(one), ensure_ascii=False, default=str)


def _tally_text(portal: str, tally: Tally) -> str:
    rejected = ", ".join(f"{name} {n}" for name, n in sorted(tally.rejected.items()))
    text = f"{portal}: {tally.captures} captures, {tally.items} items"
    if tally.misses:
        text += f", {len(tally.misses)} pages never shown by a browser"
    return f"{text}, no item: {rejected}" if rejected else text


def try_(
    ctx: typer.Context,
    page: Annotated[str, typer.Argument(metavar="URL|FILE", help="What to read.")],
    *,
    portal: Annotated[
        str | None, typer.Option("-p", "--portal", help="Whose rules; by the host.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Where a file was captured from.")
    ] = None,
    at: AtOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how each field was found.")
    ] = False,
) -> None:
    """Show what one page gives: its item or its links. Nothing is archived."""
    state = state_of(ctx)
    address = page if _is_url(page) else url
    if address is None:
        raise UsageError(f"{page!r} is a file; say where it is from with --url URL")
    chosen = state.portal(portal) if portal else _portal_of(state, address)
    found = _preview(state, chosen, page, address, at)
    show_preview(found, explain=explain, as_json=state.json)
    if found.item is None and found.listing is None:
        raise typer.Exit(4)


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _portal_of(state: State, url: str) -> Portal:
    """Return the portal that a URL belongs to, by its host.

    Raises:
        UsageError: none, or several.
    """
    fitting = [portal for portal in state.portals(None) if _covers(portal, url)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(portal.id for portal in fitting or state.portals(None))
    which = "several portals cover" if fitting else "no portal covers"
    raise UsageError(f"{which} {host_of(url)!r}; name one with --portal: {names}")


def _covers(portal: Portal, url: str) -> bool:
    hosts = portal.scope.hosts
    if not hosts:
        return host_of(url) in {host_of(rule.url) for rule in portal.listings}
    return in_scope(url, hosts)


def _preview(
    state: State, portal: Portal, page: str, url: str, at: str | None
) -> Preview:
    from crawler.jobs.looking.preview import preview_file, preview_url

    clock, _ = state.clock()
    moment_at = moment(at, "--at")
    if not _is_url(page):
        return preview_file(Path(page), url, portal, moment_at or clock.now())
    if moment_at is not None:
        clock = SetClock(moment_at, 0.0, frozen=True)
    with tempfile.TemporaryDirectory(prefix="portalkeep-") as directory:
        return preview_url(url, state.settings, portal, clock, Path(directory))
