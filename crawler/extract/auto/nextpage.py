"""The page that follows a listing page, and how the listing is paged.

In this order, each with the reason that the one before is surer:

1. ``rel=next``, on a link or in the head: the markup means it.
2. A link that says "next" in words, in an icon's label or a title.
3. The number after the one shown.
4. An arrow, or a class named so, whose URL looks like a page's; one "more articles".

A link that a script acts on is no URL.  A page before the one shown never follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from crawler import urls
from crawler.extract.auto.address import host_of, is_page_of, names_a_page
from crawler.extract.auto.nextword import (
    points_on,
    says_load,
    says_more_articles,
    says_next,
)
from crawler.extract.auto.pager import read_pagers
from crawler.extract.auto.region import anchors_of
from crawler.extract.auto.wording import is_alone, names_of
from crawler.extract.document.text import visible_text
from crawler.item import Paging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.auto.pager import Pager
    from crawler.extract.document.page import Page

LINK = "link"
NUMBERED = "numbered"
BUTTON = "button"
NONE = "none"

_SAID = 3.0
_NAMED = 1.5
_ENOUGH = 2.0
_LABEL = 60
_PIECES = 8
_NOT_PAGES = frozenset(
    {"prev", "previous", "last", "slick", "swiper", "carousel", "slider", "slide"}
)
_BUTTONS = ("button", "a", "div", "span", "input")


@dataclass(frozen=True, slots=True)
class _Sign:
    """A link that may lead on, and how surely it does."""

    score: float
    evidence: str = ""
    url: str | None = None


def read_paging(page: Page) -> Paging:
    """Return how the listing that a page shows goes on."""
    pagers = _own(read_pagers(page), page)
    kind = NUMBERED if pagers else LINK
    if url := _by_relation(page):
        return Paging(kind, url, "rel=next")
    earlier = frozenset().union(*(pager.earlier for pager in pagers))
    signs = (sign for sign in _signs(page) if sign.url not in earlier)
    best = max(signs, key=lambda sign: sign.score, default=_Sign(0.0))
    if best.score >= _SAID:
        return Paging(kind, best.url, best.evidence)
    for pager in pagers:
        if pager.following:
            return Paging(kind, pager.following, f"page {pager.shown} is shown")
    if best.url is not None:
        return Paging(kind, best.url, best.evidence)
    if pagers:
        return Paging(kind, None, "the last number is shown")
    return Paging(BUTTON, None, "button") if _has_button(page) else Paging(NONE)


def _own(pagers: list[Pager], page: Page) -> list[Pager]:
    """Return pagers that tell which page is shown, of the page's listing if any is."""
    sure = [
        pager
        for pager in pagers
        if pager.shown and any(map(names_a_page, pager.numbers.values()))
    ]
    own = [
        pager
        for pager in pagers
        if pager.shown and any(is_page_of(x, page.url) for x in pager.numbers.values())
    ]
    return own or sure


def _by_relation(page: Page) -> str | None:
    for tag in ("a", "link"):
        for node in page.tree.iter(tag):
            if "next" in (node.get("rel") or "").lower().split():
                url = _elsewhere(node, page)
                if url is not None:
                    return url
    return None


def _signs(page: Page) -> Iterator[_Sign]:
    """Yield the links that may lead to the next page."""
    articles: dict[str, _Sign] = {}
    for anchor in anchors_of(page.tree):
        said = _said(anchor)
        sign = _sign(anchor, said)
        url = _elsewhere(anchor, page) if sign.score else None
        if url is None:
            continue
        if any(map(says_more_articles, said)):
            articles[url] = replace(sign, url=url)
            continue
        score = sign.score + is_page_of(url, page.url) + names_a_page(url)
        if score >= _ENOUGH:
            yield replace(sign, score=score, url=url)
    if len(articles) == 1:  # of a page with several sections each has one
        yield from articles.values()


def _sign(anchor: HtmlElement, said: list[str]) -> _Sign:
    for text in said:
        if says_next(text):
            return _Sign(_SAID, f"text {text!r}")
        if says_more_articles(text):
            return _Sign(_ENOUGH, f"text {text!r}")
    arrow = max(map(points_on, said), default=0.0)
    parent = anchor.getparent() if is_alone(anchor) else None
    names = names_of(anchor) | (frozenset() if parent is None else names_of(parent))
    if "next" in names and names.isdisjoint(_NOT_PAGES):
        return _Sign(arrow + _NAMED, "class next")
    return _Sign(arrow, f"sign {said[0]!r}" if arrow else "")


def _said(anchor: HtmlElement) -> list[str]:
    """Return what a link says: its text, its labels, those of an icon in it."""
    text = visible_text(anchor)
    said = [text, anchor.get("aria-label") or "", anchor.get("title") or ""]
    if not text:
        for node in anchor.iterdescendants("img", "svg", "i", "span", "title"):
            said += [node.get("alt") or "", node.get("title") or ""]
            said += [node.get("aria-label") or "", (node.text or "").strip()]
    return [one.strip() for one in said if one and len(one) < _LABEL]


def _elsewhere(node: HtmlElement, page: Page) -> str | None:
    """Return a link's URL where it is another page of the same host."""
    href = (node.get("href") or "").strip()
    if not href or href.startswith("#"):
        return None
    url = page.absolute(href)
    if url is None or url == urls.canonical(page.url):
        return None
    return url if host_of(url) == host_of(page.url) else None


def _has_button(page: Page) -> bool:
    for node in page.tree.iter(*_BUTTONS):
        if node.tag in ("div", "span") and len(node):
            continue
        text = "".join(islice(node.itertext(), _PIECES)) or str(node.get("value") or "")
        if len(text) < _LABEL and says_load(text.strip()):
            href = (node.get("href") or "").strip()
            if not href or href.startswith("#") or urls.scheme_of(href) == "javascript":
                return True
    return False
