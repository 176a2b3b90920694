"""Crawls as child processes: a small program stands in for the crawl."""

from __future__ import annotations

import sys
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from crawler.clock import clock_from
from crawler.config.portal import Portal
from crawler.config.settings import Settings, SpoolSettings
from crawler.jobs.timing.child import Children
from crawler.jobs.timing.due import Due, entries
from crawler.jobs.timing.scheduled import Schedules
from crawler.jobs.timing.slots import ENDED, QUEUED, SKIPPED, End

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.jobs.timing.scheduled import Started

CLOCK = "2025-07-16T04:31:00Z;frozen"
DONE = (
    "import sys; sys.stdout.write("
    '\'[{"run_id": "r1", "message": "m", "counts": {"captured": 2}}]\')'
)
WAITS = "import time; time.sleep(600)"
DEAF = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "open(sys.argv[-1], 'w').close(); time.sleep(600)"
)


def children(program: str, grace_s: float = 60.0) -> Children:
    """Return children that run a program."""
    return Children([sys.executable, "-c", program], grace_s)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (DONE, End(0, "r1", "m", {"captured": 2})),
        (f"{DONE}; sys.exit(4)", End(4, "r1", "m", {"captured": 2})),
        ("raise SystemExit(3)", End(3)),
        (
            "import os; os.kill(os.getpid(), 9)",
            End(None, None, "killed by signal 9; the next resumes it"),
        ),
    ],
)
def test_end_of_a_child(program: str, expected: End) -> None:
    """What the crawl said and its exit code are how it ended; a signal is no code."""
    assert children(program).run(["harbour"], None, lambda: None) == expected


def test_child_over_time_is_stopped() -> None:
    """After `max_runtime` a crawl is stopped as Ctrl-C would, and says so with 7."""
    end = children(WAITS).run(["harbour"], 0.5, lambda: None)
    said = "stopped after max_runtime, 0.5 s; the next resumes it"
    assert end == End(7, None, said)


def test_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    """A crawl that hears nothing does not hold up others for ever."""
    began = time.monotonic()
    end = children(DEAF, grace_s=0.5).run([str(tmp_path / "deaf")], 3.0, lambda: None)
    assert end is not None
    assert end.exit_code == 7
    assert time.monotonic() - began < 60


def schedules(place: Path, program: str) -> tuple[Schedules, Due]:
    """Return schedules whose crawl is a program, and a slot of theirs."""
    listing = {"id": "news", "from": "feed", "url": "https://h.example/feed"}
    portal = Portal.model_validate(
        {"id": "harbour", "listings": [listing], "schedule": "30 4 * * *"}
    )
    (entry,) = entries([portal])
    key = entry.key(datetime.fromisoformat("2025-07-16T04:30Z"))
    settings = Settings(spool=SpoolSettings(path=str(place / "spool")))
    clock = clock_from(CLOCK)
    return Schedules(settings, children(program), clock), Due(entry, key)


def states(given: Schedules) -> list[str]:
    """Return the states of the portal's slots."""
    with given.slots() as slots:
        return [slot.state for slot in slots.all("harbour")]


def test_slot_says_how_its_crawl_ended(tmp_path: Path) -> None:
    """A crawl that was killed leaves its slot ended, without a code."""
    given, due = schedules(tmp_path, "import os; os.kill(os.getpid(), 9)")
    (started,) = given.run([due])
    assert (started.state, started.end.exit_code) == (ENDED, None)
    assert states(given) == [ENDED]
    assert given.run([due]) == []


def test_crawl_that_met_another_is_skipped(tmp_path: Path) -> None:
    """A crawl that found the portal locked was none: its slot is skipped."""
    given, due = schedules(tmp_path, "raise SystemExit(75)")
    (started,) = given.run([due])
    assert (started.state, states(given)) == (SKIPPED, [SKIPPED])


def test_stop_queues_the_slot_again(tmp_path: Path) -> None:
    """A stop ends the crawls under way, begins none, and the slot waits."""
    given, due = schedules(tmp_path, WAITS)
    found: list[Started] = []
    thread = threading.Thread(target=lambda: found.extend(given.run([due])))
    thread.start()
    give_up_s = time.monotonic() + 30
    while not states(given) and time.monotonic() < give_up_s:
        time.sleep(0.02)  # a poll with a bound
    while thread.is_alive() and time.monotonic() < give_up_s:
        given.children.stop()
        thread.join(0.1)
    assert [one.state for one in found] == [QUEUED]
    assert states(given) == [QUEUED]
    assert given.run([due]) == []
    assert states(given) == [QUEUED]
