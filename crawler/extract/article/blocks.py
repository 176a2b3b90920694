"""Walk a body's elements into pieces in reading order, without judging their text.

1. A line ends before and after block elements and at each ``br``; inline elements end
   none, so no blank is invented between Chinese characters.
2. Lists, data tables and ``pre`` are one piece each; layout tables are mere boxes.
3. An image stands where it is met, or after the line that it interrupts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from crawler.extract.article.images import ImageFound, read_image
from crawler.extract.article.tables import data_rows
from crawler.extract.document.text import (
    BLOCK_TAGS,
    UNSEEN_TAGS,
    as_printed,
    collapse,
    is_hidden,
    visible_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page
    from crawler.item import BlockType

SKIPPED_TAGS = UNSEEN_TAGS | {"audio", "button", "canvas", "embed", "map"}
BOX_TAGS = frozenset({"aside", "footer", "form", "nav"})
"""What a body found without a rule does not hold."""

_LEVELS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BOLD_TAGS = frozenset({"b", "strong"})
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_LIST_TAGS = frozenset({"ul", "ol"})
_CAPTION_TAGS = frozenset({"figcaption"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One block as walked: the text as printed, its type by markup alone.

    Attributes:
        type: ``paragraph`` where the markup says no more.
        bold: the whole line is bold.
    """

    type: BlockType
    text: str = ""
    level: int | None = None
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    image: ImageFound | None = None
    bold: bool = False


