"""A segment in small: one file with every kind of record we write."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.exchange import Exchange, Truncated
from crawler.model import RecordRef
from crawler.warc.format import Record
from crawler.warc.unfetched import capture_record, resource_record
from tests.warc.sample import (
    AT,
    BODY,
    Segment,
    Written,
    chunked,
    exchange,
    new_segment,
    plain,
)


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """Give a segment that is open, with its warcinfo."""
    return new_segment(tmp_path)


@pytest.fixture
def written(segment: Segment) -> Written:
    """Give a closed file with every kind of record."""
    records: list[Record] = []
    refs: list[RecordRef] = []

    def add(
        one: Exchange,
        page_id: str = "page-1",
        original: RecordRef | None = None,
        validated: RecordRef | None = None,
        request_digest: str | None = None,
    ) -> RecordRef:
        made, places = segment.add(
            one,
            page_id=page_id,
            original=original,
            validated=validated,
            request_digest=request_digest,
        )
        records.extend(made)
        refs.extend(places)
        return places[0]

    first = add(exchange(plain(), interim=b"HTTP/1.1 103 E\r\n\r\n", excess=b"\0junk"))
    add(exchange(chunked(), after_s=1), original=first, page_id="page-2")
    add(exchange(chunked(BODY + b"!"), after_s=2), request_digest="0" * 32)
    add(
        exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", after_s=3),
        validated=first,
    )
    add(exchange(plain()[:-9], after_s=4, truncated=Truncated.DISCONNECT))
    add(exchange(None, after_s=5, error="timeout: no byte within 60 s"))
    add(exchange(None, request=b"", ip=None, error="dns: no such host"))
    add(exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method="HEAD"))
    rest = (
        capture_record(
            {"b": "好", "a": 1},
            page_id="page-1",
            main=first,
            date=AT,
            make_id=segment.make_id,
            warcinfo_id=segment.writer.warcinfo_id,
        ),
        resource_record(
            "urn:dom:https://e.com/a",
            "text/html",
            "<p>好".encode(),
            date=AT,
            make_id=segment.make_id,
            warcinfo_id=segment.writer.warcinfo_id,
        ),
    )
    records.extend(rest)
    refs.extend(segment.writer.append(rest))
    return Written(segment.writer.close(), records, refs)
