"""Show: the captures of a URL by time, and the bytes of one of them."""

from __future__ import annotations

import difflib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.archive import layout
from crawler.coding import decode_content
from crawler.errors import ArchiveDamaged, UsageError
from crawler.http import HEAD_BYTES, parse_head
from crawler.urls import host_of, surt
from crawler.warc.format import safe_uri
from crawler.warc.reader import read_member, to_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from crawler.archive.collection import Collection
    from crawler.model import Response
    from crawler.warc.cdxj import CdxLine
    from crawler.warc.member import ParsedRecord

MAX_PAYLOAD_BYTES = 1 << 40  # show gives all there is
NEAREST = 5
LOOKED_AT = 5000
"""Stored URLs that a missing one is compared with, at most."""
_OURS = "urn:"


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored capture of a URL.

    Attributes:
        line: of the index.
    """

    portal: str
    run_id: str
    line: CdxLine


def captures_of(
    collection: Collection, portals: Iterable[str], url: str
) -> list[Stored]:
    """Return the stored captures of a URL, oldest first.

    URLs that share a SURT are one: without ``www.``, case and order of parameters.

    Raises:
        UsageError: there is none; the nearest stored URLs are named.
    """
    names = tuple(portals)
    key = safe_uri(surt(safe_uri(url)))
    found = [one for one in stored_lines(collection, names) if one.line.surt == key]
    if not found:
        raise UsageError(_missing(collection, names, url))
    return sorted(
        found, key=lambda one: (one.line.date, one.line.filename, one.line.offset)
    )


def stored_lines(collection: Collection, portals: Iterable[str]) -> Iterator[Stored]:
    """Yield all index lines of portals, segment by segment."""
    for portal in portals:
        for segment in collection.segments(portal):
            for line in collection.lines(segment):
                yield Stored(portal, segment.run_id, line)


def _missing(collection: Collection, portals: tuple[str, ...], url: str) -> str:
    near = nearest_urls(
        url, (one.line.url for one in stored_lines(collection, portals))
    )
    if near:
        return f"no capture of {url!r}; nearest stored: {', '.join(near)}"
    where = ", ".join(portals) or "no portal"
    return f"no capture of {url!r} in {where}; `portalkeep status` tells what there is"


def nearest_urls(url: str, stored: Iterable[str]) -> list[str]:
    """Return the stored URLs most like url, those on its host first."""
    host = host_of(url)
    same: dict[str, None] = {}
    other: dict[str, None] = {}
    for one in stored:
        if not one.startswith(_OURS):
            (same if host_of(one) == host else other)[one] = None
    for group in (same, other):
        some = list(group)[:LOOKED_AT]
        if near := difflib.get_close_matches(url, some, NEAREST, cutoff=0.6):
            return near
    return list(same)[:NEAREST]


def nearest_at(captures: list[Stored], at: datetime | None) -> Stored:
    """Return the capture nearest to a time, the newest where none is given.

    captures: oldest first, not empty.
    """
    if at is None:
        return captures[-1]
    return min(captures, key=lambda one: abs(one.line.date - at))


def member(collection: Collection, stored: Stored) -> bytes:
    """Return the gzip member of a capture's record, as stored."""
    line = stored.line
    return collection.store.get(
        layout.warc_key(line.filename), line.offset, line.length
    )


def record_text(collection: Collection, stored: Stored) -> bytes:
    """Return a capture's whole WARC record, uncompressed.

    Raises:
        ArchiveDamaged: it does not inflate.
    """
    try:
        return zlib.decompress(member(collection, stored), 31)
    except zlib.error as exc:
        message = f"record {stored.line.record!r} does not inflate: {exc}; run `verify`"
        raise ArchiveDamaged(message) from exc


def head_bytes(collection: Collection, stored: Stored) -> bytes:
    """Return the status line and headers of a capture, byte for byte.

    Empty for what is no response.
    """
    block = read_member(member(collection, stored)).block
    head = parse_head(block.read(HEAD_BYTES))
    return block.read(head.size) if head is not None else b""


def response_of(collection: Collection, stored: Stored) -> Response | None:
    """Return the response of a capture; a revisit takes its payload from its original.

    None for what is no response.

    Raises:
        ArchiveDamaged: a record is not there or not whole.
    """
    record = read_member(member(collection, stored))
    if record.type not in ("response", "revisit"):
        return None
    original = _original(collection, stored) if stored.line.ref else None
    method = stored.line.method or "GET"
    return to_response(record, original, MAX_PAYLOAD_BYTES, method=method)


def _original(collection: Collection, stored: Stored) -> ParsedRecord:
    for one in stored_lines(collection, [stored.portal]):
        if one.line.record == stored.line.ref:
            return read_member(member(collection, one))
    message = (
        f"record {stored.line.record!r} revisits {stored.line.ref!r}, which is not in "
        "the store; run `verify`"
    )
    raise ArchiveDamaged(message)


def payload_of(collection: Collection, stored: Stored, *, raw: bool) -> bytes:
    """Return a capture's payload; its content-coding is undone unless raw is wanted.

    For what is no response (a resource, metadata) this is the record's block.

    Raises:
        NotDecodable: the content-coding cannot be undone; raw can be had.
        ArchiveDamaged: a record is not there or not whole.
    """
    response = response_of(collection, stored)
    if response is None:
        return read_member(member(collection, stored)).block.read()
    if raw:
        return response.payload
    return decode_content(response.payload, response.headers, MAX_PAYLOAD_BYTES).body
