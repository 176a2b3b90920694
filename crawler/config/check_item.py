"""What is wrong with an item rule beyond its types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.config import syntax
from crawler.config.check_browser import check_shown_item
from crawler.config.check_rule import ANY, faults, rule_faults
from crawler.config.itempage import ITEM_FIELDS
from crawler.config.problem import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.check import Finding
    from crawler.config.itempage import ItemRule

_RULES = (
    *("ready", "wait_for", "external_id", "canonical_url", "title", "subtitle"),
    *("body", "lead"),
    *("published", "modified", "authors", "editor", "key_points", "tags", "sections"),
    *("original_url", "paywalled", "pages"),
)


def check_item(item: ItemRule) -> Iterator[Finding]:
    """Yield what is wrong with an item rule."""
    yield from _match(item)
    for name in _RULES:
        yield from rule_faults((name,), getattr(item, name), ANY)
    yield from _compound(item)
    yield from check_shown_item(item)
    yield from faults(("remove",), syntax.css_fault, *item.remove)
    yield from faults(("drop_lines",), syntax.regex_fault, *item.drop_lines)
    yield from faults(("until",), syntax.day_fault, item.until)
    yield from faults(("encoding",), syntax.encoding_fault, item.encoding)
    for at, name in enumerate(item.required):
        if name not in ITEM_FIELDS:
            near = did_you_mean(name, ITEM_FIELDS)
            yield ("required", at), f"'required': no field is named {name!r}{near}"


def _match(item: ItemRule) -> Iterator[Finding]:
    """Check the pattern; a group that names no field would be lost without a word."""
    if (what := syntax.regex_fault(item.match)) is not None:
        yield ("match",), f"'match': {what}"
        return
    for group in re.compile(item.match).groupindex:
        if group not in ITEM_FIELDS and not group.startswith("_"):
            near = did_you_mean(group, ITEM_FIELDS)
            hint = near or "; use a plain group, or a name that begins with '_'"
            yield ("match",), f"'match': the group {group!r} names no field{hint}"


def _compound(item: ItemRule) -> Iterator[Finding]:
    """Check the rules that consist of rules."""
    for name in ("name", "publisher", "channel", "url"):
        yield from rule_faults(("source", name), getattr(item.source, name), ANY)
    if item.summary is not None:
        yield from rule_faults(("summary", "rule"), item.summary.rule, ANY)
    yield from faults(("tickers", "css"), syntax.css_fault, item.tickers.css)
    yield from rule_faults(("tickers", "symbol"), item.tickers.symbol, ANY)
    yield from rule_faults(("tickers", "name"), item.tickers.name, ANY)
    for part, rows in (("related", item.related), ("files", item.files)):
        if rows is not None:
            yield from rule_faults((part, "rows"), rows.rows, ANY)
            yield from rule_faults((part, "title"), rows.title, ANY)
            yield from rule_faults((part, "url"), rows.url, ANY)
