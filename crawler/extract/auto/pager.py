"""The numbers of a pager: which page is shown, and which link leads to the one after.

1. A pager is a run of growing numbers that hardly anything stands between, most of them
   links; two of them follow each other.
2. The page shown is the link marked as current, else the number that is no link, else
   the link back to the page itself, else the page before the first number linked.
3. Days of a calendar are no pages: most of those are no links, or they go up to 31.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from lxml import etree

from crawler import urls
from crawler.extract.auto.region import is_innermost
from crawler.extract.auto.wording import is_alone, names_of
from crawler.extract.document.text import UNSEEN_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page

_NUMBER = re.compile(
    r"^[\[(\s]*(?:第|page |p\.? ?)?(\d{1,5})\s?[页頁]?[\])\s]*$", re.IGNORECASE
)
_WORD = re.compile(r"\d{1,5}(?![\d.,:/-]*\d)|[^\W\d]+")
_BETWEEN = 3  # "…", "next", a separator read as a word
_MAX_WORDS = 12
_MAX_UNLINKED = 2
_DAYS = 27
_LABEL = 40
_TEXT = 200
_MAX_TOKENS = 20_000
_CURRENT = frozenset(
    {"current", "active", "selected", "cur", "curr", "now", "thispage", "activepage"}
)


@dataclass(frozen=True, slots=True)
class _Token:
    """A number or anything else, in the order of the page.

    Attributes:
        url: where its link leads; "" of a link to nowhere or to the page itself.
    """

    number: int | None
    url: str | None = None
    marked: bool = False


@dataclass(slots=True)
class Pager:
    """One pager.

    Attributes:
        numbers: page number to the URL that its link leads to.
        shown: the number of the page itself, None where nothing tells.
    """

    numbers: dict[int, str] = field(default_factory=dict)
    shown: int | None = None

    @property
    def following(self) -> str | None:
        """The URL of the page after the one shown."""
        return None if self.shown is None else self.numbers.get(self.shown + 1)

    @property
    def earlier(self) -> frozenset[str]:
        """The URLs of pages before the one shown."""
        shown = self.shown or 0
        return frozenset(url for at, url in self.numbers.items() if at < shown)


def read_pagers(page: Page) -> list[Pager]:
    """Return the pagers of a page, in page order."""
    return [
        pager
        for run in _runs(islice(_tokens(page), _MAX_TOKENS))
        if (pager := _pager(run))
    ]


def _runs(tokens: Iterator[_Token]) -> Iterator[list[_Token]]:
    """Yield runs of growing numbers with little between them."""
    run: list[_Token] = []
    between = 0
    for token in tokens:
        if token.number is None:
            between += 1
            continue
        if run and (between > _BETWEEN or token.number <= (run[-1].number or 0)):
            yield run
            run = []
        run.append(token)
        between = 0
    yield run


def _pager(run: list[_Token]) -> Pager | None:
    numbers = [token.number or 0 for token in run]
    if len(run) == 1:
        return _of_second(run[0])
    unlinked = [token for token in run if token.url is None]
    if len(run) > _DAYS or len(unlinked) > _MAX_UNLINKED:
        return None
    if not any(a + 1 == b for a, b in pairwise(numbers)):
        return None
    linked = {token.number or 0: token.url for token in run if token.url}
    if not linked or len(set(linked.values())) < len(linked):  # footnotes
        return None
    marked = [token for token in run if token.marked]
    back = [token for token in run if token.url == ""]
    for one in (marked, unlinked, back):
        if len(one) == 1:
            return Pager(linked, one[0].number)
    return Pager(linked, 1 if min(linked) == 2 else None)  # noqa: PLR2004


def _of_second(token: _Token) -> Pager | None:
    """Return a pager of which only the link to the second page is there."""
    if token.number == 2 and token.url:  # noqa: PLR2004
        return Pager({2: token.url}, 1)
    return None


def _tokens(page: Page) -> Iterator[_Token]:
    own = urls.canonical(page.url)
    walker = etree.iterwalk(page.tree, events=("start", "end"))
    for event, node in walker:
        starts = event == "start"
        if starts and node.tag in UNSEEN_TAGS:
            walker.skip_subtree()
        elif starts and node.tag == "a" and is_innermost(node):
            walker.skip_subtree()
            yield _link(node, page, own)
        elif starts and node.text:
            yield from _words(node.text)
        if not starts and node.tail and node.tail.strip():
            yield from _words(node.tail)


def _link(anchor: HtmlElement, page: Page, own: str) -> _Token:
    found = _NUMBER.match("".join(anchor.itertext())[:_LABEL].strip())
    if found is None:
        return _Token(None)
    href = (anchor.get("href") or "").strip()
    url = page.absolute(href) or "" if not href.startswith("#") else ""
    return _Token(int(found[1]), "" if url == own else url, _is_marked(anchor))


def _is_marked(anchor: HtmlElement) -> bool:
    parent = anchor.getparent() if is_alone(anchor) else None
    for node in (anchor,) if parent is None else (anchor, parent):
        if (node.get("aria-current") or "false") != "false":
            return True
        if not names_of(node).isdisjoint(_CURRENT):
            return True
    return False


def _words(text: str) -> Iterator[_Token]:
    for word in _WORD.findall(text[:_TEXT])[:_MAX_WORDS]:
        yield _Token(int(word) if word.isdecimal() else None)
