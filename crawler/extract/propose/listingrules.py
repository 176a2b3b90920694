"""Propose a listing rule: where the rows are, what a row says, what page follows.

Feeds and sitemaps need none; of a JSON answer or a script's state the list whose
objects have addresses and titles is taken; of HTML the elements around the links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from crawler.errors import NotExtracted
from crawler.extract.dates.grammar import read_date
from crawler.extract.document.text import squeeze, visible_text
from crawler.extract.listings.state import read_state, state_rules
from crawler.extract.propose.induce import Target, induce_all, induce_first
from crawler.extract.propose.jsonrules import JsonRows, find_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page
    from crawler.item import Listing
    from crawler.model import Json

_NEXT_WORD = re.compile(
    r"[下后後]一?[页頁]|next(?: page)?|older(?: posts)?", re.IGNORECASE
)
_DATE_CHARACTERS = 60
_TRIES = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """A listing page as fetched, and when and where times on it count."""

    page: Page
    at: datetime
    zone: tzinfo


def json_rows(seen: Seen) -> tuple[dict[str, Json], JsonRows] | None:
    """Return a rule for rows in a JSON answer, or else in the page's state."""
    page = seen.page
    if page.is_json:
        found = find_rows(page.json, at=seen.at, zone=seen.zone)
        return ({"from": "json", "rows": found.path}, found) if found else None
    best: tuple[dict[str, Json], JsonRows] | None = None
    for rule in state_rules(page.text):
        try:
            tree = read_state(page.text, rule)
        except NotExtracted:
            continue
        found = find_rows(tree, at=seen.at, zone=seen.zone)
        if found and (best is None or found.worth > best[1].worth):
            state: dict[str, Json] = rule.model_dump(mode="json", exclude_none=True)
            best = {"from": "state", "state": {**state, "rows": found.path}}, found
    return best


def html_rows(seen: Seen, urls: Sequence[str]) -> dict[str, Json] | None:
    """Return a rule for the rows around the links to these URLs, None without one."""
    root = seen.page.tree
    anchors = _anchors(seen.page, set(urls))
    if not anchors:
        return None
    rows = [_row_of(anchor, anchors) for anchor in anchors.values()]
    selector = next(_row_selectors(root, rows), None)
    if selector is None:
        return None
    pairs = list(zip(rows, anchors.values(), strict=True))
    fields: dict[str, Json] = {"url": _link_in(pairs), "title": _title_in(pairs)}
    if (published := _time_in(rows, seen)) is not None:
        fields["published"] = published
    return {"from": "rows", "rows": selector, "fields": fields}


def next_rule(page: Page, url: str) -> Json:
    """Return a rule for the address of the page that follows, None without one."""
    links = [
        node
        for node in page.tree.iterfind(".//a[@href]")
        if page.absolute(node.get("href") or "") == url
    ]
    for node in links:
        text = visible_text(node)
        if (node.get("rel") or "").lower() == "next":
            return "a[rel=next]::attr(href)"
        if _NEXT_WORD.match(text) and "'" not in text:
            return f"xpath://a[normalize-space(.)='{text}']/@href"
    if page.tree.cssselect("link[rel=next]"):
        return "link[rel=next]::attr(href)"
    target = Target(page.tree, tuple(links))
    wanted = (name for name in induce_first([target]) if re.search("next|nxt", name))
    name = next(wanted, None)
    return f"{name}::attr(href)" if links and name else None


def agreement(meant: Sequence[str], listing: Listing) -> float:
    """Return the F1 of a listing's links against those meant."""
    made = {link.url for link in listing.links}
    both = len(made & set(meant))
    return 2 * both / (len(made) + len(set(meant))) if both else 0.0


def _anchors(page: Page, urls: set[str]) -> dict[str, HtmlElement]:
    """Return of each URL the link with the longest text."""
    found: dict[str, HtmlElement] = {}
    for node in page.tree.iterfind(".//a[@href]"):
        url = page.absolute(node.get("href") or "")
        if url in urls and len(visible_text(node)) >= len(
            visible_text(found[url]) if url in found else ""
        ):
            found[url] = node
    return found


def _row_of(anchor: HtmlElement, anchors: dict[str, HtmlElement]) -> HtmlElement:
    """Return the largest element around a link that holds no other of the links."""
    others = {
        above for node in anchors.values() if node is not anchor for above in _up(node)
    }
    row = anchor
    for above in _up(anchor):
        if above in others or above.tag in {"body", "html"}:
            break
        row = above
    return row


def _up(node: HtmlElement) -> Iterator[HtmlElement]:
    yield node
    yield from node.iterancestors()


def _row_selectors(root: HtmlElement, rows: list[HtmlElement]) -> Iterator[str]:
    """Yield selectors of exactly the rows, then of rows that link nowhere else."""
    yield from islice(induce_all([Target(root, tuple(rows))]), 1)
    wanted, best = set(rows), (0.0, "")
    for selector in islice(induce_first([Target(root, (rows[0],))]), _TRIES):
        found = set(root.cssselect(selector))
        both = len(found & wanted)
        likeness = 2 * both / (len(found) + len(wanted))
        if likeness > best[0]:
            best = (likeness, selector)
    if best[0] >= 0.5:  # noqa: PLR2004 - the item rule refuses what is no item's page
        yield best[1]


def _link_in(pairs: list[tuple[HtmlElement, HtmlElement]]) -> str:
    if all(row is anchor for row, anchor in pairs):
        return "::attr(href)"
    name = _within(pairs)
    return f"{name or 'a'}::attr(href)"


def _title_in(pairs: list[tuple[HtmlElement, HtmlElement]]) -> Json:
    """Return what finds a row's headline: a heading in the link, or the link."""
    heads = [(row, _heading(anchor)) for row, anchor in pairs]
    if all(head is not None for _, head in heads):
        return _within([(row, head) for row, head in heads if head is not None]) or "a"
    if all(row is anchor for row, anchor in pairs):
        return "xpath:."
    return _within(pairs) or "a"


def _heading(anchor: HtmlElement) -> HtmlElement | None:
    return next((x for x in anchor.iter("h1", "h2", "h3", "h4", "h5")), None)


def _within(pairs: list[tuple[HtmlElement, HtmlElement]]) -> str | None:
    """Return the shortest selector that finds in each row the element meant."""
    targets = [Target(row, (node,)) for row, node in pairs]
    return next(induce_first(targets), None)


def _time_in(rows: list[HtmlElement], seen: Seen) -> Json:
    """Return what finds a row's time, None where most rows have none."""
    targets = []
    for row in rows:
        found = [node for node in row.iterdescendants() if _is_time(node, seen)]
        if found:
            targets.append(Target(row, tuple(reversed(found))))
    if 2 * len(targets) <= len(rows):
        return None
    return next(induce_first(targets), None)


def _is_time(node: HtmlElement, seen: Seen) -> bool:
    if not isinstance(node.tag, str) or node.tag == "a":
        return False
    text = visible_text(node)
    if not 0 < len(text) <= _DATE_CHARACTERS:
        return False
    moment = read_date(text, at=seen.at, zone=seen.zone)
    return moment is not None and len(squeeze(text)) - len(squeeze(moment.raw)) <= 12  # noqa: PLR2004
