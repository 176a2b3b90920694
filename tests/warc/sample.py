"""Exchanges and segments in small, for the tests of the archive."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.block import Block
from crawler.exchange import Exchange, Tls, Truncated
from crawler.model import RecordRef
from crawler.warc.records import exchange_records
from crawler.warc.unfetched import warcinfo_record
from crawler.warc.writer import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.warc.format import Record

AT = datetime(2025, 7, 15, 14, 0, 0, 123456, tzinfo=UTC)
BODY = b"<html><p>" + b"the same text again and again " * 30
REQUEST = b"GET /a HTTP/1.1\r\nHost: e.com\r\nAccept: */*\r\n\r\n"


def plain(body: bytes = BODY, extra: bytes = b"") -> bytes:
    """Make a response with a length."""
    length = b"content-LENGTH: %d\r\n" % len(body)
    kind = b"Content-Type: text/html; charset=gbk\r\n"
    return b"HTTP/1.1 200 OK\r\n" + kind + length + extra + b"\r\n" + body


def chunked(body: bytes = BODY) -> bytes:
    """Make a response in two chunks, with extensions and a trailer."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\nx: 2\r\n\r\n"
    half = len(body) // 2
    sizes = b"%x;e=1\r\n%b\r\n%X\r\n%b\r\n0\r\nT: 1\r\n\r\n"
    return head + sizes % (half, body[:half], len(body) - half, body[half:])


def exchange(
    response: bytes | None = None,
    *,
    url: str = "https://e.com/a",
    method: str = "GET",
    request: bytes = REQUEST,
    after_s: int = 0,
    interim: bytes = b"",
    excess: bytes = b"",
    truncated: Truncated | None = None,
    error: str | None = None,
    ip: str | None = "192.0.2.1",
) -> Exchange:
    """Make an exchange whose response holds these bytes."""
    return Exchange(
        url=url,
        method=method,
        request=request,
        response=None if response is None else Block(response),
        started_at=AT + timedelta(seconds=after_s),
        interim=interim,
        excess=excess,
        ip=ip,
        tls=Tls("tls/1.3", "TLS_AES_128_GCM_SHA256"),
        via="http://proxy.example:3128",
        truncated=truncated,
        error=error,
        first_byte_ms=7,
        elapsed_ms=12,
    )


@dataclass
class Segment:
    """A writer with what its records need."""

    writer: SegmentWriter
    make_id: Callable[[], str]

    def add(
        self,
        one: Exchange,
        *,
        page_id: str = "page-1",
        original: RecordRef | None = None,
        validated: RecordRef | None = None,
        first_at: datetime | None = None,
        request_digest: str | None = None,
        redacted: tuple[str, ...] = (),
    ) -> tuple[tuple[Record, ...], list[RecordRef]]:
        """Write the records of an exchange."""
        records = exchange_records(
            one,
            page_id=page_id,
            make_id=self.make_id,
            warcinfo_id=self.writer.warcinfo_id,
            original=lambda _digest, _url: original,
            first_at=lambda _digest: first_at,
            validated=validated,
            request_digest=request_digest,
            redacted=redacted,
        )
        return records, self.writer.append(records)


def id_maker() -> Callable[[], str]:
    """Make ids that count up."""
    numbers = itertools.count(1)
    return lambda: f"urn:uuid:00000000-0000-4000-8000-{next(numbers):012d}"


def new_segment(directory: Path, name: str = "a.warc.gz", level: int = 6) -> Segment:
    """Begin a file."""
    make_id = id_maker()
    warcinfo = warcinfo_record(
        (("software", "portalkeep"), ("operator", "we")),
        record_id=make_id(),
        date=AT,
        filename=name,
    )
    writer = SegmentWriter(directory, name, level=level, warcinfo=warcinfo)
    return Segment(writer, make_id)


@dataclass
class Written:
    """A closed file with all kinds of records, and what was written to it."""

    path: Path
    records: list[Record]
    refs: list[RecordRef]
