"""HTTP/1.x messages as raw bytes: where the head ends, how the body is delimited.

Pure, and as tolerant as browsers are: lines may end in a bare LF, values may be
folded, header lines without a colon are passed over, the reason phrase may be missing
and names may hold any byte.  Nothing here changes a byte of what it reads; the wire
hook, the recording proxy, the archive's writer and its reader all read through this
one module, so that live and replayed responses cannot differ.

Source: RFC 9112 sections 2 to 7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from crawler.model import Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from crawler.block import Block
    from crawler.model import Headers, RecordRef

HEAD_BYTES = 1 << 18
"""A head longer than this is none; Twisted gives up far earlier."""
LINE_BYTES = 1 << 14
"""A chunk-size or trailer line longer than this is a framing failure."""

_HEAD_END = re.compile(rb"\n\r?\n")
_VERSION = re.compile(rb"HTTP/\d{1,9}(?:\.\d{1,9})?", re.IGNORECASE)
_STATUS = re.compile(rb"\d{3}")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?", re.DOTALL)
_SIZE_BEGUN = re.compile(rb"[ \t]*[0-9A-Fa-f]{0,16}[ \t]*(?:;.*)?", re.DOTALL)

_CONTINUE = 100
_SWITCHING = 101
_OK = 200
_MULTIPLE_CHOICES = 300
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response.

    Attributes:
        version: as on the wire, ``HTTP/1.1``.
        reason: empty where there is none.
        headers: order, case and repeats kept; folded values joined by one space;
            lines without a colon left out.
        size: bytes of the head with its blank line; the body begins there.
    """

    version: bytes
    status: int
    reason: bytes
    headers: Headers
    size: int


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of a request; the fields are those of `Head`.

    Attributes:
        target: as on the wire, mostly path and query.
        version: empty for HTTP/0.9.
    """

    method: bytes
    target: bytes
    version: bytes
    headers: Headers
    size: int


class Framing(StrEnum):
    """What says where a response's body ends."""

    LENGTH = "length"
    CHUNKS = "chunks"
    CLOSE = "close"
    NONE = "none"


def parse_head(prefix: bytes) -> Head | None:
    """Read the response head that prefix begins with.

    None: the blank line has not come yet, or the first line is no status line.
    """
    if (end := head_end(prefix)) is None:
        return None
    first, *lines = prefix[:end].split(b"\n")
    if (status_line := _status_line(first)) is None:
        return None
    return Head(*status_line, _headers(lines), end)


# Split, not matched: a line of many spaces must not keep a pattern busy.
def _status_line(line: bytes) -> tuple[bytes, int, bytes] | None:
    """Return version, status and reason; None where line is no status line."""
    version, status, reason = (*line.split(None, 2), b"", b"", b"")[:3]
    if not (line.startswith(version) and _VERSION.fullmatch(version)):
        return None
    return (
        (version, int(status), reason.rstrip()) if _STATUS.fullmatch(status) else None
    )


def parse_request_head(prefix: bytes) -> RequestHead | None:
    """Read the request head that prefix begins with; None where there is none."""
    if (end := head_end(prefix)) is None:
        return None
    first, *lines = prefix[:end].split(b"\n")
    method, space, rest = first.rstrip().partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not _VERSION.fullmatch(version):
        target, version = rest, b""
    if not (method and space):
        return None
    return RequestHead(method, target, version, _headers(lines), end)


def head_end(prefix: bytes, start: int = 0) -> int | None:
    """Return where the head that begins at start ends, its blank line included."""
    match = _HEAD_END.search(prefix, start, start + HEAD_BYTES)
    return match.end() if match else None


