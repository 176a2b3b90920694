"""Bodies of HTTP/1.x messages as they come in: what says where they end.

Source: RFC 9112 sections 6 and 7.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from crawler.http.head import header_all

if TYPE_CHECKING:
    from crawler.http.head import Head

LINE_BYTES = 1 << 14
"""A chunk-size or trailer line longer than this is a framing failure."""

_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?", re.DOTALL)

_OK = 200
_MULTIPLE_CHOICES = 300
_WITHOUT_BODY = frozenset({204, 304})


class Framing(StrEnum):
    """What says where a response's body ends."""

    LENGTH = "length"
    CHUNKS = "chunks"
    CLOSE = "close"
    NONE = "none"


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
