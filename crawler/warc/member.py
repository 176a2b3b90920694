"""One gzip member read strictly: it holds one whole record, or it is damage.

A member is good iff it inflates to its gzip trailer and holds exactly one WARC record
whose Content-Length is right and which ends with two line ends.  Common readers pass
over torn tails in silence; nothing here does.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from crawler.block import Block
from crawler.errors import ArchiveDamaged
from crawler.http import HEAD_BYTES
from crawler.warc.format import Fields, parse_date

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_READ_BYTES = 1 << 18
_FIRST_SLICE_BYTES = 1 << 12
_INFLATED_BYTES = 1 << 20
_HEAD_END = b"\r\n\r\n"
_VERSION = re.compile(rb"WARC/1\.[01]\r\n")


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """One record as read; ids come without angle brackets.

    Attributes:
        headers: all fields of the WARC header in order.
        block: large ones are on disk; see `Block`.
    """

    type: str
    record_id: str
    target_uri: str | None
    date: datetime
    headers: Fields
    block: Block

    def header(self, name: str) -> str | None:
        """Return the last value of the WARC field called name, ids without brackets."""
        values = self.header_all(name)
        return values[-1] if values else None

    def header_all(self, name: str) -> tuple[str, ...]:
        """Return all values of the WARC field called name, ids without brackets."""
        wanted = name.lower()
        return tuple(_bare(v) for key, v in self.headers if key.lower() == wanted)


class Window:
    """A file read from offset on in large steps, and inflated in small ones.

    Attributes:
        offset: of the next compressed byte; after a record, the next member's.
    """

    __slots__ = ("_buffer", "_file", "_position", "offset")

    def __init__(self, file: IO[bytes], offset: int) -> None:
        self.offset = offset
        self._file = file
        self._buffer = b""
        self._position = 0

    def at_end(self) -> bool:
        """Tell whether no byte is left."""
        return not self._fill()

    def read_record(self) -> ParsedRecord:
        """Read the member that begins at offset, and go to its end.

        Raises:
            ArchiveDamaged: it is not good; offset is somewhere within it.
        """
        begin = self.offset
        try:
            return _parse(self._inflated())
        except (zlib.error, ValueError, _Fault) as exc:
            raise ArchiveDamaged(f"member at offset {begin}: {exc}") from exc

    def _inflated(self) -> Iterator[bytes]:
        inflate = zlib.decompressobj(31)
        size = _FIRST_SLICE_BYTES  # small members: little is read ahead and given back
        while not inflate.eof:
            if not (piece := self._take(size)):
                raise _Fault("the file ends within it")
            size = min(2 * size, _READ_BYTES)
            full = True  # zlib may hold output back when all its input is taken
            while (piece or full) and not inflate.eof:
                out = inflate.decompress(piece, _INFLATED_BYTES)
                yield out
                piece, full = inflate.unconsumed_tail, len(out) == _INFLATED_BYTES
        self.offset -= len(inflate.unused_data)
        self._position -= len(inflate.unused_data)

    def _take(self, size: int) -> bytes:
        if not self._fill():
            return b""
        piece = self._buffer[self._position : self._position + size]
        self._position += len(piece)
        self.offset += len(piece)
        return piece

    def _fill(self) -> bool:
        if self._position >= len(self._buffer):
            self._file.seek(self.offset)
            self._buffer = self._file.read(_READ_BYTES)
            self._position = 0
        return bool(self._buffer)


class _Fault(Exception):
    """What is wrong with a member; becomes ArchiveDamaged with its place."""


def _parse(pieces: Iterator[bytes]) -> ParsedRecord:
    fields, rest = _parse_header(pieces)
    named = {name.lower(): value for name, value in fields}
    length = _number(named.get("content-length"))
    block = Block()
    tail = _fill_block(block, length, rest, pieces)
    if block.size != length:
        raise _Fault(f"Content-Length is {length}, the block has {block.size} bytes")
    if tail != _HEAD_END:
        raise _Fault("the record does not end with two line ends")
    for name in ("warc-type", "warc-record-id", "warc-date"):
        if name not in named:
            raise _Fault(f"it has no {name} field")
    return ParsedRecord(
        named["warc-type"],
        _bare(named["warc-record-id"]),
        _bare(named["warc-target-uri"]) if "warc-target-uri" in named else None,
        parse_date(named["warc-date"]),
        fields,
        block,
    )


def _parse_header(pieces: Iterator[bytes]) -> tuple[Fields, bytes]:
    """Return the header's fields and the bytes that follow it in the last piece."""
    seen = b""
    while (end := seen.find(_HEAD_END)) < 0:
        if len(seen) >= len(b"WARC/1.1\r\n") and not _VERSION.match(seen):
            raise _Fault("it holds no WARC/1.x record")
        if len(seen) > HEAD_BYTES or (piece := next(pieces, None)) is None:
            raise _Fault("its record's header does not end")
        seen += piece
    if not _VERSION.match(seen):
        raise _Fault("it holds no WARC/1.x record")
    lines = seen[:end].split(b"\r\n")[1:]
    return _fields(lines), seen[end + len(_HEAD_END) :]


def _fields(lines: list[bytes]) -> Fields:
    fields: list[tuple[str, list[str]]] = []
    for line in lines:
        text = line.decode("utf-8", "backslashreplace")
        if fields and text[:1] in (" ", "\t"):  # folded, as WARC/1.0 allows
            fields[-1][1].append(text.strip())
            continue
        name, colon, value = text.partition(":")
        if not colon:
            raise _Fault(f"header line {text[:80]!r} has no colon")
        fields.append((name.strip(), [value.strip()]))
    return tuple((name, " ".join(parts)) for name, parts in fields)


def _fill_block(
    block: Block, length: int, rest: bytes, pieces: Iterator[bytes]
) -> bytes:
    """Put length bytes into block and return what comes after them."""
    tail = bytearray()
    while True:
        wanted = length - block.size
        block.append(rest[:wanted])
        tail += rest[wanted:]
        if len(tail) > len(_HEAD_END):
            raise _Fault("bytes follow the record within its member")
        try:
            rest = next(pieces)
        except StopIteration:
            return bytes(tail)


def _number(text: str | None) -> int:
    if text is None or not re.fullmatch(r"\d{1,18}", text):
        raise _Fault(f"Content-Length is {text!r}")
    return int(text)


def _bare(value: str) -> str:
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value
