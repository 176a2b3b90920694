"""One segment mended: index and manifest made again, items extracted, WARC salvaged.

1. What is derived of the WARC is put in place of what is lost or damaged.
2. A damaged WARC is never touched: its good records become a new segment, under a
   serial of its own, whose manifest names the old one and what was lost.  The old
   manifest is moved to ``damaged/``; the old objects stay where they are.
3. Every step can be repeated: after an interruption the next repair goes on.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive import layout, manifest
from crawler.archive.collection import Collection
from crawler.errors import ArchiveDamaged, ObjectMissing
from crawler.jobs.keeping import repair_items
from crawler.jobs.keeping.check_segment import local_copy
from crawler.jobs.keeping.derive import JOBS, Facts, facts_of
from crawler.jobs.keeping.finding import Mended
from crawler.jobs.keeping.shelf import sha256_of, stored_file
from crawler.warc import cdxj
from crawler.warc.salvage import salvage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.clock import Clock
    from crawler.jobs.keeping.shelf import Shelf

NO_FILE = manifest.StoredFile(role="items", key="", bytes=0, sha256="", entries=0)


@dataclass(slots=True)
class Mender:
    """Mends the segments of one portal, in order."""

    shelf: Shelf
    clock: Clock

    def mend(self, name: layout.SegmentName, serial: int) -> Iterator[Mended]:
        """Mend one segment; say what was done, and what could not be.

        Args:
            name: of the segment, whose manifest may be lost.
            serial: of the new segment, should one be needed.

        Raises:
            StoreUnavailable: the store cannot be read or written; run it again.
        """
        key = name.key("warc")
        known = self._manifest(name)
        head = self.shelf.store.head(key)
        if head is None:
            what = "the WARC is lost; nothing can be made without it"
            yield Mended(key, what, done=False)
            return
        here = stored_file("warc", key, head.size, "", 0)
        with local_copy(self.shelf.store, here) as path:
            facts = facts_of(path, key.rpartition("/")[2])
            digest = sha256_of(path)
            good = known is None or known.file("warc").sha256 == digest
            if not facts.refs:
                yield Mended(key, "no good record is left in the WARC", done=False)
            elif good and not facts.lost_bytes:
                stored = stored_file("warc", key, head.size, digest, len(facts.lines))
                yield from self._derive(name, known, facts, stored)
            else:
                new = replace(name, serial=serial)
                yield from self._salvage(name, new, known, path)

    def _manifest(self, name: layout.SegmentName) -> manifest.Segment | None:
        key = name.key("segment")
        try:
            found = manifest.segment_from(self.shelf.store.get(key), key)
            for role in ("warc", "cdxj", "items"):
                found.file(role)
        except (ObjectMissing, ArchiveDamaged):
            return None
        return found if found.name == str(name) else None

    # what is derived of a good WARC

    def _derive(
        self,
        name: layout.SegmentName,
        known: manifest.Segment | None,
        facts: Facts,
        warc: manifest.StoredFile,
    ) -> Iterator[Mended]:
        base = known or _made_manifest(name, facts)
        index, changed = self._index(name, known, facts)
        if changed:
            yield Mended(index.key, f"index of {index.entries} lines made again")
        segment = base.model_copy(update={"files": (warc, index, NO_FILE)})
        items, said = self._items(name, known, segment, facts)
        yield from said
        items = items or (known.file("items") if known else None)
        if items is None:
            return
        segment = segment.model_copy(update={"files": (warc, index, items)})
        if segment != known:
            self.shelf.put(name.key("segment"), manifest.to_bytes(segment))
            yield Mended(name.key("segment"), "manifest of the segment made again")

    def _index(
        self, name: layout.SegmentName, known: manifest.Segment | None, facts: Facts
    ) -> tuple[manifest.StoredFile, bool]:
        """Return the index, put in its place, and whether it was made anew."""
        key = name.key("cdxj")
        digest = sha256_of(self.shelf.get(key))
        if known is not None and known.file("cdxj").sha256 == digest:
            return known.file("cdxj"), False
        made = self.shelf.put_lines("cdxj", key, facts.lines)
        return made, made.sha256 != digest

    def _items(
        self,
        name: layout.SegmentName,
        known: manifest.Segment | None,
        segment: manifest.Segment,
        facts: Facts,
    ) -> tuple[manifest.StoredFile | None, list[Mended]]:
        """Return the item part that belongs to the segment, and what was done."""
        key = name.key("items")
        content = self.shelf.get(key)
        if known is not None and known.file("items").sha256 == sha256_of(content):
            return known.file("items"), []
        lines = repair_items.item_lines(content) if content and known is None else None
        if content is not None and lines is not None:
            size, digest = len(content), sha256_of(content)
            return stored_file("items", key, size, digest, len(lines)), []
        reason = repair_items.why_not(facts)
        if reason is not None:
            what = f"the items cannot be extracted again: {reason}"
            return None, [Mended(key, what, done=False)]
        if self.shelf.dry_run:
            return None, [Mended(key, "the items can be extracted again")]
        made = repair_items.extracted_again(
            Collection(self.shelf.store), segment, facts, self.clock
        )
        note = _note(len(made), known)
        stored = self.shelf.put_lines("items", key, made)
        return stored, [Mended(key, f"{len(made)} items extracted again{note}")]

    # a damaged WARC

    def _salvage(
        self,
        old: layout.SegmentName,
        new: layout.SegmentName,
        known: manifest.Segment | None,
        path: Path,
    ) -> Iterator[Mended]:
        file = layout.file_name(new, "warc")
        with tempfile.TemporaryDirectory(prefix="portalkeep-") as directory:
            saved = Path(directory) / file
            done = salvage(path, saved)
            facts = facts_of(saved, file)
            size = saved.stat().st_size
            warc = stored_file(
                "warc", new.key("warc"), size, sha256_of(saved), len(facts.lines)
            )
            self.shelf.put(warc.key, saved)
        bytes_lost = sum(span.length for span in done.lost)
        what = f"{done.kept} records saved to {str(new)!r}, {bytes_lost} bytes lost"
        yield Mended(old.key("warc"), what)
        index = self.shelf.put_lines("cdxj", new.key("cdxj"), facts.lines)
        base = known or _made_manifest(old, facts)
        update = {
            "name": str(new),
            "replaces": str(old),
            "files": (warc, index, NO_FILE),
        }
        segment = base.model_copy(update=update)
        items, lost, said = self._saved_items(old, new, known, segment, facts)
        yield from said
        if items is None:
            return
        lost |= self._lost_of_index(old, facts) | set(known.lost if known else ())
        files = (warc, index, items)
        segment = segment.model_copy(
            update={"files": files, "lost": tuple(sorted(lost))}
        )
        self.shelf.put(new.key("segment"), manifest.to_bytes(segment))
        yield from self.retire(old)

    def _saved_items(
        self,
        old: layout.SegmentName,
        new: layout.SegmentName,
        known: manifest.Segment | None,
        segment: manifest.Segment,
        facts: Facts,
    ) -> tuple[manifest.StoredFile | None, set[str], list[Mended]]:
        key = old.key("items")
        content = self.shelf.get(key)
        whole = known is None or known.file("items").sha256 == sha256_of(content)
        lines = repair_items.item_lines(content) if content and whole else None
        lost: set[str] = set()
        said: list[Mended] = []
        if lines is not None:
            warc = layout.file_name(old, "warc")
            lines, lost = repair_items.moved(lines, warc, facts.refs)
        elif (reason := repair_items.why_not(facts)) is not None:
            what = f"the items cannot be extracted again: {reason}"
            said, lines = [Mended(key, what, done=False)], []
        elif self.shelf.dry_run:
            return None, lost, [Mended(key, "the items can be extracted again")]
        else:
            lines = repair_items.extracted_again(
                Collection(self.shelf.store), segment, facts, self.clock
            )
            note = _note(len(lines), known)
            said = [Mended(key, f"{len(lines)} items extracted again{note}")]
        return self.shelf.put_lines("items", new.key("items"), lines), lost, said

    def _lost_of_index(self, old: layout.SegmentName, facts: Facts) -> set[str]:
        content = self.shelf.get(old.key("cdxj"))
        try:
            text = gzip.decompress(content or b"").decode()
            lines = [cdxj.parse_line(line) for line in text.splitlines()]
        except (OSError, EOFError, zlib.error, ValueError, ArchiveDamaged):
            return set()
        return {line.record for line in lines} - facts.refs.keys()

    def retire(self, old: layout.SegmentName) -> Iterator[Mended]:
        """Move the manifest of a segment that another one stands for out of the way."""
        key = old.key("segment")
        content = self.shelf.get(key)
        if content is None:
            return
        aside = f"damaged/{old.portal}/{old}.json"
        self.shelf.move(key, aside, content)
        yield Mended(key, f"moved to {aside!r}; its objects were kept")


def _made_manifest(name: layout.SegmentName, facts: Facts) -> manifest.Segment:
    """Return the manifest that the commit of a segment made, its files aside."""
    if facts.begun_at is None or facts.closed_at is None:
        raise ArchiveDamaged(f"no record is left of segment {str(name)!r}")
    return manifest.Segment(
        name=str(name),
        portal=name.portal,
        run_id=name.run_id,
        job=JOBS.get(name.run_id[14], "crawl"),
        begun_at=facts.begun_at,
        closed_at=facts.closed_at,
        config_digest=facts.info.get("portalkeep-config-digest", ""),
        files=(),
        counts=facts.counts,
    )


def _note(count: int, known: manifest.Segment | None) -> str:
    was = known.file("items").entries if known else count
    return f" (there were {was})" if was != count else ""
