"""The outbox's item lines: read in order, page by page, holding nothing."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from crawler.archive.commit import write_lines
from crawler.archive.database import transaction
from crawler.archive.outbox import Outbox
from crawler.archive.spool import open_database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A spool's connection."""
    made = open_database(tmp_path / "spool")
    yield made
    made.close()


def add(db: sqlite3.Connection, segment: str, count: int, size: int = 10) -> None:
    """Add as many items to a segment, in one transaction."""
    with transaction(db):
        for number in range(count):
            line = f"{segment}{number}".ljust(size)
            Outbox(db).add_item(segment, f"{segment}{number}", 1, line)


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 450])
def test_item_lines_come_in_order_and_from_one_segment(
    db: sqlite3.Connection, count: int
) -> None:
    """However many pages there are, each line comes once, in the order of adding."""
    add(db, "a", count)
    add(db, "b", 3)
    lines = [line.rstrip() for line in Outbox(db).item_lines("a")]
    assert lines == [f"a{number}" for number in range(count)]


def test_lines_read_in_part_hold_nothing_back(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    """Where an export stopped, the same connection commits after others did."""
    add(db, "a", 300)
    unfinished = Outbox(db).item_lines("a")
    next(unfinished)
    other = open_database(tmp_path / "spool")
    add(other, "b", 1)
    other.close()
    add(db, "c", 1)
    assert sum(1 for _ in unfinished) == 299


def test_writing_an_item_part_needs_little_memory(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    """Items of 20 MB are written to their part in a few pages' memory."""
    add(db, "a", 2_000, 10_000)
    tracemalloc.start()
    try:
        count = write_lines(tmp_path / "part.gz", Outbox(db).item_lines("a"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 2_000
    assert peak < 8_000_000
