"""One run of a portal and job kind at a time on this host."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.archive.directory import make_directory
from crawler.errors import Locked, SpoolUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOK_S, LOOKS = 0.01, 5
"""`is_held` holds the lock, too, for some microseconds: it is tried again so often."""


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


def is_held(directory: Path, job: str) -> bool:
    """Tell whether somebody holds the lock at the moment; it is not taken."""
    try:
        descriptor = os.open(directory / f"{job}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_taken(descriptor: int) -> bool:
    """Take the lock, unless somebody has it for longer than a look at it takes."""
    for wait_s in (*[LOOK_S] * LOOKS, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait_s)
        else:
            return True
    return False


def _take(descriptor: int, portal: str, job: str) -> None:
    if not _is_taken(descriptor):
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        message = (
            f"another {job} of {portal!r} is running (process {holder or 'unknown'}); "
            "wait for it or stop it"
        )
        raise Locked(message)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
