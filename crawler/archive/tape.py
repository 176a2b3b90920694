"""What one run writes, step by step: exchanges, settled visits, closed segments.

1. An exchange is written to the segment's WARC at once; its reference is known then.
2. `settle` writes the capture records of visits that ended, syncs the WARC, and makes
   all their endings true in one transaction.
3. `roll` closes the segment with the decisions made in it as its last record.

Used by one thread (`crawler.archive.recorder`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.archive import layout
from crawler.archive.database import transaction
from crawler.archive.originals import Payloads
from crawler.archive.segment import DECISIONS_TYPE, OpenSegment
from crawler.archive.spool import SegmentRow
from crawler.errors import StoreUnavailable
from crawler.log import get_log
from crawler.warc.redact import Policy, mask_url, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from crawler.archive.ledger import Ended, Ending, Ledger
    from crawler.archive.pageinfo import Made
    from crawler.archive.segment import Origin
    from crawler.clock import Clock
    from crawler.exchange import Exchange
    from crawler.frontier.sqlite import Child
    from crawler.model import RecordRef, Work

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run commits, rolls and gives up.

    Attributes:
        commit_interval_s: how long an ending may wait for others.
        max_size: bytes of a WARC at which it is rolled.
        max_age_s: seconds after which it is rolled.
        lease_s: how long a lease holds without being prolonged.
        dedupe: write revisits for payloads the portal's archive holds already.
        dedupe_max_age_s: no older record is referred to.
        max_waiting: bytes not committed beyond which nothing is leased.
        commit_timeout_s: how long that may last before the run stops.
    """

    commit_interval_s: float = 0.05
    max_size: int = 1_000_000_000
    max_age_s: float = 3600.0
    lease_s: float = 300.0
    max_deliveries: int = 5
    dedupe: bool = True
    dedupe_max_age_s: float = 30 * 86400.0
    max_waiting: int = 10_000_000_000
    commit_timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Taken:
    """Work that was leased, and what is left beside it.

    Attributes:
        left: rows that wait or are leased, these included.
        due_in_s: seconds until the next waiting row is due, None where none waits.
    """

    works: tuple[Work, ...]
    left: int
    due_in_s: float | None


