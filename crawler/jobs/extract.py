"""Extract: today's code and rules over stored captures, without Scrapy or network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.archive.captures import Archive
from crawler.archive.pageinfo import DOM
from crawler.config.digest import config_digest
from crawler.errors import NotExtracted, UsageError
from crawler.extract import extract
from crawler.extract.shown import lacks_dom
from crawler.history.fold import head_of
from crawler.item import Head, Item, Listing
from crawler.jobs.earlier import Folding
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from crawler.archive.captures import StoredVisit
    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Segment
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.model import Capture

MAKERS = frozenset({"provenance.config_digest", "provenance.extractor"})
"""By which rules and code: after a change of them every item would differ."""
PROVENANCE_OF_RUN = frozenset({"run_id", "extracted_at"})


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs of a portal are read: one by id, or those begun on these days.

    Attributes:
        run_id: None for all in the range.
        from_on, to_on: first and last day, UTC; None is open.
    """

    run_id: str | None = None
    from_on: date | None = None
    to_on: date | None = None

    def takes(self, segment: Segment) -> bool:
        """Tell whether a segment belongs to the selection."""
        if self.run_id is not None and segment.run_id != self.run_id:
            return False
        begun_on = segment.begun_at.date()
        after = self.from_on is None or begun_on >= self.from_on
        return after and (self.to_on is None or begun_on <= self.to_on)


@dataclass(slots=True)
class Tally:
    """What a pass over captures met.

    Attributes:
        rejected: captures that gave no item or listing, by reason.
        misses: ``urn:dom:…`` of pages that today's rules would have a browser show,
            and of which nothing that one showed is stored.
    """

    captures: int = 0
    items: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)

    def miss(self, url: str) -> None:
        """Note a page that no browser showed."""
        self.misses.append(DOM.uri(url))
        self.reject(Reason.ARCHIVE_MISS)

    def reject(self, reason: str) -> None:
        """Count a capture that gave nothing."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1


def selected(
    collection: Collection, portal: Portal, selection: Selection
) -> tuple[Segment, ...]:
    """Return the segments of a selection in the order they were written.

    Raises:
        UsageError: there are none.
    """
    found = tuple(x for x in collection.segments(portal.id) if selection.takes(x))
    if not found:
        known = ", ".join(collection.run_ids(portal.id)[-5:]) or "none"
        message = (
            f"portal {portal.id!r} has no committed segment for this selection; "
            f"newest runs: {known}"
        )
        raise UsageError(message)
    return found


def heads_before(
    collection: Collection, portal: Portal, first: Segment
) -> dict[str, Head]:
    """Return what was known of each item before a segment: the archive says."""
    heads: dict[str, Head] = {}
    for segment in collection.segments(portal.id):
        if segment.name == first.name:
            break
        for item in collection.items(segment):
            heads[item.id] = head_of(item, item.revision or 1)
    return heads


def extract_runs(
    collection: Collection,
    portal: Portal,
    selection: Selection,
    clock: Clock,
    tally: Tally,
) -> Iterator[Item]:
    """Yield the items, with revisions, that today's code makes of stored captures.

    Nothing is written.

    Args:
        collection: to read from.
        portal: with today's rules.
        selection: of runs.
        clock: for extracted_at alone.
        tally: counted up while this goes on.

    Raises:
        UsageError: nothing is selected.
        ArchiveDamaged: a record is not there or not whole.
    """
    segments = selected(collection, portal, selection)
    heads = heads_before(collection, portal, segments[0])
    archive = Archive.of(collection, segments, portal.crawl.max_parse)
    folding = Folding(collection, portal, config_digest(portal))
    for item in extracted(archive, portal, tally):
        folded = folding(item, heads.get(item.id), extracted_at=clock.now())
        heads[item.id] = folded.head
        if folded.item is not None:
            tally.items += 1
            yield folded.item


def extracted(archive: Archive, portal: Portal, tally: Tally) -> Iterator[Item]:
    """Yield the items, without revisions, of an archive's captures in their order."""
    digest = config_digest(portal)
    for visit, capture in archive.captures():
        if not was_read(visit):
            continue
        tally.captures += 1
        if lacks_dom(capture, portal):
            tally.miss(capture.main.url)
            continue
        try:
            yield from _items_of(capture, portal, digest)
        except NotExtracted as exc:
            if lacks_dom(capture, portal, exc):
                tally.miss(capture.main.url)
            else:
                tally.reject(exc.reason)


def was_read(visit: StoredVisit) -> bool:
    """Tell whether the live crawl had all of this visit to read.

    Of an article without one of its further pages it had not: no mode makes an item.
    """
    whole = visit.body.get("reason") != Reason.TRUNCATED
    return whole and visit.body["outcome"] in ("captured", "revisited")


def _items_of(capture: Capture, portal: Portal, digest: str) -> tuple[Item, ...]:
    result = extract(capture, portal, config_digest=digest)
    return result.flashes if isinstance(result, Listing) else (result,)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which an item made now differs from the stored one.

    Attributes:
        field: ``item`` where one of the two is not there at all.
    """

    item_id: str
    revision: int | None
    url: str
    field: str
    stored: object
    made: object


def differences(
    stored: dict[tuple[str, int | None], Item],
    made: Item | None,
    key: tuple[str, int | None],
) -> list[Difference]:
    """Return in which fields an item differs from the stored one of the same key.

    ``run_id`` and ``extracted_at`` never count, nor do the rules' and code's names.
    """
    old = stored.get(key)
    item = made or old
    if item is None:
        return []
    if old is None or made is None:
        return [
            Difference(*key, item.url, "item", old and old.title, made and made.title)
        ]
    one, other = comparable(old), comparable(made)
    return [
        Difference(*key, item.url, name, one.get(name), other.get(name))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name) and name not in MAKERS
    ]


def comparable(item: Item) -> dict[str, object]:
    """Return an item's fields as values, provenance flattened, without run and time."""
    values: dict[str, object] = item.model_dump(mode="json", exclude={"provenance"})
    provenance = item.provenance.model_dump(mode="json", exclude=set(PROVENANCE_OF_RUN))
    values.update({f"provenance.{name}": x for name, x in provenance.items()})
    return values


def stored_items(
    collection: Collection, portal: Portal, selection: Selection
) -> dict[tuple[str, int | None], Item]:
    """Return the stored items of a selection by id and revision."""
    return {
        (item.id, item.revision): item
        for segment in selected(collection, portal, selection)
        for item in collection.items(segment)
    }


def diff_runs(
    collection: Collection,
    portal: Portal,
    selection: Selection,
    clock: Clock,
    tally: Tally,
) -> Iterator[Difference]:
    """Yield how the items made now differ from those stored, item by item."""
    stored = stored_items(collection, portal, selection)
    seen: set[tuple[str, int | None]] = set()
    for item in extract_runs(collection, portal, selection, clock, tally):
        key = (item.id, item.revision)
        seen.add(key)
        yield from differences(stored, item, key)
    for key in stored.keys() - seen:
        yield from differences(stored, None, key)
