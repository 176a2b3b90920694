"""The demo as a reader of the documentation has it: made once, its portals served."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.demo.server import running
from crawler.demo.site import variables
from tests.docs.page import DEMO, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 60
_BASE = re.compile(r'url: "?http://127\.0\.0\.1:(\d+)/(list|hk)')
_PORTALS = {"list": "gulangyu", "hk": "tidewire"}


@dataclass(frozen=True)
class Reader:
    """A shell in a directory of its own, where `portalkeep` is a command.

    Attributes:
        told: what `portalkeep demo` said.
    """

    directory: Path
    environment: dict[str, str]
    told: str = ""

    def run(self, command: str) -> str:
        """Run a command; return its output, both streams as they came.

        The demo is not run again: what it told is kept.
        """
        if command == DEMO and self.told:
            return self.told
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout


def environment(directory: Path) -> dict[str, str]:
    """Return an environment without settings, with the command in its path."""
    program = directory / "bin" / "portalkeep"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m crawler.cli "$@"\n')
    program.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PORTALKEEP_", "COLUMNS"))
    }
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Give the shell of someone who ran the demo and keeps its portals served."""
    directory = tmp_path_factory.mktemp("reader")
    plain = environment(directory)
    told = Reader(directory, plain).run(DEMO)
    config = (directory / "data" / "demo.yaml").read_text("utf-8")
    ports = {_PORTALS[place]: int(port) for port, place in _BASE.findall(config)}
    with ExitStack() as stack:
        bases = {
            name: stack.enter_context(running(name, port)).base_url
            for name, port in ports.items()
        }
        given = {
            **plain,
            **variables(bases),
            "PORTALKEEP_CONFIG": "data/demo.yaml",
            "PORTALKEEP_CRAWL__DELAY": "0s",
        }
        yield Reader(directory, given, told)
