"""Transactions of the spool: all of it or nothing, and one name for what goes wrong."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.errors import SpoolUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def unwritable() -> Iterator[None]:
    """Say of what goes wrong with files or statements that the spool is at fault.

    Raises:
        SpoolUnwritable: in place of their own errors.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as exc:
        message = f"the spool cannot be written: {exc}"
        raise SpoolUnwritable(message) from exc


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block did, or nothing of it.

    Raises:
        SpoolUnwritable: the disk is full or not writable.
    """
    try:
        db.execute("begin immediate")
        yield
        db.execute("commit")
    except sqlite3.Error as exc:
        _roll_back(db)
        message = f"the spool cannot be written: {exc}"
        raise SpoolUnwritable(message) from exc
    except BaseException:
        _roll_back(db)
        raise


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("rollback")
