"""Compare proposed rules with the generic readers, field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extract.propose.listingrules import agreement
from crawler.extract.propose.trial import extract_by, same_value, value_of
from crawler.jobs.looking.listed import listing_by

if TYPE_CHECKING:
    from crawler.item import Item
    from crawler.jobs.looking.propose import Proposal
    from crawler.model import Json

FIELDS = (
    *("title", "published", "authors", "source", "editor", "tags", "body", "images"),
)
GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of the item rule.

    Attributes:
        rule: as written, ``generic`` where there is none.
        same: pages on which it gives what the generic reader does, of all.
        values: what it gives on each page.
        methods: how, on each page; None where it gives nothing.
    """

    name: str
    rule: str
    same: int
    of: int
    values: tuple[Json, ...]
    methods: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ComparedListing:
    """The listing rule beside the listing read without rules.

    Attributes:
        links: how many the rule gives; meant: without rules.
        f1: of the rule's against those meant, 0 to 1.
        paging: how the page seems to go on: link, numbered, button or none.
    """

    source: str
    rule: str
    links: int
    meant: int
    f1: float
    next_url: str | None
    paging: str | None


def compare_fields(proposal: Proposal) -> tuple[Compared, ...]:
    """Return each field of the item rule with what it gives."""
    rule = _only(proposal.tree["items"])
    made = [extract_by(one, proposal.portal, rule) for one in proposal.samples]
    pairs = list(zip(proposal.samples, made, strict=True))
    return tuple(
        Compared(
            name,
            _as_text(rule.get(name)),
            sum(
                one is not None and same_value(name, one.item, s.item)
                for s, one in pairs
            ),
            len(pairs),
            tuple(_shown(name, x.item) if x else None for x in made),
            tuple(x.methods.get(name) if x else None for x in made),
        )
        for name in FIELDS
    )


def compare_listing(proposal: Proposal) -> ComparedListing:
    """Return the listing rule with what it gives."""
    rule = _only(proposal.tree["listings"])
    listed = proposal.listed
    made = listing_by(listed, proposal.portal, rule)
    rows = rule.get("rows") or rule.get("state")
    return ComparedListing(
        str(rule["from"]),
        _as_text(rows),
        len(made.links) if made else 0,
        len(listed.links),
        round(agreement(listed.links, made), 3) if made else 0.0,
        made.next.url if made and made.next else None,
        listed.paging,
    )


def _only(rules: Json) -> dict[str, Json]:
    """Return the one rule of a list as it is written."""
    rule = rules[0] if isinstance(rules, list) else rules
    return rule if isinstance(rule, dict) else {}


def _as_text(rule: Json) -> str:
    if rule is None:
        return GENERIC
    return rule if isinstance(rule, str) else json.dumps(rule, ensure_ascii=False)


def _shown(name: str, item: Item) -> Json:
    value = item.body_text if name == "body" else value_of(name, item)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return None if value is None else str(value)
