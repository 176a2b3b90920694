"""The command ``portalkeep``: verbs in one table, errors as exit codes.

1. Data goes to stdout, talk and progress to stderr.
2. An error we know is one line and its exit code; no traceback.
3. An error we do not know is a bug: exit code 1, its traceback with ``-v``.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
import typer

from crawler import __version__, log
from crawler.cli import (
    again,
    crawl,
    demo,
    doctor,
    due,
    keep,
    output,
    portals,
    read,
    schedule,
    settings,
    status,
    verify,
)
from crawler.cli.state import CONFIG_VARIABLE, State
from crawler.errors import Interrupted, PortalkeepError

INTERRUPTED = 130
"""What typer ends with on Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its name, what it calls, and the example its help shows."""

    name: str
    call: Callable[..., None]
    example: str


VERBS = (
    Verb("crawl", crawl.crawl, "portalkeep crawl harbour --limit 20"),
    Verb("replay", again.replay, "portalkeep replay harbour --run last -o items.jsonl"),
    Verb("extract", again.extract, "portalkeep extract harbour --from 2025-07-01"),
    Verb("try", again.try_, "portalkeep try https://harbour.example/news/7 --explain"),
    Verb("items", read.items, "portalkeep items harbour --since 2025-07-15 --latest"),
    Verb("show", read.show, "portalkeep show https://harbour.example/news/7 --list"),
    Verb("verify", verify.verify, "portalkeep verify harbour --read-data"),
    Verb("commit", keep.commit, "portalkeep commit harbour"),
    Verb("index", keep.index, "portalkeep index harbour --rebuild"),
    Verb("gc", keep.gc, "portalkeep gc harbour --older-than 30d --dry-run"),
    Verb("run-due", due.run_due, "portalkeep run-due --dry-run"),
    Verb("status", status.status, "portalkeep status harbour"),
    Verb("runs", status.runs, "portalkeep --json runs harbour"),
    Verb("doctor", doctor.doctor, "portalkeep doctor"),
    Verb("demo", demo.demo, "portalkeep demo --data ./data"),
)
CONFIG_VERBS = (
    Verb("check", settings.check, "portalkeep --config harbour.yaml config check"),
    Verb("show", settings.show, "portalkeep config show harbour"),
    Verb("schema", settings.schema, "portalkeep config schema > config.schema.json"),
)
SCHEDULE_VERBS = (
    Verb("list", schedule.listed, "portalkeep schedule list"),
    Verb("explain", schedule.explain, "portalkeep schedule explain harbour"),
    Verb("run", due.run, "portalkeep schedule run harbour"),
    Verb("export", schedule.export, "portalkeep schedule export systemd -o units"),
)
PORTAL_VERBS = (
    Verb("list", settings.listed, "portalkeep portals list"),
    Verb("check", settings.check, "portalkeep portals check"),
    Verb("new", portals.new, "portalkeep portals new https://harbour.example/news/"),
    Verb("learn", portals.learn, "portalkeep portals learn harbour --dry-run"),
)


def _version(wanted: bool) -> None:
    if wanted:
        output.line(f"portalkeep {__version__}")
        raise typer.Exit


def _options(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Configuration; else ${CONFIG_VARIABLE}, else ./archive_config.yaml.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Results as JSON on stdout.")
    ] = False,
    verbose: Annotated[
        int,
        typer.Option("-v", "--verbose", count=True, help="Tell more; -vv: all."),
    ] = 0,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Version."),
    ] = False,
) -> None:
    """Keep what portals publish: wire-exact archives, and items read from them."""
    ctx.obj = State(config, as_json, verbose)
    configure_log(verbose)


def configure_log(verbose: int) -> None:
    """Send events to stderr: warnings; with -v the run's story; with -vv all.

    Libraries' own log is shown with -vv alone: what matters of it is our event.
    """
    log.configure(verbose=verbose > 1)
    if not verbose:
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING)
        )
    handler = logging.StreamHandler(sys.stderr)
    # On the handler: Scrapy sets the root logger's own level when it starts.
    handler.setLevel(logging.DEBUG if verbose > 1 else logging.CRITICAL + 1)
    logging.basicConfig(handlers=[handler], force=True)


def make_app() -> typer.Typer:
    """Return the command with all its verbs."""
    app = typer.Typer(
        name="portalkeep",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Example: portalkeep crawl harbour",
    )
    app.callback()(_options)
    _add(app, VERBS)
    for name, verbs, what in (
        ("config", CONFIG_VERBS, "Check and show the configuration."),
        ("schedule", SCHEDULE_VERBS, "See what is planned; start it; have it called."),
        ("portals", PORTAL_VERBS, "List, check, propose portals; learn of them."),
    ):
        group = typer.Typer(no_args_is_help=True, help=what)
        _add(group, verbs)
        app.add_typer(group, name=name, epilog=f"Example: {verbs[0].example}")
    return app


def _add(app: typer.Typer, verbs: tuple[Verb, ...]) -> None:
    for verb in verbs:
        app.command(verb.name, epilog=f"Example: {verb.example}")(verb.call)


def main() -> None:
    """Run the command; end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run the command with these arguments; return its exit code."""
    try:
        make_app()(args=args, prog_name="portalkeep")
    except SystemExit as exc:
        return _code_of(exc)
    except KeyboardInterrupt:
        return _code_of(SystemExit(INTERRUPTED))
    except PortalkeepError as exc:
        output.say(f"portalkeep: {exc}")
        return exc.exit_code
    except Exception as exc:  # noqa: BLE001 - the last rim: a bug is said, not shown
        return _bug(exc, args)
    return 0


def _code_of(end: SystemExit) -> int:
    if end.code == INTERRUPTED:
        output.say("portalkeep: interrupted; the same command goes on")
        return Interrupted.exit_code
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _bug(error: Exception, args: list[str]) -> int:
    """Say that something we did not foresee happened."""
    output.say(f"portalkeep: this is a bug: {type(error).__name__}: {error}")
    if any(x in ("-v", "-vv", "--verbose") for x in args):
        output.say("".join(traceback.format_exception(error)))
    else:
        output.say("portalkeep: -v before the verb shows where; please report it")
    return PortalkeepError.exit_code
