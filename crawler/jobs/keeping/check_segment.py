"""Whether one committed segment is whole: its objects, records, index lines and items.

1. Each object is there with its size, and with its digest where data is read.
2. The WARC is read member by member; its records give the index lines again, and these
   are the stored ones, each at its very place.
3. A revisit's original is stored.  An item's provenance points at the very records.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from crawler.archive import layout
from crawler.archive.store import LocalStore
from crawler.errors import ArchiveDamaged, ObjectMissing, PortalkeepError
from crawler.item import Item
from crawler.jobs.keeping.finding import Finding, Trouble
from crawler.warc import cdxj
from crawler.warc.reader import ref_of
from crawler.warc.salvage import spans
from crawler.warc.verify import Fault, verify_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Segment, StoredFile
    from crawler.archive.store import Store
    from crawler.item import RecordPointer
    from crawler.jobs.keeping.finding import Checked
    from crawler.model import RecordRef
    from crawler.warc.verify import Problem

CHUNK_BYTES = 8 << 20
ROLES = ("warc", "cdxj", "items")
_NAMED = 5
"""Index lines that are named one by one; more are counted."""


class Place(NamedTuple):
    """Where a record is, and its payload's digest."""

    warc: str
    offset: int
    length: int
    payload_digest: str | None


def _place_of(found: RecordRef | cdxj.CdxLine | RecordPointer) -> Place:
    if isinstance(found, cdxj.CdxLine):
        return Place(found.filename, found.offset, found.length, found.digest)
    return Place(found.warc, found.offset, found.length, found.payload_digest)


