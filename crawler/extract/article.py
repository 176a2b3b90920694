"""The generic extractor: title and body of a page that no rule describes.

The body is the box whose paragraphs hold the most text that is not linked.  Simple on
purpose: portal rules come first, this is the fallback.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from crawler.extract.blocks import BOX_TAGS, SKIPPED_TAGS
from crawler.extract.selectors import Found
from crawler.extract.text import BLOCK_TAGS, collapse, is_hidden, squeeze, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.metadata import Metadata
    from crawler.extract.page import Page

_SEPARATOR = re.compile(r"\s+[-–—|·»:]+\s+|[|_｜»]|(?<=[\u4e00-\u9fff])[-–—]+(?=\D)")
_PUNCTUATION = re.compile(r"[，。、；：！？,.;!?]")
_GOOD = re.compile(
    r"article|content|body|text|post|entry|story|detail|main", re.IGNORECASE
)
_BAD = re.compile(
    r"comment|foot|nav|side|relat|recommend|hot|share|copyright|tag|list|menu|promo"
    r"|banner|login|breadcrumb|toolbar",
    re.IGNORECASE,
)
_LEAF_TAGS = frozenset({"p", "blockquote", "pre", "h1", "h2", "h3", "h4", "li", "br"})
_BY_TAG = {"article": 0.25, "body": -0.5, "html": -0.75}
_MIN_PARAGRAPH = 12
_MIN_BODY = 40
_MIN_TITLE = 4


def generic_title(page: Page, meta: Metadata) -> Found | None:
    """Return a heading that the title element confirms, else og:title, h1, title.

    The site's name is cut off the title element's end only where nothing on the page
    confirms the whole.
    """
    heads = [(tag, text) for tag, text in _headings(page) if len(text) >= _MIN_TITLE]
    whole = next((visible_text(node) for node in page.tree.iter("title")), "")
    named = [each for each in heads if squeeze(each[1]) in squeeze(whole)]
    if named:
        tag, text = max(named, key=lambda each: len(each[1]))
        return Found(text, f"generic:{tag}")
    if given := meta.first("og:title", "twitter:title"):
        return Found(_without_site(given, meta), "meta:og:title")
    for tag, text in heads:
        if tag == "h1":
            return Found(text, "generic:h1")
    parts = [collapse(part) for part in _SEPARATOR.split(whole)]
    longest = max(parts, key=len)
    return Found(longest, "generic:title") if longest else None


def generic_body(page: Page) -> HtmlElement | None:
    """Return the element that holds the article, None where nothing reads like one."""
    best: _Box | None = None
    for box in _boxes(page.tree):
        if box.linked < box.characters and (best is None or box.weight > best.weight):
            best = box
    if best is None or best.score < _MIN_BODY:
        return None
    return best.element


@dataclass(slots=True)
class _Box:
    """An element on the way: text of its own, of all in it, and what it scores."""

    element: HtmlElement
    own: int = 0
    own_linked: int = 0
    marks: int = 0
    characters: int = 0
    linked: int = 0
    score: float = 0.0

    @property
    def weight(self) -> float:
        """The score, less for links, more for a telling class or id."""
        named = f"{self.element.get('class') or ''} {self.element.get('id') or ''}"
        factor = 1.0 + 0.5 * bool(_GOOD.search(named)) - 0.5 * bool(_BAD.search(named))
        factor += _BY_TAG.get(self.element.tag, 0.0)
        return self.score * factor * (1.0 - self.linked / max(self.characters, 1))


def _boxes(root: HtmlElement) -> Iterator[_Box]:
    """Yield every block element's box when it is complete, innermost first."""
    stack = [_Box(root)]
    links = 0
    walker = etree.iterwalk(root, events=("start", "end"))
    skipped: HtmlElement | None = None
    for event, node in walker:
        if event == "start":
            if node is not root and _is_skipped(node):
                skipped = node
                walker.skip_subtree()
                continue
            links += node.tag == "a"
            if node.tag in BLOCK_TAGS:
                stack.append(_Box(node))
            _count(stack[-1], node.text, linked=links > 0)
            continue
        if node is skipped:
            skipped = None
        else:
            links -= node.tag == "a"
            if node.tag in BLOCK_TAGS:
                yield _close(stack)
        if node is not root:
            _count(stack[-1], node.tail, linked=links > 0)


def _is_skipped(node: HtmlElement) -> bool:
    return node.tag in SKIPPED_TAGS or node.tag in BOX_TAGS or is_hidden(node)


def _count(box: _Box, text: str | None, *, linked: bool) -> None:
    size = len(text.strip()) if text else 0
    box.own += size
    box.own_linked += size if linked else 0
    box.marks += len(_PUNCTUATION.findall(text)) if text and size else 0


def _close(stack: list[_Box]) -> _Box:
    """Take the innermost box off and give its paragraph's score to those around it."""
    box = stack.pop()
    parent = stack[-1]
    box.characters += box.own
    box.linked += box.own_linked
    parent.characters += box.characters
    parent.linked += box.linked
    free = box.own - 2 * box.own_linked
    worth = free + 10 * box.marks if free >= _MIN_PARAGRAPH and box.marks else 0
    if box.element.tag in _LEAF_TAGS:
        parent.score += worth
        if len(stack) > 1:
            stack[-2].score += worth / 2
    else:
        box.score += worth
        parent.score += worth / 2
    return box


def _headings(page: Page) -> Iterator[tuple[str, str]]:
    for tag in ("h1", "h2", "h3"):
        for node in page.tree.iter(tag):
            yield tag, visible_text(node)


def _without_site(title: str, meta: Metadata) -> str:
    site = meta.first("og:site_name")
    if site and title.endswith(site):
        return collapse(title.removesuffix(site).rstrip(" -–—|_·")) or title
    return title
