"""Which extraction of an item is a revision."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.history.fold import Change, fold, head_of, is_upgrade
from crawler.item import Extractor, Head, Item, Provenance, RecordPointer

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)


def item(item_hash: str, rules: str = "sha256:0", record: str = "r1") -> Item:
    """Return an item as an extraction by some rules makes it."""
    pointer = RecordPointer(record_id=record, warc="w", offset=0, length=1)
    provenance = Provenance(
        records=(pointer,),
        target_uri="https://gazette.example/",
        captured_at=AT,
        extractor=Extractor(name="portalkeep", version="1"),
        config_digest=rules,
    )
    return Item(
        id="one",
        kind="article",
        portal="gazette",
        url="https://gazette.example/",
        item_hash=item_hash,
        provenance=provenance,
    )


def head(item_hash: str, rules: str = "sha256:0") -> Head:
    """Return the head that an item makes as its third revision."""
    return head_of(item(item_hash, rules), 3)


def test_first_and_next_revision() -> None:
    """What is new is the first revision, another hash the next, which names it."""
    first = fold(item("a"), None, extracted_at=AT)
    assert (first.change, first.head) == (Change.NEW, head_of(item("a"), 1))
    second = fold(item("b", record="r2"), first.head, extracted_at=AT)
    assert second.item is not None
    assert (second.item.revision, second.item.previous_hash) == (2, "a")
    assert second.head.record == "r2"


def test_unchanged_item_keeps_the_capture_of_its_revision() -> None:
    """The head goes on pointing at what the stored revision was made of."""
    folded = fold(item("a", "sha256:1", "r2"), head("a"), extracted_at=AT)
    assert (folded.change, folded.item) == (Change.UNCHANGED, None)
    assert folded.head == Head(3, "a", "portalkeep/1", "sha256:1", "r1", "w")


@pytest.mark.parametrize(
    ("known", "upgrade"),
    [
        (head("a"), False),
        (head("b"), False),
        (head("a", "sha256:9"), False),
        (head("b", "sha256:9"), True),
    ],
)
def test_only_another_hash_by_other_makers_is_to_be_looked_at(
    known: Head, *, upgrade: bool
) -> None:
    """The same makers, or the same hash, need no second extraction."""
    assert is_upgrade(item("a"), known) is upgrade


def test_after_an_upgrade_the_earlier_capture_is_compared() -> None:
    """The head moves on silently; what differs names the hash by today's makers."""
    old = head("a", "sha256:9")
    same = fold(item("x"), old, extracted_at=AT, before=item("x"))
    assert (same.change, same.item) == (Change.UNCHANGED, None)
    assert same.head == Head(3, "x", "portalkeep/1", "sha256:0", "r1", "w")
    other = fold(item("y"), old, extracted_at=AT, before=item("x"))
    assert other.item is not None
    assert (other.item.revision, other.item.previous_hash) == (4, "x")
