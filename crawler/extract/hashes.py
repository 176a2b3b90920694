"""What makes an item the same item, the same content, the same revision."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.item import Item

ID_CHARACTERS = 32
UNHASHED = frozenset(
    {
        "provenance",
        "flags",
        "revision",
        "previous_hash",
        "item_hash",
        # Found through another listing, the item says nothing new: no revision.
        "listing",
    }
)
"""Fields that do not make a revision."""


def item_id(portal: str, scheme: str, key: str) -> str:
    """Return the item's identity: the same for every capture of it, on any machine."""
    named = f"{portal}|{scheme}|{key}"
    return hashlib.sha256(named.encode()).hexdigest()[:ID_CHARACTERS]


def content_hash(title: str | None, body_text: str | None) -> str | None:
    """Return the digest that finds duplicates: NFKC of title and body, None of neither.

    Full-width digits and compatibility forms are folded, so a copy that differs only
    in them is the same.
    """
    if not title and not body_text:
        return None
    folded = unicodedata.normalize("NFKC", f"{title or ''}\n{body_text or ''}")
    return _digest(folded)


def item_hash(item: Item) -> str:
    """Return the digest that decides a revision: all fields but UNHASHED."""
    fields = item.model_dump(mode="json", exclude=set(UNHASHED))
    canonical = json.dumps(
        fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return _digest(canonical)


def _digest(text: str) -> str:
    # A lone surrogate out of a page's JSON must not stop an item.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
