"""Commit: move a closed segment from the spool to the store, verified, manifest last.

1. Index and item part are exported from the spool beside the WARC.
2. Each file is stored under its own key, once, and looked at again: size, and one
   random stretch of bytes read back.
3. The segment's manifest is stored: from now on readers see the segment.
4. Only then are its rows and local files dropped.

Every step can be repeated: keys and bytes are the same, equal objects are success.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from typing import TYPE_CHECKING

from crawler.archive import layout, manifest
from crawler.archive.database import transaction
from crawler.errors import ArchiveDamaged, ObjectExists, SpoolUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from crawler.archive.spool import RunRow, SegmentRow, Spool
    from crawler.archive.store import Store

READ_BACK_BYTES = 1 << 16
LEVEL = 4
"""Of gzip for indexes and items: a quarter of the default's time, a tenth larger."""


def commit_segment(
    store: Store, spool: Spool, directory: Path, run: RunRow, row: SegmentRow
) -> manifest.Segment:
    """Put one closed segment into the store; return its manifest.

    Raises:
        StoreUnavailable: not committed, all is kept; try again.
        ArchiveDamaged: what the store gives back is not what was put.
    """
    name = layout.SegmentName.parse(row.name)
    files = _export(spool, directory, name)
    stored = tuple(
        _store(store, name.key(role), role, path, entries)
        for role, path, entries in files
    )
    segment = manifest.Segment(
        name=row.name,
        portal=run.portal,
        run_id=run.run_id,
        job=run.job,
        begun_at=row.begun_at,
        closed_at=row.closed_at or row.begun_at,
        config_digest=run.config_digest,
        files=stored,
        counts=spool.outbox.decision_counts(row.name),
    )
    segment = _publish(store, name.key("segment"), segment)
    with transaction(spool.db):
        spool.commit_segment(row.name)
    for _, path, _ in files:
        path.unlink(missing_ok=True)
    return segment


def _publish(store: Store, key: str, segment: manifest.Segment) -> manifest.Segment:
    """Store the manifest; return the one that is there.

    A crash may have come between it and the spool's word of it; where the rules
    changed before the rerun, the stored one, of the same files, is the right one.

    Raises:
        ObjectExists: the stored one lists other files.
    """
    try:
        store.put_if_absent(key, manifest.to_bytes(segment))
    except ObjectExists:
        stored = manifest.segment_from(store.get(key), key)
        if stored.files != segment.files:
            raise
        return stored
    return segment


def _export(
    spool: Spool, directory: Path, name: layout.SegmentName
) -> list[tuple[str, Path, int]]:
    """Return (role, local file, entries) of what a segment consists of."""
    lines = spool.outbox.cdx_lines(str(name))
    records = len(lines)
    index = directory / layout.file_name(name, "cdxj")
    part = directory / layout.file_name(name, "items")
    write_lines(index, lines)
    items = write_lines(part, spool.outbox.item_lines(str(name)))
    return [
        ("warc", directory / layout.file_name(name, "warc"), records),
        ("cdxj", index, records),
        ("items", part, items),
    ]


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines as gzip, the same bytes for the same lines; return how many.

    Raises:
        SpoolUnwritable: the disk did not take them.
    """
    count = 0
    try:
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as file,
        ):
            for count, line in enumerate(lines, 1):  # noqa: B007 - the last is returned
                file.write(line.encode() + b"\n")
    except OSError as exc:
        message = f"{path.name!r} cannot be written to the spool: {exc.strerror}"
        raise SpoolUnwritable(message) from exc
    return count


def _store(
    store: Store, key: str, role: str, path: Path, entries: int
) -> manifest.StoredFile:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as exc:
        message = f"{path.name!r} cannot be read from the spool: {exc.strerror}"
        raise ArchiveDamaged(message) from exc
    store.put_if_absent(key, path)
    _read_back(store, key, path, size)
    return manifest.StoredFile.model_validate(
        {"role": role, "key": key, "bytes": size, "sha256": digest, "entries": entries}
    )


def _read_back(store: Store, key: str, path: Path, size: int) -> None:
    """Compare size and one random stretch of a stored object with the local file.

    Raises:
        ArchiveDamaged: they differ.
    """
    head = store.head(key)
    if head is None or head.size != size:
        found = "nothing" if head is None else f"{head.size} bytes"
        message = f"the store holds {found} as {key!r} instead of {size} bytes"
        raise ArchiveDamaged(message)
    start = random.randrange(max(1, size - READ_BACK_BYTES))  # noqa: S311 - a sample
    with path.open("rb") as file:
        file.seek(start)
        expected = file.read(READ_BACK_BYTES)
    if store.get(key, start, READ_BACK_BYTES) != expected:
        message = f"{key!r} reads back other bytes than were put, near byte {start}"
        raise ArchiveDamaged(message)


def commit_run(
    store: Store, spool: Spool, directory: Path, run: RunRow
) -> list[manifest.Segment]:
    """Commit every closed segment of a run that is not committed yet.

    Raises:
        StoreUnavailable: some are not committed; all is kept.
    """
    return [
        commit_segment(store, spool, directory, run, row)
        for row in spool.segments(run.run_id, "rolled")
    ]
