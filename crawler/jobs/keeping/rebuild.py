"""Rebuild: what a spool knows of a portal's archive, made again of what is stored.

The heads in the spool decide whether an extracted item is a revision, the originals
whether a payload is written again and since when it is there.  Both are a cache: a
spool that was lost, put back from an old copy, or that did not see the runs of another
host would give revisions out twice.  So every run that is opened folds in the
committed segments that its spool does not know, and forgets those that are gone: no
revisit may refer to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.archive.collection import Collection
from crawler.archive.database import transaction
from crawler.errors import ArchiveDamaged, ObjectMissing, StoreUnavailable
from crawler.history.fold import head_of
from crawler.item import Head, Item
from crawler.log import get_log
from crawler.model import RecordRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.archive.manifest import Segment
    from crawler.archive.spool import Spool
    from crawler.archive.store import Store

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was read of the archive: committed segments, and the items in them."""

    segments: int
    items: int


def rebuild(collection: Collection, portal: str, spool: Spool) -> Rebuilt:
    """Make all that is known of a portal again: of its archive, and what waits for it.

    Only the holder of the portal's locks may call this.  Stopped half-way, the next
    run that is opened goes on with it.

    Raises:
        ArchiveDamaged: a manifest or an item part cannot be read.
        StoreUnavailable: the store cannot be read.
        SpoolUnwritable: the spool cannot be used.
    """
    with transaction(spool.db):
        pending = [Item.model_validate_json(x) for x in spool.outbox.pending_items()]
        spool.originals.forget_committed()
        spool.outbox.forget_heads()
        _raise(spool, pending)
    return catch_up(collection, portal, spool)


def know_heads(store: Store, portal: str, spool: Spool) -> None:
    """Bring the heads up to date; an old spool goes on while the store is away.

    Raises:
        ArchiveDamaged: see `catch_up`.
        StoreUnavailable: the store cannot be read, and the spool is new.
        SpoolUnwritable: the spool cannot be used.
    """
    try:
        catch_up(Collection(store), portal, spool)
    except StoreUnavailable as exc:
        if not (spool.outbox.folded() or spool.runs()):
            raise
        log.warning("heads_not_compared", portal=portal, error=str(exc))


def catch_up(collection: Collection, portal: str, spool: Spool) -> Rebuilt:
    """Fold in items and payloads of committed segments that a spool does not know.

    Revisions only go up: what the spool knows better stays.

    Raises:
        ArchiveDamaged: a manifest, an item part or an index cannot be read; were it
            passed over, revisions would be given out twice.
        StoreUnavailable: the store cannot be read.
        SpoolUnwritable: the spool cannot be used.
    """
    names = collection.segment_names(portal)
    _forget(spool, spool.outbox.folded().difference(names))
    known = spool.outbox.folded()
    segments = count = 0
    for segment in _unknown(collection, portal, names, known):
        items, originals = _items(collection, segment), _originals(collection, segment)
        with transaction(spool.db):
            _raise(spool, items)
            for ref in originals:
                spool.originals.add(ref)
            spool.outbox.note_folded(segment.name)
        segments += 1
        count += len(items)
    if segments:
        log.info("heads_restored", portal=portal, segments=segments, items=count)
    return Rebuilt(segments, count)


def _forget(spool: Spool, gone: Iterable[str]) -> None:
    """Forget segments that another one stands for now, or that were taken away.

    Where one held a payload an older one may hold it, too: all are read again.
    """
    with transaction(spool.db):
        held = False
        for name in gone:
            held |= spool.originals.forget_segment(name)
            spool.outbox.unfold(name)
        if held:
            spool.outbox.unfold_all()


def _unknown(
    collection: Collection, portal: str, names: Iterable[str], known: set[str]
) -> list[Segment]:
    try:
        return [collection.segment(name) for name in names if name not in known]
    except (ArchiveDamaged, ObjectMissing) as exc:
        raise _unreadable(portal, exc) from exc


def _items(collection: Collection, segment: Segment) -> list[Item]:
    try:
        return list(collection.items(segment))
    except (ArchiveDamaged, ObjectMissing, ValueError) as exc:
        raise _unreadable(segment.portal, exc) from exc


def _originals(collection: Collection, segment: Segment) -> list[RecordRef]:
    """Return the records of a segment that hold a payload, in order."""
    try:
        lines = sorted(collection.lines(segment), key=lambda line: line.offset)
    except (ArchiveDamaged, ObjectMissing) as exc:
        raise _unreadable(segment.portal, exc) from exc
    return [
        RecordRef(
            line.record,
            line.filename,
            line.offset,
            line.length,
            line.url,
            line.date,
            line.digest,
            payload_at=line.first,
        )
        for line in lines
        if line.status is not None and line.digest is not None and line.ref is None
    ]


def _unreadable(portal: str, error: Exception) -> ArchiveDamaged:
    reason = str(error).partition("\n")[0]
    return ArchiveDamaged(
        f"the newest revisions of {portal!r} cannot be told: {reason}; "
        f"run `portalkeep verify {portal} --read-data --repair`"
    )


def _raise(spool: Spool, items: Iterable[Item]) -> None:
    heads: dict[str, Head] = {}
    for item in items:
        revision = item.revision or 1
        if item.id not in heads or heads[item.id].revision < revision:
            heads[item.id] = head_of(item, revision)
    for item_id, head in heads.items():
        spool.outbox.raise_head(item_id, head)
