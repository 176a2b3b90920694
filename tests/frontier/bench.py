"""Frontiers to run the contract suite over, and a worker that is a process of its own.

As a program: ``python -m tests.frontier.bench KIND PLACE RUN`` works a run off, three
rows at a time.  It says which rows it leased, and ends them when a line arrives on
stdin or nobody is there to send one; the same goes for its begin.
"""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.database import transaction
from crawler.archive.spool import open_database
from crawler.frontier.sqlite import SqliteFrontier
from crawler.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 3
LEASE_S = 60.0


@dataclass(slots=True)
class Ticks:
    """A clock that goes when it is told to."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now_s


@dataclass(frozen=True, slots=True)
class Opened:
    """A frontier on a connection of its own, with what commits or rolls it back."""

    frontier: SqliteFrontier
    transaction: Callable[[], AbstractContextManager[None]]
    close: Callable[[], None]


def open_sqlite(place: Path, boot: str, ticks: Callable[[], float]) -> Opened:
    """Open the SQLite frontier in a directory."""
    db = open_database(place)
    frontier = SqliteFrontier(db, boot=boot, ticks=ticks)
    return Opened(frontier, lambda: transaction(db), db.close)


FACTORIES = {"sqlite": open_sqlite}


def work_off(kind: str, place: Path, run_id: str) -> None:
    """Lease and end rows until none is left to lease."""
    opened = FACTORIES[kind](place, "boot-1", time.monotonic)
    with closing(opened):
        print("ready", flush=True)  # noqa: T201 - this is a program
        sys.stdin.readline()
        while True:
            with opened.transaction():
                works = opened.frontier.lease(run_id, BATCH, LEASE_S)
            if not works:
                return
            print(*(x.work_id for x in works), flush=True)  # noqa: T201
            sys.stdin.readline()
            with opened.transaction():
                for work in works:
                    opened.frontier.end(work, Outcome.CAPTURED)


if __name__ == "__main__":
    work_off(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
