"""Fold one item into what is known of it: a first revision, a new one, or no change.

Pure.  The state folded into is a `Head` per item id; it can be rebuilt from the items
in the archive, in the order of their captures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from crawler.item import Head

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.item import Item


class Change(StrEnum):
    """What an extraction says about an item."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Folded:
    """The outcome of a fold: the head after it, and the item to keep if any."""

    change: Change
    head: Head
    item: Item | None


def head_of(item: Item, revision: int) -> Head:
    """Return the head that item makes as this revision."""
    extractor = item.provenance.extractor
    records = item.provenance.records[:1]
    return Head(
        revision,
        item.item_hash or "",
        f"{extractor.name}/{extractor.version}",
        item.provenance.config_digest,
        *(part for x in records for part in (x.record_id, x.warc)),
    )


def is_upgrade(item: Item, head: Head) -> bool:
    """Tell whether an item differs from its head, which others made: code or rules.

    Then the capture of the head's revision is to be extracted again before a fold.
    """
    made = head_of(item, head.revision)
    same_makers = (made.extractor, made.config_digest) == (
        head.extractor,
        head.config_digest,
    )
    return made.item_hash != head.item_hash and not same_makers


def fold(
    item: Item,
    head: Head | None,
    *,
    extracted_at: datetime,
    before: Item | None = None,
) -> Folded:
    """Give an extracted item its revision.

    The same item_hash as the head's is no revision, whoever extracted it; another one
    is the next revision and names the hash before it.

    Args:
        item: as extraction made it, without revision.
        head: what is known of this id, None for nothing.
        extracted_at: put into the provenance of an item that is kept.
        before: what item's makers make of the capture of the head's revision: it is
            compared in place of the head.
    """
    if head is not None and before is not None:
        head = replace(head, item_hash=before.item_hash or "")
    if head is not None and head.item_hash == item.item_hash:
        seen = head_of(item, head.revision)
        seen = replace(seen, record=head.record, warc=head.warc)
        return Folded(Change.UNCHANGED, seen, None)
    revision = 1 if head is None else head.revision + 1
    kept = item.model_copy(
        update={
            "revision": revision,
            "previous_hash": None if head is None else head.item_hash,
            "provenance": item.provenance.model_copy(
                update={"extracted_at": extracted_at}
            ),
        }
    )
    change = Change.NEW if head is None else Change.REVISED
    return Folded(change, head_of(item, revision), kept)
