"""Captures read back from committed segments, as extraction takes them.

A capture record says which records make up a page visit; the index says where they
are.  A visit whose capture record was never committed left records, but no capture.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler import http
from crawler.errors import ArchiveDamaged
from crawler.frontier.rows import link_from_json
from crawler.model import Capture, RecordRef
from crawler.warc.reader import to_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Segment
    from crawler.model import Link, Response
    from crawler.warc.cdxj import CdxLine
    from crawler.warc.member import ParsedRecord

CAPTURE_URI = "urn:portalkeep:capture:"
KEPT_RECORDS = 64


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """What a capture record says.

    Attributes:
        body: the whole of it; see ``docs/formats.md``.
        line: where it is.
    """

    body: dict[str, Any]  # Any: JSON
    line: CdxLine

    @property
    def link(self) -> Link:
        """The link that was visited, with its merged hint at that moment."""
        return link_from_json(self.body["link"])

    @property
    def dom(self) -> tuple[str, ...]:
        """Ids of the rendered documents' records."""
        return tuple(self.body.get("dom", ()))


def first_at(main: Response, ref: RecordRef | None) -> datetime:
    """Return when main's payload was first captured, less the Age it had then.

    Relative dates count from it, so that an unchanged page never moves in time.
    Without ref it is main that counts: a rendered page may be another each time.
    """
    if ref is not None and ref.payload_at is not None:
        return ref.payload_at
    return main.captured_at - http.age_of(main.headers)


