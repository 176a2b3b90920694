"""Check: whether stored segments and runs are what their manifests say.

1. Each segment: see `crawler.jobs.keeping.check_segment`.
2. Each closed run lists exactly the segments that are there; a run that is not closed
   is named.
3. Objects that no manifest lists are named; an interrupted commit leaves some, and the
   next run of the portal takes them in, so they are no damage.
4. Of a damaged segment that a repair put another one in place of, nothing is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.archive import layout, manifest
from crawler.errors import ArchiveDamaged, UsageError
from crawler.jobs.keeping.check_segment import Checker
from crawler.jobs.keeping.finding import Checked, Finding, Trouble
from crawler.warc.verify import verify_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Run, Segment

_ROLES = ("warc", "cdxj", "items", "segment")
_TOPS = ("archive", "indexes", "items", "segments")


@dataclass(slots=True)
class _Portal:
    """What the store holds of a portal.

    Attributes:
        names: of all segment manifests, readable or not.
        runs: run_id to its readable segments in order.
        replaced: names of damaged segments that others stand for, one after the other.
        lost: ids of the records that were lost with them.
    """

    names: set[str] = field(default_factory=set)
    runs: dict[str, list[Segment]] = field(default_factory=lambda: defaultdict(list))
    replaced: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    def take(self, segment: Segment) -> None:
        """Note a segment whose manifest was read."""
        self.runs[segment.run_id].append(segment)
        self.lost.update(segment.lost)
        if segment.replaces:
            self.replaced.add(segment.replaces)


def stored_portals(collection: Collection) -> list[str]:
    """Return the ids of the portals that have any object in the store, sorted."""
    tops = (*_TOPS, "runs")
    keys = (info.key for top in tops for info in collection.store.list(f"{top}/"))
    return sorted({key.split("/")[1] for key in keys})


def check_portal(
    collection: Collection,
    portal: str,
    checked: Checked,
    *,
    run_id: str | None = None,
    read_data: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Finding]:
    """Yield what is wrong with a portal's segments and runs, or with one run's.

    Args:
        collection: to read from.
        portal: its id.
        checked: counted up while this goes on.
        run_id: None for all runs, and for objects that belong to none.
        read_data: compare every digest; else sizes and structure alone.
        progress: called with the name of each segment before it is read.

    Raises:
        StoreUnavailable: the store cannot be read.
    """
    found = _Portal(replaced=collection.damaged_names(portal))
    yield from _manifests(collection, portal, run_id, found)
    for segments in found.runs.values():
        checker = Checker(
            collection,
            portal,
            checked,
            read_data=read_data,
            replaced=frozenset(found.replaced),
            lost=frozenset(found.lost),
        )
        for segment in segments:
            progress(segment.name)
            yield from checker.check(segment)
    yield from _runs(collection, portal, run_id, found, checked)
    if run_id is None:
        yield from _orphans(collection, portal, found.names | found.replaced)


def _manifests(
    collection: Collection, portal: str, run_id: str | None, found: _Portal
) -> Iterator[Finding]:
    """Read the segment manifests; yield those that cannot be read."""
    for info in collection.store.list(f"segments/{portal}/"):
        name = layout.name_in(info.key)
        if name is None or (run_id is not None and name.run_id != run_id):
            continue
        found.names.add(str(name))
        try:
            segment = manifest.segment_from(collection.store.get(info.key), info.key)
        except ArchiveDamaged as exc:
            yield Finding(Trouble.MANIFEST, info.key, str(exc))
            continue
        if segment.name != str(name):
            what = f"it is the manifest of {segment.name!r}"
            yield Finding(Trouble.MANIFEST, info.key, what)
            continue
        found.take(segment)
    for one in sorted(found.replaced & found.names):
        key = layout.SegmentName.parse(one).key("segment")
        yield Finding(Trouble.MANIFEST, key, "another segment stands for this one")


def _runs(
    collection: Collection,
    portal: str,
    run_id: str | None,
    found: _Portal,
    checked: Checked,
) -> Iterator[Finding]:
    unclosed = {name.run_id for name in map(layout.SegmentName.parse, found.names)}
    for info in collection.store.list(f"runs/{portal}/"):
        unclosed.discard(info.key.rpartition("/")[2].removesuffix(".json"))
        if run_id is not None and info.key != layout.run_key(portal, run_id):
            continue
        try:
            run = manifest.run_from(collection.store.get(info.key), info.key)
        except ArchiveDamaged as exc:
            yield Finding(Trouble.MANIFEST, info.key, str(exc))
            continue
        checked.runs += 1
        yield from _run_segments(run, info.key, found.names)
    for one in sorted(unclosed):
        key = layout.run_key(portal, one)
        yield Finding(Trouble.UNCLOSED, key, "no manifest closes this run")


def _run_segments(run: Run, key: str, names: Iterable[str]) -> Iterator[Finding]:
    stored = {name for name in names if run.run_id in name}
    for name in sorted(set(run.segments) - stored):
        what = f"segment {name!r} is listed and has no manifest"
        yield Finding(Trouble.RUN, key, what)
    for name in sorted(stored - set(run.segments)):
        yield Finding(Trouble.RUN, key, f"segment {name!r} is stored and not listed")


def _orphans(
    collection: Collection, portal: str, names: Iterable[str]
) -> Iterator[Finding]:
    """Yield the objects that belong to no segment with a manifest."""
    parsed = [layout.SegmentName.parse(name) for name in names]
    known = {name.key(role) for name in parsed for role in _ROLES}
    for top in _TOPS:
        for info in collection.store.list(f"{top}/{portal}/"):
            if info.key not in known:
                what = f"no manifest lists this object of {info.size} bytes"
                yield Finding(Trouble.ORPHAN, info.key, what)


def check_file(path: Path, *, read_data: bool, checked: Checked) -> Iterator[Finding]:
    """Yield what is wrong with a WARC file, ours or not.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        checked.warc_bytes += path.stat().st_size
        for problem in verify_file(path, read_data=read_data):
            where = f"{path}:{problem.offset}"
            record = f"{problem.record_id}: " if problem.record_id else ""
            what = f"{problem.fault.value}: {record}{problem.message}"
            yield Finding(Trouble.RECORD, where, what)
    except OSError as exc:
        message = f"{str(path)!r} cannot be read: {exc.strerror}"
        raise UsageError(message) from exc
    checked.files += 1
