"""The index: one line a record that can be asked for, sorted by bytes.

``SURT timestamp {json}`` with the keys url mime status digest length offset filename,
as common tools read them, and ours: ``date`` (microseconds), ``record``, ``request``
(what was asked beyond the URL), ``page`` (the page visit), ``ref`` (the record that
holds a revisit's payload), ``method`` (but for GET).  Numbers are strings, what is not
known is left out, every byte is ASCII.  Lines can be made again from the records alone.

Source: CDXJ as pywb, cdxj-indexer and wabac read it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.errors import ArchiveDamaged
from crawler.http import HEAD_BYTES, header, parse_head
from crawler.urls import surt
from crawler.warc.format import (
    JSON,
    PAGE_ID,
    PAYLOAD_DATE,
    REQUEST_DIGEST,
    REQUEST_METHOD,
    Fields,
    Record,
    format_date,
    parse_date,
    safe_uri,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.http import Head
    from crawler.model import RecordRef
    from crawler.warc.member import ParsedRecord

REVISIT = "warc/revisit"
"""What other tools know a revisit's line by."""
_ANSWERS = ("response", "revisit")
_DIGEST_DIGITS = 32
_TIMESTAMP = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class CdxLine:
    """One line of the index.

    Attributes:
        surt: sort-friendly key of url.
        mime: of the response; ``warc/revisit`` for revisits.
        length, offset: of the gzip member in filename, bytes.
        date: the WARC-Date.
        record: the record_id.
        request: see `request_digest`.
        page: id of the page visit.
        ref: for a revisit, the record_id that holds the payload.
        method: of the request; None for GET, and for what was not fetched.
        first: when the payload was there first, where the record says so itself.
    """

    surt: str
    url: str
    mime: str | None
    status: int | None
    digest: str | None
    length: int
    offset: int
    filename: str
    date: datetime
    record: str
    request: str | None = None
    page: str | None = None
    ref: str | None = None
    method: str | None = None
    first: datetime | None = None

    @property
    def timestamp(self) -> str:
        """The date's first 14 digits."""
        return f"{self.date.astimezone(UTC):{_TIMESTAMP}}"


def request_digest(
    method: str, url: str, varying: Sequence[tuple[str, str]] = (), body: bytes = b""
) -> str:
    """Return 32 hex digits that differ where the same URL is asked for differently.

    varying: the headers that were set for this request, in any order.
    """
    headers = sorted([name.lower(), value.strip()] for name, value in varying)
    asked = [method.upper(), url, headers, hashlib.sha256(body).hexdigest()]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:_DIGEST_DIGITS]


def line_for(record: Record, ref: RecordRef, *, method: str = "GET") -> CdxLine | None:
    """Return the line of a record just written at ref; None: it is not indexed.

    Indexed are responses, revisits, resources and the JSON metadata of page visits.
    method is that of the request, where the record itself does not say it.
    """
    fields = record.headers
    if method != "GET" and record.type in _ANSWERS:
        fields = ((REQUEST_METHOD, method), *fields)
    head = record.head
    if head is None and record.type in _ANSWERS:
        block = record.block
        head = parse_head(block if isinstance(block, bytes) else block.read(HEAD_BYTES))
    return _line(record.type, record.content_type, head, fields, ref)


def line_from(record: ParsedRecord, ref: RecordRef) -> CdxLine | None:
    """Return the line of a record just read at ref: the same as `line_for`."""
    content_type = record.header("Content-Type")
    is_answer = record.type in _ANSWERS
    head = parse_head(record.block.read(HEAD_BYTES)) if is_answer else None
    return _line(record.type, content_type, head, record.headers, ref)


def _line(
    kind: str,
    content_type: str | None,
    head: Head | None,
    fields: Fields,
    ref: RecordRef,
) -> CdxLine | None:
    is_capture = kind == "metadata" and content_type == JSON
    if not is_capture and kind not in (*_ANSWERS, "resource"):
        return None
    mime, status = content_type, None
    if kind in _ANSWERS:
        mime = _mime(header(head.headers, b"content-type")) if head else None
        status = head.status if head else None
    named = dict(fields)
    url = safe_uri(ref.target_uri)
    return CdxLine(
        safe_uri(surt(url)),
        url,
        REVISIT if kind == "revisit" else mime,
        status,
        ref.payload_digest,
        ref.length,
        ref.offset,
        ref.warc,
        ref.captured_at,
        ref.record_id,
        named.get(REQUEST_DIGEST),
        named.get(PAGE_ID),
        ref.payload_record,
        named.get(REQUEST_METHOD),
        ref.payload_at if PAYLOAD_DATE in named else None,
    )


