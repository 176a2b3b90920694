"""Whether a crawl that was cut off, and went on, lost or doubled anything."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive import layout, manifest
from crawler.archive.collection import Collection
from crawler.archive.store import LocalStore
from crawler.jobs.keeping.check import check_portal
from crawler.jobs.keeping.finding import Checked
from crawler.warc.verify import verify_file
from tests.crawling import consistent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.archive.store import Store
    from crawler.item import Item
    from crawler.warc.cdxj import CdxLine
    from tests.crawling import Workplace
    from tests.durability.origin import Shape

PORTAL = "harbour"


@dataclass
class Watch:
    """Looks at what lies there after each kill; what was good once is not read again.

    Attributes:
        run_ids: of all runs that left anything in the store or the spool.
    """

    place: Workplace
    run_ids: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Check that every closed WARC is whole, and every object that is listed."""
        spool = self.place.directory / "spool" / PORTAL
        for path in spool.glob("*/*.warc.gz"):
            if path.name not in self._seen:
                assert list(verify_file(path, read_data=True)) == [], path
        store = LocalStore(self.place.directory / "store")
        for info in store.list(f"segments/{PORTAL}/"):
            if info.key not in self._seen:
                self._seen.add(info.key)
                self._check(store, info.key)
        self.run_ids |= {path.name for path in spool.glob("*") if path.is_dir()}

    def _check(self, store: Store, key: str) -> None:
        segment = manifest.segment_from(store.get(key), key)
        self.run_ids.add(segment.run_id)
        for stored in segment.files:
            assert_stored(store, stored)
            self._seen.add(stored.key.rpartition("/")[2])


def assert_stored(store: Store, stored: manifest.StoredFile) -> None:
    """Check that an object is what its manifest says, and readable to its end."""
    content = store.get(stored.key)
    assert len(content) == stored.bytes, stored.key
    assert hashlib.sha256(content).hexdigest() == stored.sha256, stored.key
    lines = gzip.decompress(content).splitlines()
    if stored.role == "items":
        assert len(lines) == stored.entries, stored.key


def assert_whole(
    place: Workplace, shape: Shape, base: str, store: Store | None = None
) -> manifest.Run:
    """Check that nothing was lost, doubled or torn; return the closed run.

    Args:
        place: where it was crawled to.
        shape: what there was to crawl.
        base: URL of the portal.
        store: where it was stored, if that is not the workplace's own directory.
    """
    collection = Collection(store or LocalStore(place.directory / "store"))
    (run,) = collection.runs(PORTAL)
    assert run.state == "complete", run.problems
    assert run.problems == ()
    assert collection.run_ids(PORTAL) == [run.run_id]
    assert_urls(collection, run, shape, base)
    assert_items(collection, shape, base)
    found = list(check_portal(collection, PORTAL, Checked(), read_data=True))
    assert found == []
    for segment in collection.segments(PORTAL):
        for stored in segment.files:
            assert_stored(collection.store, stored)
    if store is None:
        consistent(place, {"run_id": run.run_id, "run": run.model_dump(mode="json")})
        assert_nothing_left(place)
    return run


def assert_urls(
    collection: Collection, run: manifest.Run, shape: Shape, base: str
) -> None:
    """Check that every URL ended as captured, once, and the counts say so."""
    wanted = {f"{base}{target}" for target in shape.targets()}
    counts = Counter[str]()
    for segment in collection.segments(PORTAL):
        counts.update(segment.counts)
    assert counts == Counter(
        {name: number for name, number in run.counts.items() if name in counts}
    )
    assert counts["captured"] + counts["revisited"] == len(wanted), counts
    assert set(counts) <= {"captured", "revisited"}, counts
    assert run.items["new"] == shape.items
    assert set(run.items) <= {"new", "kind:article"}, run.items
    assert sum(walk.pages for walk in run.walks) == shape.pages
    captured = {
        line.url
        for segment in collection.segments(PORTAL)
        for line in collection.lines(segment)
        if line.status == 200
    }
    assert wanted <= captured


def assert_items(collection: Collection, shape: Shape, base: str) -> None:
    """Check that every item is there once, and that its records can be opened."""
    items = [
        item
        for segment in collection.segments(PORTAL)
        for item in collection.items(segment)
    ]
    keys = [(item.id, item.revision) for item in items]
    assert len(keys) == len(set(keys)) == shape.items
    assert {revision for _, revision in keys} == {1}
    urls = {
        f"{base}/item/{number}": shape.title(number) for number in range(shape.items)
    }
    assert {item.url: item.title for item in items} == urls
    lines = {
        line.record: line
        for segment in collection.segments(PORTAL)
        for line in collection.lines(segment)
    }
    for item in items:
        assert_provenance(collection, item, lines)


def assert_provenance(
    collection: Collection, item: Item, lines: Mapping[str, CdxLine]
) -> None:
    """Check that an item's records are where it says, and that it is in them.

    A page that was asked for again after a kill is a revisit: its bytes are in the
    record that came first.
    """
    assert item.provenance.records
    for ref in item.provenance.records:
        record = collection.record(ref.warc, ref.offset, ref.length)
        assert record.record_id == ref.record_id
        assert record.header("WARC-Payload-Digest") == ref.payload_digest
        if ref.payload_record is not None:
            line = lines[ref.payload_record]
            record = collection.record(line.filename, line.offset, line.length)
            assert record.header("WARC-Payload-Digest") == ref.payload_digest
        assert (item.title or "").encode() in record.block.read(), item.url


def assert_nothing_left(place: Workplace) -> None:
    """Check that store and spool hold nothing that nobody will ever read."""
    store, spool = place.directory / "store", place.directory / "spool" / PORTAL
    listed = {info.key for info in LocalStore(store).list()}
    files = {str(x.relative_to(store)) for x in store.rglob("*") if x.is_file()}
    assert {name for name in listed if layout.name_in(name) is None} <= {
        name for name in listed if name.startswith("runs/")
    }
    assert not [x for x in files - listed if not Path(x).name.startswith(".")]
    assert not [x for x in spool.rglob("*") if x.is_dir() or ".gz" in x.name]
