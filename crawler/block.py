"""A run of bytes that may be large: in memory at first, then in an unlinked file.

Blocks carry what crossed a socket from the thread that received it to the thread
that writes it; they are appended to by one owner and read only after that.
"""

from __future__ import annotations

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
        self.size += len(content)
        if self._file is not None:
            self._file.write(content)
            return
        self._memory += content
        if self.size > self._spill_bytes:
            self._file = tempfile.TemporaryFile(dir=self._directory)
            self._file.write(self._memory)
            self._memory = bytearray()

    def cut(self, size: int) -> bytes:
        """Keep the first size bytes and return the rest."""
        rest = self.read(start=size)
        if self._file is not None:
            self._file.truncate(size)
        else:
            del self._memory[size:]
        self.size = min(self.size, size)
        return rest

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from start on, at most CHUNK_BYTES at a time."""
        if self._file is None:
            yield from _slices(self._memory, start)
            return
        self._file.seek(start)
        while piece := self._file.read(CHUNK_BYTES):
            yield piece

    def read(self, limit: int | None = None, *, start: int = 0) -> bytes:
        """Return the bytes from start on, at most limit of them."""
        if self._file is None:
            end = None if limit is None else start + limit
            return bytes(self._memory[start:end])
        self._file.seek(start)
        return self._file.read(-1 if limit is None else limit)

    def close(self) -> None:
        """Give the disk space back; the block is empty to its readers after that."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._memory = bytearray()


def _slices(memory: bytearray, start: int) -> Iterator[bytes]:
    for at in range(start, len(memory), CHUNK_BYTES):
        yield bytes(memory[at : at + CHUNK_BYTES])