@dataclass(slots=True)
class Checker:
    """Checks the segments of one run, in order: later ones refer to earlier ones.

    Attributes:
        replaced: names of damaged segments that others stand for; who points into one
            means the record, wherever it is now.
        lost: ids of records that are known to be lost.
    """

    collection: Collection
    portal: str
    checked: Checked
    read_data: bool
    replaced: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    _places: dict[str, Place] = field(default_factory=dict)
    _others: dict[str, Place] | None = None
    _unread: bool = False

    def check(self, segment: Segment) -> Iterator[Finding]:
        """Yield what is wrong with a segment.

        Raises:
            StoreUnavailable: the store cannot be read.
        """
        self.checked.segments += 1
        damaged: set[str] = set()
        for role in ROLES:
            for finding in self._object(segment, role):
                damaged.add(role)
                yield finding
        if "warc" not in damaged:
            yield from self._warc(segment, with_index="cdxj" not in damaged)
        if "items" not in damaged:
            yield from self._items(segment)

    def _object(self, segment: Segment, role: str) -> Iterator[Finding]:
        key = layout.SegmentName.parse(segment.name).key("segment")
        try:
            stored = segment.file(role)
        except ArchiveDamaged:
            yield Finding(Trouble.MANIFEST, key, f"it lists no {role}")
            return
        head = self.collection.store.head(stored.key)
        if head is None:
            yield Finding(Trouble.OBJECT, stored.key, "the object is missing")
        elif head.size != stored.bytes:
            what = f"it has {head.size} bytes, its manifest says {stored.bytes}"
            yield Finding(Trouble.OBJECT, stored.key, what)
        elif self.read_data and self._sha256(stored) != stored.sha256:
            what = "its bytes have another sha256 than its manifest says"
            yield Finding(Trouble.OBJECT, stored.key, what)

    def _sha256(self, stored: StoredFile) -> str:
        digest = hashlib.sha256()
        for piece in pieces(self.collection.store, stored.key, stored.bytes):
            digest.update(piece)
        return digest.hexdigest()

    def _warc(self, segment: Segment, *, with_index: bool) -> Iterator[Finding]:
        stored = segment.file("warc")
        self.checked.warc_bytes += stored.bytes
        with local_copy(self.collection.store, stored) as path:
            for problem in verify_file(path, read_data=self.read_data):
                record = f"{problem.record_id}: " if problem.record_id else ""
                what = f"{problem.fault.value}: {record}{problem.message}"
                trouble = _trouble_of(problem, segment)
                yield Finding(trouble, f"{stored.key}:{problem.offset}", what)
            made = self._read(path, stored.key.rpartition("/")[2])
        if with_index:
            yield from self._index(segment, made)
        for line in made.values():
            if line.ref is not None and self._is_nowhere(line.ref):
                where = f"{stored.key}:{line.offset}"
                what = f"{line.record} revisits {line.ref}, which is not stored"
                trouble = Trouble.LOST if line.ref in self.lost else Trouble.REVISIT
                yield Finding(trouble, where, what)

    def _read(self, path: Path, warc: str) -> dict[str, cdxj.CdxLine]:
        """Note where each record is; return the index lines they make, by text."""
        made: dict[str, cdxj.CdxLine] = {}
        for span in spans(path):
            if span.record is None:
                continue
            self.checked.records += 1
            ref = ref_of(span.record, warc=warc, offset=span.offset, length=span.length)
            self._places[ref.record_id] = _place_of(ref)
            if (line := cdxj.line_from(span.record, ref)) is not None:
                made[cdxj.format_line(line)] = line
        return made

    def _index(
        self, segment: Segment, made: dict[str, cdxj.CdxLine]
    ) -> Iterator[Finding]:
        stored = segment.file("cdxj")
        try:
            lines = [cdxj.format_line(x) for x in self.collection.lines(segment)]
        except ArchiveDamaged as exc:
            yield Finding(Trouble.INDEX, stored.key, str(exc))
            return
        if len(lines) != stored.entries:
            what = f"it has {len(lines)} lines, its manifest says {stored.entries}"
            yield Finding(Trouble.INDEX, stored.key, what)
        if lines != sorted(lines):
            yield Finding(Trouble.INDEX, stored.key, "its lines are not sorted")
        missing, extra = made.keys() - set(lines), set(lines) - made.keys()
        yield from _named("a record has no such line", stored.key, missing)
        yield from _named("a line fits no record", stored.key, extra)

    def _items(self, segment: Segment) -> Iterator[Finding]:
        stored = segment.file("items")
        count = 0
        try:
            for row in self.collection.item_rows(segment):
                count += 1
                yield from self._item(row, f"{stored.key}:{count}")
        except (PortalkeepError, ValueError) as exc:
            yield Finding(Trouble.ITEM, stored.key, f"line {count + 1}: {exc}")
            return
        if count != stored.entries:
            what = f"it has {count} items, its manifest says {stored.entries}"
            yield Finding(Trouble.ITEM, stored.key, what)

    def _item(self, row: dict[str, object], where: str) -> Iterator[Finding]:
        self.checked.items += 1
        try:
            item = Item.model_validate(row)
        except ValidationError as exc:
            first = exc.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            yield Finding(Trouble.ITEM, where, f"no item: {place}: {first['msg']}")
            return
        if not item.provenance.records:
            yield Finding(Trouble.ITEM, where, "its provenance names no record")
        for pointer in (*item.provenance.records, *item.provenance.dom_records):
            for trouble, wrong in self._pointed(pointer):
                yield Finding(trouble, where, f"item {item.id!r} {wrong}")

    def _pointed(self, pointer: RecordPointer) -> Iterator[tuple[Trouble, str]]:
        """Yield what is wrong with an item's pointer."""
        self.checked.pointers += 1
        record, payload = pointer.record_id, pointer.payload_record
        old = str(layout.name_in(pointer.warc)) in self.replaced
        found, wanted = self._find(record), _place_of(pointer)
        if found is None:
            known = old or record in self.lost
            trouble = Trouble.LOST if known else Trouble.ITEM
            yield trouble, f"points at {record}, which is not stored"
        elif found != wanted and not (
            old and found.payload_digest == wanted.payload_digest
        ):
            what = f"points at {record}, which has another place or digest"
            yield Trouble.ITEM, what
        if payload is not None and self._find(payload) is None:
            trouble = Trouble.LOST if payload in self.lost else Trouble.ITEM
            yield trouble, f"takes its bytes from {payload}, which is not stored"

    def _find(self, record_id: str) -> Place | None:
        """Return where a record is: in this run's segments so far, else by an index."""
        found = self._places.get(record_id)
        if found is None:
            if self._others is None:
                self._others = self._by_index()
            found = self._others.get(record_id)
        return found

    def _is_nowhere(self, record_id: str) -> bool:
        """Tell whether a record is stored nowhere; in what cannot be read it may be."""
        return self._find(record_id) is None and not self._unread

    def _by_index(self) -> dict[str, Place]:
        places: dict[str, Place] = {}
        for name in self.collection.segment_names(self.portal):
            try:
                segment = self.collection.segment(name)
                for line in self.collection.lines(segment):
                    places[line.record] = _place_of(line)
            except (ArchiveDamaged, ObjectMissing):
                self._unread = True  # told where that segment is checked
        return places


def _trouble_of(problem: Problem, segment: Segment) -> Trouble:
    """Tell what a problem of a WARC is: in a salvaged one partners may be lost."""
    parted = problem.fault is Fault.CONCURRENT_MISSING and segment.replaces is not None
    return Trouble.LOST if parted else Trouble.RECORD


def _named(what: str, where: str, lines: set[str]) -> Iterator[Finding]:
    some = sorted(lines)
    for line in some[:_NAMED]:
        yield Finding(Trouble.INDEX, where, f"{what}: {line[:300]!r}")
    if len(some) > _NAMED:
        yield Finding(Trouble.INDEX, where, f"{what}: {len(some) - _NAMED} more")


@contextmanager
def local_copy(store: Store, stored: StoredFile) -> Iterator[Path]:
    """Give a path at which an object can be read until the block ends."""
    if isinstance(store, LocalStore):
        yield store.root / stored.key
        return
    with tempfile.TemporaryDirectory(prefix="portalkeep-") as directory:
        path = Path(directory) / stored.key.rpartition("/")[2]
        with path.open("wb") as file:
            for piece in pieces(store, stored.key, stored.bytes):
                file.write(piece)
        yield path


def pieces(store: Store, key: str, size: int) -> Iterator[bytes]:
    """Yield an object's bytes in large pieces."""
    for start in range(0, size, CHUNK_BYTES):
        yield store.get(key, start, CHUNK_BYTES)
