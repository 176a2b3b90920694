"""Records read back from members, and the responses that extraction reads of them."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, TypeAlias

from crawler.block import Block
from crawler.errors import ArchiveDamaged
from crawler.http import (
    is_chunked,
    payload,
    payload_chunks,
    read_head,
    response_from_block,
)
from crawler.model import RecordRef
from crawler.warc.format import NOT_MODIFIED, PAYLOAD_DATE, parse_date
from crawler.warc.member import ParsedRecord, Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from crawler.model import Headers, Response

Source: TypeAlias = "Path | IO[bytes]"
"""A file by its path, or one that is open and can seek."""

# Of the body that a 304 stands for, not of the 304.
_STORED_HEADERS = frozenset(
    {b"content-length", b"content-encoding", b"content-type", b"transfer-encoding"}
)


class Member(NamedTuple):
    """One gzip member of a file: where it is and the record it holds."""

    offset: int
    length: int
    record: ParsedRecord


def read_member(content: bytes) -> ParsedRecord:
    """Read the one member that content is.

    Raises:
        ArchiveDamaged: content is not exactly one good member.
    """
    window = Window(io.BytesIO(content), 0)
    record = window.read_record()
    if window.offset != len(content):
        raise ArchiveDamaged(f"{len(content) - window.offset} bytes follow the member")
    return record


def read_at(source: Source, offset: int) -> Member:
    """Read the member that begins at offset.

    Raises:
        ArchiveDamaged: no good member begins there.
    """
    with opened(source) as file:
        window = Window(file, offset)
        record = window.read_record()
        return Member(offset, window.offset - offset, record)


def scan(source: Source) -> Iterator[Member]:
    """Yield each member of a file in order.

    Raises:
        ArchiveDamaged: a member is not good; those before it were yielded.
    """
    with opened(source) as file:
        window = Window(file, 0)
        while not window.at_end():
            offset = window.offset
            record = window.read_record()
            yield Member(offset, window.offset - offset, record)


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """Open a path for the time of the block; an open file is left open."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        yield source


def ref_of(record: ParsedRecord, *, warc: str, offset: int, length: int) -> RecordRef:
    """Return the reference to a record read from that place."""
    original = record.header("WARC-Refers-To") if record.type == "revisit" else None
    original_at = record.header("WARC-Refers-To-Date") if original else None
    payload_at = record.header(PAYLOAD_DATE) or original_at
    return RecordRef(
        record.record_id,
        warc,
        offset,
        length,
        record.target_uri or "",
        record.date,
        record.header("WARC-Payload-Digest"),
        original,
        parse_date(payload_at) if payload_at else None,
    )


def to_response(
    record: ParsedRecord,
    original: ParsedRecord | None,
    max_parse: int,
    *,
    method: str = "GET",
    ref: RecordRef | None = None,
) -> Response | None:
    """Make what extraction reads of a stored response, as the live path makes it.

    A revisit takes its payload from original.  A ``server-not-modified`` one is
    answered as a cache would: the original's status and headers, brought up to date by
    the 304's.  None: the block has no whole head.

    Raises:
        ArchiveDamaged: record is a revisit and original is not what it refers to.

    Source: RFC 9111 sections 3.2 and 4.3.4.
    """
    if record.type != "revisit":
        return _response(record, record.date, max_parse, method, ref)
    original = _original(record, original)
    stored = _response(original, record.date, max_parse, method, ref)
    head = read_head(record.block)
    if stored is None or head is None:
        return None
    url = record.target_uri or stored.url
    if record.header("WARC-Profile") == NOT_MODIFIED:
        return replace(stored, url=url, headers=updated(stored.headers, head.headers))
    cut = stored.cut and _is_longer(original, max_parse)
    return replace(stored, url=url, status=head.status, headers=head.headers, cut=cut)


def _is_longer(original: ParsedRecord, limit: int) -> bool:
    """Tell whether a payload is longer than limit; what came whole is cut by no less.

    The same bytes may have come before by a connection that broke at their end.
    """
    head = read_head(original.block)
    return head is not None and payload(original.block, head, limit)[1]


def _original(record: ParsedRecord, original: ParsedRecord | None) -> ParsedRecord:
    wanted = record.header("WARC-Refers-To")
    if original is None or original.record_id != wanted:
        raise ArchiveDamaged(f"{record.record_id!r} needs its original {wanted!r}")
    return original


def to_message(record: ParsedRecord, original: ParsedRecord | None) -> Block:
    """Return a stored response as it crossed the wire.

    A revisit's head comes with its original's payload, framed as the head says; that
    of a 304 comes alone.

    Raises:
        ArchiveDamaged: record is a revisit and original is not the one it refers to.
    """
    if record.type != "revisit" or record.header("WARC-Profile") == NOT_MODIFIED:
        return record.block
    original = _original(record, original)
    head, stored = read_head(record.block), read_head(original.block)
    if head is None or stored is None:
        return record.block
    message = Block(record.block.read(head.size))
    chunked = is_chunked(head)
    for piece in payload_chunks(original.block, stored):
        message.append(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    message.append(b"0\r\n\r\n" if chunked else b"")
    return message


def _response(
    record: ParsedRecord,
    captured_at: datetime,
    limit: int,
    method: str,
    ref: RecordRef | None,
) -> Response | None:
    return response_from_block(
        record.target_uri or "",
        record.block,
        captured_at,
        method=method,
        limit=limit,
        ref=ref,
        truncated=record.header("WARC-Truncated") is not None,
    )


def updated(stored: Headers, fresh: Headers) -> Headers:
    """Return stored headers brought up to date by those of a 304."""
    names = {name.lower() for name, _ in fresh} - _STORED_HEADERS
    kept = tuple((name, value) for name, value in stored if name.lower() not in names)
    news = tuple((name, value) for name, value in fresh if name.lower() in names)
    return kept + news
