"""Scheduled crawls: several portals at once, each slot noted with how it ended."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.errors import Interrupted, Locked
from crawler.jobs.run import boot_id
from crawler.jobs.timing.due import Due, Entry, by_portal, due, put_back, take, walked
from crawler.jobs.timing.metrics import note
from crawler.jobs.timing.ping import START, ended, ping
from crawler.jobs.timing.slots import ENDED, QUEUED, End, Slots, open_slots
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.clock import Clock
    from crawler.config.settings import Settings
    from crawler.jobs.timing.child import Children

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """A crawl that was started for the slots of one portal.

    Attributes:
        listings: that it walked; empty for all.
        state: of its slots now.
    """

    portal: str
    listings: tuple[str, ...]
    slots: tuple[Due, ...]
    state: str
    end: End


@dataclass(frozen=True, slots=True)
class Schedules:
    """What scheduled crawls need: settings, what starts a crawl, what time it is.

    Attributes:
        workers: portals crawled at once.
    """

    settings: Settings
    children: Children
    clock: Clock
    workers: int = 4

    @property
    def spool(self) -> Path:
        """The spool directory."""
        return Path(self.settings.spool.path)

    @contextmanager
    def slots(self) -> Iterator[Slots]:
        """Open the table of slots."""
        with open_slots(self.spool, boot=boot_id(), ticks=time.monotonic) as slots:
            yield slots

    def due(self, entries: Iterable[Entry]) -> list[Due]:
        """Return the slots that may be started now."""
        now = self.clock.now()
        with self.slots() as slots:
            found = [due(entry, slots, self.spool, now) for entry in entries]
        return [one for one in found if one is not None]

    def run(self, dues: Iterable[Due]) -> list[Started]:
        """Start slots, those of a portal together; return how each crawl ended.

        What another process took meanwhile, and what meets a crawl, is left out.
        """
        with ThreadPoolExecutor(self.workers) as pool:
            found = list(pool.map(self._portal, by_portal(dues).values()))
        return [one for one in found if one is not None]

    def _portal(self, dues: list[Due]) -> Started | None:
        if self.children.is_stopping:
            return None  # not taken: still due for the next call
        with self.slots() as slots:
            taken = take(dues, slots, self.spool, self.clock.now())
            if not taken:
                return None
            end = self._crawl(taken, slots)
            return self._noted(taken, slots, end)

    def _crawl(self, taken: Sequence[Due], slots: Slots) -> End:
        portal, listings = taken[0].entry.portal, walked(taken)
        limits = [one.entry.rule.max_runtime for one in taken]
        known = [limit for limit in limits if limit is not None]
        args = [portal.id, *(x for name in listings for x in ("--listing", name))]

        def beat() -> None:
            for one in taken:
                slots.beat(one.key)

        log.info("crawl_started", portal=portal.id, slots=len(taken))
        ping(_pings(taken), START)
        limit = max(known) if len(known) == len(limits) else None
        end = self.children.run(args, limit, beat)
        return end or End(Interrupted.exit_code, message="not begun: stopped before")

    def _noted(self, taken: Sequence[Due], slots: Slots, end: End) -> Started:
        now, state = self.clock.now(), ENDED
        if self.children.is_stopping and end.exit_code in (None, Interrupted.exit_code):
            state = QUEUED  # the next call goes on with it
        for one in taken:
            if end.exit_code == Locked.exit_code:
                state = put_back(one, slots, now)
            else:
                slots.end(one.key, state, now, end)
        portal = taken[0].key.portal
        if end.exit_code != Locked.exit_code:
            ping(_pings(taken), ended(end.exit_code), end.message or _counted(end))
        if end.exit_code is None:  # else the crawl itself has noted it
            note(self.settings, portal, None, end.counts, now)
        log.info("crawl_ended", portal=portal, code=end.exit_code, slots=state)
        return Started(portal, walked(taken), tuple(taken), state, end)


def _pings(taken: Sequence[Due]) -> list[str]:
    """Return whom to tell of slots, each once."""
    found = (one.entry.rule.ping for one in taken)
    return list(dict.fromkeys(url for url in found if url is not None))


def _counted(end: End) -> str:
    """Return what a crawl's counters say, a line each."""
    lines = [f"run: {end.run_id}"]
    lines += [f"{name}: {count}" for name, count in sorted(end.counts.items())]
    return "\n".join(lines)
