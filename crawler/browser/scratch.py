"""A directory for what a browser leaves: its profile, its sockets, its shared memory.

It goes when the browser is closed.  One whose process was killed goes when the next
browser starts: nobody holds its lock.  Not in the spool: a path to a socket is short.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "portalkeep-browser-"
VARIABLE = "TMPDIR"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A directory that is ours while the lock is held."""

    path: Path
    lock: int

    @classmethod
    def make(cls) -> Self:
        """Make one; remove those that dead processes of this user left.

        Raises:
            OSError: that is not possible.
        """
        root = Path(tempfile.gettempdir())
        for left in root.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                _clear(left)
        while True:  # until nobody took ours for one that was left
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                return cls(path, _locked(path, os.O_CREAT))

    @contextlib.contextmanager
    def as_temporary(self) -> Iterator[None]:
        """Let processes that are started meanwhile take it for the place of files."""
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(self.path)
        try:
            yield
        finally:
            del os.environ[VARIABLE]
            if before is not None:
                os.environ[VARIABLE] = before

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def _clear(left: Path) -> None:
    """Remove a directory of ours that nobody holds.

    Raises:
        OSError: somebody does, or it is not ours.
    """
    if left.is_symlink() or left.stat().st_uid != os.getuid():
        return
    with contextlib.suppress(OSError):
        left.rmdir()  # killed before it had a lock
    lock = _locked(left, 0)
    shutil.rmtree(left, ignore_errors=True)
    os.close(lock)


def _locked(path: Path, flags: int) -> int:
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
