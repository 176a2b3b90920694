"""The segment a run is writing: its WARC, and the index lines that go with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.archive import layout
from crawler.warc import cdxj, records
from crawler.warc.unfetched import capture_record, resource_record, warcinfo_record
from crawler.warc.writer import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from crawler.archive.originals import Payloads
    from crawler.exchange import Exchange
    from crawler.model import Json, RecordRef
    from crawler.warc.format import Record

DECISIONS_TYPE = "application/vnd.portalkeep.decisions+jsonl"
CONFIG_TYPE = "application/vnd.portalkeep.config+json"


@dataclass(frozen=True, slots=True)
class Origin:
    """What every segment of a run says of itself.

    Attributes:
        warcinfo: fields of the warcinfo record, in order.
        config: the run's resolved, secret-free configuration.
        level: of gzip compression.
    """

    run_id: str
    portal: str
    warcinfo: tuple[tuple[str, str], ...]
    config: Mapping[str, Any]  # Any: JSON
    config_digest: str
    level: int = 6


@dataclass(slots=True)
class OpenSegment:
    """One WARC being written, with the index lines of what is in it.

    Attributes:
        lines: (record id, index line) of indexed records not yet in the spool.
    """

    name: layout.SegmentName
    begun_at: datetime
    origin: Origin
    make_id: Callable[[], str]
    writer: SegmentWriter
    records: int = 0
    lines: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        directory: Path,
        name: layout.SegmentName,
        at: datetime,
        origin: Origin,
        make_id: Callable[[], str],
    ) -> OpenSegment:
        """Open the WARC, write its warcinfo and the run's configuration.

        Raises:
            SpoolUnwritable: the file cannot be made.
        """
        file = layout.file_name(name, "warc")
        info = warcinfo_record(
            (*origin.warcinfo,), record_id=make_id(), date=at, filename=file
        )
        writer = SegmentWriter(directory, file, level=origin.level, warcinfo=info)
        segment = cls(name, at, origin, make_id, writer)
        segment.add_resource(
            f"urn:portalkeep:config:{origin.config_digest}",
            CONFIG_TYPE,
            json.dumps(origin.config, ensure_ascii=False, sort_keys=True).encode(),
            at,
        )
        return segment

    def add_exchange(
        self,
        exchange: Exchange,
        page_id: str | None,
        payloads: Payloads,
        *,
        masked: tuple[str, ...] = (),
        asked: str | None = None,
        resource_type: str | None = None,
    ) -> RecordRef:
        """Write an exchange's records; return the one that stands for it.

        That is the response or revisit, else the request, else the metadata record.
        """
        made = records.exchange_records(
            exchange,
            page_id=page_id or self.make_id(),
            make_id=self.make_id,
            warcinfo_id=self.writer.warcinfo_id,
            original=payloads.original,
            first_at=payloads.first_at,
            redacted=masked,
            request_digest=asked,
            resource_type=resource_type,
        )
        return self._append(made)[0]

    def add_capture(
        self, page_id: str, main: RecordRef | None, at: datetime, body: dict[str, Json]
    ) -> RecordRef:
        """Write the record that says what a page visit was for and what it met."""
        made = capture_record(
            body,
            page_id=page_id,
            main=main,
            date=at,
            make_id=self.make_id,
            warcinfo_id=self.writer.warcinfo_id,
        )
        return self._append((made,))[0]

    def add_resource(
        self,
        uri: str,
        content_type: str,
        content: bytes,
        at: datetime,
        *,
        page_id: str | None = None,
        concurrent_to: str | None = None,
    ) -> RecordRef:
        """Write a resource record, of a page visit where its page_id is given."""
        made = resource_record(
            uri,
            content_type,
            content,
            date=at,
            make_id=self.make_id,
            warcinfo_id=self.writer.warcinfo_id,
            page_id=page_id,
            concurrent_to=concurrent_to,
        )
        return self._append((made,))[0]

    def _append(self, made: tuple[Record, ...]) -> list[RecordRef]:
        refs = self.writer.append(made)
        self.records += len(refs)
        for record, ref in zip(made, refs, strict=True):
            line = cdxj.line_for(record, ref)
            if line is not None:
                self.lines.append((ref.record_id, cdxj.format_line(line)))
        return refs

    def take_lines(self) -> list[tuple[str, str]]:
        """Return the index lines since the last call."""
        lines, self.lines = self.lines, []
        return lines
