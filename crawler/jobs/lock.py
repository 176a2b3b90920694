"""One run of a portal and job kind at a time on this host."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.archive.directory import make_directory
from crawler.errors import Locked, SpoolUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def portal_lock(directory: Path, job: str) -> Iterator[None]:
    """Hold the lock of a portal's spool directory and job kind.

    The kernel gives it back when the process ends, however it ends.

    Raises:
        Locked: another process holds it.
        SpoolUnwritable: the lock file cannot be made.
    """
    path = directory / f"{job}.lock"
    try:
        make_directory(directory, directory.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as exc:
        message = f"the spool {str(directory)!r} cannot be written: {exc.strerror}"
        raise SpoolUnwritable(message) from exc
    try:
        _take(descriptor, directory.name, job)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, portal: str, job: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        message = (
            f"another {job} of {portal!r} is running (process {holder or 'unknown'}); "
            "wait for it or stop it"
        )
        raise Locked(message) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
