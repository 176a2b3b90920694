"""Garbage: what interrupted work left behind and nobody will ask for again.

1. Objects of a segment that was never committed, begun long ago, unknown to the spool.
2. Files that a directory store was writing when it was stopped.
3. Local files of segments that are in the store.

Never what a manifest lists, what a repair kept, or what is not ours by its name.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.archive import layout
from crawler.archive.spool import FILE, Spool, open_database
from crawler.archive.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta
    from pathlib import Path

    from crawler.archive.collection import Collection
    from crawler.archive.store import Store

_TOPS = ("archive", "indexes", "items")
_ALL_TOPS = (*_TOPS, "segments", "runs", "damaged")


@dataclass(frozen=True, slots=True)
class Garbage:
    """One thing that may go.

    Attributes:
        where: an object key, or the path of a file.
        path: of a file; None for an object.
    """

    where: str
    what: str
    size: int
    path: Path | None = None


def find_garbage(
    collection: Collection,
    portal: str,
    spool_directory: Path,
    *,
    older_than: timedelta,
    now: datetime,
) -> Iterator[Garbage]:
    """Yield what of a portal may go.

    Args:
        collection: to look at.
        portal: its id.
        spool_directory: of the portal; it need not be there.
        older_than: objects and unfinished files younger than this may belong to a run
            of another host; choose more than the longest time a store was away.
        now: to count from.

    Raises:
        ArchiveDamaged: a manifest cannot be read, so that nothing is sure.
        StoreUnavailable: the store cannot be read.
    """
    before = now - older_than
    segments = list(collection.segments(portal))
    stored = {segment.name for segment in segments}
    kept = stored | {segment.replaces for segment in segments if segment.replaces}
    kept |= collection.damaged_names(portal)
    spooled = _spooled(spool_directory)
    yield from _orphans(collection, portal, kept | spooled, before)
    yield from _unfinished(collection, portal, before)
    yield from _spool_files(spool_directory, stored - spooled)


def remove(collection: Collection, found: Iterable[Garbage]) -> None:
    """Remove what was found.

    Raises:
        StoreUnavailable: not all of it is removed; run it again.
    """
    for one in found:
        if one.path is None:
            collection.store.delete(one.where)
        elif one.path.is_dir():
            one.path.rmdir()
        else:
            one.path.unlink(missing_ok=True)


def cut_off(store: Store, before: datetime) -> list[Garbage]:
    """Remove what uploads that were cut off before then left; return what it was.

    Raises:
        StoreUnavailable: not all of it could be removed.
    """
    what = "an upload that was cut off"
    return [Garbage(key, what, 0) for key in store.abort_stale(before)]


def _spooled(directory: Path) -> set[str]:
    """Return the segments that the spool has not committed."""
    if not (directory / FILE).exists():
        return set()
    with closing(open_database(directory)) as db:
        spool = Spool(db)
        return {
            segment.name
            for run in spool.runs()
            for segment in spool.segments(run.run_id)
            if segment.state != "committed"
        }


def _orphans(
    collection: Collection, portal: str, kept: set[str], before: datetime
) -> Iterator[Garbage]:
    timestamp = f"{before.astimezone(UTC):%Y%m%d%H%M%S}000"
    for top in _TOPS:
        for info in collection.store.list(f"{top}/{portal}/"):
            name = layout.name_in(info.key)
            if name is None or str(name) in kept or name.timestamp >= timestamp:
                continue
            yield Garbage(info.key, "of a segment that was never committed", info.size)


def _unfinished(
    collection: Collection, portal: str, before: datetime
) -> Iterator[Garbage]:
    store = collection.store
    if not isinstance(store, LocalStore):
        return
    for top in _ALL_TOPS:
        for path in sorted((store.root / top / portal).rglob(".*.new")):
            found = path.stat()
            if datetime.fromtimestamp(found.st_mtime, UTC) < before:
                what = "was being written when its writer was stopped"
                yield Garbage(str(path), what, found.st_size, path)


def _spool_files(directory: Path, stored: set[str]) -> Iterator[Garbage]:
    """Yield local files of stored segments, and directories that hold nothing else."""
    for run in sorted(x for x in directory.glob("*") if x.is_dir()):
        left = 0
        for path in sorted(run.iterdir()):
            name = layout.name_in(path.name)
            if path.is_file() and name is not None and str(name) in stored:
                what = "its segment is in the store"
                yield Garbage(str(path), what, path.stat().st_size, path)
            else:
                left += 1
        if not left and not _is_open(directory, run.name):
            yield Garbage(str(run), "the run is closed", 0, run)


def _is_open(directory: Path, run_id: str) -> bool:
    if not (directory / FILE).exists():
        return False
    with closing(open_database(directory)) as db:
        return any(run.run_id == run_id for run in Spool(db).runs())