def _headers(lines: list[bytes]) -> Headers:
    found: list[tuple[bytes, list[bytes]]] = []
    known = False  # whether the line before was a header, which a fold continues
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if known:
                found[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(b":")
        known = bool(colon and name.strip())
        if known:
            found.append((name.strip(), [value.strip()]))
    return tuple((name, b" ".join(filter(None, parts))) for name, parts in found)


def header(headers: Headers, name: bytes) -> bytes | None:
    """Return the last value of the header called name, in any case of letters."""
    values = header_all(headers, name)
    return values[-1] if values else None


def header_all(headers: Headers, name: bytes) -> tuple[bytes, ...]:
    """Return all values of the header called name, in order."""
    wanted = name.lower()
    return tuple(value for key, value in headers if key.lower() == wanted)


def final_head_offset(prefix: bytes) -> int:
    """Return where the final response begins: after all whole interim ones.

    A 101 is final: what follows it is another protocol.
    """
    start = 0
    while (end := head_end(prefix, start)) is not None:
        line = _status_line(prefix[start:end].partition(b"\n")[0])
        if line is None or not _CONTINUE <= line[1] < _OK or line[1] == _SWITCHING:
            break
        start = end
    return start


def is_chunked(head: Head) -> bool:
    """Tell whether chunked is the outermost transfer-coding."""
    codings = b",".join(header_all(head.headers, b"transfer-encoding")).split(b",")
    return codings[-1].strip().lower() == b"chunked"


def content_length(head: Head) -> int | None:
    """Return what Content-Length says; None where absent, no number, or ambiguous."""
    values = header_all(head.headers, b"content-length")
    lengths = {length.strip() for value in values for length in value.split(b",")}
    length = lengths.pop() if len(lengths) == 1 else b""
    return int(length) if re.fullmatch(rb"[0-9]{1,18}", length) else None


def framing(head: Head, method: str) -> Framing:
    """Decide how the body of the answer to a request by method is delimited.

    Source: RFC 9112 section 6.3.
    """
    tunnel = method == "CONNECT" and _OK <= head.status < _MULTIPLE_CHOICES
    bodiless = head.status < _OK or head.status in _WITHOUT_BODY
    if method == "HEAD" or tunnel or bodiless:
        return Framing.NONE
    if is_chunked(head):
        return Framing.CHUNKS
    return Framing.CLOSE if content_length(head) is None else Framing.LENGTH


class _Expect(StrEnum):
    """What the next line of a chunked body has to be."""

    SIZE = "size"
    DATA_END = "data_end"
    TRAILER = "trailer"


class Dechunker:
    """Takes the chunked framing off a body that comes in pieces of any size.

    Extensions and trailers are passed over, lines may end in a bare LF.

    Attributes:
        done: the last chunk and the trailers have been read.
        failed: the framing is broken; nothing more comes out.
        consumed: bytes fed that belong to the body; once done, its size on the wire.
    """

    __slots__ = ("_expect", "_left", "_line", "consumed", "done", "failed")

    def __init__(self) -> None:
        self.done = self.failed = False
        self.consumed = 0
        self._left = 0
        self._line = bytearray()
        self._expect = _Expect.SIZE

    def feed(self, content: bytes) -> bytes:
        """Return what of content is payload; bytes past the end are left alone."""
        out: list[bytes] = []
        at = 0
        while at < len(content) and not (self.done or self.failed):
            if self._left:
                piece = content[at : at + self._left]
                out.append(piece)
                self._left -= len(piece)
                at += len(piece)
            else:
                at = self._read_line(content, at)
        self.consumed += at
        return b"".join(out)

    def _read_line(self, content: bytes, at: int) -> int:
        end = content.find(b"\n", at, at + LINE_BYTES)
        stop = end + 1 if end >= 0 else min(len(content), at + LINE_BYTES)
        self._line += content[at:stop]
        if len(self._line) > LINE_BYTES:
            self.failed = True
        elif end >= 0:
            line = bytes(self._line[:-1]).removesuffix(b"\r")
            self._line.clear()
            self._take_line(line)
        return stop

    def _take_line(self, line: bytes) -> None:
        if self._expect is _Expect.TRAILER:
            self.done = not line
        elif self._expect is _Expect.DATA_END:
            self.failed = bool(line)
            self._expect = _Expect.SIZE
        elif match := _CHUNK_SIZE.fullmatch(line):
            self._left = int(match[1], 16)
            self._expect = _Expect.DATA_END if self._left else _Expect.TRAILER
        else:
            self.failed = True


class BodyMeter:
    """Tells, while a response comes in, which of its bytes still belong to it.

    Attributes:
        done: the message has ended; never set for a body that ends at the close.
        failed: the chunked framing is broken; what comes is taken up to the close.
    """

    __slots__ = ("_dechunker", "_left", "done", "failed")

    def __init__(self, head: Head, method: str) -> None:
        """Start at the first byte after head, the answer to a request by method."""
        kind = framing(head, method)
        self.failed = False
        self._dechunker = Dechunker() if kind is Framing.CHUNKS else None
        self._left = content_length(head) if kind is Framing.LENGTH else None
        self.done = kind is Framing.NONE or self._left == 0

    def feed(self, content: bytes) -> int:
        """Return how many bytes of content, from its start, belong to the message."""
        if self.done:
            return 0
        if self._dechunker is not None and not self.failed:
            before = self._dechunker.consumed
            self._dechunker.feed(content)
            self.done, self.failed = self._dechunker.done, self._dechunker.failed
            return len(content) if self.failed else self._dechunker.consumed - before
        if self._left is None:
            return len(content)
        taken = min(self._left, len(content))
        self._left -= taken
        self.done = self._left == 0
        return taken


def read_head(block: Block) -> Head | None:
    """Read the head of the response that block holds; None where there is none."""
    return parse_head(block.read(HEAD_BYTES))


def message_end(block: Block, head: Head, method: str) -> int | None:
    """Return where in block the message ends; what follows is excess.

    None: only the close can tell, or the end has not come.
    """
    meter = BodyMeter(head, method)
    end = head.size
    for piece in () if meter.done else block.chunks(head.size):
        end += meter.feed(piece)
        if meter.done:
            break
    return end if meter.done else None


def is_whole(block: Block, head: Head, method: str) -> bool:
    """Tell whether a finished block holds all of its message, as far as it can tell.

    A body that ends at the close is whole by definition, and so is one that was
    stored de-chunked under a head that still says chunked.
    """
    kind = framing(head, method)
    if kind is Framing.CLOSE or (kind is Framing.CHUNKS and _is_plain(block, head)):
        return True
    return message_end(block, head, method) is not None


def payload_chunks(block: Block, head: Head) -> Iterator[bytes]:
    """Yield the payload: chunked framing taken off, content-coding kept.

    Where the head says chunked and the bytes are not (archives of other makers, that
    stored the body de-chunked), the bytes are believed.  A body whose framing breaks
    later ends there.
    """
    if not is_chunked(head) or _is_plain(block, head):
        yield from block.chunks(head.size)
        return
    dechunker = Dechunker()
    for piece in block.chunks(head.size):
        if payload_piece := dechunker.feed(piece):
            yield payload_piece
        if dechunker.done or dechunker.failed:
            return


def _is_plain(block: Block, head: Head) -> bool:
    """Tell whether a body called chunked cannot be: no size at its very beginning."""
    line = block.read(LINE_BYTES, start=head.size).partition(b"\n")[0]
    return bool(line) and not _SIZE_BEGUN.fullmatch(line.removesuffix(b"\r"))


def payload(block: Block, head: Head, limit: int) -> tuple[bytes, bool]:
    """Return at most limit bytes of the payload, and whether more were there."""
    pieces: list[bytes] = []
    size = 0
    for piece in payload_chunks(block, head):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            return b"".join(pieces)[:limit], True
    return b"".join(pieces), False


def response_from_block(
    url: str,
    block: Block,
    captured_at: datetime,
    *,
    method: str,
    limit: int,
    ref: RecordRef | None = None,
    truncated: bool = False,
) -> Response | None:
    """Make what extraction reads of a response; live and replayed alike.

    ``cut`` is set where truncated is, where the message is not whole, and where its
    payload is longer than limit.  None: the block has no status line or no whole head.
    """
    if (head := read_head(block)) is None:
        return None
    body, longer = payload(block, head, limit)
    cut = longer or truncated or not is_whole(block, head, method)
    return Response(url, head.status, head.headers, body, captured_at, cut, ref)