@dataclass(slots=True)
class Walk:
    """What a walk gave: pieces in order, videos and links as (url, text)."""

    pieces: list[Piece] = field(default_factory=list)
    videos: list[tuple[str, str | None]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


def walk(
    bodies: Iterable[HtmlElement],
    page: Page,
    *,
    lazy: tuple[str, ...] = (),
    removed: Iterable[HtmlElement] = (),
    skipped_tags: frozenset[str] = SKIPPED_TAGS,
) -> Walk:
    """Return the pieces of all bodies, nothing from inside the removed elements.

    A body inside another one is read once, with the outer one.  Images that were met
    before are left out.  ``lazy`` names the attributes that may hold an image's real
    address, in order of trust.
    """
    outer = set(given := list(bodies))
    walker = _Walker(page, lazy, set(removed), skipped_tags)
    for body in given:
        if not any(ancestor in outer for ancestor in body.iterancestors()):
            walker.read(body)
    return walker.result


class _Walker:
    """The state of a walk: the line being joined and what surrounds it."""

    def __init__(
        self,
        page: Page,
        lazy: tuple[str, ...],
        removed: set[HtmlElement],
        skipped_tags: frozenset[str],
    ) -> None:
        self.result = Walk()
        self._page = page
        self._lazy = lazy
        self._removed = removed
        self._skipped_tags = skipped_tags
        self._line: list[tuple[str, bool]] = []
        self._waiting: list[ImageFound] = []
        self._seen_images: set[str] = set()
        self._caption: str | None = None
        self._quotes = 0
        self._bold = 0
        self._level: int | None = None

    def read(self, body: HtmlElement) -> None:
        """Walk one body."""
        walker = etree.iterwalk(body, events=("start", "end"))
        whole: HtmlElement | None = None  # read at once; its children are not entered
        for event, node in walker:
            if event == "end":
                if node is whole:
                    whole = None
                else:
                    self._leave(node)
                if node is not body:
                    self._add(node.tail)
                continue
            skipped = node is not body and self._is_skipped(node)
            if skipped or self._read_whole(node):
                whole = node
            else:
                self._enter(node)
                self._add(node.text)
                continue
            walker.skip_subtree()
        self._flush()

    def _is_skipped(self, node: HtmlElement) -> bool:
        if node.tag in self._skipped_tags or node in self._removed:
            return True
        if node.tag in _CAPTION_TAGS and self._caption is not None:
            return True
        return is_hidden(node)

    def _enter(self, node: HtmlElement) -> None:
        tag = node.tag
        if tag in BLOCK_TAGS:
            self._flush()
        if tag == "blockquote":
            self._quotes += 1
        elif tag in _LEVELS:
            self._level = _LEVELS[tag]
        elif tag == "figure":
            self._caption = _figure_caption(node)
        elif tag == "a":
            self._link(node)
        if _is_bold(node):
            self._bold += 1

    def _leave(self, node: HtmlElement) -> None:
        tag = node.tag
        if tag in BLOCK_TAGS:
            self._flush()
        if tag == "blockquote":
            self._quotes -= 1
        elif tag in _LEVELS:
            self._level = None
        elif tag == "figure":
            self._caption = None
        if _is_bold(node):
            self._bold -= 1

    def _read_whole(self, node: HtmlElement) -> bool:
        """Read an element that is one piece; False where it is to be entered."""
        if node.tag in {"img", "amp-img"}:
            self._image(node)
            return True
        if node.tag == "video":
            self._video(node)
            return True
        piece = None if self._is_layout(node) else _whole_piece(node)
        if piece is None:
            return False
        self._flush()
        self.result.pieces.append(piece)
        for image in node.iter("img"):
            self._image(image)
        for link in node.iter("a"):
            self._link(link)
        return True

    def _is_layout(self, node: HtmlElement) -> bool:
        """Tell whether a list only arranges things: figures, or what is left out."""
        if node.tag not in _LIST_TAGS:
            return False
        return any(
            inner.tag == "figure" or inner in self._removed for inner in node.iter()
        )

    def _add(self, text: str | None) -> None:
        if text:
            self._line.append((text, self._bold > 0))

    def _flush(self) -> None:
        line, self._line = self._line, []
        text = as_printed("".join(part for part, _ in line))
        if text:
            bold = all(bold for part, bold in line if part.strip())
            self.result.pieces.append(self._piece(text, bold=bold))
        for image in self._waiting:
            self.result.pieces.append(Piece("image", image=image))
        self._waiting = []

    def _piece(self, text: str, *, bold: bool) -> Piece:
        if self._level is not None:
            return Piece("heading", text, level=self._level)
        return Piece("quote" if self._quotes else "paragraph", text, bold=bold)

    def _image(self, node: HtmlElement) -> None:
        found = read_image(node, self._page, self._lazy, caption=self._caption)
        if found is None or found.url in self._seen_images:
            return
        self._seen_images.add(found.url)
        self._waiting.append(found)
        if not any(part.strip() for part, _ in self._line):
            self._flush()

    def _video(self, node: HtmlElement) -> None:
        for holder in (node, *node.iter("source")):
            url = self._page.absolute(str(holder.get("src") or ""))
            if url:
                self.result.videos.append((url, self._caption or node.get("title")))
                return

    def _link(self, node: HtmlElement) -> None:
        url = self._page.absolute(str(node.get("href") or ""))
        text = visible_text(node) if url else ""
        if url and text:
            self.result.links.append((url, text))


def _is_bold(node: HtmlElement) -> bool:
    if node.tag in _BOLD_TAGS:
        return True
    style = node.get("style")
    return style is not None and bool(_BOLD_STYLE.search(style))


def _figure_caption(figure: HtmlElement) -> str | None:
    if next(figure.iter("img", "video", "amp-img"), None) is None:
        return None
    caption = next(figure.iter(*_CAPTION_TAGS), None)
    return visible_text(caption) or None if caption is not None else None


def _whole_piece(node: HtmlElement) -> Piece | None:
    if node.tag in _LIST_TAGS:
        return _list_piece(node)
    if node.tag == "table":
        rows = data_rows(node)
        text = "\n".join("\t".join(row) for row in rows)
        return Piece("table", text, rows=rows) if rows else None
    return _code_piece(node) if node.tag == "pre" else None


def _list_piece(node: HtmlElement) -> Piece | None:
    items = tuple(text for text in map(_own_text, node.iter("li")) if text)
    return Piece("list", "\n".join(items), items=items) if items else None


def _own_text(entry: HtmlElement) -> str:
    """Return an entry's text without the lists inside it: their entries follow."""
    runs: list[str] = []
    walker = etree.iterwalk(entry, events=("start", "end"))
    for event, node in walker:
        if event == "end":
            runs.append((node.tail or "") if node is not entry else "")
        elif node.tag in SKIPPED_TAGS or node.tag in _LIST_TAGS or is_hidden(node):
            walker.skip_subtree()
        else:
            runs.append(
                f"\n{node.text or ''}" if node.tag in BLOCK_TAGS else node.text or ""
            )
    return collapse(as_printed("".join(runs)))


def _code_piece(node: HtmlElement) -> Piece | None:
    if next(node.iter("p", "div"), None) is not None:
        return None
    text = "".join(node.itertext()).strip("\r\n").rstrip()
    return Piece("code", text) if text.strip() else None
