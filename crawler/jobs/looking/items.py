"""Items: the committed item lines of portals, as they are stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Segment

Row: TypeAlias = "dict[str, object]"
"""One item as stored: the envelope of ``docs/formats.md``."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are read; None is any.

    Attributes:
        since_at: captured then or later.
        kind: ``article``, ``flash`` or ``file``.
    """

    since_at: datetime | None = None
    kind: str | None = None
    run_id: str | None = None

    def takes_segment(self, segment: Segment) -> bool:
        """Tell whether a segment may hold such items."""
        if self.run_id is not None and segment.run_id != self.run_id:
            return False
        return self.since_at is None or segment.closed_at >= self.since_at

    def takes(self, row: Row) -> bool:
        """Tell whether an item is such a one."""
        if self.kind is not None and row.get("kind") != self.kind:
            return False
        return self.since_at is None or captured_at(row) >= self.since_at


def captured_at(row: Row) -> datetime:
    """Return when the page was captured that an item was read from."""
    provenance = row["provenance"]
    at = provenance["captured_at"] if isinstance(provenance, dict) else ""
    return datetime.fromisoformat(at)


def stored_items(
    collection: Collection, portals: Iterable[str], wanted: Wanted
) -> Iterator[Row]:
    """Yield items portal by portal, in the order they were made.

    Raises:
        ArchiveDamaged: a manifest or an item part cannot be read.
    """
    for portal in portals:
        for segment in collection.segments(portal, wanted.run_id):
            if wanted.takes_segment(segment):
                rows = collection.item_rows(segment)
                yield from (row for row in rows if wanted.takes(row))


def newest(rows: Iterable[Row]) -> list[Row]:
    """Return only the newest revision of each id, in the order of the last ones.

    All of them are held in memory.
    """
    latest: dict[object, Row] = {}
    for row in rows:
        known = latest.pop(row["id"], None)
        latest[row["id"]] = row if known is None or _not_older(row, known) else known
    return list(latest.values())


def _not_older(row: Row, known: Row) -> bool:
    return (_revision(row), captured_at(row)) >= (_revision(known), captured_at(known))


def _revision(row: Row) -> int:
    revision = row.get("revision")
    return revision if isinstance(revision, int) else 0


def as_line(row: Row) -> str:
    """Return an item as it is stored: one line, compact, unescaped."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
