"""``verify``: whether what is stored is whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.keep import DryRun, mend
from crawler.cli.progress import Ticker
from crawler.cli.state import State, state_of, unknown_portal
from crawler.cli.values import RUN_ID
from crawler.errors import ArchiveDamaged, UsageError

if TYPE_CHECKING:
    from crawler.jobs.keeping.finding import Checked, Finding, Mended

_FILE_ENDINGS = (".warc", ".warc.gz", ".warc.gz.open")


def verify(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="PORTAL|RUN|FILE...", help="All portals without one."),
    ] = None,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Compare every digest, too.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended, check again.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Check that stored segments, indexes and items are whole and fit each other.

    Without --read-data sizes and structure are checked, with it every digest. --repair
    makes again what the WARCs tell, and saves the good records of a damaged WARC;
    nothing is deleted. Damage that is left ends with exit code 6.
    """
    state = state_of(ctx)
    checked, found = _checked(state, targets, read_data=read_data)
    actions: list[Mended] = []
    left = found
    if repair and found:
        _, portals = _sorted(state, targets)
        actions = mend(state, portals, dry_run=dry_run)
        if not dry_run:
            output.say("checking again")
            checked, left = _checked(state, targets, read_data=read_data)
    if state.json:
        _dump(checked, found, actions, left)
    damage = sum(finding.is_damage for finding in left)
    if damage:
        raise ArchiveDamaged(f"{damage} problems; {_looked_at(checked)}")
    notes = f", {len(left)} notes" if left else ""
    output.say(f"ok: {_looked_at(checked)}{notes}")


def _checked(
    state: State, targets: list[str] | None, *, read_data: bool
) -> tuple[Checked, list[Finding]]:
    """Check once; write what is found."""
    from crawler.jobs.keeping.finding import Checked

    checked, found = Checked(), []
    with Ticker() as ticker:
        for finding in _findings(state, targets, checked, ticker, read_data=read_data):
            found.append(finding)
            if not state.json:
                output.line(output.clean(str(finding)))
    return checked, found


def _findings(
    state: State,
    targets: list[str] | None,
    checked: Checked,
    ticker: Ticker,
    *,
    read_data: bool,
) -> Iterator[Finding]:
    from crawler.jobs.keeping.check import check_file, check_portal

    files, portals = _sorted(state, targets)
    for path in files:
        ticker.tick(f"verifying {path}…")
        yield from check_file(path, read_data=read_data, checked=checked)
    for portal, run_id in portals:
        yield from check_portal(
            state.collection(),
            portal,
            checked,
            run_id=run_id,
            read_data=read_data,
            progress=lambda name: ticker.tick(f"verifying {name}…"),
        )


def _sorted(
    state: State, targets: list[str] | None
) -> tuple[list[Path], list[tuple[str, str | None]]]:
    """Return the files, and the portals with the run of each where one is named.

    Raises:
        UsageError: a target is neither file, run nor portal.
    """
    files = [Path(text) for text in targets or () if _is_file(text)]
    rest = [text for text in targets or () if not _is_file(text)]
    if files and not rest:
        return files, []
    from crawler.jobs.keeping.check import stored_portals

    stored = stored_portals(state.collection())
    known = dict.fromkeys([*stored, *(x.id for x in state.settings.portals)])
    if not rest:
        return files, [(name, None) for name in stored]
    found: list[tuple[str, str | None]] = []
    for text in rest:
        if RUN_ID.fullmatch(text):
            found.append((_portal_of_run(state, stored, text), text))
        elif text in known:
            found.append((text, None))
        else:
            raise UsageError(unknown_portal(text, known))
    return files, found


def _is_file(text: str) -> bool:
    return text.endswith(_FILE_ENDINGS) or Path(text).is_file()


def _portal_of_run(state: State, stored: list[str], run_id: str) -> str:
    collection = state.collection()
    for portal in stored:
        if run_id in collection.run_ids(portal):
            return portal
    raise UsageError(f"no committed run {run_id!r}; `portalkeep runs` lists them")


def _looked_at(checked: Checked) -> str:
    counts = dataclasses.asdict(checked)
    parts = [
        f"{counts[name]} {name}"
        for name in ("files", "segments", "records", "items", "pointers", "runs")
        if counts[name]
    ]
    return f"{', '.join(parts) or 'nothing'} checked, {output.size(checked.warc_bytes)}"


def _dump(
    checked: Checked, found: list[Finding], actions: list[Mended], left: list[Finding]
) -> None:
    report: dict[str, object] = {
        "checked": dataclasses.asdict(checked),
        "findings": [_row(one) for one in found],
    }
    if actions:
        report["repairs"] = [dataclasses.asdict(one) for one in actions]
        report["left"] = [_row(one) for one in left]
    output.dump(report)


def _row(one: Finding) -> dict[str, object]:
    return {
        "trouble": one.trouble.value,
        "where": one.where,
        "what": one.what,
        "advice": one.advice,
        "damage": one.is_damage,
    }
