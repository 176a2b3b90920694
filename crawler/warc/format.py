"""One WARC record as a value, and as the bytes of one gzip member.

No value that came from outside can make a header line of its own: control characters
never reach the file, and target URIs are ASCII without spaces.

Source: WARC/1.1 (ISO 28500:2017), sections 4, 5 and annex D.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from crawler.block import CHUNK_BYTES, Block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.http import Head
    from crawler.model import RecordRef

Fields: TypeAlias = tuple[tuple[str, str], ...]
"""WARC header fields in order; a name may come again."""

VERSION = "WARC/1.1"
HTTP_RESPONSE = "application/http;msgtype=response"
HTTP_REQUEST = "application/http;msgtype=request"
WARC_FIELDS = "application/warc-fields"
JSON = "application/json"
SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

PAGE_ID = "WARC-Page-ID"
PAYLOAD_DATE = "WARC-Payload-Date"
"""Ours: when the payload was captured first, less its Age then, where that is known."""
REQUEST_DIGEST = "WARC-Request-Digest"
"""Ours: what was asked, beyond the URL (`crawler.warc.cdxj.request_digest`)."""
REQUEST_METHOD = "WARC-Request-Method"
"""Ours: of a response to anything but a GET, so that an index can be made again."""
REDACTED = "WARC-Redacted"
"""Ours: what was masked at equal length, comma separated (`crawler.warc.redact`)."""

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NOT_IN_URI = re.compile(r"[^!#-;=?-Z\[\]\\^_`a-z{|}~]")
_END = b"\r\n\r\n"
_GZIP = 16 + zlib.MAX_WBITS
_SMALL_BYTES = 1 << 12
_SMALL_GZIP = 16 + 12
_SMALL_MEMORY = 5


@dataclass(frozen=True, slots=True)
class Record:
    """One record that is to be written.

    Attributes:
        type: ``response``, ``request``, ``revisit``, ``metadata``, ``resource`` or
            ``warcinfo``.
        record_id: ``urn:uuid:…`` without angle brackets.
        date: start of the capture event, aware.
        block: from byte start on, the record's block.
        payload_digest: ``sha256:<hex>``; for a revisit that of the original's.
        original: for a revisit, the record that holds the payload.
        payload_at: what `PAYLOAD_DATE` in headers says.
        headers: further WARC fields, in order.
        head: of the response in block, where it was parsed already.
    """

    type: str
    record_id: str
    date: datetime
    block: bytes | Block
    content_type: str | None = None
    target_uri: str | None = None
    start: int = 0
    payload_digest: str | None = None
    original: RecordRef | None = None
    payload_at: datetime | None = None
    headers: Fields = ()
    head: Head | None = None

    @property
    def length(self) -> int:
        """Bytes of the record's block."""
        size = self.block.size if isinstance(self.block, Block) else len(self.block)
        return max(0, size - self.start)

    def chunks(self) -> Iterator[bytes]:
        """Yield the record's block in pieces of bounded size."""
        if isinstance(self.block, Block):
            yield from self.block.chunks(self.start)
            return
        for at in range(self.start, len(self.block), CHUNK_BYTES):
            yield self.block[at : at + CHUNK_BYTES]


def sha256(content: bytes) -> str:
    """Return content's digest as WARC headers have it: ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def format_date(at: datetime) -> str:
    """Return at as a WARC-Date in UTC with six digits of the second."""
    text = at.astimezone(UTC).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def parse_date(text: str) -> datetime:
    """Read a WARC-Date of any precision the standard allows, to the microsecond.

    Raises:
        ValueError: text is no such date.
    """
    text = re.sub(r"\.(\d{1,9})Z$", lambda m: f".{m[1][:6].ljust(6, '0')}Z", text)
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        text = f"{text}-01-01"[: len("yyyy-mm-dd")]
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def safe_uri(uri: str) -> str:
    """Percent-encode, as UTF-8, what may not stand in a header line or index key."""
    return _NOT_IN_URI.sub(_percent_encoded, uri)


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def safe_value(value: str) -> str:
    """Put one space in place of control characters, so that a value stays one line."""
    return _CONTROLS.sub(" ", value).strip()


def fields_block(fields: Fields) -> bytes:
    """Return fields as the body of an ``application/warc-fields`` record.

    Raises:
        ValueError: a name is no token.
    """
    for name, _ in fields:
        if not _is_name(name):
            raise ValueError(f"{name!r} is no header name")
    values = "".join(value for _, value in fields)
    if not (values.isascii() and values.isprintable()):  # seldom: the pattern is slow
        fields = tuple((name, safe_value(value)) for name, value in fields)
    return "".join(f"{name}: {value.strip()}\r\n" for name, value in fields).encode()


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def header_fields(record: Record, block_digest: str) -> Fields:
    """Return all fields of record's header, in the order in which they are written."""
    known = (
        ("WARC-Type", record.type),
        ("WARC-Record-ID", f"<{safe_uri(record.record_id)}>"),
        ("WARC-Date", format_date(record.date)),
        ("WARC-Target-URI", record.target_uri and safe_uri(record.target_uri)),
        ("WARC-Payload-Digest", record.payload_digest),
        ("WARC-Block-Digest", block_digest),
        ("Content-Type", record.content_type),
        ("Content-Length", str(record.length)),
    )
    present = tuple((name, value) for name, value in known if value)
    return present[:4] + record.headers + present[4:]


def render(record: Record, level: int) -> Iterator[bytes]:
    """Yield the gzip member that holds record; its block is streamed twice.

    Memory stays flat whatever the block's size: first the digest is made, then the
    block is compressed.

    Raises:
        ValueError: a header's name is no token.
    """
    digest = hashlib.sha256()
    for piece in record.chunks():
        digest.update(piece)
    fields = header_fields(record, f"sha256:{digest.hexdigest()}")
    head = f"{VERSION}\r\n".encode() + fields_block(fields) + b"\r\n"
    compressor = _compressor(level, len(head) + record.length + len(_END))
    yield compressor.compress(head)
    for piece in record.chunks():
        yield compressor.compress(piece)
    yield compressor.compress(_END)
    yield compressor.flush()


def _compressor(level: int, size: int) -> zlib._Compress:
    """Return what makes a gzip member of size bytes.

    Zlib clears its whole window and tables for each member, which is most of the work
    for a small one; a window that holds all of it compresses as well.
    """
    if size > _SMALL_BYTES:
        return zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return zlib.compressobj(level, zlib.DEFLATED, _SMALL_GZIP, _SMALL_MEMORY)
