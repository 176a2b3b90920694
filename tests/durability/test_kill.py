"""kill -9, often, at any moment, the clock jumping in between: nothing lost or twice.

``PORTALKEEP_KILLS`` says how often in all (20), ``PORTALKEEP_SEED`` when.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.durability.command import Child, finish, start, workplace
from tests.durability.origin import Shape, served
from tests.durability.whole import Watch, assert_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawling import Workplace
    from tests.durability.origin import Origin

KILLS = int(os.environ.get("PORTALKEEP_KILLS", "20"))
SEED = int(os.environ.get("PORTALKEEP_SEED", "20251123"))
SHAPE = Shape(pages=20, rows=60)
IN_FLIGHT = 32
"""Requests that were sent and whose ends were not durable: those under way, those being
read, and what comes in during one group commit."""
NOON = datetime(2025, 11, 23, 12, tzinfo=UTC)
EVENTS = ("segment_rolled", "segment_committed", "run_resumed", "start")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a crawl is killed: after so much of something, and a little later."""

    what: str
    count: int
    later_s: float

    def has_come(self, child: Child, origin: Origin, before: int) -> bool:
        """Tell whether it is time."""
        if self.what == "hits":
            return origin.total - before >= self.count
        if self.what == "last":
            return origin.different > SHAPE.items + SHAPE.pages
        if self.what == "start":
            return time.monotonic() - child.began_s >= self.count / 1000
        return child.said(self.what) >= self.count


def at_requests(chance: random.Random, kills: int) -> Iterator[Moment]:
    """Yield moments after some requests, spread so that there is work to the end."""
    most = max(2, SHAPE.items // (kills + 1))
    for _ in range(kills):
        yield Moment("hits", chance.randrange(1, most), chance.uniform(0, 0.05))


def at_steps(chance: random.Random, kills: int) -> Iterator[Moment]:
    """Yield moments around rolls, commits and starts."""
    for _ in range(kills):
        event = chance.choice(EVENTS)
        count = chance.randrange(300, 2500) if event == "start" else 1
        yield Moment(event, count, chance.choice((0, chance.uniform(0, 0.06))))


def at_close(chance: random.Random, kills: int) -> Iterator[Moment]:
    """Yield moments around the end of the run."""
    for number in range(kills):
        event = chance.choice(("run_resumed", "segment_committed", "run_closed"))
        yield Moment(event, 1, 0 if number % 2 else chance.uniform(0, 0.1))


def plan(chance: random.Random) -> list[Moment]:
    """Return all moments: on the way in any order, then those around the end."""
    close = KILLS // 5
    steps = (KILLS - close) // 2
    begin, *moments = at_requests(chance, KILLS - close - steps)
    moments += at_steps(chance, steps)
    chance.shuffle(moments)
    return [begin, *moments, Moment("last", 1, 0), *at_close(chance, close)]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """Give the portal, served by one process for all tests."""
    with served(tmp_path_factory.mktemp("origin"), SHAPE) as running:
        yield running


def test_nothing_is_lost_or_doubled(tmp_path: Path, origin: Origin) -> None:
    """However often it is killed, the run ends whole, under one id, nothing twice."""
    chance = random.Random(SEED)
    place = workplace(tmp_path, origin)
    watch, killed = Watch(place), 0
    for moment in plan(chance):
        if not kill(place, origin, moment, chance, watch):
            break
        killed += 1
    else:
        finish(place)
    run = assert_whole(place, SHAPE, origin.base)
    assert watch.run_ids == {run.run_id}
    repeated = origin.repeated()
    print(f"\n{killed} kills, {repeated} requests repeated")  # noqa: T201
    assert killed >= KILLS * 3 // 4
    assert repeated <= IN_FLIGHT * killed


def kill(
    place: Workplace,
    origin: Origin,
    moment: Moment,
    chance: random.Random,
    watch: Watch,
) -> bool:
    """Crawl until a moment comes, with a clock of its own; tell whether it goes on."""
    jumped = NOON + timedelta(seconds=chance.uniform(-3600, 3600))
    before = origin.total
    child = start(place, environment={"PORTALKEEP_CLOCK": jumped.isoformat()})
    child.wait_for(lambda: moment.has_come(child, origin, before))
    time.sleep(moment.later_s)
    child.kill()
    said = child.text()
    assert "Traceback" not in said, said[-5000:]
    assert child.process.returncode in (0, -signal.SIGKILL), said[-5000:]
    watch.look()
    return not list((place.directory / "store/runs").rglob("[!.]*.json"))


def test_killed_in_a_row_with_little_done(tmp_path: Path) -> None:
    """URLs that many processes died with are given out one by one, none is given up."""
    shape = Shape(pages=5, rows=40)
    with served(tmp_path / "origin", shape) as origin:
        place = workplace(tmp_path, origin)
        for number in range(7):
            wanted = origin.total + (2 if number else 60)
            child = start(place)
            assert child.wait_for(lambda wanted=wanted: origin.total >= wanted)  # type: ignore[misc]
            child.kill()
        finish(place)
        assert_whole(place, shape, origin.base)
