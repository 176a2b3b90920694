"""Survey a page: its boxes as a tree, with what text each holds and how it reads.

A paragraph is a box with running text of its own, between whatever boxes and line
breaks are inside it.  What furniture holds (see `names`) counts for itself, not for the
boxes around it, so that a comment section adds nothing to an article's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from crawler.extract.article.blocks import SKIPPED_TAGS
from crawler.extract.article.names import is_furniture
from crawler.extract.document.text import BLOCK_TAGS, is_hidden

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MIN_PARAGRAPH = 12
_MARKS = re.compile(r"[，。、；：！？,.;!?।،؛؟።]")
_MARK_WORTH = 10
_BOX_TAGS = BLOCK_TAGS - {"br", "hr"}
_LINK_CHARACTERS = 400
"""A link with more text than that was never closed, or wraps a whole article."""


@dataclass(slots=True)
class Box:
    """A block element and the text in it, in characters.

    Attributes:
        own, own_linked, marks: of the text that is in no inner box.
        characters, linked: of all its text, furniture left out.
        good: of its paragraphs' text; worth: what these are worth.
        furniture: what is beside an article, by its tag or name; around: how many
            boxes around it are.
        paragraphs: how many it holds, itself included.
        start, end: where its text is in the survey's.
        before: what paragraphs that begin earlier on the page are worth.
    """

    element: HtmlElement
    parent: Box | None
    furniture: bool = False
    own: int = 0
    own_linked: int = 0
    marks: int = 0
    characters: int = 0
    linked: int = 0
    good: int = 0
    worth: int = 0
    around: int = 0
    paragraphs: int = 0
    start: int = 0
    end: int = 0
    before: int = 0
    children: list[Box] = field(default_factory=list)

    @property
    def own_worth(self) -> int:
        """The worth of its own text: its length without links, and its punctuation."""
        if not self.is_paragraph:
            return 0
        return self.own - 2 * self.own_linked + _MARK_WORTH * self.marks

    @property
    def is_paragraph(self) -> bool:
        """Tell whether its own text runs: some length, punctuation, few links."""
        return self.marks > 0 and self.own - 2 * self.own_linked >= MIN_PARAGRAPH


@dataclass(slots=True)
class Survey:
    """The boxes of a page.

    Attributes:
        boxes: all, in the order of the page; the first is the whole of it.
        text: of the page without any white space, in lower case.
    """

    boxes: list[Box]
    text: str

    @property
    def worth(self) -> int:
        """What all paragraphs of the page are worth, furniture's too."""
        return sum(box.own_worth for box in self.boxes)


def survey(root: HtmlElement) -> Survey:
    """Return what is on the page under root."""
    surveyor = _Surveyor(root)
    surveyor.read(root)
    before = 0
    for box in surveyor.boxes:
        box.before = before
        before += box.own_worth
    return Survey(surveyor.boxes, "".join(surveyor.texts))


class _Surveyor:
    """The state of a survey: the innermost open box, and the links around."""

    def __init__(self, root: HtmlElement) -> None:
        self.boxes = [Box(root, None)]
        self.texts: list[str] = []
        self._box = self.boxes[0]
        self._links: list[HtmlElement] = []
        self._at = 0

    def read(self, root: HtmlElement) -> None:
        """Walk root once."""
        walker = etree.iterwalk(root, events=("start", "end"))
        skipped: HtmlElement | None = None
        for event, node in walker:
            if event == "start":
                if node is not root and (node.tag in SKIPPED_TAGS or is_hidden(node)):
                    skipped = node
                    walker.skip_subtree()
                    continue
                self._enter(node)
                self._count(node.text)
                continue
            if node is skipped:
                skipped = None
            else:
                self._leave(node)
            if node is not root:
                self._count(node.tail)

    def _enter(self, node: HtmlElement) -> None:
        if node.tag in _BOX_TAGS and node is not self._box.element:
            box = Box(node, self._box, furniture=is_furniture(node), start=self._at)
            box.around = self._box.around + self._box.furniture
            self._box.children.append(box)
            self.boxes.append(box)
            self._box = box
        elif node.tag == "a" and _is_link(node):
            self._links.append(node)

    def _leave(self, node: HtmlElement) -> None:
        if node is self._box.element:
            self._close()
        elif self._links and node is self._links[-1]:
            self._links.pop()

    def _close(self) -> None:
        """Add up the innermost box, which is complete, and leave it."""
        box = self._box
        box.end = self._at
        box.characters += box.own
        box.linked += box.own_linked
        box.worth += box.own_worth
        box.good += box.own if box.is_paragraph else 0
        box.paragraphs += box.is_paragraph
        if box.parent is None:
            return
        box.parent.paragraphs += box.paragraphs
        if not box.furniture:
            box.parent.characters += box.characters
            box.parent.linked += box.linked
            box.parent.good += box.good
            box.parent.worth += box.worth
        self._box = box.parent

    def _count(self, text: str | None) -> None:
        if not text or not (packed := "".join(text.split())):
            return
        box = self._box
        size = len(text.strip())
        box.own += size
        if self._links:
            box.own_linked += size
        else:
            box.marks += len(_MARKS.findall(packed))
        self.texts.append(packed.lower())
        self._at += len(self.texts[-1])


def _is_link(node: HtmlElement) -> bool:
    """Tell whether an anchor is a link of the usual size."""
    if node.get("href") is None:
        return False
    size = 0
    for text in node.itertext():
        size += len(text)
        if size > _LINK_CHARACTERS:
            return False
    return True
