"""The thread that moves closed segments to the store while the crawl goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from crawler.archive.commit import commit_run
from crawler.archive.spool import Spool, open_database
from crawler.errors import PortalkeepError, StoreUnavailable
from crawler.log import get_log

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.archive.spool import RunRow
    from crawler.archive.store import Store

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
log = get_log(__name__)


class Committer:
    """Commits a run's closed segments, in order, trying again while the store is away.

    Args:
        directory: where the run's closed files lie.
        spool_directory: of the portal; a connection of its own is opened there.
    """

    def __init__(
        self, store: Store, spool_directory: Path, directory: Path, run: RunRow
    ) -> None:
        """Make a committer; nothing is committed before `start`."""
        self._store = store
        self._spool_directory = spool_directory
        self._directory = directory
        self._run_row = run
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._failure: PortalkeepError | None = None
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

    def stop(self) -> None:
        """Commit what is left, end the thread and wait for it.

        Raises:
            StoreUnavailable: something is not committed; all is kept.
            ArchiveDamaged: the store gives back other bytes than were put.
        """
        self._ending.set()
        self._woken.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        spool = Spool(open_database(self._spool_directory))
        wait_s = FIRST_WAIT_S
        try:
            while not self._ending.is_set():
                self._woken.wait()
                self._woken.clear()
                while not self._try(spool) and not self._ending.wait(wait_s):
                    wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                wait_s = FIRST_WAIT_S
            self._try(spool)
        finally:
            spool.db.close()

    def _try(self, spool: Spool) -> bool:
        """Commit what is closed; tell whether all of it is."""
        self._failure = None
        try:
            for segment in commit_run(
                self._store, spool, self._directory, self._run_row
            ):
                log.info("segment_committed", segment=segment.name)
        except StoreUnavailable as exc:
            log.warning("commit_delayed", error=str(exc))
            self._failure = exc
            return False
        except PortalkeepError as exc:
            log.error("commit_failed", error=str(exc))  # noqa: TRY400 - said, not traced
            self._failure = exc
        return True
