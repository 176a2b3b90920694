"""The items of a segment whose part was lost or damaged, made again of its captures.

Only what would have been made then is made now: by the rules stored with the run, and
by the very version of the code that ran it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from crawler.archive.captures import Archive
from crawler.config.digest import config_digest
from crawler.config.portal import Portal
from crawler.errors import ArchiveDamaged, NotExtracted, ObjectMissing
from crawler.extract import extract
from crawler.history.fold import head_of
from crawler.item import Item, Listing
from crawler.jobs.earlier import Folding
from crawler.jobs.run import SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Segment
    from crawler.clock import Clock
    from crawler.item import Head
    from crawler.jobs.keeping.derive import Facts
    from crawler.model import RecordRef

_READ = ("captured", "revisited")


def item_lines(content: bytes) -> list[str] | None:
    """Return the lines of an item part, None where it is not whole."""
    try:
        lines = gzip.decompress(content).decode().splitlines()
        for line in lines:
            Item.model_validate_json(line)
    except (OSError, EOFError, zlib.error, ValueError, ValidationError):
        return None
    return lines


def moved(
    lines: Iterable[str], warc: str, refs: Mapping[str, RecordRef]
) -> tuple[list[str], set[str]]:
    """Return item lines whose pointers into a WARC lead to where its records are now.

    And the ids of the records that they point at and that are nowhere now.
    """
    made: list[str] = []
    lost: set[str] = set()
    for line in lines:
        row: dict[str, Any] = json.loads(line)  # Any: JSON
        provenance = row["provenance"]
        for pointer in (*provenance["records"], *provenance["dom_records"]):
            if pointer["warc"] != warc:
                continue
            ref = refs.get(pointer["record_id"])
            if ref is None:
                lost.add(pointer["record_id"])
                continue
            place = {"warc": ref.warc, "offset": ref.offset, "length": ref.length}
            pointer.update(place)
        made.append(Item.model_validate(row).model_dump_json())
    return made, lost


def why_not(facts: Facts) -> str | None:
    """Return why a segment's items cannot be extracted again, None where they can."""
    software = facts.info.get("software")
    if software != SOFTWARE:
        return f"they were made by {software or 'unknown software'}, this is {SOFTWARE}"
    if facts.config is None:
        return "the record with the run's configuration is lost"
    try:
        digest = config_digest(rules_of(facts))
    except ValidationError as exc:
        return f"the run's configuration cannot be read: {exc.errors()[0]['msg']}"
    wanted = facts.info.get("portalkeep-config-digest")
    return None if digest == wanted else "the run's rules have another digest now"


def rules_of(facts: Facts) -> Portal:
    """Return the portal as it was configured for the run.

    Raises:
        ValidationError: the stored configuration is no portal's.
    """
    return Portal.model_validate((facts.config or {}).get("portal"))


def extracted_again(
    collection: Collection, segment: Segment, facts: Facts, clock: Clock
) -> list[str]:
    """Return the item lines of a segment, extracted again, with their revisions.

    Args:
        collection: all segments before this one are whole in it.
        segment: its WARC and index are stored, its manifest need not be.
        facts: of its WARC.
        clock: for extracted_at alone.

    Raises:
        ArchiveDamaged: a record of an earlier segment of the run cannot be read.
    """
    portal = rules_of(facts)
    digest = config_digest(portal)
    earlier = [x for x in collection.segments(segment.portal) if _before(x, segment)]
    heads = _heads(collection, earlier)
    of_run = [x for x in earlier if x.run_id == segment.run_id]
    archive = Archive.of(collection, [*of_run, segment], portal.crawl.max_parse)
    lines: list[str] = []
    warc = segment.file("warc").key.rpartition("/")[2]
    folding = Folding(collection, portal, digest)
    for item in _items(archive, portal, digest, warc):
        folded = folding(item, heads.get(item.id), extracted_at=clock.now())
        heads[item.id] = folded.head
        if folded.item is not None:
            lines.append(folded.item.model_dump_json())
    return lines


def _before(other: Segment, segment: Segment) -> bool:
    name = segment.replaces or segment.name
    return other.name not in (segment.name, name) and other.begun_at <= segment.begun_at


def _heads(collection: Collection, segments: Iterable[Segment]) -> dict[str, Head]:
    heads: dict[str, Head] = {}
    for segment in segments:
        for item in collection.items(segment):
            revision = item.revision or 1
            if item.id not in heads or heads[item.id].revision < revision:
                heads[item.id] = head_of(item, revision)
    return heads


def _items(archive: Archive, portal: Portal, digest: str, warc: str) -> Iterator[Item]:
    for visit in archive.visits():
        if visit.line.filename != warc or visit.body["outcome"] not in _READ:
            continue
        try:
            capture = archive.capture(visit)
            if capture is None:
                continue
            result = extract(capture, portal, config_digest=digest)
        except (NotExtracted, ArchiveDamaged, ObjectMissing):
            continue  # as it was then, or its records are lost
        yield from result.flashes if isinstance(result, Listing) else (result,)
