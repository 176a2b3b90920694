"""The thread that owns a run's tape: nothing of it is written by any other.

1. Exchanges are written as they come.
2. Endings are gathered for ``commit_interval_s`` at most, then settled together.
3. Whoever waits for an ending hears of it after it was settled, never before.

When anything cannot be written, everything that waits hears `SpoolUnwritable`, and
nothing is taken on any more.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from crawler.errors import PortalkeepError, SpoolUnwritable
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.archive.ledger import Ended, Ending
    from crawler.archive.pageinfo import Made
    from crawler.archive.tape import Taken, Tape
    from crawler.exchange import Exchange
    from crawler.frontier.sqlite import Child
    from crawler.model import RecordRef, Work

IDLE_S = 1.0
log = get_log(__name__)

_Call: TypeAlias = "tuple[Callable[[], None] | None, bool]"
"""What to do, None to end; and whether what is gathered is to be settled first."""


class Recorder:
    """Records exchanges and endings of one run, on a thread of its own."""

    def __init__(self, tape: Tape) -> None:
        """Make a recorder; nothing is written before `start`."""
        self._tape = tape
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._endings: list[tuple[Ending, Future[Ended]]] = []
        self._since: float | None = None
        self._failure: PortalkeepError | None = None
        self._stopped = False
        self._thread = threading.Thread(
            target=self._run, name=f"recorder-{tape.origin.portal}", daemon=True
        )

    # called from any thread

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def record(
        self,
        exchange: Exchange,
        page_id: str | None,
        asked: str | None = None,
        resource_type: str | None = None,
    ) -> Future[RecordRef]:
        """Write an exchange; its block is not read after the future is done.

        Args:
            exchange: as it crossed the wire.
            page_id: of the visit.
            asked: digest of a request that is more than its URL.
            resource_type: what a browser asked for it as.
        """
        return self._submit(
            lambda: self._tape.record(exchange, page_id, asked, resource_type)
        )

    def keep(
        self, made: Made, url: str, content: bytes, page_id: str, main: str
    ) -> Future[RecordRef]:
        """Write what was made of a rendered page, see `Tape.keep`."""
        return self._submit(lambda: self._tape.keep(made, url, content, page_id, main))

    def finish(self, ending: Ending) -> Future[Ended]:
        """End a work; resolved once it is durable."""
        future: Future[Ended] = Future()
        self._calls.put((lambda: self._gather(ending, future), False))
        return future

    def lease(self, limit: int, *, urgent: bool) -> Future[Taken]:
        """Lease work.

        Args:
            limit: at most so many.
            urgent: nothing else is under way: settle what is gathered first.
        """
        return self._submit(lambda: self._tape.lease(limit), urgent=urgent)

    def seed(self, children: Iterable[Child]) -> Future[int]:
        """Add the links the run starts from."""
        return self._submit(lambda: self._tape.seed(children))

    def release(self, works: Iterable[Work]) -> Future[None]:
        """Give works back that were leased and not begun."""
        return self._submit(lambda: self._tape.release(works))

    def stop(self) -> None:
        """Settle and roll what there is, end the thread and wait for it.

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
            self._guarded(self._step)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do something; what it raises ends the run and is told to all that wait."""
        try:
            action()
        except PortalkeepError as exc:
            self._fail(exc)
        except Exception as exc:
            log.exception("recorder_failed")  # a bug: stop the run, do not hang it
            self._fail(SpoolUnwritable(f"the recorder failed: {exc!r}"))

    def _step(self) -> None:
        try:
            call, urgent = self._calls.get(timeout=self._patience_s())
        except Empty:
            self._settle()
            return
        if urgent or (self._since is not None and self._patience_s() <= 0):
            self._guarded(self._settle)  # whatever comes of it, call is answered
        if call is not None:
            call()
            return
        self._stopped = True
        if self._failure is None:
            self._tape.end()

    def _patience_s(self) -> float:
        if self._since is None:
            return IDLE_S
        left = self._since + self._tape.limits.commit_interval_s - time.monotonic()
        return max(0.0, left)

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

    def _settle(self) -> None:
        """Settle what is gathered; tell those who wait."""
        if self._failure is not None:
            return
        if self._endings:
            results = self._tape.settle([ending for ending, _ in self._endings])
            endings, self._endings, self._since = self._endings, [], None
            for (_, future), ended in zip(endings, results, strict=True):
                future.set_result(ended)
        self._tape.keep_house()