def _mime(content_type: bytes | None) -> str | None:
    text = (content_type or b"").partition(b";")[0].strip().lower()
    return text.decode("latin-1") or None


def format_line(line: CdxLine) -> str:
    """Return line as text without its line end."""
    keys = {
        "url": line.url,
        "mime": line.mime,
        "status": None if line.status is None else str(line.status),
        "digest": line.digest,
        "length": str(line.length),
        "offset": str(line.offset),
        "filename": line.filename,
        "date": format_date(line.date),
        "record": line.record,
        "request": line.request,
        "page": line.page,
        "ref": line.ref,
        "method": line.method,
        "first": None if line.first is None else format_date(line.first),
    }
    present = {key: value for key, value in keys.items() if value is not None}
    return f"{line.surt} {line.timestamp} {json.dumps(present, separators=(',', ':'))}"


def parse_line(text: str) -> CdxLine:
    """Read a line; keys we do not know are passed over, ours may be missing.

    Raises:
        ArchiveDamaged: it is no CDXJ line.
    """
    try:
        key, timestamp, rest = text.rstrip("\r\n").split(" ", 2)
        keys = json.loads(rest)
        status = keys.get("status")
        return CdxLine(
            key,
            keys["url"],
            keys.get("mime"),
            int(status) if str(status or "").isdecimal() else None,
            keys.get("digest"),
            int(keys["length"]),
            int(keys["offset"]),
            keys["filename"],
            _date(keys.get("date"), timestamp),
            keys.get("record", ""),
            keys.get("request"),
            keys.get("page"),
            keys.get("ref"),
            keys.get("method"),
            parse_date(keys["first"]) if "first" in keys else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ArchiveDamaged(f"no index line: {text[:200]!r}") from exc


def _date(date: str | None, timestamp: str) -> datetime:
    if date is not None:
        return parse_date(date)
    return datetime.strptime(timestamp, _TIMESTAMP).replace(tzinfo=UTC)


def write_sorted(lines: Iterable[CdxLine], path: Path) -> None:
    """Write lines, sorted by bytes, as gzip; the same lines give the same bytes.

    The file appears whole and synced under its name, or not at all.  An OSError is
    the caller's to wrap.
    """
    texts = sorted({f"{format_line(line)}\n".encode("ascii") for line in lines})
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            packed.writelines(texts)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_lines(path: Path) -> Iterator[CdxLine]:
    """Yield the lines of a file that `write_sorted` made, in its order.

    Raises:
        ArchiveDamaged: it is torn, or a line is none.
    """
    try:
        with gzip.open(path, "rt", encoding="ascii", newline="\n") as file:
            for text in file:
                yield parse_line(text)
    except (EOFError, gzip.BadGzipFile, UnicodeDecodeError) as exc:
        raise ArchiveDamaged(f"index {path.name!r} is damaged: {exc}") from exc


class Index:
    """Lines in memory, looked up by URL, page visit or record."""

    def __init__(self, lines: Iterable[CdxLine]) -> None:
        self._by_surt: dict[str, list[CdxLine]] = defaultdict(list)
        self._by_page: dict[str, list[CdxLine]] = defaultdict(list)
        self._by_record: dict[str, CdxLine] = {}
        for line in sorted(lines, key=_place):
            self._by_surt[line.surt].append(line)
            self._by_record[line.record] = line
            if line.page is not None:
                self._by_page[line.page].append(line)

    def at(self, url: str) -> tuple[CdxLine, ...]:
        """Return the lines of a URL (all that share its SURT), oldest first."""
        return tuple(self._by_surt.get(safe_uri(surt(safe_uri(url))), ()))

    def of_page(self, page_id: str) -> tuple[CdxLine, ...]:
        """Return the lines of one page visit, oldest first."""
        return tuple(self._by_page.get(page_id, ()))

    def record(self, record_id: str) -> CdxLine | None:
        """Return the line of a record; None where it is not in this index."""
        return self._by_record.get(record_id)


def _place(line: CdxLine) -> tuple[datetime, str, int]:
    """Return when and where: what was captured at one moment stays in file order."""
    return line.date, line.filename, line.offset
