"""The real command in a child that is watched, killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crawling import ROOT, Workplace, portal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.crawling import Json
    from tests.durability.origin import Origin

LOOK_S = 0.001
OURS = {f"PORTALKEEP_{x}" for x in ("KILLS", "SEED", "RESTARTS", "OUTAGE_S", "BIG")}
"""What the tests are told by the environment; the command knows none of it."""


def workplace(directory: Path, origin: Origin, **settings: Json | int) -> Workplace:
    """Return a workplace that crawls the origin as fast as it can, in small segments.

    Args:
        directory: of configuration, store and spool.
        origin: to crawl.
        settings: top-level keys of the configuration.
    """
    directory.mkdir(parents=True, exist_ok=True)
    given: Json = {"warc": {"max_size": "60KB"}, **settings}
    rules = portal(origin.base, crawl={"concurrency": 8, "per_host": 8})
    return Workplace(directory, [rules], given)


@dataclass
class Child:
    """A crawl under way, its talk going to a file."""

    process: subprocess.Popen[bytes]
    talk: Path
    began_s: float = field(default_factory=time.monotonic)

    def said(self, event: str) -> int:
        """Return how often an event was logged."""
        return self.text().count(f" {event} ")

    def text(self) -> str:
        """Return all that was said."""
        return self.talk.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, happened: Callable[[], bool], timeout_s: float = 60) -> bool:
        """Return when something happened (True) or the child ended (False)."""
        until_s = time.monotonic() + timeout_s
        while not happened():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > until_s:
                self.kill()
                raise AssertionError(f"not in {timeout_s} s\n{self.text()[-3000:]}")
            time.sleep(LOOK_S)  # a poll with a bound
        return True

    def kill(self) -> None:
        """Kill it -9, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def end(self, timeout_s: float = 120) -> tuple[int, str]:
        """Wait for its end; return exit code and what it said, without a traceback."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            message = f"no end after {timeout_s} s\n{self.text()[-3000:]}"
            raise AssertionError(message) from None
        said = self.text()
        assert "Traceback" not in said, said[-5000:]
        return code, said


def start(
    place: Workplace,
    *,
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    verbose: str = "-v",
) -> Child:
    """Start ``portalkeep crawl`` on a workplace.

    Args:
        place: its configuration.
        under: a program with arguments that runs the command.
        environment: variables beside those we have.
        verbose: how much it tells.
    """
    number = len(list(place.directory.glob("talk-*")))
    talk = place.directory / f"talk-{number:04d}"
    command = [sys.executable, "-m", "crawler.cli", verbose]
    command += ["--config", str(place.config), "crawl", "harbour"]
    inherited = {name: x for name, x in os.environ.items() if name not in OURS}
    with talk.open("wb") as file:
        process = subprocess.Popen(
            [*under, *command],
            cwd=ROOT,
            env={**inherited, **place.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    return Child(process, talk)


def finish(place: Workplace, timeout_s: float = 120) -> str:
    """Run the command to its end, which must be success; return what it said."""
    code, said = start(place).end(timeout_s)
    assert code == 0, f"{code}\n{said[-3000:]}"
    return said
