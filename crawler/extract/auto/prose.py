"""How much running text a page has: what an article has and a listing lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from crawler.extract.auto.wording import weight
from crawler.extract.document.text import BLOCK_TAGS, UNSEEN_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

LINE = 3.0
"""What the shortest paragraph says; three times as much as the shortest headline."""

_LINKED = 0.3
_TEASER = 18.0
_SHORTEST = 20  # characters, of a paragraph that says LINE


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block's text.

    Attributes:
        worth: how much it says, by `weight`; 0 where much of it is linked, or where
            it is too short for a paragraph.
        row: the row that it stands in, None outside of all.
        box: the element that it stands in beside others.
    """

    text: str
    worth: float
    row: HtmlElement | None
    box: HtmlElement | None


def paragraphs_of(
    tree: HtmlElement, rows: frozenset[HtmlElement] = frozenset()
) -> Iterator[Paragraph]:
    """Yield the blocks of text of a page; each knows which of rows it stands in."""
    pieces: list[str] = []
    linked = links = 0
    inside: list[HtmlElement] = []
    walker = etree.iterwalk(tree, events=("start", "end"))
    for event, node in walker:
        starts = event == "start"
        if node.tag in BLOCK_TAGS:
            if text := " ".join("".join(pieces).split()):
                row = inside[-1] if inside else None
                yield Paragraph(text, _worth(text, linked), row, node.getparent())
            pieces, linked = [], 0
        if node in rows:
            inside = [*inside, node] if starts else inside[:-1]
        links += (node.tag == "a") * (1 if starts else -1)
        if starts and node.tag in UNSEEN_TAGS:
            walker.skip_subtree()
        elif text := (node.text if starts else node.tail) or "":
            pieces.append(text)
            linked += len(text.strip()) if links else 0


def _worth(text: str, linked: int) -> float:
    much = len(text) < _SHORTEST or linked > len(text) * _LINKED
    return 0.0 if much else weight(text)


def prose_of(paragraphs: Iterable[Paragraph]) -> float:
    """Return what paragraphs say in all, teasers in rows not counted.

    A row that says more than a teaser does is no row of a listing but an article with
    a link in it.
    """
    outside = 0.0
    inside: dict[HtmlElement, float] = {}
    for paragraph in paragraphs:
        if paragraph.row is None:
            outside += _counted(paragraph)
        else:
            row = paragraph.row
            inside[row] = inside.get(row, 0.0) + _counted(paragraph)
    return outside + sum(worth for worth in inside.values() if worth > _TEASER)


def body_of(paragraphs: Iterable[Paragraph]) -> float:
    """Return what the paragraphs that stand side by side say, where they say most.

    An article's do; the teasers of a listing stand in a row each.
    """
    boxes: dict[HtmlElement | None, float] = {}
    for paragraph in paragraphs:
        worth = boxes.get(paragraph.box, 0.0) + _counted(paragraph)
        boxes[paragraph.box] = worth
    return max(boxes.values(), default=0.0)


def _counted(paragraph: Paragraph) -> float:
    return paragraph.worth if paragraph.worth >= LINE else 0.0
