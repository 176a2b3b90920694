"""Segments on disk: records appended as whole gzip members, or not at all.

1. A file is called ``<name>.open`` while it is written, its own name when it is whole.
2. What `append` returned is with the operating system; what `sync` returned after is
   on the disk.
3. A failed append leaves the file as it was before it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.errors import ArchiveDamaged, ObjectExists, SpoolUnwritable
from crawler.model import RecordRef
from crawler.warc.format import Record, render, safe_uri
from crawler.warc.reader import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

OPEN = ".open"
_GATHER_BYTES = 1 << 18


class SegmentWriter:
    """Writes one segment's WARC; used by one thread.

    Attributes:
        path: of the finished file; until then it is at ``<path>.open``.
        size: bytes of whole members written.
        warcinfo_id: of the file's first record.
    """

    __slots__ = ("_descriptor", "_level", "_name", "path", "size", "warcinfo_id")

    def __init__(
        self, directory: Path, name: str, *, level: int, warcinfo: Record
    ) -> None:
        """Create the file and write warcinfo; name ends with ``.warc.gz``.

        Raises:
            SpoolUnwritable: it cannot be made, or there is one of that name.
        """
        self.path = directory / name
        self.size = 0
        self.warcinfo_id = warcinfo.record_id
        self._name = name
        self._level = level
        with _unwritable(self.path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(opened_path(self.path), flags, 0o644)
            fsync_directory(directory)
        self.append((warcinfo,))

    def append(self, records: Iterable[Record]) -> list[RecordRef]:
        """Write records, all or none, and return where they are, in order.

        Raises:
            SpoolUnwritable: the disk did not take them; the file is as before.
        """
        before = self.size
        try:
            with _unwritable(self.path):
                return self._append(records)
        except BaseException:
            self._back_to(before)
            raise

    def _append(self, records: Iterable[Record]) -> list[RecordRef]:
        refs: list[RecordRef] = []
        waiting = bytearray()
        for record in records:
            offset = self.size + len(waiting)
            for piece in render(record, self._level):
                waiting += piece
                if len(waiting) >= _GATHER_BYTES:
                    self._write(bytes(waiting))
                    waiting.clear()
            length = self.size + len(waiting) - offset
            refs.append(_ref(record, self._name, offset, length))
        self._write(bytes(waiting))
        return refs

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            written = os.write(self._descriptor, rest)
            self.size += written
            rest = rest[written:]

    def _back_to(self, size: int) -> None:
        """Cut off what a failed append left; if even that fails, `recover` does it."""
        self.size = size
        with _unwritable(self.path):
            os.ftruncate(self._descriptor, size)
            os.lseek(self._descriptor, size, os.SEEK_SET)

    def sync(self) -> None:
        """Return when all that was appended is on the disk.

        Raises:
            SpoolUnwritable: the disk failed; nothing since the last sync is sure.
        """
        with _unwritable(self.path):
            os.fsync(self._descriptor)

    def close(self) -> Path:
        """Sync, give the file its own name, and return its path.

        Raises:
            SpoolUnwritable: the disk failed.
            ObjectExists: a file of that name is there; ours keeps ``.open``.
        """
        self.sync()
        with _unwritable(self.path):
            os.close(self._descriptor)
        return _rename(self.path)

    def abandon(self) -> None:
        """Close the file and leave it ``.open``, for `recover`; nothing is synced."""
        with _unwritable(self.path):
            os.close(self._descriptor)


def opened_path(path: Path) -> Path:
    """Return where the file is while it is written."""
    return path.with_name(path.name + OPEN)


def recover(path: Path, committed_length: int) -> Path:
    """Cut an ``.open`` file, left by a crash, to what was committed, and rename it.

    Run again after a crash of its own, it does the same.

    Raises:
        ArchiveDamaged: committed_length is not the end of a good member, all members
            before it good too (0 is none: a file without a committed record holds
            nothing and may be removed); the file is left as it was.
        SpoolUnwritable: the disk failed.
        ObjectExists: a file of the final name is there.
    """
    if not _ends_member(path, committed_length):
        raise ArchiveDamaged(
            f"byte {committed_length} of {path.name!r} is not the end of a good "
            "member; salvage the file"
        )
    with _unwritable(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, committed_length)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return _rename(path.with_name(path.name.removesuffix(OPEN)))


def _ends_member(path: Path, length: int) -> bool:
    try:
        for member in scan(path):
            if member.offset + member.length >= length:
                return member.offset + member.length == length
    except ArchiveDamaged:
        return False
    return False


def _rename(path: Path) -> Path:
    if path.exists():
        raise ObjectExists(f"{path.name!r} is there already; nothing was overwritten")
    with _unwritable(path):
        opened_path(path).rename(path)
        fsync_directory(path.parent)
    return path


def fsync_directory(directory: Path) -> None:
    """Return when the names in directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        reason = exc.strerror or exc
        raise SpoolUnwritable(f"cannot write {str(path)!r}: {reason}") from exc


def _ref(record: Record, warc: str, offset: int, length: int) -> RecordRef:
    original_at = record.original.captured_at if record.original else None
    return RecordRef(
        record.record_id,
        warc,
        offset,
        length,
        safe_uri(record.target_uri or ""),
        record.date,
        record.payload_digest,
        record.original.record_id if record.original else None,
        record.payload_at or original_at,
    )