@dataclass(slots=True)
class Archive:
    """The committed segments of some runs, read as captures.

    What revisits refer to is found in all segments of the portal.

    Attributes:
        max_parse: bytes of a payload that extraction reads.
    """

    collection: Collection
    segments: tuple[Segment, ...]
    max_parse: int
    _lines: dict[str, CdxLine] = field(default_factory=dict)
    _originals: dict[str, CdxLine] | None = None
    _visits: list[CdxLine] = field(default_factory=list)
    _records: OrderedDict[str, ParsedRecord] = field(default_factory=OrderedDict)
    _by_page: dict[str, StoredVisit] = field(default_factory=dict)
    _pages: dict[str, CdxLine] = field(default_factory=dict)

    @classmethod
    def of(
        cls, collection: Collection, segments: Iterable[Segment], max_parse: int
    ) -> Archive:
        """Read the indexes of segments, given in the order they were written."""
        archive = cls(collection, tuple(segments), max_parse)
        for segment in archive.segments:
            visits = []
            for line in collection.lines(segment):
                archive._lines[line.record] = line
                if line.url.startswith(CAPTURE_URI):
                    visits.append(line)
            archive._visits += sorted(visits, key=lambda line: line.offset)
        return archive

    def visits(self) -> Iterator[StoredVisit]:
        """Yield what the capture records say, in the order they were written."""
        for line in self._visits:
            yield self._visit(line)

    def _visit(self, line: CdxLine) -> StoredVisit:
        page = line.page or line.record
        known = self._by_page.get(page)
        if known is None:
            content = self.record(line).block.read()
            try:
                known = StoredVisit(json.loads(content), line)
            except ValueError as exc:
                message = f"capture record {line.record!r} is no JSON; run `verify`"
                raise ArchiveDamaged(message) from exc
            self._by_page[page] = known
        return known

    def visit_of(self, page_id: str) -> StoredVisit | None:
        """Return the visit with this page id, None where it was never committed."""
        if not self._pages:
            self._pages.update(
                (line.page or line.record, line) for line in self._visits
            )
        line = self._pages.get(page_id)
        return self._visit(line) if line else None

    def captures(self) -> Iterator[tuple[StoredVisit, Capture]]:
        """Yield every visit that met a response, with its capture.

        Where a damaged segment was salvaged, visits whose records were lost are left
        out: they are gone for good, and noted in its manifest.
        """
        for visit in self.visits():
            if self._is_lost(visit):
                continue
            capture = self.capture(visit)
            if capture is not None:
                yield visit, capture

    def _is_lost(self, visit: StoredVisit) -> bool:
        """Tell whether a record that a visit needs is in no index."""
        needed = (*visit.body["hops"], *visit.body["further"], *visit.dom)
        for record_id in needed:
            line = self._lines.get(record_id)
            if line is None:
                return any(segment.replaces for segment in self.segments)
            if line.ref is not None and self._find(line.ref) is None:
                return any(segment.replaces for segment in self._of_portal())
        return False

    def _of_portal(self) -> Iterator[Segment]:
        portals = dict.fromkeys(segment.portal for segment in self.segments)
        for portal in portals:
            yield from self.collection.segments(portal)

    def _find(self, record_id: str) -> CdxLine | None:
        found = self._lines.get(record_id)
        if found is None:
            if self._originals is None:
                self._originals = self._elsewhere()
            found = self._originals.get(record_id)
        return found

    def _elsewhere(self) -> dict[str, CdxLine]:
        """Return the lines of originals in other segments, the newest looked at first.

        One may be in a segment that was begun after ours: by another job.
        """
        refs = (line.ref for line in self._lines.values() if line.ref)
        wanted = {ref for ref in refs if ref not in self._lines}
        found: dict[str, CdxLine] = {}
        if not wanted:
            return found
        ours = {segment.name for segment in self.segments}
        last = max(segment.closed_at for segment in self.segments)
        for segment in reversed(list(self._of_portal())):
            if segment.begun_at > last or segment.name in ours:
                continue
            lines = self.collection.lines(segment)
            found.update((x.record, x) for x in lines if x.record in wanted)
            if len(found) == len(wanted):
                break
        return found

    def capture(self, visit: StoredVisit) -> Capture | None:
        """Return the capture of a visit, None where no response head is stored.

        Raises:
            ArchiveDamaged: a record it names is not there or not whole.
        """
        hops = tuple(self.ref(record_id) for record_id in visit.body["hops"])
        main = self.response(hops[-1].record_id) if hops else None
        if main is None:
            return None
        further = (self.response(record_id) for record_id in visit.body["further"])
        return Capture(
            page_id=visit.body["page_id"],
            link=visit.link,
            main=main,
            first_at=first_at(main, None if visit.dom else hops[-1]),
            hops=hops,
            further=tuple(response for response in further if response is not None),
            dom=self.documents(visit),
            dom_refs=tuple(self.ref(record_id) for record_id in visit.dom),
            dom_ended=visit.body.get("dom_ended"),
            run_id=visit.body.get("run_id"),
            page=visit.body.get("page", 1),
        )

    def documents(self, visit: StoredVisit) -> tuple[bytes, ...]:
        """Return the rendered documents of a visit.

        Raises:
            ArchiveDamaged: one is not there or not whole.
        """
        return tuple(
            self.record(self.line(record_id)).block.read() for record_id in visit.dom
        )

    def line(self, record_id: str) -> CdxLine:
        """Return the index line of a record.

        Raises:
            ArchiveDamaged: the portal's segments have none.
        """
        line = self._find(record_id)
        if line is None:
            message = f"record {record_id!r} is in no index; run `verify`"
            raise ArchiveDamaged(message)
        return line

    def lines(self) -> Iterable[CdxLine]:
        """Return all index lines, segment by segment."""
        return self._lines.values()

    def ref(self, record_id: str) -> RecordRef:
        """Return the reference of a record, as the live crawl had it."""
        line = self.line(record_id)
        original = self._find(line.ref) if line.ref else None
        return RecordRef(
            line.record,
            line.filename,
            line.offset,
            line.length,
            line.url,
            line.date,
            line.digest,
            line.ref,
            line.first or (original.date if original else None),
        )

    def response(self, record_id: str) -> Response | None:
        """Return a stored response as extraction reads it, None without a head."""
        line = self.line(record_id)
        original = self.record(self.line(line.ref)) if line.ref else None
        return to_response(
            self.record(line), original, self.max_parse, ref=self.ref(record_id)
        )

    def record(self, line: CdxLine) -> ParsedRecord:
        """Read the record at an index line; the last few stay in memory."""
        known = self._records.get(line.record)
        if known is None:
            known = self.collection.record(line.filename, line.offset, line.length)
            self._records[line.record] = known
            if len(self._records) > KEPT_RECORDS:
                self._records.popitem(last=False)
        return known
