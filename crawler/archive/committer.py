"""The thread that moves closed segments to the store while the crawl goes on."""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.archive.commit import commit_segment
from crawler.archive.database import transaction
from crawler.archive.spool import Spool, open_database
from crawler.errors import PortalkeepError, SpoolUnwritable
from crawler.log import get_log

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.archive.spool import RunRow
    from crawler.archive.store import Store

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LOOK_S = 0.2
log = get_log(__name__)


class Committer:
    """Commits a run's closed segments, in order, trying again while the store is away.

    Args:
        store: to commit to.
        spool_directory: of the portal; a connection of its own is opened there.
        directory: where the run's closed files lie.
        run: whose segments are committed.
        timeout_s: how long `stop` tries on while the store is away.
    """

    def __init__(
        self,
        store: Store,
        spool_directory: Path,
        directory: Path,
        run: RunRow,
        *,
        timeout_s: float = 0.0,
    ) -> None:
        """Make a committer; nothing is committed before `start`."""
        self._store = store
        self._spool_directory = spool_directory
        self._directory = directory
        self._run_row = run
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._failure: PortalkeepError | None = None
        self._timeout_s = timeout_s
        self._away_since: float | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"committer-{run.portal}", daemon=True
        )

    def start(self) -> None:
        """Start the thread; what an earlier process left is committed first."""
        self._woken.set()
        self._thread.start()

    def wake(self, _name: str = "") -> None:
        """Say that a segment was closed."""
        self._woken.set()

    def away_s(self) -> float:
        """Return for how long the store has been away; for ever where it refuses."""
        since = self._away_since
        if self._failure is not None and not _passes(self._failure):
            return math.inf
        return 0.0 if since is None else time.monotonic() - since

    def stop(self) -> None:
        """Commit what is left, end the thread and wait for it.

        Raises:
            StoreUnavailable: something is not committed, past the time allowed; all is
                kept.
            ArchiveDamaged: the store gives back other bytes than were put.
        """
        self._ending.set()
        self._woken.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        spool = Spool(open_database(self._spool_directory))
        try:
            wait_s = spool.retry_in_s(self._run_row.run_id, time.time())
            self._sleep(min(wait_s, LONGEST_WAIT_S))  # the clock may have jumped
            while not self._ending.is_set():
                self._woken.wait()
                self._woken.clear()
                self._drain(spool)
            self._drain(spool)
        finally:
            spool.db.close()

    def _drain(self, spool: Spool) -> None:
        """Commit all that is closed; try again with growing pauses."""
        wait_s = FIRST_WAIT_S
        while not self._try(spool):
            if self._ending.is_set() and self.away_s() >= self._timeout_s:
                return
            with suppress(SpoolUnwritable), transaction(spool.db):  # a help only
                spool.retry_at(self._run_row.run_id, time.time() + wait_s)
            self._sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _sleep(self, wait_s: float) -> None:
        """Pause; when the run ends meanwhile, no longer than it may last."""
        until = time.monotonic() + wait_s
        while (left_s := until - time.monotonic()) > 0:
            if self._ending.is_set():
                left_s = min(left_s, max(0.0, self._timeout_s - self.away_s()), LOOK_S)
                if left_s <= 0:
                    return
                time.sleep(left_s)
            else:
                self._ending.wait(left_s)

    def _try(self, spool: Spool) -> bool:
        """Commit what is closed; tell whether there is nothing to try again."""
        try:
            for row in spool.segments(self._run_row.run_id, "rolled"):
                commit_segment(self._store, spool, self._directory, self._run_row, row)
                self._away_since = None
                log.info("segment_committed", segment=row.name)
        except PortalkeepError as exc:
            self._failure = exc
            if not _passes(exc):
                log.error("commit_failed", error=str(exc))  # noqa: TRY400 - said, not traced
                return True
            log.warning("commit_delayed", error=str(exc))
            self._away_since = self._away_since or time.monotonic()
            return False
        except Exception as exc:  # noqa: BLE001 - a bug: the run must not end as complete
            self._failure = PortalkeepError(f"the committer failed: {exc!r}")
            log.error("commit_failed", error=str(self._failure))  # noqa: TRY400
            return True
        self._failure, self._away_since = None, None
        return True


def _passes(failure: PortalkeepError) -> bool:
    """Tell whether trying again may help; where a disk is full somebody must act."""
    return failure.retryable and not isinstance(failure, SpoolUnwritable)
