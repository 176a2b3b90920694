"""Text of HTML elements as a reader sees it, without inventing blanks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

UNSEEN_TAGS = frozenset(
    {"head", "iframe", "noscript", "object", "script", "select", "style", "svg"}
    | {"template", "textarea"}
)
"""Elements whose content is not read as text of the page."""
BLOCK_TAGS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "caption", "center"}
    | {"dd", "details", "dialog", "div", "dl", "dt", "fieldset", "figcaption"}
    | {"figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"}
    | {"html", "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section"}
    | {"summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul"}
)
"""Elements before and after which a line ends."""

_ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff]")
_HTML_SPACE = re.compile(r"[ \t\n\r\f\v\xa0]+")
_ANY_SPACE = re.compile(r"\s+")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_NO_WORD = re.compile(r"[\W_]+")
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_WIDE_BREAK = re.compile(rf"(?<=[{_WIDE}])[ \t]*\r?\n\s*(?=[{_WIDE}])")


def collapse(text: str) -> str:
    """Return text as one line: runs of any white space become a blank each."""
    return _ANY_SPACE.sub(" ", _ZERO_WIDTH.sub("", text)).strip()


def as_printed(text: str) -> str:
    """Return a run of HTML text as printed: a line of its own, indents stripped.

    A break of the source between two wide characters is no blank; inner U+3000 stays,
    at the ends it is an indent and goes, as zero-width characters do.
    Source: CSS Text 3, section 4.1.3 (segment breaks).
    """
    if not text.isascii():
        text = _ZERO_WIDTH.sub("", text)
        text = _WIDE_BREAK.sub("", text) if "\n" in text else text
    return _HTML_SPACE.sub(" ", text).strip()


def squeeze(text: str) -> str:
    """Return letters and digits alone, in lower case: to compare texts by."""
    return _NO_WORD.sub("", text).lower()


def is_hidden(element: HtmlElement) -> bool:
    """Tell whether the element's own markup hides it from readers."""
    if element.get("hidden") is not None:
        return True
    style = element.get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None


def runs_of(element: HtmlElement) -> Iterator[str]:
    r"""Yield the visible text of element in order, ``\n\n`` wherever a line ends.

    Nothing of its hidden or unseen descendants; element itself is always read.
    """
    walker = etree.iterwalk(element, events=("start", "end"))
    for event, node in walker:
        starts = event == "start"
        if starts and node is not element and _is_unseen(node):
            walker.skip_subtree()
            continue
        if node.tag in BLOCK_TAGS:
            yield "\n\n"
        text = node.text if starts else node.tail
        if text and (starts or node is not element):
            yield text


def visible_lines(element: HtmlElement) -> list[str]:
    """Return the lines a reader sees in element, in order, none empty."""
    return _lines(runs_of(element))


def visible_text(element: HtmlElement) -> str:
    """Return what a reader sees in element as one line."""
    return collapse(" ".join(visible_lines(element)))


def _is_unseen(node: HtmlElement) -> bool:
    return node.tag in UNSEEN_TAGS or is_hidden(node)


def _lines(runs: Iterable[str]) -> list[str]:
    lines: list[str] = []
    line: list[str] = []
    for run in runs:
        if run != "\n\n":
            line.append(run)
        elif line:
            lines.append("".join(line))
            line = []
    lines.append("".join(line))
    return [text for text in map(as_printed, lines) if text]
