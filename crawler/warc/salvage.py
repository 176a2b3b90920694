"""What is still good in a damaged file, found in one pass, and saved to a new one.

Every intact record that began where a record may begin is kept, whatever lies before
it.  After damage a place counts as such only if its record names the warcinfo that the
records before the damage named: a damaged record may itself hold a WARC, and what is in
it was never captured by us.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from crawler.errors import ArchiveDamaged
from crawler.warc.member import ParsedRecord, Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"\x1f\x8b\x08"
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """A run of a file's bytes: one good member, or damage.

    Attributes:
        record: what the member holds; None for damage.
        fault: what is wrong; empty for a good member.
    """

    offset: int
    length: int
    record: ParsedRecord | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a salvage did: how many members it kept, and the spans it could not."""

    kept: int
    lost: tuple[Span, ...]


def spans(path: Path) -> Iterator[Span]:
    """Yield every byte of a file as good members and damage between them, in order."""
    size = path.stat().st_size
    with path.open("rb") as file:
        warcinfos: set[str | None] = set()
        offset = 0
        while offset < size:
            span = _read(file, offset)
            if span.record is None:
                end, after = _resync(file, offset, size, warcinfos)
                yield Span(offset, end - offset, None, span.fault)
                if after is None:
                    return
                span = after
            yield span
            warcinfos.add(_warcinfo_of(span))
            offset = span.offset + span.length


def _read(file: IO[bytes], offset: int) -> Span:
    window = Window(file, offset)
    try:
        record = window.read_record()
    except ArchiveDamaged as exc:
        return Span(offset, 0, None, str(exc))
    return Span(offset, window.offset - offset, record)


def _resync(
    file: IO[bytes], damaged: int, size: int, warcinfos: set[str | None]
) -> tuple[int, Span | None]:
    """Return where the damage ends and the good member found there, if any."""
    at = damaged
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while (at := content.find(_MAGIC, at + 1)) >= 0:
            span = _read(file, at)
            if span.record and (not warcinfos or _warcinfo_of(span) in warcinfos):
                return at, span
    return size, None


def _warcinfo_of(span: Span) -> str | None:
    record = span.record
    if record is None:
        return None
    is_warcinfo = record.type == "warcinfo"
    return record.record_id if is_warcinfo else record.header("WARC-Warcinfo-ID")


def salvage(path: Path, output: Path) -> Salvaged:
    """Copy the good members of path, byte for byte, to a new file; path is not changed.

    Raises:
        FileExistsError: output is there already.
        OSError: the disk did not take it.
    """
    kept, lost = 0, []
    with path.open("rb") as source, output.open("xb") as target:
        for span in spans(path):
            if span.record is None:
                lost.append(span)
                continue
            _copy(source, target, span)
            kept += 1
        target.flush()
        os.fsync(target.fileno())
    return Salvaged(kept, tuple(lost))


def _copy(source: IO[bytes], target: IO[bytes], span: Span) -> None:
    source.seek(span.offset)
    left = span.length
    while left and (piece := source.read(min(left, _COPY_BYTES))):
        target.write(piece)
        left -= len(piece)
