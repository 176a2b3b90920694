"""Find the box that holds the article of a page that no rule describes.

Every box with a good part of the page's running text is a candidate.  Witnesses that
know nothing of each other speak for one: how much text it holds, how little else, few
links, what its tag and name say, where the title stands, whether the page's description
is in it.  They are added up, so that no single one decides.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, NamedTuple

from crawler.extract.article.names import (
    is_body,
    is_caption,
    is_digest,
    is_lead_box,
    is_sure,
)
from crawler.extract.article.survey import survey
from crawler.extract.document.text import squeeze, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.article.survey import Box, Survey
    from crawler.extract.document.page import Page

_MIN_WORTH = 40
_MIN_SHARE = 0.1
_LEAF_TAGS = frozenset(
    {"p", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "dl", "dd", "dt", "pre"}
    | {"figure"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_PAGE_TAGS = frozenset({"body", "html"})
_WINDOW = 8
_MIN_LEAD = 40
_LEAD_SHARE = 0.5
_MAX_DESCRIPTION = 400
_MAX_SHARE = 0.4
_MAX_LINKED = 0.3
_MAX_DIGEST = 0.7  # of a brief report, a summary may be the half
_FAR_UNKNOWN = 0.2
# Weights of the witnesses, fitted to all labelled pages (benchmarks/extraction.py), so
# that the benchmark's text F1 is not that of unseen pages.  Fitted anew on four folds
# and judged on the fifth they gave .957 where these gave .967.
_WEIGHTS = {
    "held": 1.06,
    "pure": 1.4,
    "unlinked": 1.31,
    "furniture": -0.44,
    "in_furniture": -0.5,
    "named": 0.48,
    "surely_named": 0.9,
    "leaf": -0.43,
    "page": -0.33,
    "described": 0.95,
    "after_title": 0.83,
    "far": -0.91,
    "pieces": -0.23,
}


class MainBody(NamedTuple):
    """Where an article is.

    Attributes:
        elements: the lead if it stands apart, then the body.
        removed: what in them is none of it.
    """

    elements: tuple[HtmlElement, ...]
    removed: tuple[HtmlElement, ...]


class _Witnesses(NamedTuple):
    """What is known of the page beside its boxes.

    Attributes:
        title: the box of the title, if it stands on the page.
        described: where windows of the description are in the text.
        most: the worth of the box that holds most; total: of the page.
    """

    title: Box | None
    described: list[list[int]]
    most: int
    total: int


def main_body(
    page: Page, title: str | None, description: str | None
) -> MainBody | None:
    """Return the element with the article, None where nothing on the page runs."""
    found = survey(page.tree)
    most = max(box.worth for box in found.boxes)
    if most < _MIN_WORTH:
        return None
    least = max(_MIN_WORTH, _MIN_SHARE * most)
    candidates = [box for box in found.boxes if box.worth >= least]
    witnesses = _Witnesses(
        title=_title_box(found, title),
        described=_places(found.text, description or ""),
        most=most,
        total=max(found.worth, 1),
    )
    best = max(candidates, key=lambda box: _merit(box, witnesses))
    lead = _lead(found, best, witnesses)
    elements = (lead.element, best.element) if lead else (best.element,)
    return MainBody(elements, tuple(_furniture(best)))


def _merit(box: Box, witnesses: _Witnesses) -> float:
    """Return the sum of what the witnesses say of a box."""
    said = _said(box, witnesses)
    return sum(_WEIGHTS[name] * value for name, value in said.items())


def _said(box: Box, witnesses: _Witnesses) -> dict[str, float]:
    characters = max(box.characters, 1)
    sure = is_sure(box.element)
    title = witnesses.title
    after = title is not None and box.start >= title.end and box is not title
    distance = abs(box.before - title.before) / witnesses.total if title else None
    return {
        "held": log(max(0.05, box.worth / witnesses.most)),
        "pure": log(max(0.02, box.good / characters)),
        "unlinked": log(max(0.02, 1 - box.linked / characters)),
        "furniture": box.furniture,
        "in_furniture": min(2, box.around),
        "named": not sure and is_body(box.element),
        "surely_named": sure,
        "leaf": box.element.tag in _LEAF_TAGS,
        "page": box.element.tag in _PAGE_TAGS,
        "described": _share_in(box, witnesses.described),
        "after_title": after,
        "far": _FAR_UNKNOWN if distance is None else min(1.0, distance),
        "pieces": log(max(1, box.paragraphs)),
    }


def _title_box(found: Survey, title: str | None) -> Box | None:
    """Return the first heading that says the title, else the first such box."""
    wanted = squeeze(title or "")
    if not wanted:
        return None
    size = len(title or "")
    others: list[Box] = []
    for box in found.boxes:
        near = box.own > 0 and size <= box.end - box.start + box.own <= 3 * size
        if near and squeeze(visible_text(box.element)) == wanted:
            if box.element.tag in _HEADINGS:
                return box
            others.append(box)
    return others[0] if others else None


def _places(text: str, description: str) -> list[list[int]]:
    """Return where each window of the description stands in the text."""
    packed = "".join(description.split()).lower().rstrip(".…")[:_MAX_DESCRIPTION]
    windows = [packed[at : at + _WINDOW] for at in range(0, len(packed), _WINDOW)]
    return [_all_of(text, each) for each in windows if len(each) == _WINDOW]


def _all_of(text: str, window: str) -> list[int]:
    places: list[int] = []
    at = text.find(window)
    while at >= 0 and len(places) < _WINDOW:
        places.append(at)
        at = text.find(window, at + 1)
    return places


def _share_in(box: Box, described: list[list[int]]) -> float:
    if not described:
        return 0.0
    inside = sum(any(box.start <= at < box.end for at in each) for each in described)
    return inside / len(described)


def _lead(found: Survey, body: Box, witnesses: _Witnesses) -> Box | None:
    """Return the paragraph between title and body that the description repeats."""
    title = witnesses.title
    if title is None:
        return None
    said = found.text[body.start : body.end]
    for box in found.boxes:
        between = title.end <= box.start and box.end <= body.start
        if is_digest(box.element) or not between:
            continue
        if box.own >= _MIN_LEAD and 2 * box.own_linked < box.own:
            text = found.text[box.start : box.end]
            told = _share_in(box, witnesses.described) >= _LEAD_SHARE
            if (told or is_lead_box(box.element)) and text[:_MIN_LEAD] not in said:
                return box
    return None


def _furniture(body: Box) -> Iterator[HtmlElement]:
    """Yield what in a body is none of its text: furniture, and boxes of links."""
    stack = list(body.children)
    while stack:
        box = stack.pop()
        share = box.worth / max(body.worth, 1)
        linked = 2 * box.linked > box.characters
        beside = box.furniture or is_caption(box.element)
        summed_up = is_digest(box.element) and share < _MAX_DIGEST
        if (
            summed_up
            or (beside and share < _MAX_SHARE)
            or (linked and share < _MAX_LINKED)
        ):
            yield box.element
        else:
            stack.extend(box.children)
