"""A run of bytes that may be large: in memory at first, then in an unlinked file.

Blocks carry what crossed a socket from the thread that received it to the thread
that writes it.  One owner appends and cuts; readers do not disturb each other or what
is appended next, since each reads at its own place.
"""

from __future__ import annotations

import os
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPILL_BYTES = 1 << 20
CHUNK_BYTES = 1 << 16


class Block:
    """Bytes in order of arrival; spills to disk past spill_bytes.

    Attributes:
        size: how many bytes were appended.
    """

    __slots__ = ("_directory", "_file", "_memory", "_spill_bytes", "size")

    def __init__(
        self,
        content: bytes = b"",
        *,
        spill_bytes: int = SPILL_BYTES,
        directory: Path | None = None,
    ) -> None:
        """Start with content; a spilled file lives unlinked in directory."""
        self.size = len(content)
        self._memory = bytearray(content)
        self._file: IO[bytes] | None = None
        self._spill_bytes = spill_bytes
        self._directory = directory

    def append(self, content: bytes) -> None:
        """Add content at the end.

        Raises:
            OSError: the disk that holds the spilled file is full.
        """
        if self._file is None and self.size + len(content) > self._spill_bytes:
            self._spill()
        if self._file is not None:
            self._file.write(content)
        else:
            self._memory += content
        self.size += len(content)

    def _spill(self) -> None:
        file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - see close
        file.write(self._memory)
        self._file, self._memory = file, bytearray()

    def cut(self, size: int) -> bytes:
        """Keep the first size bytes and return the rest."""
        rest = self.read(start=size)
        if not rest:
            return b""
        if self._file is not None:
            self._file.truncate(size)
            self._file.seek(size)
        else:
            del self._memory[size:]
        self.size = size
        return rest

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from start on, at most CHUNK_BYTES at a time."""
        at = start
        while piece := self._piece(at, CHUNK_BYTES):
            yield piece
            at += len(piece)

    def read(self, limit: int | None = None, *, start: int = 0) -> bytes:
        """Return the bytes from start on, at most limit of them."""
        wanted = self.size - start if limit is None else limit
        pieces = []
        while wanted > 0 and (piece := self._piece(start, wanted)):
            pieces.append(piece)
            start, wanted = start + len(piece), wanted - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, start: int, limit: int) -> bytes:
        """Return bytes from start on, b"" only at the end; the file's place stays."""
        if self._file is None:
            return bytes(self._memory[start : start + limit])
        self._file.flush()
        return os.pread(self._file.fileno(), limit, start)

    def overlaid(self, start: bytes) -> Block:
        """Return a copy, in the same place, whose first bytes are start's instead."""
        copy = Block(start, spill_bytes=self._spill_bytes, directory=self._directory)
        for piece in self.chunks(len(start)):
            copy.append(piece)
        return copy

    def close(self) -> None:
        """Give the disk space back; the block is empty to its readers after that."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._memory = bytearray()

    def __del__(self) -> None:
        """Close the file with the last reference: a block has many holders, no owner.

        Without this a record read back and let go would warn of an unclosed file.
        """
        if getattr(self, "_file", None) is not None:
            self.close()
