"""``demo``: the bundled portals, served, crawled, verified and replayed on loopback.

Each step is the very command a user would type, run as a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from crawler.browser.chromium import find_chromium
from crawler.cli import output
from crawler.cli.state import CONFIG_VARIABLE
from crawler.clock import VARIABLE
from crawler.config.load import load
from crawler.demo.server import running
from crawler.demo.site import CONFIG, portal_ids, variables
from crawler.errors import ConfigError, SpoolUnwritable

if TYPE_CHECKING:
    from crawler.demo.server import PortalServer

BEGIN_AT = datetime.fromisoformat("2025-07-15T14:00:00+08:00")
"""The time of day the demo portals were written for."""
FILE = "demo.yaml"
SHOWN = 4
"""Items of each portal that are shown, with so many letters of each text."""
LETTERS = 60
_NOTE = "# Written by `portalkeep demo`, which serves these portals on loopback.\n"


def demo(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Where all of it goes.")
    ] = Path("data"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on serving the portals until Ctrl-C.")
    ] = False,
) -> None:
    """Crawl three bundled portals on loopback: archive, items, verify, replay.

    One needs Chromium, and is skipped without. Nothing outside DIR is written. In the
    same DIR again, items are unchanged.
    """
    begun = time.monotonic()
    config = data / FILE
    with _serving(config) as servers:
        _write(config, data, {name: one.base_url for name, one in servers.items()})
        code = _walk(config, data)
        if code:
            raise typer.Exit(code)
        _look(config, data, time.monotonic() - begun)
        if keep:
            _wait(servers)


@contextlib.contextmanager
def _serving(config: Path) -> Iterator[dict[str, PortalServer]]:
    """Serve the portals, at the ports of an earlier demo in the same place."""
    ports = _ports(config)
    with contextlib.ExitStack() as stack:
        servers = {}
        for name in portal_ids():
            try:
                server = stack.enter_context(running(name, ports.get(name, 0)))
            except OSError:
                output.say(f"port {ports.get(name)} is taken: items will be revised")
                server = stack.enter_context(running(name))
            servers[name] = server
        yield servers


def _ports(config: Path) -> dict[str, int]:
    """Return the ports that an earlier demo's configuration names, none without one."""
    if not config.exists():
        return {}
    try:
        settings = load(config, environment={}).settings
    except ConfigError:
        return {}
    urls = {portal.id: portal.listings[0].url for portal in settings.portals}
    return {name: urlsplit(url).port or 0 for name, url in urls.items()}


def _write(config: Path, data: Path, base_urls: dict[str, str]) -> None:
    """Write the demo's configuration, as one that any verb can use.

    Raises:
        SpoolUnwritable: it cannot be written there.
    """
    text = CONFIG.read_text("utf-8")
    for name, url in variables(base_urls).items():
        text = text.replace(f"${{{name}}}", url)
    places = {
        "store": {"url": str((data / "store").absolute())},
        "spool": {"path": str((data / "spool").absolute())},
    }
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in places.items()]
    try:
        data.mkdir(parents=True, exist_ok=True)
        config.write_text(f"{_NOTE}{text}\n{''.join(lines)}", "utf-8")
    except OSError as exc:
        message = f"{str(config)!r} cannot be written: {exc.strerror}"
        raise SpoolUnwritable(message) from exc


def _walk(config: Path, data: Path) -> int:
    """Crawl, show items, verify, replay; return the first exit code that is not 0."""
    clock, names = _clock(data), _possible(config)
    named = () if names == portal_ids() else names
    if code := _command(config, clock, "crawl", *named):
        return code
    for name in names:
        _show_items(config, clock, name)
    if code := _command(config, clock, "verify", "--read-data"):
        return code
    for name in names:
        replayed = str(data / f"replayed-{name}.jsonl")
        if code := _command(config, clock, "replay", name, "-o", replayed):
            return code
    return 0


