"""Turns, slow-downs and rests of hosts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from crawler.frontier import hosts
from crawler.frontier.hosts import Hosts, open_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "news.example"
REST_S = 30.0


@dataclass
class Ticks:
    """A clock that is set by the test."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class Machine:
    """A table of hosts and its clock."""

    directory: Path
    ticks: Ticks
    hosts: Hosts

    def again(self, boot: str = "boot") -> Hosts:
        """Open the table a second time, as another process does."""
        return Hosts(open_hosts(self.directory), boot=boot, ticks=self.ticks)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine that has just started."""
    db = open_hosts(tmp_path)
    ticks = Ticks()
    yield Machine(tmp_path, ticks, Hosts(db, boot="boot", ticks=ticks))
    db.close()


def test_turns_are_a_delay_apart(machine: Machine) -> None:
    """Three requests at once go at 0, 2 and 4 seconds."""
    waits = [machine.hosts.reserve(HOST, 2.0).wait_s for _ in range(3)]
    assert waits == pytest.approx([0, 2, 4])


def test_hosts_do_not_wait_for_each_other(machine: Machine) -> None:
    """Another host's turn is free."""
    machine.hosts.reserve(HOST, 2.0)
    assert machine.hosts.reserve("other.example", 2.0).wait_s == 0


def test_a_turn_that_passed_is_free(machine: Machine) -> None:
    """After a pause the next request goes at once, turns are not saved up."""
    machine.hosts.reserve(HOST, 2.0)
    machine.ticks.now += 60
    waits = [machine.hosts.reserve(HOST, 2.0).wait_s for _ in range(2)]
    assert waits == pytest.approx([0, 2])


def test_processes_share_turns(machine: Machine) -> None:
    """What one connection reserved, another one waits for."""
    machine.hosts.reserve(HOST, 5.0)
    assert machine.again().reserve(HOST, 5.0).wait_s == pytest.approx(5)


def test_a_turn_too_far_away_is_not_taken(machine: Machine) -> None:
    """Who does not wait for a turn leaves it to others: nobody starves."""
    machine.hosts.reserve(HOST, 60.0)
    far = [machine.hosts.reserve(HOST, 60.0, 30.0) for _ in range(3)]
    assert [turn.wait_s for turn in far] == pytest.approx([60, 60, 60])
    assert {turn.span for turn in far} == {None}
    machine.ticks.now += 60
    assert machine.hosts.reserve(HOST, 60.0, 30.0).wait_s == 0


def test_turns_that_were_not_used_are_free_again(machine: Machine) -> None:
    """They are given back from the last one on, in whatever order they are named."""
    turns = [machine.hosts.reserve(HOST, 5.0) for _ in range(4)]
    machine.hosts.give_back(HOST, {turns[2], turns[1], turns[3]})
    assert machine.hosts.reserve(HOST, 5.0).wait_s == pytest.approx(5)


def test_a_turn_before_somebody_elses_is_not_given_back(machine: Machine) -> None:
    """Two processes never get turns that are less than a delay apart."""
    ours = machine.hosts.reserve(HOST, 5.0)
    machine.again().reserve(HOST, 5.0)
    machine.hosts.give_back(HOST, [ours])
    assert machine.hosts.reserve(HOST, 5.0).wait_s == pytest.approx(10)


def test_many_processes_never_get_the_same_turn(tmp_path: Path) -> None:
    """Three processes that reserve 50 turns each get 150 different ones."""
    script = (
        "import sys, pathlib\n"
        "from crawler.frontier.hosts import Hosts, open_hosts\n"
        "db = open_hosts(pathlib.Path(sys.argv[1]))\n"
        "hosts = Hosts(db, boot='b', ticks=lambda: 0.0)\n"
        "print(*(hosts.reserve('h', 1.0).wait_s for _ in range(50)))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    turns = [
        float(turn)
        for process in running
        for turn in process.communicate(timeout=60)[0].split()
    ]
    assert sorted(turns) == pytest.approx(list(range(150)))


def test_a_host_that_asks_for_less_is_slowed_down(machine: Machine) -> None:
    """The delay doubles, and what was asked for is waited for first."""
    machine.hosts.reserve(HOST, 2.0)
    machine.hosts.slow_down(HOST, 30.0)
    waits = [machine.hosts.reserve(HOST, 2.0).wait_s for _ in range(2)]
    assert waits == pytest.approx([30, 34])


def test_a_slow_down_is_bounded_and_passes(machine: Machine) -> None:
    """The delay grows to MAX_SLOWDOWN times at most, and good answers undo it."""
    for _ in range(20):
        machine.hosts.slow_down(HOST, None)
    ((_, slowdown, _),) = machine.hosts.states()
    assert slowdown == hosts.MAX_SLOWDOWN
    for _ in range(60):
        machine.hosts.well(HOST)
    assert machine.hosts.states() == []


def test_even_without_a_delay_a_host_can_be_slowed(machine: Machine) -> None:
    """A portal with no delay waits a second and more once it is told off."""
    machine.hosts.slow_down(HOST, None)
    machine.hosts.reserve(HOST, 0.0)
    assert machine.hosts.reserve(HOST, 0.0).wait_s == pytest.approx(0.4)


def test_failures_in_a_row_send_a_host_to_rest(machine: Machine) -> None:
    """After FAILURES_TO_REST failures nothing goes; a good answer in between resets."""
    for _ in range(hosts.FAILURES_TO_REST - 1):
        assert machine.hosts.failed(HOST, REST_S) is None
    machine.hosts.well(HOST)
    rests = [machine.hosts.failed(HOST, REST_S) for _ in range(hosts.FAILURES_TO_REST)]
    assert rests[-1] == REST_S
    turn = machine.hosts.reserve(HOST, 0.0)
    assert turn.resting
    assert turn.wait_s == pytest.approx(REST_S)


def test_each_rest_in_a_row_is_longer(machine: Machine) -> None:
    """After a rest one failure is enough for the next, twice as long, bounded."""
    rests = []
    for _ in range(60):
        rest_s = machine.hosts.failed(HOST, REST_S)
        if rest_s is not None:
            rests.append(rest_s)
            machine.ticks.now += rest_s
    assert rests[:3] == [30.0, 60.0, 120.0]
    assert max(rests) == hosts.LONGEST_REST_S


def test_a_host_that_rested_too_often_is_given_up(machine: Machine) -> None:
    """In its fourth rest in a row requests need not wait; after it one may try."""
    given_up: list[bool] = []
    while len(given_up) < 4:
        rest_s = machine.hosts.failed(HOST, REST_S)
        if rest_s is not None:
            given_up.append(machine.hosts.reserve(HOST, 0.0).given_up)
            machine.ticks.now += rest_s
    assert given_up == [False, False, False, True]
    assert not machine.hosts.reserve(HOST, 0.0).resting


def test_a_host_that_asks_for_nothing_is_not_slowed(machine: Machine) -> None:
    """Retry-After: 0 is taken at its word."""
    machine.hosts.slow_down(HOST, 0)
    assert machine.hosts.states() == []


def test_a_reboot_ends_waits_and_keeps_the_slow_down(machine: Machine) -> None:
    """Ticks of another boot mean nothing; that a host was told off still does."""
    machine.hosts.slow_down(HOST, 500.0)
    machine.ticks.now = 3.0
    after = machine.again("another boot")
    assert after.reserve(HOST, 1.0).wait_s == 0
    assert after.reserve(HOST, 1.0).wait_s == pytest.approx(2)
