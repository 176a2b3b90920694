"""Crawls as child processes: bounded in time, stopped as Ctrl-C would, never lost."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from crawler.errors import Interrupted
from crawler.jobs.timing.slots import End
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GRACE_S = 60.0
"""So long a stopped crawl may take to end; killed then, it loses nothing."""
BEAT_S = 10.0
log = get_log(__name__)


@dataclass(slots=True)
class Children:
    """The crawls under way in child processes of this one.

    Attributes:
        command: what runs this program again, with its global options.
        grace_s: between a stop and a kill.
    """

    command: Sequence[str]
    grace_s: float = GRACE_S
    is_stopping: bool = False
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, args: Sequence[str], max_runtime_s: float | None, beat: Callable[[], None]
    ) -> End | None:
        """Run ``crawl`` with args; return how it ended, None where it was not begun.

        Args:
            args: portal and options.
            max_runtime_s: then it is stopped.
            beat: called every BEAT_S while it runs.
        """
        with tempfile.TemporaryFile() as out:
            child = self._start(args, out)
            if child is None:
                return None
            try:
                is_cut = self._attend(child, max_runtime_s, beat)
            except BaseException:
                child.terminate()
                child.wait()
                raise
            finally:
                with self._lock:
                    self._running.discard(child)
            out.seek(0)
            return _end(child.returncode, out.read(), is_cut, max_runtime_s)

    def _start(
        self, args: Sequence[str], out: IO[bytes]
    ) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self.is_stopping:
                return None
            # A session of its own: Ctrl-C reaches it once, through `stop`.
            child = subprocess.Popen(  # noqa: S603 - this very program
                [*self.command, "--json", "crawl", *args],
                stdin=subprocess.DEVNULL,
                stdout=out,
                start_new_session=True,
            )
            self._running.add(child)
            return child

    def _attend(
        self,
        child: subprocess.Popen[bytes],
        max_runtime_s: float | None,
        beat: Callable[[], None],
    ) -> bool:
        """Wait for a child; return whether it was stopped because its time was over."""
        over_s = float("inf")
        if max_runtime_s is not None:
            over_s = time.monotonic() + max_runtime_s
        while not _ended(child, min(BEAT_S, max(0.0, over_s - time.monotonic()))):
            if time.monotonic() >= over_s:
                log.warning("crawl_over_time", process=child.pid, after_s=max_runtime_s)
                child.terminate()
                if not _ended(child, self.grace_s):
                    child.kill()
                child.wait()
                return True
            beat()
        return False

    def stop(self) -> None:
        """Stop all as Ctrl-C would, and begin none; a second call does not wait."""
        self.is_stopping = True
        for child in tuple(self._running):
            child.send_signal(signal.SIGTERM)


def _ended(child: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(code: int, out: bytes, is_cut: bool, max_runtime_s: float | None) -> End:  # noqa: FBT001 - a fact
    result = _result(out)
    message = str(result.get("message") or "")
    if is_cut and code != 0:
        message = f"stopped after max_runtime, {max_runtime_s:g} s; the next resumes it"
        code = Interrupted.exit_code
    elif code < 0:
        message = f"killed by signal {-code}; the next resumes it"
    counts = result.get("counts") or {}
    return End(None if code < 0 else code, result.get("run_id"), message, counts)


def _result(out: bytes) -> dict[str, Any]:  # Any: JSON
    """Return what ``--json crawl`` wrote of its portal; nothing where it could not."""
    try:
        results = json.loads(out)
    except ValueError:
        return {}
    return results[0] if results else {}