def _possible(config: Path) -> tuple[str, ...]:
    """Return the portals that can be crawled here; say which cannot."""
    portals = load(config, environment={}).settings.portals
    rendered = {
        portal.id: [rule.render for rule in portal.listings]
        + [rule.render for rule in portal.items]
        for portal in portals
    }
    shown = [name for name, rules in rendered.items() if {*rules} != {"never"}]
    try:
        find_chromium(None)
    except ConfigError as exc:
        output.say(f"{', '.join(shown)} is skipped: {exc}")
        return tuple(name for name in portal_ids() if name not in shown)
    return portal_ids()


def _clock(data: Path) -> str:
    """Return a clock that stands, a second later for each crawl that was before.

    Runs are told apart by it; relative times floor to the minute and stay.
    """
    runs = Counter(path.parent for path in (data / "store" / "runs").glob("*/*.json"))
    later = timedelta(seconds=max(runs.values(), default=0))
    return f"{(BEGIN_AT + later).isoformat()};frozen"


def _command(config: Path, clock: str, *args: str) -> int:
    """Show a command and run it; return its exit code."""
    output.write(f"\n$ {_typed(config)} {' '.join(args)}\n")
    return subprocess.run(  # noqa: S603 - ourselves
        [*_PROGRAM, "--config", str(config), *args],
        env=_environment(clock),
        check=False,
    ).returncode


def _typed(config: Path) -> str:
    return f"portalkeep --config {config}"


_PROGRAM = (sys.executable, "-m", "crawler.cli")


def _environment(clock: str) -> dict[str, str]:
    """Return our environment with the demo's clock and without other settings."""
    package = Path(__file__).parents[2]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PORTALKEEP_")}
    path = os.pathsep.join(filter(None, (str(package), kept.get("PYTHONPATH"))))
    return kept | {VARIABLE: clock, "PYTHONPATH": path}


def _show_items(config: Path, clock: str, name: str) -> None:
    """Show some of a portal's items as people read them."""
    output.write(f"\n$ {_typed(config)} items {name} --latest   # the first {SHOWN}\n")
    found = subprocess.run(  # noqa: S603 - ourselves
        [*_PROGRAM, "--config", str(config), "items", name, "--latest"],
        env=_environment(clock),
        stdout=subprocess.PIPE,
        check=False,
    ).stdout
    rows = [json.loads(text) for text in found.decode().split("\n") if text]
    for row in rows[:SHOWN]:
        _show_item(row)
    output.line(f"  {len(rows)} items")


def _show_item(row: dict[str, Any]) -> None:  # Any: JSON
    text = " ".join((row["body_text"] or "").split())
    head = f"  {row['published_at'] or '?':<26}{row['title'] or ''}"
    output.line(output.clean(head.rstrip()))
    output.line(output.clean(f"  {row['kind']:<26}{text[:LETTERS]}…"))
    output.line(output.clean(f"  {'':<26}{row['url']}"))


def _look(config: Path, data: Path, elapsed_s: float) -> None:
    typed = _typed(config)
    store = data / "store"
    output.write(
        f"\nAll of it took {elapsed_s:.1f} s. Look at:\n"
        f"  {store / 'archive'}  WARCs: what crossed the wire, byte for byte\n"
        f"  {store / 'indexes'}  CDXJ: where each record is\n"
        f"  {store / 'items'}  items, one JSON object a line\n"
        f"  {store / 'runs'}  what each run did, and why it ended\n"
        f"Go on with:\n"
        f"  {typed} status\n"
        f"  {typed} items --latest | head -1\n"
        f"  {typed} runs\n"
        f"  portalkeep config check    # your own ./archive_config.yaml\n"
        f"{CONFIG_VARIABLE}={config} saves the typing of --config.\n"
    )


def _wait(servers: dict[str, PortalServer]) -> None:
    urls = ", ".join(f"{name} {server.base_url}" for name, server in servers.items())
    output.say(f"serving {urls}; Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
