"""Which record holds a payload: a portal's, of all its runs; a cache of its indexes.

The newest record with these bytes stands for them, though its message were cut off: a
record that is no revisit holds all that its digest is of.  Its reference knows when the
payload was there first: relative dates count from that, however long ago it was.

Statements only; the caller begins and commits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from crawler.archive import layout
from crawler.archive.refs import ref_from_json, ref_to_json

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from crawler.clock import Clock
    from crawler.model import RecordRef

SCHEMA = """
create table if not exists original(
  digest text primary key, segment text not null, at text not null,
  ref text not null) without rowid;
create index if not exists original_segment on original(segment);
"""


class Original(NamedTuple):
    """A record that holds a payload.

    Attributes:
        kept: whether it outlives this run: one of another run that is not committed
            may be lost before what would refer to it.
    """

    ref: RecordRef
    kept: bool


class Originals:
    """The statements; one connection, the caller's transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use the spool's connection."""
        self.db = db

    def find(self, digest: str, run_id: str) -> Original | None:
        """Return the record that holds a payload, as a run sees it."""
        row = self.db.execute(
            "select segment, ref, segment in (select segment from folded)"
            " from original where digest=?",
            (digest,),
        ).fetchone()
        if row is None:
            return None
        segment, ref, committed = row
        own = layout.SegmentName.parse(segment).run_id == run_id
        return Original(ref_from_json(json.loads(ref)), bool(committed) or own)

    def add(self, ref: RecordRef) -> None:
        """Note a record that holds its payload, unless a newer one is known."""
        self.db.execute(
            "insert into original values(?,?,?,?) on conflict(digest) do update set"
            " segment=excluded.segment, at=excluded.at, ref=excluded.ref"
            " where excluded.at>=at",
            (
                ref.payload_digest,
                str(layout.SegmentName.parse(ref.warc)),
                ref.captured_at.isoformat(timespec="microseconds"),
                json.dumps(ref_to_json(ref)),
            ),
        )

    def forget_committed(self) -> None:
        """Drop what was read of committed segments."""
        self.db.execute(
            "delete from original where segment in (select segment from folded)"
        )

    def forget_segment(self, name: str) -> bool:
        """Drop what a segment held that is no longer there; tell whether it did."""
        gone = self.db.execute("delete from original where segment=?", (name,))
        return gone.rowcount > 0

    def rows(self) -> list[tuple[str, str]]:
        """Return what is known: digest and reference, in order."""
        return self.db.execute(
            "select digest, ref from original order by digest"
        ).fetchall()


@dataclass(slots=True)
class Payloads:
    """What a run that is writing knows of payloads.

    Attributes:
        max_age_s: no older record is referred to; None: no record at all.
    """

    originals: Originals
    run_id: str
    clock: Clock
    max_age_s: float | None
    _fresh: dict[str, RecordRef] = field(default_factory=dict)

    def original(self, digest: str, _url: str) -> RecordRef | None:
        """Return the record with this payload that a revisit may refer to."""
        known = self._known(digest) if self.max_age_s is not None else None
        if known is None or self.max_age_s is None or not known.kept:
            return None
        age = self.clock.now() - known.ref.captured_at
        return known.ref if age < timedelta(seconds=self.max_age_s) else None

    def first_at(self, digest: str) -> datetime | None:
        """Return when a payload was there first, None where it is new."""
        known = self._known(digest)
        return known and (known.ref.payload_at or known.ref.captured_at)

    def _known(self, digest: str) -> Original | None:
        fresh = self._fresh.get(digest)
        if fresh is not None:
            return Original(fresh, kept=True)
        return self.originals.find(digest, self.run_id)

    def note(self, ref: RecordRef) -> None:
        """Note a record that was written; of those that hold a payload `keep` tells."""
        if ref.payload_digest is not None and ref.payload_record is None:
            self._fresh[ref.payload_digest] = ref

    def keep(self) -> None:
        """Make what was noted true, in the caller's transaction."""
        for ref in self._fresh.values():
            self.originals.add(ref)
        self._fresh.clear()
