"""Run what is due: find the slots, take each once, crawl a portal in a child process.

1. Of the starts of a schedule that have passed, the newest is taken, or left out where
   it is late and nothing is to be caught up with; those before it were missed.
2. All slots of a portal that are due together are one crawl, of the listings they name.
3. The crawl is a child process in a session of its own: `max_runtime` ends it as
   Ctrl-C would, and so does a stop of this process; either leaves a run to resume.
4. A slot that was interrupted, or that waits for the portal to be free, is taken again
   by the next call; so is one whose process died before its crawl ended.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.config.schedule import Timetable
from crawler.errors import Locked
from crawler.jobs.lock import is_held
from crawler.jobs.looking.status import open_runs
from crawler.jobs.timing.slots import MISSED, QUEUED, SKIPPED, End, Key
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from crawler.config.portal import Portal
    from crawler.config.schedule import ScheduleRule
    from crawler.jobs.timing.slots import Slot, Slots

LATE_S = 15 * 60
"""A start that is later is caught up with, or left out."""
COUNTED = 1000
"""Missed starts are counted up to this."""
JOB = "crawl"
BUSY = "the portal was being crawled"
log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One schedule: of a listing, or of a portal's listings without their own.

    Attributes:
        listing: "" for the portal's.
        listings: what a crawl by it walks.
    """

    portal: Portal
    listing: str
    listings: tuple[str, ...]
    rule: ScheduleRule

    @property
    def table(self) -> Timetable:
        """The planned starts."""
        return Timetable(self.rule.cron, self.rule.timezone or self.portal.timezone)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.portal.id}/{self.listing}" if self.listing else self.portal.id

    def start_at(self, planned_at: datetime) -> datetime:
        """Return when a planned start is due: later by its share of the jitter."""
        name = f"{self.name} {planned_at.isoformat()}".encode()
        share = int.from_bytes(hashlib.sha256(name).digest()[:4]) / 2**32
        return planned_at + timedelta(seconds=round(share * self.rule.jitter))

    def key(self, planned_at: datetime) -> Key:
        """Return the name of its slot at a planned time."""
        return Key(self.portal.id, self.listing, planned_at)


@dataclass(frozen=True, slots=True)
class Due:
    """A slot that may be started.

    Attributes:
        missed: starts before it that passed.
        is_late: whether it is caught up with.
        is_again: it was queued, interrupted, its process died, or it was never
            planned: it overtakes no planned start.
    """

    entry: Entry
    key: Key
    missed: int = 0
    is_late: bool = False
    is_again: bool = False


def entries(portals: Iterable[Portal]) -> Iterator[Entry]:
    """Yield the schedules of portals, in the order of the configuration."""
    for portal in portals:
        if portal.schedule is not None:
            rest = tuple(x.id for x in portal.listings if x.schedule is None)
            yield Entry(portal, "", rest, portal.schedule)
        for listing in portal.listings:
            if listing.schedule is not None:
                yield Entry(portal, listing.id, (listing.id,), listing.schedule)


def due(entry: Entry, slots: Slots, spool: Path, now: datetime) -> Due | None:
    """Return the slot of a schedule that may be started, None where none may.

    A slot that is too late to be started is noted as missed.
    """
    rule = f"{entry.rule.cron} {entry.table.timezone}"
    since = slots.since(entry.portal.id, entry.listing, rule, now)
    planned = _newest(entry, since, now)
    if planned is None or slots.pass_known(entry.key(planned)):
        waiting = slots.open(entry.portal.id, entry.listing)
        again = (x.key for x in waiting if _may_go_on(x, slots, spool))
        return next((Due(entry, key, is_again=True) for key in again), None)
    missed = entry.table.count(since, planned, COUNTED)
    is_late = (now - entry.start_at(planned)).total_seconds() > LATE_S
    if is_late and entry.rule.catch_up == "none":
        if slots.put_off(entry.key(planned), MISSED, now, missed=missed):
            log.warning("slot_missed", schedule=entry.name, planned=planned.isoformat())
        return None
    return Due(entry, entry.key(planned), missed, is_late)


def _newest(entry: Entry, since: datetime, now: datetime) -> datetime | None:
    """Return the last planned start that is due; a jitter reaches no other start."""
    planned = entry.table.newest(since, now)
    if planned is None or entry.start_at(planned) <= now:
        return planned
    return entry.table.newest(since, planned - timedelta(microseconds=1))


def _may_go_on(slot: Slot, slots: Slots, spool: Path) -> bool:
    """Tell whether a slot is queued, or its process died before its crawl ended.

    A crawl that outlives that process may still end well: it is waited for.
    """
    if slot.state == QUEUED:
        return True
    if not slot.left or is_held(spool / slot.key.portal, JOB):
        return False
    if any(run.job == JOB for run in open_runs(spool, slot.key.portal)):
        return True
    ended_at = slots.crawled_at(slot.key.portal)
    return not ended_at or not slot.started_at or ended_at < slot.started_at


def take(dues: Sequence[Due], slots: Slots, spool: Path, now: datetime) -> list[Due]:
    """Take the slots of one portal; return those that are ours to start.

    While the portal is being crawled they are skipped or queued, as their rules say.
    """
    taken = [
        x
        for x in dues
        if slots.take(x.key, now, missed=x.missed, passes=not x.is_again)
    ]
    if not taken or not is_held(spool / taken[0].key.portal, JOB):
        return taken
    for one in taken:
        put_back(one, slots, now)
    return []


def put_back(one: Due, slots: Slots, now: datetime) -> str:
    """Skip or queue a slot because its portal is being crawled; return its state."""
    is_kept = one.is_again or one.entry.rule.overlap == "queue"
    state = QUEUED if is_kept else SKIPPED
    slots.end(one.key, state, now, End(Locked.exit_code, message=BUSY))
    planned = one.key.planned_at.isoformat()
    log.warning(
        "slot_met_crawl", schedule=one.entry.name, planned=planned, is_now=state
    )
    return state


def by_portal(dues: Iterable[Due]) -> dict[str, list[Due]]:
    """Return due slots by portal: they are one crawl."""
    found: dict[str, list[Due]] = {}
    for one in dues:
        found.setdefault(one.key.portal, []).append(one)
    return found


def walked(dues: Sequence[Due]) -> tuple[str, ...]:
    """Return the listings that a crawl of these slots walks; empty for all."""
    named = {name for one in dues for name in one.entry.listings}
    known = [rule.id for rule in dues[0].entry.portal.listings]
    return () if named == set(known) else tuple(x for x in known if x in named)