@dataclass(slots=True)
class Tape:
    """The segments of one run and the ledger they go with.

    Attributes:
        directory: where the run's WARCs are written.
        make_id: makes record ids.
        rolled: called with the name of each closed segment.
        serial: of the run's newest segment.
        redaction: what is masked before anything is written.
        away_s: tells for how long the store has been away.
    """

    directory: Path
    ledger: Ledger
    origin: Origin
    limits: Limits
    clock: Clock
    make_id: Callable[[], str]
    rolled: Callable[[str], None]
    serial: int = 0
    redaction: Policy = field(default_factory=Policy)
    away_s: Callable[[], float] = lambda: 0.0
    _paused: bool = False
    _segment: OpenSegment | None = None
    _payloads: Payloads = field(init=False)
    _held: dict[int, Work] = field(default_factory=dict)
    _beat_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Look payloads up as this run may refer to them."""
        max_age_s = self.limits.dedupe_max_age_s if self.limits.dedupe else None
        originals, run_id = self.ledger.spool.originals, self.origin.run_id
        self._payloads = Payloads(originals, run_id, self.clock, max_age_s)

    def record(
        self,
        exchange: Exchange,
        page_id: str | None,
        asked: str | None,
        resource_type: str | None = None,
    ) -> RecordRef:
        """Write an exchange, masked, as response or revisit; return its reference.

        Raises:
            SpoolUnwritable: it is not written.
        """
        stored, masked = redact(exchange, self.redaction)
        ref = self._open().add_exchange(
            stored,
            page_id,
            self._payloads,
            masked=masked,
            asked=asked,
            resource_type=resource_type,
        )
        self._payloads.note(ref)
        return ref

    def keep(
        self, made: Made, url: str, content: bytes, page_id: str, main: str
    ) -> RecordRef:
        """Write what was made of a rendered page; return its reference.

        The page was made of the response main; its url is masked here.

        Raises:
            SpoolUnwritable: it is not written.
        """
        return self._open().add_resource(
            made.uri(mask_url(url, self.redaction)),
            made.content_type,
            content,
            self.clock.now(),
            page_id=page_id,
            concurrent_to=main,
        )

    def settle(self, endings: Sequence[Ending]) -> list[Ended]:
        """Make endings true, all in one transaction, their records synced before it.

        Raises:
            SpoolUnwritable: none of them is true.
        """
        segment = self._open()
        for ending in endings:
            self._held.pop(ending.work.work_id, None)
            if ending.capture is not None and ending.page_id is not None:
                at = ending.record.captured_at if ending.record else self.clock.now()
                segment.add_capture(ending.page_id, ending.record, at, ending.capture)
        segment.writer.sync()
        with transaction(self.ledger.spool.db):
            self._note_records(segment)
            return [self.ledger.apply(ending, str(segment.name)) for ending in endings]

    def _note_records(self, segment: OpenSegment) -> None:
        spool = self.ledger.spool
        spool.outbox.add_records(str(segment.name), segment.take_lines())
        spool.note_synced(str(segment.name), segment.writer.size, segment.records)
        self._payloads.keep()

    def lease(self, limit: int) -> Taken:
        """Lease up to limit works, none while the spool is full.

        Raises:
            StoreUnavailable: it is full, and the store has been away for too long.
        """
        frontier, run_id = self.ledger.frontier, self.origin.run_id
        if self._is_full():
            limit = 0
        with transaction(self.ledger.spool.db):
            works = frontier.lease(run_id, limit, self.limits.lease_s)
            left = frontier.left(run_id)
            due_in_s = None if works else frontier.due_in_s(run_id)
        self._held.update({work.work_id: work for work in works})
        return Taken(tuple(works), left, due_in_s)

    def _is_full(self) -> bool:
        """Tell whether too much waits for the store; it may go on at four fifths."""
        waiting = self.ledger.spool.waiting_bytes(self.origin.run_id)
        limit = self.limits.max_waiting
        paused = waiting > (limit * 4 // 5 if self._paused else limit)
        if paused != self._paused:
            log.warning("fetching_paused" if paused else "fetching_resumed")
        self._paused = paused
        if paused:
            self.roll()
            self._give_up_in_time(waiting)
        return paused

    def _give_up_in_time(self, waiting: int) -> None:
        away_s = self.away_s()
        if away_s <= self.limits.commit_timeout_s:
            return
        long = "refuses" if away_s == math.inf else f"has been away for {away_s:.0f} s"
        raise StoreUnavailable(
            f"the spool is full ({waiting} bytes) and the store {long}; "
            "run the same command again later"
        )

    def release(self, works: Iterable[Work]) -> None:
        """Give works back that were leased and not begun."""
        given = tuple(works)
        for work in given:
            self._held.pop(work.work_id, None)
        with transaction(self.ledger.spool.db):
            self.ledger.frontier.release(given)

    def seed(self, children: Iterable[Child]) -> int:
        """Add the links the run starts from; return how many were new."""
        with transaction(self.ledger.spool.db):
            return self.ledger.seed(children)

    def keep_house(self) -> None:
        """Roll a segment that is due; prolong the leases that are held."""
        segment = self._segment
        if segment is not None and self._is_due(segment):
            self.roll()
        if time.monotonic() - self._beat_s < self.limits.lease_s / 4:
            return
        self._beat_s = time.monotonic()
        with transaction(self.ledger.spool.db):
            self.ledger.frontier.beat(self._held.values(), self.limits.lease_s)

    def _is_due(self, segment: OpenSegment) -> bool:
        age_s = (self.clock.now() - segment.begun_at).total_seconds()
        limits = self.limits
        return segment.writer.size >= limits.max_size or age_s >= limits.max_age_s

    def end(self) -> None:
        """Close the last segment; decisions that a crash left have one too."""
        if self._segment is None and self.ledger.spool.outbox.has_orphans():
            self._open()
        self.roll()

    def roll(self) -> None:
        """Close the segment, if one is open, and hand it on.

        Raises:
            SpoolUnwritable: it stays open; a restart cuts and closes it.
        """
        segment = self._segment
        if segment is None:
            return
        at = self.clock.now()
        spool, name = self.ledger.spool, str(segment.name)
        decisions = "".join(f"{line}\n" for line in spool.outbox.decision_lines(name))
        uri = f"urn:portalkeep:run:{self.origin.run_id}"
        segment.add_resource(uri, DECISIONS_TYPE, decisions.encode(), at)
        segment.writer.close()
        with transaction(spool.db):
            self._note_records(segment)
            spool.roll_segment(name, at)
        self._segment = None
        log.info("segment_rolled", segment=name, bytes=segment.writer.size)
        self.rolled(name)

    def _open(self) -> OpenSegment:
        if self._segment is None:
            self._segment = self._begin()
        return self._segment

    def _begin(self) -> OpenSegment:
        at = self.clock.now()
        self.serial += 1
        origin, spool = self.origin, self.ledger.spool
        name = layout.SegmentName.begin(origin.portal, at, origin.run_id, self.serial)
        row = SegmentRow(str(name), name.run_id, name.serial, "open", at, None, 0, 0)
        with transaction(spool.db):
            spool.begin_segment(row)
            spool.outbox.adopt_decisions(str(name))
        return OpenSegment.begin(self.directory, name, at, origin, self.make_id)
