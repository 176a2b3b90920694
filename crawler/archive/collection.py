"""Reading a collection back: runs, segments, index lines, records, items, captures.

Only what a segment manifest lists is read: anything else in the store is not ours or
not complete.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.archive import layout, manifest
from crawler.errors import ArchiveDamaged, ObjectMissing
from crawler.item import Item
from crawler.warc import cdxj
from crawler.warc.reader import read_member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.archive.store import Store
    from crawler.warc.cdxj import CdxLine
    from crawler.warc.member import ParsedRecord


@dataclass(slots=True)
class Collection:
    """One archive in a store, with its indexes and items; read only."""

    store: Store
    _manifests: dict[str, manifest.Segment] = field(default_factory=dict)

    def portals(self) -> list[str]:
        """Return the ids of the portals that have committed segments, sorted."""
        keys = (info.key for info in self.store.list("segments/"))
        return sorted({key.split("/")[1] for key in keys})

    def segments(
        self, portal: str, run_id: str | None = None
    ) -> Iterator[manifest.Segment]:
        """Yield the committed segments of a portal in order of their time.

        Raises:
            ArchiveDamaged: a manifest cannot be read.
        """
        for info in self.store.list(f"segments/{portal}/"):
            if run_id is None or layout.SegmentName.parse(info.key).run_id == run_id:
                yield self._segment(info.key)

    def segment_names(self, portal: str) -> list[str]:
        """Return the names of a portal's committed segments in order of their time."""
        keys = (info.key for info in self.store.list(f"segments/{portal}/"))
        return [str(name) for name in map(layout.name_in, keys) if name is not None]

    def damaged_names(self, portal: str) -> set[str]:
        """Return the names of damaged segments that others stand for now."""
        keys = (info.key for info in self.store.list(f"damaged/{portal}/"))
        return {str(name) for name in map(layout.name_in, keys) if name is not None}

    def segment(self, name: str) -> manifest.Segment:
        """Return a committed segment by its name.

        Raises:
            ObjectMissing: it is not committed.
            ArchiveDamaged: its manifest cannot be read.
        """
        return self._segment(layout.SegmentName.parse(name).key("segment"))

    def _segment(self, key: str) -> manifest.Segment:
        if key not in self._manifests:
            self._manifests[key] = manifest.segment_from(self.store.get(key), key)
        return self._manifests[key]

    def runs(self, portal: str) -> Iterator[manifest.Run]:
        """Yield the closed runs of a portal, oldest first."""
        for info in self.store.list(f"runs/{portal}/"):
            yield manifest.run_from(self.store.get(info.key), info.key)

    def run(self, portal: str, run_id: str) -> manifest.Run | None:
        """Return a closed run, None where it is not (yet) closed."""
        key = layout.run_key(portal, run_id)
        try:
            return manifest.run_from(self.store.get(key), key)
        except ObjectMissing:
            return None

    def run_ids(self, portal: str) -> list[str]:
        """Return the ids of all runs with a committed segment, oldest first."""
        keys = (info.key for info in self.store.list(f"segments/{portal}/"))
        return sorted({layout.SegmentName.parse(key).run_id for key in keys})

    def lines(self, segment: manifest.Segment) -> Iterator[CdxLine]:
        """Yield a segment's index lines, sorted by bytes."""
        for line in self._text_lines(segment, "cdxj"):
            yield cdxj.parse_line(line)

    def items(self, segment: manifest.Segment) -> Iterator[Item]:
        """Yield a segment's items in the order they were made."""
        for line in self._text_lines(segment, "items"):
            yield Item.model_validate_json(line)

    def item_rows(self, segment: manifest.Segment) -> Iterator[dict[str, object]]:
        """Yield a segment's items as stored."""
        for line in self._text_lines(segment, "items"):
            yield json.loads(line)

    def _text_lines(self, segment: manifest.Segment, role: str) -> Iterable[str]:
        stored = segment.file(role)
        try:
            text = gzip.decompress(self.store.get(stored.key)).decode()
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as exc:
            message = f"{stored.key!r} cannot be read: {exc}; run `verify`"
            raise ArchiveDamaged(message) from exc
        return text.split("\n")[:-1]  # JSON leaves other line ends as they are

    def record(self, warc: str, offset: int, length: int) -> ParsedRecord:
        """Read one record by its place.

        Raises:
            ArchiveDamaged: there is no whole record at this place.
            ObjectMissing: the WARC is not in the store.
        """
        member = self.store.get(layout.warc_key(warc), offset, length)
        return read_member(member)
