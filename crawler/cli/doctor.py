"""``doctor``: whether this machine can do what is asked of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from crawler.cli import output
from crawler.cli.crawl import worst
from crawler.cli.state import State, state_of
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from crawler.jobs.doctor import Diagnosis


def doctor(ctx: typer.Context) -> None:
    """Look at Python, Scrapy, Chromium, configuration, clock, spool and store."""
    state = state_of(ctx)
    found = list(_diagnoses(state))
    if state.json:
        output.dump([dataclasses.asdict(one) | {"ok": one.is_ok} for one in found])
    else:
        for one in found:
            mark = "ok  " if one.is_ok else "FAIL"
            output.line(output.clean(f"{mark}  {one.name:<11} {one.what}"))
    raise typer.Exit(worst(one.exit_code for one in found))


def _diagnoses(state: State) -> Iterator[Diagnosis]:
    from crawler.jobs.doctor import (
        Diagnosis,
        diagnose_browser,
        diagnose_places,
        diagnose_program,
    )

    yield from diagnose_program()
    try:
        _, note = state.clock()
        yield Diagnosis("clock", f"set to {note}" if note else "the machine's own")
    except ConfigError as exc:
        yield Diagnosis("clock", str(exc), exc.exit_code)
    try:
        settings, path = state.settings, state.loaded().path
    except ConfigError as exc:
        yield Diagnosis("config", str(exc), exc.exit_code)
        return
    yield Diagnosis("config", f"{path}: {len(settings.portals)} portals")
    yield diagnose_browser(settings)
    yield from diagnose_places(settings)
