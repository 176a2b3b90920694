"""Repair: what is damaged, made again of what is there.

1. Segments, in order: see `crawler.jobs.keeping.repair_segment`.  A WARC that was
   stored long ago, and whose manifest never was, is taken in.
2. Manifests of runs: lists are brought up to date; one that was lost is made of the
   decision logs, as far as they know.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from crawler.archive import layout, manifest
from crawler.archive.collection import Collection
from crawler.errors import ArchiveDamaged, ObjectMissing, PortalkeepError
from crawler.jobs.keeping.check_segment import local_copy
from crawler.jobs.keeping.derive import facts_of
from crawler.jobs.keeping.finding import Mended
from crawler.jobs.keeping.repair_segment import Mender
from crawler.jobs.keeping.shelf import Shelf
from crawler.jobs.lock import portal_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from crawler.archive.store import Store
    from crawler.clock import Clock

JOBS = ("backfill", "crawl")
"""Job kinds whose locks are held while a portal's archive or spool is mended."""
STRAY_AFTER = timedelta(days=7)
"""Less than `gc` waits, so that what can be saved is saved before it goes."""
UNKNOWN = (
    "made again of what is stored; retries, walks and unchanged items are not known"
)


def repair_portal(
    store: Store,
    portal: str,
    clock: Clock,
    *,
    spool_directory: Path,
    open_runs: Iterable[str] = (),
    run_id: str | None = None,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Mended]:
    """Mend what can be mended of a portal's archive, or of one run; yield what was.

    Args:
        store: to read and write.
        portal: its id.
        clock: for extracted_at of items, and the end of runs.
        spool_directory: of the portal; its locks are held meanwhile.
        open_runs: runs that a spool still knows; they are not closed.
        run_id: None for all.
        dry_run: only tell what would be done.
        progress: called with the name of each segment before it is read.

    Raises:
        Locked: a job of this portal is running.
        StoreUnavailable: the store cannot be read or written; run it again.
    """
    with ExitStack() as stack:
        if not dry_run:
            for job in JOBS:
                stack.enter_context(portal_lock(spool_directory, job))
        shelf = Shelf(store, dry_run)
        mender = Mender(shelf, clock)
        taken_in = _strays(store, portal, frozenset(open_runs), clock.now())
        for name, serial in _names(store, portal, run_id, taken_in):
            progress(str(name))
            try:
                yield from mender.mend(name, serial)
            except (ArchiveDamaged, ObjectMissing) as exc:
                yield Mended(name.key("segment"), str(exc), done=False)
        runs = _RunMender(shelf, portal, frozenset(open_runs))
        yield from _retire(mender, portal, run_id)
        yield from runs.mend(run_id)


def _manifests(store: Store, portal: str) -> dict[str, manifest.Segment | None]:
    """Return the segment manifests by name, None for those that cannot be read."""
    found: dict[str, manifest.Segment | None] = {}
    for name in Collection(store).segment_names(portal):
        try:
            found[name] = Collection(store).segment(name)
        except ArchiveDamaged:
            found[name] = None
    return found


def _strays(
    store: Store, portal: str, open_runs: frozenset[str], now: datetime
) -> set[str]:
    """Return the segments of which a WARC is stored, by a run no spool knows any more.

    Young ones may be on their way from the spool of another host.
    """
    before = f"{(now - STRAY_AFTER).astimezone(UTC):%Y%m%d%H%M%S}000"
    names = (layout.name_in(info.key) for info in store.list(f"archive/{portal}/"))
    return {
        str(name)
        for name in names
        if name and name.timestamp < before and name.run_id not in open_runs
    }


def _names(
    store: Store, portal: str, run_id: str | None, strays: set[str]
) -> list[tuple[layout.SegmentName, int]]:
    """Return the segments that should be there, and the next serial of their run.

    Those are the ones with a manifest, those that a closed run lists, and strays, but
    for those that others stand for.
    """
    manifests = _manifests(store, portal)
    names = manifests.keys() | strays
    for info in store.list(f"runs/{portal}/"):
        try:
            names.update(manifest.run_from(store.get(info.key), info.key).segments)
        except ArchiveDamaged:
            continue
    parsed = sorted(map(layout.SegmentName.parse, names), key=str)
    serials: dict[str, int] = defaultdict(int)
    for name in parsed:
        serials[name.run_id] = max(serials[name.run_id], name.serial)
    replaced = {segment.replaces for segment in manifests.values() if segment}
    replaced |= Collection(store).damaged_names(portal)
    found: list[tuple[layout.SegmentName, int]] = []
    for name in parsed:
        if str(name) not in replaced and run_id in (None, name.run_id):
            serials[name.run_id] += 1
            found.append((name, serials[name.run_id]))
    return found


