"""The thread that owns a run's WARC and its spool: write, sync, commit, in that order.

1. An exchange is written to the segment's WARC at once; its reference is known then.
2. Endings are gathered for ``commit_interval_s`` at most; then their capture records
   are written, the WARC is synced, and one transaction makes them all true.
3. Whoever waits for an ending hears of it after that transaction, never before.
4. A segment that is large or old enough is closed after such a transaction, with the
   decisions made in it as its last record; closed segments are handed on to be
   committed to the store.

When anything cannot be written, everything that waits hears `SpoolUnwritable`, and
nothing is taken on any more.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from crawler.archive import layout
from crawler.archive.refs import ref_from_json, ref_to_json
from crawler.archive.segment import DECISIONS_TYPE, OpenSegment
from crawler.archive.spool import SegmentRow, transaction
from crawler.errors import PortalkeepError, SpoolUnwritable
from crawler.log import get_log
from crawler.warc.redact import Policy, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from crawler.archive.ledger import Ended, Ending, Ledger
    from crawler.archive.segment import Origin
    from crawler.clock import Clock
    from crawler.frontier.sqlite import Child
    from crawler.model import Exchange, RecordRef, Work

IDLE_S = 1.0
log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a recorder commits and rolls.

    Attributes:
        max_size: bytes of a WARC at which it is rolled.
        max_age_s: seconds after which it is rolled.
        lease_s: how long a lease holds without being prolonged.
    """

    commit_interval_s: float = 0.05
    max_size: int = 1_000_000_000
    max_age_s: float = 3600.0
    lease_s: float = 300.0
    max_deliveries: int = 5
    dedupe: bool = True


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


_Call = tuple["Callable[[], None] | None", bool]


