"""Which slots are due, and who takes them: no process, no waiting, any clock."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.archive.database import transaction
from crawler.archive.spool import RunRow, Spool, open_database
from crawler.config.portal import Portal
from crawler.config.settings import Settings, SpoolSettings
from crawler.frontier.sqlite import SqliteFrontier
from crawler.jobs.lock import is_held, portal_lock
from crawler.jobs.timing.due import Due, Entry, by_portal, due, entries, take, walked
from crawler.jobs.timing.metrics import note
from crawler.jobs.timing.slots import (
    ENDED,
    MISSED,
    QUEUED,
    RUNNING,
    SKIPPED,
    STALE_S,
    End,
    Slots,
    open_slots,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTING = {"from": "feed", "url": "https://h.example/feed"}


def portal(*schedules: str | None, **rule: object) -> Portal:
    """Return a portal with a schedule, and one listing for each of its schedules."""
    listings = [
        {"id": f"l{n}", **LISTING, "schedule": x} for n, x in enumerate(schedules)
    ]
    listings = listings or [{"id": "news", **LISTING}]
    own = {"cron": "30 6 * * *", "timezone": "Europe/Berlin", **rule} if rule else None
    return Portal.model_validate(
        {"id": "harbour", "listings": listings, "schedule": own}
    )


class Table:
    """Slots with a wall clock, a clock of ticks and a boot that tests set."""

    def __init__(self, spool: Path, slots: Slots) -> None:
        self.spool = spool
        self.slots = slots
        self.ticks_s = 0.0

    def due(self, at: str, rules: Portal) -> list[Due]:
        """Return what is due at a time."""
        now = datetime.fromisoformat(at)
        found = [due(entry, self.slots, self.spool, now) for entry in entries([rules])]
        return [x for x in found if x is not None]

    def start(self, at: str, rules: Portal) -> list[str]:
        """Take what is due, and end it at once; return the planned times."""
        now = datetime.fromisoformat(at)
        taken = take(self.due(at, rules), self.slots, self.spool, now)
        for one in taken:
            self.slots.end(one.key, ENDED, now, End(0))
        return [f"{one.key.planned_at:%m-%d %H:%M}" for one in taken]

    def crawl_ended(self, now: datetime) -> None:
        """Note, as a crawl does, that one of the portal ended."""
        settings = Settings(spool=SpoolSettings(path=str(self.spool)))
        note(settings, "harbour", 0, {}, now)

    def states(self) -> list[str]:
        """Return the states of all slots of the portal, oldest first."""
        return [slot.state for slot in self.slots.all("harbour")]


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """Give an empty table."""
    held: list[Table] = []
    with open_slots(tmp_path, boot="b", ticks=lambda: held[0].ticks_s) as slots:
        held.append(Table(tmp_path, slots))
        yield held[0]


DAILY = portal(catch_up="once")


def test_each_day_starts_once(table: Table) -> None:
    """A new schedule starts nothing in the past, then each planned time once."""
    assert table.start("2025-07-15T10:00Z", DAILY) == []
    assert table.start("2025-07-16T04:29Z", DAILY) == []
    assert table.start("2025-07-16T04:30Z", DAILY) == ["07-16 04:30"]
    assert table.start("2025-07-16T04:31Z", DAILY) == []
    assert table.start("2025-07-17T04:34Z", DAILY) == ["07-17 04:30"]


def test_change_of_the_clocks_starts_once_a_day(table: Table) -> None:
    """Around both changes of the clocks a cron in the night starts once each day."""
    rules = portal(cron="30 2 * * *")
    for first in ("2025-03-28", "2025-10-24"):
        at = datetime.fromisoformat(f"{first}T12:00Z")
        table.start(at.isoformat(), rules)
        begun = [
            start
            for minutes in range(0, 4 * 24 * 60, 15)
            for start in table.start(
                (at + timedelta(minutes=minutes)).isoformat(), rules
            )
        ]
        assert len(begun) == len(set(begun)) == 4, begun


@pytest.mark.parametrize("jump_h", [-1, 1])
def test_clock_that_jumps_starts_nothing_twice(table: Table, jump_h: int) -> None:
    """An hour forward and back again, or the other way: each slot starts once."""
    rules, began = portal(cron="*/20 * * * *"), datetime(2025, 7, 15, 6, tzinfo=UTC)
    table.start(began.isoformat(), rules)
    true = [began + timedelta(minutes=5 * n) for n in range(1, 60)]
    shown = [
        at + timedelta(hours=jump_h) if 20 <= n < 40 else at
        for n, at in enumerate(true)
    ]
    begun = [x for at in shown for x in table.start(at.isoformat(), rules)]
    assert len(begun) == len(set(begun))
    planned = {f"{began + timedelta(minutes=20 * n):%m-%d %H:%M}" for n in range(1, 15)}
    assert len(planned - set(begun)) <= 2  # those that the clock jumped over
    assert {"07-15 10:40"} == planned & {"07-15 10:40"} == set(begun[-1:])


def test_clock_that_was_far_ahead_stops_no_schedule(table: Table) -> None:
    """Seen once a year ahead and then right again, the next planned start starts."""
    table.start("2025-07-15T10:00Z", DAILY)
    assert table.start("2026-07-15T10:00Z", DAILY) == ["07-15 04:30"]
    assert table.start("2025-07-15T10:10Z", DAILY) == []
    assert table.start("2025-07-16T04:31Z", DAILY) == ["07-16 04:30"]
    assert table.start("2025-07-17T04:31Z", DAILY) == ["07-17 04:30"]
    assert table.states() == [ENDED] * 3


def test_start_of_a_fast_clock_is_not_due_again(table: Table) -> None:
    """What began an hour early is not due when its time comes, nor was it missed."""
    rules = portal(cron="0 * * * *")
    table.start("2025-07-15T09:30Z", rules)
    assert table.start("2025-07-15T11:00Z", rules) == ["07-15 11:00"]
    assert table.due("2025-07-15T10:01Z", rules) == []
    assert table.due("2025-07-15T11:01Z", rules) == []
    (one,) = table.due("2025-07-15T12:00Z", rules)
    assert (f"{one.key.planned_at:%H:%M}", one.missed) == ("12:00", 0)


def test_missed_days_are_caught_up_once(table: Table) -> None:
    """After three days without a machine the newest start is made up for, once."""
    table.start("2025-07-15T10:00Z", DAILY)
    (late,) = table.due("2025-07-19T03:00Z", DAILY)
    assert (late.is_late, late.missed) == (True, 2)
    assert table.start("2025-07-19T03:00Z", DAILY) == ["07-18 04:30"]
    assert table.start("2025-07-19T03:05Z", DAILY) == []
    assert table.start("2025-07-19T04:30Z", DAILY) == ["07-19 04:30"]


def test_missed_day_is_left_out(table: Table) -> None:
    """Without catching up a late start is noted as missed, and started never."""
    rules = portal(catch_up="none")
    table.start("2025-07-15T10:00Z", rules)
    assert table.start("2025-07-17T03:00Z", rules) == []
    assert table.states() == [MISSED]
    assert table.start("2025-07-17T04:44Z", rules) == ["07-17 04:30"]


def test_changed_cron_starts_nothing_in_the_past(table: Table) -> None:
    """A cron that was changed counts from the change on."""
    table.start("2025-07-15T10:00Z", DAILY)
    assert table.start("2025-07-15T10:05Z", portal(cron="0 11 * * *")) == []
    assert table.start("2025-07-15T10:06Z", portal(cron="0 11 * * *")) == []
    assert table.start("2025-07-16T09:00Z", portal(cron="0 11 * * *")) != []


def test_jitter_is_the_same_for_a_planned_time(table: Table) -> None:
    """A start is later by its share of the jitter, whoever asks; no start is lost."""
    rules = portal(cron="0 * * * *", jitter="30m")
    (entry,) = entries([rules])
    began = datetime(2025, 7, 15, 10, tzinfo=UTC)
    shares = {entry.start_at(began + timedelta(hours=n)) - began for n in range(24)}
    late = sorted(x % timedelta(hours=1) for x in shares)
    assert len(set(late)) > 12
    assert late[-1] <= timedelta(minutes=30)
    table.start((began - timedelta(minutes=1)).isoformat(), rules)
    at = entry.start_at(began)
    assert table.start((at - timedelta(seconds=1)).isoformat(), rules) == []
    assert table.start(at.isoformat(), rules) == ["07-15 10:00"]


def test_start_by_hand_swallows_no_planned_start(table: Table) -> None:
    """What waits for its jitter starts after it, also where it was stopped."""
    rules = portal(cron="0 * * * *", jitter="30m")
    (entry,) = entries([rules])
    began = datetime(2025, 7, 15, 10, tzinfo=UTC)
    at = entry.start_at(began)
    now = at - timedelta(seconds=1)
    assert now > began
    table.start((began - timedelta(minutes=1)).isoformat(), rules)
    by_hand = Due(entry, entry.key(now), is_again=True)
    assert take([by_hand], table.slots, table.spool, now) == [by_hand]
    assert table.due(now.isoformat(), rules) == []
    table.slots.end(by_hand.key, QUEUED, now, End(7))
    assert table.start(now.isoformat(), rules) == [f"{now:%m-%d %H:%M}"]
    assert table.start(at.isoformat(), rules) == ["07-15 10:00"]
    assert table.states() == [ENDED, ENDED]


def test_start_by_hand_leaves_what_is_queued(table: Table) -> None:
    """A slot that waits for the portal goes on after it, though its process died."""
    rules = portal(overlap="queue")
    table.start("2025-07-15T10:00Z", rules)
    with portal_lock(table.spool / "harbour", "crawl"):
        assert table.start("2025-07-16T04:30Z", rules) == []
    now = datetime.fromisoformat("2025-07-16T05:00Z")
    (entry,) = entries([rules])
    by_hand = Due(entry, entry.key(now), is_again=True)
    assert take([by_hand], table.slots, table.spool, now) == [by_hand]
    table.crawl_ended(now)
    table.ticks_s = 2 * STALE_S
    assert table.start("2025-07-16T05:10Z", rules) == ["07-16 04:30"]
    assert table.start("2025-07-16T05:15Z", rules) == []


@pytest.mark.parametrize(
    ("overlap", "state", "later"),
    [("skip", SKIPPED, []), ("queue", QUEUED, ["07-16 04:30"])],
)
def test_start_that_meets_a_crawl(
    table: Table, overlap: str, state: str, later: list[str]
) -> None:
    """While the portal is crawled a start is skipped, or waits until it is free."""
    rules = portal(overlap=overlap)
    table.start("2025-07-15T10:00Z", rules)
    with portal_lock(table.spool / "harbour", "crawl"):
        assert table.start("2025-07-16T04:30Z", rules) == []
        assert table.start("2025-07-16T04:35Z", rules) == []
        assert table.states() == [state]
    assert table.start("2025-07-16T08:00Z", rules) == later
    assert table.start("2025-07-16T08:05Z", rules) == []


def test_newer_start_overtakes_a_queued_one(table: Table) -> None:
    """Of several starts that wait only the newest is started."""
    rules = portal(overlap="queue")
    table.start("2025-07-15T10:00Z", rules)
    with portal_lock(table.spool / "harbour", "crawl"):
        table.start("2025-07-16T04:30Z", rules)
        table.start("2025-07-17T04:30Z", rules)
        assert table.states() == [MISSED, QUEUED]
    assert table.start("2025-07-17T08:00Z", rules) == ["07-17 04:30"]


def test_slot_of_a_dead_process_goes_on_with_its_run(table: Table) -> None:
    """Once nothing is heard of a slot it is taken again, if it left a run."""
    table.start("2025-07-15T10:00Z", DAILY)
    at = "2025-07-16T04:30+00:00"
    now = datetime.fromisoformat(at)
    (one,) = take(table.due(at, DAILY), table.slots, table.spool, now)
    assert table.due(at, DAILY) == []
    table.ticks_s = STALE_S - 1
    table.slots.beat(one.key)
    table.ticks_s = 2 * STALE_S - 2
    assert table.due(at, DAILY) == []
    table.ticks_s = 2 * STALE_S
    table.crawl_ended(now)
    assert table.due(at, DAILY) == []  # it left no run, and a crawl has ended
    row = RunRow("20250716043000cabcdef", "harbour", "crawl", "open", now, "x", {})
    with closing(open_database(table.spool / "harbour")) as db:
        SqliteFrontier(db, boot="b", ticks=lambda: 0.0)
        with transaction(db):
            Spool(db).begin_run(row)
    (again,) = table.due(at, DAILY)
    assert (again.key, again.is_again) == (one.key, True)
    assert take([again], table.slots, table.spool, now) == [again]
    assert take([again], table.slots, table.spool, now) == []
    assert table.states() == [RUNNING]


def test_slot_of_a_process_that_died_before_its_run(table: Table) -> None:
    """Killed before its run it is taken again; an earlier crawl says nothing of it.

    A crawl that outlives its process is waited for.
    """
    table.start("2025-07-15T10:00Z", DAILY)
    table.crawl_ended(datetime.fromisoformat("2025-07-16T04:00Z"))
    now = datetime.fromisoformat("2025-07-16T04:30Z")
    (one,) = take(table.due(now.isoformat(), DAILY), table.slots, table.spool, now)
    later = "2025-07-16T04:35Z"
    assert table.due(later, DAILY) == []
    table.ticks_s = 2 * STALE_S
    with portal_lock(table.spool / "harbour", "crawl"):
        assert table.due(later, DAILY) == []
    (again,) = table.due(later, DAILY)
    assert (again.key, again.is_again) == (one.key, True)
    assert table.start(later, DAILY) == ["07-16 04:30"]
    table.ticks_s = 4 * STALE_S
    assert table.start(later, DAILY) == []


def test_interrupted_slot_is_taken_again(table: Table) -> None:
    """What Ctrl-C stopped is due again at once, and is not skipped for a crawl."""
    table.start("2025-07-15T10:00Z", DAILY)
    now = datetime.fromisoformat("2025-07-16T04:30Z")
    (one,) = take(table.due(now.isoformat(), DAILY), table.slots, table.spool, now)
    table.slots.end(one.key, QUEUED, now, End(7))
    with portal_lock(table.spool / "harbour", "crawl"):
        assert table.start("2025-07-16T04:31Z", DAILY) == []
    assert table.start("2025-07-16T04:32Z", DAILY) == ["07-16 04:30"]


def test_slots_of_a_portal_are_one_crawl(table: Table) -> None:
    """Listings that are due together are walked together, others are not."""
    rules = portal("0 6 * * *", "0 6 * * *", "0 9 * * *", None, cron="0 6 * * *")
    table.start("2025-07-15T10:00Z", rules)
    dues = table.due("2025-07-16T06:05Z", rules)
    assert [one.entry.name for one in dues] == ["harbour", "harbour/l0", "harbour/l1"]
    assert [len(x) for x in by_portal(dues).values()] == [3]
    assert walked(dues) == ("l0", "l1", "l3")
    assert walked(dues[:1]) == ("l3",)
    assert walked(table.due("2025-07-16T09:05Z", rules)) == ()


def test_looking_at_the_lock_takes_it_from_nobody(tmp_path: Path) -> None:
    """The lock is seen from outside, and looked at before there is one."""
    assert not is_held(tmp_path / "harbour", "crawl")
    with portal_lock(tmp_path / "harbour", "crawl"):
        assert is_held(tmp_path / "harbour", "crawl")
    assert not is_held(tmp_path / "harbour", "crawl")


def test_old_slots_are_forgotten(table: Table) -> None:
    """The table does not grow without end, and what is forgotten starts never again."""
    table.start("2025-01-01T00:00Z", DAILY)
    for day in range(1, 100):
        at = datetime(2025, 1, 1, 8, tzinfo=UTC) + timedelta(days=day)
        assert len(table.start(at.isoformat(), DAILY)) == 1
    assert 55 <= len(table.states()) <= 62
    yearly = Portal.model_validate(
        {"id": "b", "listings": [{"id": "n", **LISTING}], "schedule": "@yearly"}
    )
    (entry,) = entries([yearly])
    assert isinstance(entry, Entry)
    table.start("2025-12-31T00:00Z", yearly)
    assert table.start("2026-01-01T00:00Z", yearly) == ["01-01 00:00"]
    table.start("2026-06-01T00:00Z", DAILY)
    assert table.start("2026-06-01T00:00Z", yearly) == []
