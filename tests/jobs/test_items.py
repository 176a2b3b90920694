from __future__ import annotations

import gzip
from datetime import UTC, datetime

from crawler.archive.collection import Collection
from crawler.jobs.looking.items import Wanted, as_line, newest, stored_items
from tests.cli.program import Collected

SECOND_DAY = datetime(2025, 7, 16, tzinfo=UTC)


def read(collection: Collection, wanted: Wanted) -> list[str]:
    """Return the lines of the items wanted."""
    return [as_line(row) for row in stored_items(collection, ["harbour"], wanted)]


def test_lines_are_as_stored(collection: Collection, collected: Collected) -> None:
    """Each line is, byte for byte, the line of the item part."""
    parts = sorted(collected.store.glob("items/*/*/*/*"))
    stored = [
        line
        for x in parts
        for line in gzip.decompress(x.read_bytes()).split(b"\n")
        if line
    ]
    assert [line.encode() for line in read(collection, Wanted())] == stored


def test_since_takes_what_was_captured_then_or_later(collection: Collection) -> None:
    """Only items captured at that time or later come; others' segments are not read."""
    lines = read(collection, Wanted(since_at=SECOND_DAY))
    assert [line.count('"revision":2') for line in lines] == [1]
    assert read(collection, Wanted(since_at=datetime(2026, 1, 1, tzinfo=UTC))) == []


def test_kind_and_run(collection: Collection, collected: Collected) -> None:
    """Kind and run choose."""
    assert read(collection, Wanted(kind="flash")) == []
    assert len(read(collection, Wanted(kind="article"))) == 4
    assert len(read(collection, Wanted(run_id=collected.runs[0]))) == 3


def test_newest_revision_of_each_id(collection: Collection) -> None:
    """Of each id only the newest revision stays, whatever the order."""
    rows = list(stored_items(collection, ["harbour"], Wanted()))
    for order in (rows, rows[::-1]):
        latest = newest(order)
        assert sorted(str(row["revision"]) for row in latest) == ["1", "1", "2"]
        assert len({row["id"] for row in latest}) == 3
