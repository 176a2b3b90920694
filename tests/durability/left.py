"""What a loss of power left of a store and a spool, and whether it holds its word."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.archive import layout, manifest
from crawler.archive.spool import FILE, Spool, open_database
from crawler.archive.store import LocalStore
from crawler.errors import PortalkeepError
from crawler.frontier.sqlite import SqliteFrontier
from crawler.warc.reader import scan
from tests.durability.whole import PORTAL, assert_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.archive.spool import SegmentRow

TROUBLE = (OSError, EOFError, sqlite3.Error, PortalkeepError, AssertionError)
_VISITED = re.compile(r" page_visited .*\burl='?([^\s']+)")


class Broken(AssertionError):
    """Something that was said to be durable is not there."""


@dataclass
class Left:
    """Looks at one tree after the other; what was good once is not read again.

    Attributes:
        places: of records that are in whole files: id to (WARC, offset, length).
    """

    _good: set[tuple[str, int]] = field(default_factory=set)
    _stored: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)

    @staticmethod
    def urls_in(said: str) -> set[str]:
        """Return the URLs that a log says have ended."""
        return set(_VISITED.findall(said))

    def look(self, root: Path, acknowledged: set[str]) -> None:
        """Check what is under root.

        Raises:
            Broken: what the spool or a manifest stands on is not there, or what was
                acknowledged has not ended.
        """
        try:
            self._look(root, acknowledged)
        except TROUBLE as exc:
            raise Broken(f"{type(exc).__name__}: {exc}") from exc

    def _look(self, root: Path, acknowledged: set[str]) -> None:
        urls, records = self._in_store(root / "store")
        closed = self._closed_runs(root / "store")
        if not (root / "spool" / PORTAL / FILE).exists():
            assert not acknowledged - urls or closed, "the spool is gone"
            return
        with closing(open_database(root / "spool" / PORTAL)) as db:
            spool = Spool(db)
            SqliteFrontier(db, boot="", ticks=time.monotonic)  # makes its table
            for run in spool.runs():
                for segment in spool.segments(run.run_id):
                    self._segment(root, segment)
            urls |= set(_captured_urls(spool))
            records |= {row[0] for row in db.execute("select record_id from record")}
            ended = _ended(spool)
            lost = (acknowledged - ended) if not closed else acknowledged - urls
            assert not lost, f"acknowledged and gone: {sorted(lost)[:3]}"
            assert ended <= urls, f"ended without a record: {sorted(ended - urls)[:3]}"
            for item in spool.outbox.pending_items():
                _assert_pointed(json.loads(item), records)

    def _segment(self, root: Path, segment: SegmentRow) -> None:
        """Check that a segment's bytes are where its state says."""
        name = layout.SegmentName.parse(segment.name)
        path = root / "spool" / PORTAL / segment.run_id / layout.file_name(name, "warc")
        if segment.state == "committed":
            assert segment.name in self._stored, f"{segment.name} is not in the store"
        elif segment.state == "rolled":
            assert path.stat().st_size == segment.synced_bytes, path.name
            self._assert_members(path, segment.synced_bytes)
        elif segment.synced_bytes:
            opened = path.with_name(f"{path.name}.open")
            found = opened if opened.exists() else path
            self._assert_members(found, segment.synced_bytes)

    def _assert_members(self, path: Path, length: int) -> None:
        """Check that the first bytes of a file are whole members."""
        key = (path.name.removesuffix(".open"), length)
        if key in self._good:
            return
        ends = {0}
        for member in scan(path):
            ends.add(member.offset + member.length)
            if member.offset + member.length >= length:
                break
        assert length in ends, f"{path.name} is not whole to byte {length}"
        self._good.add(key)

    def _in_store(self, root: Path) -> tuple[set[str], set[str]]:
        """Return URLs and record ids of the committed segments, checked."""
        urls, records = set[str](), set[str]()
        store, listed = LocalStore(root), set[str]()
        for info in store.list(f"segments/{PORTAL}/"):
            segment = manifest.segment_from(store.get(info.key), info.key)
            listed.add(segment.name)
            for stored in segment.files:
                assert store.head(stored.key) is not None, f"{stored.key} is gone"
            if segment.name not in self._stored:
                self._stored[segment.name] = _read(store, segment)
            urls |= self._stored[segment.name][0]
            records |= self._stored[segment.name][1]
        gone = self._stored.keys() - listed
        assert not gone, f"were committed and are gone: {sorted(gone)}"
        return urls, records

    def _closed_runs(self, root: Path) -> bool:
        """Tell whether a run is closed; all its segments are committed then."""
        store, closed = LocalStore(root), False
        for info in store.list(f"runs/{PORTAL}/"):
            run = manifest.run_from(store.get(info.key), info.key)
            assert set(run.segments) <= self._stored.keys(), "segments are missing"
            closed = True
        return closed


def _read(store: LocalStore, segment: manifest.Segment) -> tuple[set[str], set[str]]:
    for stored in segment.files:
        assert_stored(store, stored)
    index = gzip.decompress(store.get(segment.file("cdxj").key)).decode().splitlines()
    lines = [json.loads(line.split(" ", 2)[2]) for line in index]
    records = {line["record"] for line in lines}
    items = gzip.decompress(store.get(segment.file("items").key)).splitlines()
    for item in items:
        _assert_pointed(json.loads(item), None)
    return {line["url"] for line in lines}, records


def _assert_pointed(item: dict[str, Any], records: set[str] | None) -> None:
    for ref in item["provenance"]["records"]:
        known = records is None or ref["record_id"] in records
        assert known, f"{item['url']} points to a record that is not there"


def _captured_urls(spool: Spool) -> Iterator[str]:
    for (line,) in spool.db.execute("select cdx from record where cdx is not null"):
        yield json.loads(line.split(" ", 2)[2])["url"]


def _ended(spool: Spool) -> set[str]:
    rows = spool.db.execute("select link from work where state=2").fetchall()
    return {json.loads(row[0])["url"] for row in rows}