class Recorder:
    """Records exchanges and endings of one run, on a thread of its own.

    Args:
        directory: where the run's WARCs are written.
        make_id: makes record ids.
        rolled: called on this thread with the name of each closed segment.
        serial: of the run's newest segment.
        redaction: what is masked before anything is written.
    """

    def __init__(
        self,
        directory: Path,
        ledger: Ledger,
        origin: Origin,
        limits: Limits,
        clock: Clock,
        *,
        make_id: Callable[[], str],
        rolled: Callable[[str], None],
        serial: int = 0,
        redaction: Policy | None = None,
    ) -> None:
        """Make a recorder; nothing is written before `start`."""
        self._redaction = redaction or Policy()
        self._directory = directory
        self._ledger = ledger
        self._origin = origin
        self._limits = limits
        self._clock = clock
        self._make_id = make_id
        self._rolled = rolled
        self._serial = serial
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._segment: OpenSegment | None = None
        self._endings: list[tuple[Ending, Future[Ended]]] = []
        self._fresh: dict[str, RecordRef] = {}
        self._since: float | None = None
        self._failure: PortalkeepError | None = None
        self._held: dict[int, Work] = {}
        self._beat_s = time.monotonic()
        self._stopped = False
        self._thread = threading.Thread(
            target=self._run, name=f"recorder-{origin.portal}", daemon=True
        )

    # called from any thread

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def record(
        self, exchange: Exchange, page_id: str | None, asked: str | None = None
    ) -> Future[RecordRef]:
        """Write an exchange; its block is not read after the future is done.

        Args:
            exchange: as it crossed the wire.
            page_id: of the visit.
            asked: digest of a request that is more than its URL.
        """
        return self._submit(lambda: self._record(exchange, page_id, asked))

    def finish(self, ending: Ending) -> Future[Ended]:
        """End a work; resolved once it is durable."""
        future: Future[Ended] = Future()
        self._calls.put((lambda: self._gather(ending, future), False))
        return future

    def lease(self, limit: int, *, urgent: bool) -> Future[Taken]:
        """Lease work.

        Args:
            limit: at most so many.
            urgent: nothing else is under way: commit what is gathered first.
        """
        return self._submit(lambda: self._lease(limit), urgent=urgent)

    def seed(self, children: Iterable[Child]) -> Future[int]:
        """Add the links the run starts from."""
        return self._submit(lambda: self._seed(children))

    def roll(self) -> Future[None]:
        """Commit what is gathered and close the segment."""
        return self._submit(self._roll, urgent=True)

    def release(self, works: Iterable[Work]) -> Future[None]:
        """Give works back that were leased and not begun."""
        return self._submit(lambda: self._release(tuple(works)))

    def stop(self) -> None:
        """Commit and roll what there is, end the thread and wait for it.

        Raises:
            SpoolUnwritable: something could not be written; what was durable stays.
        """
        self._calls.put((None, True))
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    # the thread

    def _submit(
        self, action: Callable[[], Any], *, urgent: bool = False
    ) -> Future[Any]:  # Any: whatever action returns
        future: Future[Any] = Future()

        def call() -> None:
            if self._failure is not None:
                future.set_exception(self._failure)
                return
            try:
                result = action()
            except BaseException as exc:
                future.set_exception(exc)
                raise
            future.set_result(result)

        self._calls.put((call, urgent))
        return future

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._step()
            except PortalkeepError as exc:
                self._fail(exc)
            except Exception as exc:
                log.exception("recorder_failed")
                self._fail(SpoolUnwritable(f"the recorder failed: {exc!r}"))

    def _step(self) -> None:
        try:
            call, urgent = self._calls.get(timeout=self._patience_s())
        except Empty:
            self._commit()
            self._keep_house()
            return
        if urgent or self._is_late():
            self._commit()
        if call is not None:
            call()
        else:
            self._end()

    def _patience_s(self) -> float:
        if self._since is None:
            return IDLE_S
        left = self._since + self._limits.commit_interval_s - time.monotonic()
        return max(0.0, left)

    def _is_late(self) -> bool:
        return self._since is not None and self._patience_s() <= 0

    def _end(self) -> None:
        self._stopped = True
        if self._failure is None:
            if self._segment is None and self._ledger.spool.has_orphans():
                self._open()
            self._roll()

    def _fail(self, failure: PortalkeepError) -> None:
        self._failure = self._failure or failure
        endings, self._endings, self._since = self._endings, [], None
        for _, future in endings:
            future.set_exception(failure)

    def _gather(self, ending: Ending, future: Future[Ended]) -> None:
        if self._failure is not None:
            future.set_exception(self._failure)
            return
        self._endings.append((ending, future))
        if self._since is None:
            self._since = time.monotonic()

    def _record(
        self, exchange: Exchange, page_id: str | None, asked: str | None
    ) -> RecordRef:
        stored, masked = redact(exchange, self._redaction)
        ref = self._open().add_exchange(stored, page_id, self._original, masked, asked)
        if ref.payload_digest is not None and ref.payload_record is None:
            self._fresh.setdefault(ref.payload_digest, ref)
        return ref

    def _original(self, digest: str, url: str) -> RecordRef | None:  # noqa: ARG002 - the URL does not matter for identical payloads
        if not self._limits.dedupe:
            return None
        known = self._fresh.get(digest)
        if known is not None:
            return known
        stored = self._ledger.spool.payload(self._origin.run_id, digest)
        return ref_from_json(json.loads(stored)) if stored else None

    def _open(self) -> OpenSegment:
        if self._segment is None:
            self._segment = self._begin()
        return self._segment

    def _begin(self) -> OpenSegment:
        at = self._clock.now()
        self._serial += 1
        name = layout.SegmentName.begin(
            self._origin.portal, at, self._origin.run_id, self._serial
        )
        with transaction(self._ledger.spool.db):
            self._ledger.spool.begin_segment(
                SegmentRow(str(name), name.run_id, name.serial, "open", at, None, 0, 0)
            )
            self._ledger.spool.adopt_decisions(str(name))
        return OpenSegment.begin(self._directory, name, at, self._origin, self._make_id)

    def _commit(self) -> None:
        endings, self._endings, self._since = self._endings, [], None
        if not endings:
            return
        try:
            results = self._make_true(endings)
        except PortalkeepError as exc:
            for _, future in endings:
                future.set_exception(exc)
            raise
        for (_, future), ended in zip(endings, results, strict=True):
            future.set_result(ended)
        self._keep_house()

    def _make_true(self, endings: list[tuple[Ending, Future[Ended]]]) -> list[Ended]:
        segment = self._open()
        for ending, _ in endings:
            self._held.pop(ending.work.work_id, None)
            if ending.capture is not None and ending.page_id is not None:
                at = ending.record.captured_at if ending.record else self._clock.now()
                segment.add_capture(ending.page_id, ending.record, at, ending.capture)
        segment.writer.sync()
        with transaction(self._ledger.spool.db):
            self._note_records(segment)
            return [
                self._ledger.apply(ending, str(segment.name)) for ending, _ in endings
            ]

    def _note_records(self, segment: OpenSegment) -> None:
        spool = self._ledger.spool
        spool.add_records(str(segment.name), segment.take_lines())
        spool.note_synced(str(segment.name), segment.writer.size, segment.records)
        for digest, ref in self._fresh.items():
            stored = json.dumps(ref_to_json(ref))
            spool.add_payload(self._origin.run_id, digest, stored)
        self._fresh.clear()

    def _lease(self, limit: int) -> Taken:
        ledger, run_id = self._ledger, self._origin.run_id
        with transaction(ledger.spool.db):
            works = ledger.frontier.lease(run_id, limit, self._limits.lease_s)
            left = ledger.frontier.left(run_id)
            due_in_s = None if works else ledger.frontier.due_in_s(run_id)
        self._held.update({work.work_id: work for work in works})
        return Taken(tuple(works), left, due_in_s)

    def _release(self, works: tuple[Work, ...]) -> None:
        for work in works:
            self._held.pop(work.work_id, None)
        with transaction(self._ledger.spool.db):
            self._ledger.frontier.release(works)

    def _seed(self, children: Iterable[Child]) -> int:
        with transaction(self._ledger.spool.db):
            return self._ledger.seed(children)

    def _keep_house(self) -> None:
        self._roll_if_due()
        if time.monotonic() - self._beat_s < self._limits.lease_s / 4:
            return
        self._beat_s = time.monotonic()
        with transaction(self._ledger.spool.db):
            self._ledger.frontier.beat(self._held.values(), self._limits.lease_s)

    def _roll_if_due(self) -> None:
        segment = self._segment
        if segment is None:
            return
        age_s = (self._clock.now() - segment.begun_at).total_seconds()
        if (
            segment.writer.size >= self._limits.max_size
            or age_s >= self._limits.max_age_s
        ):
            self._roll()

    def _roll(self) -> None:
        self._commit()
        segment = self._segment
        if segment is None:
            return
        at = self._clock.now()
        spool, name = self._ledger.spool, str(segment.name)
        decisions = "".join(f"{line}\n" for line in spool.decision_lines(name))
        segment.add_resource(
            f"urn:portalkeep:run:{self._origin.run_id}",
            DECISIONS_TYPE,
            decisions.encode(),
            at,
        )
        segment.writer.close()
        with transaction(spool.db):
            self._note_records(segment)
            spool.roll_segment(name, at)
        self._segment = None
        log.info("segment_rolled", segment=name, bytes=segment.writer.size)
        self._rolled(name)
