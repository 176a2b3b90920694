"""What can be told of a segment by its WARC alone: index lines, and its manifest.

The archive is the truth: everything else that is stored of a segment is made of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.archive.segment import CONFIG_TYPE, DECISIONS_TYPE
from crawler.warc import cdxj
from crawler.warc.reader import ref_of
from crawler.warc.salvage import spans

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from crawler.model import RecordRef
    from crawler.warc.member import ParsedRecord

JOBS = {"b": "backfill", "c": "crawl"}
"""A run id's letter to the job it stands for."""


@dataclass(slots=True)
class Facts:
    """What a segment's WARC says.

    Attributes:
        refs: of all records, by id.
        lines: of the index, sorted by bytes.
        lost_bytes: of what is no good member.
        info: fields of the warcinfo record; empty where it is lost.
        config: the run's resolved configuration, None where its record is lost.
        counts: URLs by outcome and by ``outcome:reason`` of the decision log.
        decided: whether the decision log is there.
        begun_at, closed_at: dates of the first and the last record.
    """

    refs: dict[str, RecordRef] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    lost_bytes: int = 0
    info: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] | None = None  # Any: JSON
    counts: dict[str, int] = field(default_factory=dict)
    decided: bool = False
    begun_at: datetime | None = None
    closed_at: datetime | None = None

    def take(self, record: ParsedRecord, ref: RecordRef) -> None:
        """Note one record."""
        self.refs[ref.record_id] = ref
        if (line := cdxj.line_from(record, ref)) is not None:
            self.lines.append(cdxj.format_line(line))
        self.begun_at = self.begun_at or record.date
        self.closed_at = record.date
        if record.type == "warcinfo":
            self.info = fields_of(record.block.read())
        elif record.header("Content-Type") == CONFIG_TYPE:
            self.config = json.loads(record.block.read())
        elif record.header("Content-Type") == DECISIONS_TYPE:
            self.decided = True
            self._count(record.block.read().decode())

    def _count(self, log: str) -> None:
        for entry in map(json.loads, log.splitlines()):
            outcome, reason = entry["outcome"], entry.get("reason")
            for name in (outcome, f"{outcome}:{reason}" if reason else None):
                if name is not None:
                    self.counts[name] = self.counts.get(name, 0) + 1
        self.counts = dict(sorted(self.counts.items()))


def facts_of(path: Path, warc: str) -> Facts:
    """Read a WARC, damaged or not; warc is the file name that references name."""
    facts = Facts()
    for span in spans(path):
        if span.record is None:
            facts.lost_bytes += span.length
            continue
        ref = ref_of(span.record, warc=warc, offset=span.offset, length=span.length)
        facts.take(span.record, ref)
    facts.lines.sort(key=str.encode)
    return facts


def fields_of(block: bytes) -> dict[str, str]:
    """Read the block of an ``application/warc-fields`` record."""
    lines = (line.partition(": ") for line in block.decode("utf-8").splitlines())
    return {name: value for name, colon, value in lines if colon}