def _retire(mender: Mender, portal: str, run_id: str | None) -> Iterator[Mended]:
    """Finish what an interrupted repair began."""
    manifests = _manifests(mender.shelf.store, portal)
    for segment in manifests.values():
        if segment and segment.replaces in manifests:
            name = layout.SegmentName.parse(segment.replaces)
            if run_id in (None, name.run_id):
                yield from mender.retire(name)


class _RunMender:
    """Mends the manifests of one portal's runs."""

    def __init__(self, shelf: Shelf, portal: str, open_runs: frozenset[str]) -> None:
        self._shelf = shelf
        self._portal = portal
        self._open = open_runs

    def mend(self, run_id: str | None) -> Iterator[Mended]:
        """Bring the lists of runs up to date; make manifests that are lost."""
        runs: dict[str, list[manifest.Segment]] = defaultdict(list)
        for segment in _manifests(self._shelf.store, self._portal).values():
            if segment is not None and run_id in (None, segment.run_id):
                runs[segment.run_id].append(segment)
        for one, segments in sorted(runs.items()):
            key = layout.run_key(self._portal, one)
            known = self._known(key)
            if known is not None:
                yield from self._listed(key, known, segments)
            elif one not in self._open:
                yield from self._made(key, segments)

    def _known(self, key: str) -> manifest.Run | None:
        try:
            return manifest.run_from(self._shelf.store.get(key), key)
        except (ObjectMissing, ArchiveDamaged):
            return None

    def _listed(
        self, key: str, run: manifest.Run, segments: list[manifest.Segment]
    ) -> Iterator[Mended]:
        stored = {segment.name for segment in segments}
        replaced = {segment.replaces for segment in segments}
        names = tuple(sorted(stored | (set(run.segments) - replaced)))
        if names == tuple(sorted(run.segments)):
            return
        self._put(key, run.model_copy(update={"segments": names}))
        yield Mended(key, "list of the run's segments brought up to date")

    def _made(self, key: str, segments: list[manifest.Segment]) -> Iterator[Mended]:
        try:
            run = self._run(segments)
        except PortalkeepError as exc:
            yield Mended(key, f"the run cannot be closed: {exc}", done=False)
            return
        self._put(key, run)
        yield Mended(key, "manifest of the run made again of its decision logs")

    def _run(self, segments: list[manifest.Segment]) -> manifest.Run:
        first = segments[0]
        stored = first.file("warc")
        with local_copy(self._shelf.store, stored) as path:
            facts = facts_of(path, stored.key.rpartition("/")[2])
        counts: dict[str, int] = defaultdict(int)
        for segment in segments:
            for name, count in segment.counts.items():
                counts[name] += count
        return manifest.Run(
            run_id=first.run_id,
            portal=self._portal,
            job=first.job,
            state="rebuilt",
            started_at=first.begun_at,
            ended_at=max(segment.closed_at for segment in segments),
            software=facts.info.get("software", ""),
            config_digest=first.config_digest,
            config=facts.config or {},
            segments=tuple(segment.name for segment in segments),
            counts=dict(counts),
            items=self._items(segments),
            problems=(UNKNOWN,),
            clock=facts.info.get("portalkeep-clock"),
        )

    def _items(self, segments: list[manifest.Segment]) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        collection = Collection(self._shelf.store)
        for segment in segments:
            for item in collection.items(segment):
                change = "new" if item.revision == 1 else "revised"
                for name in (change, f"kind:{item.kind}"):
                    counts[name] += 1
        return dict(sorted(counts.items()))

    def _put(self, key: str, run: manifest.Run) -> None:
        self._shelf.put(key, manifest.to_bytes(run))
