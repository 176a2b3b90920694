"""The links of a page that may lead to items, each with what it says as a headline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler import urls
from crawler.extract.auto.region import Regions, anchors_of
from crawler.extract.auto.wording import is_more, names_of, weight
from crawler.extract.document.text import visible_lines, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_ROW_TAGS = frozenset({"li", "td", "article", "section", "body"})
_HEADING_ABOVE = 3
_TITLE_NAMES = frozenset({"title", "headline", "heading", "subject"})
_NO_ITEM = frozenset({"tag", "author", "category", "sponsored", "search", "license"})
_NO_ITEM_PATH = re.compile(
    r"/(?:tags?|categor(?:y|ies)|authors?|keywords?|vendor-?content|sponsor(?:ed)?"
    r"|advert\w*)/|^/(?:users?|profiles?|members?)/"
    r"|/(?:log-?in|sign-?(?:in|up)|register|search|cookies?|privacy|terms|subscribe"
    r"|contact|about(?:-us)?)(?:\.\w+)?/?$",
    re.IGNORECASE,
)
_MAX_LINES = 4
_MAX_TITLE = 400
_ENOUGH = 1.5


@dataclass(frozen=True, slots=True)
class Anchor:
    """One ``<a href>`` that is no navigation.

    Attributes:
        url: absolute, without fragment.
        title: what it says as a headline.
        headed: it stands in a heading, or a heading in it.
    """

    element: HtmlElement
    url: str
    title: str
    headed: bool

    @property
    def weight(self) -> float:
        """How much the title says; nothing where it only says "more"."""
        return 0.0 if is_more(self.title) else weight(self.title)


def read_anchors(page: Page) -> Iterator[Anchor]:
    """Yield the links of a page that may lead to items, in page order."""
    regions = Regions(page.tree)
    own = {urls.canonical(page.url), page.base_url, urls.absolute(page.url, "/")}
    for element in anchors_of(page.tree):
        url = _address(element, page)
        if url is None or url in own or _is_no_item(element, url):
            continue
        if not regions.is_outside(element):
            heading = _heading_of(element)
            title = _title_of(element, heading)[:_MAX_TITLE]
            yield Anchor(element, url, title, heading is not None)


def _address(element: HtmlElement, page: Page) -> str | None:
    href = (element.get("href") or "").strip()
    if not href or href.startswith("#"):
        return None
    if urls.scheme_of(href) not in ("", "http", "https"):
        return None
    return page.absolute(href)


def _is_no_item(element: HtmlElement, url: str) -> bool:
    """Tell whether the link says itself that it leads to no item."""
    if not _NO_ITEM.isdisjoint((element.get("rel") or "").lower().split()):
        return True
    return _NO_ITEM_PATH.search(urlsplit(url).path) is not None


def _heading_of(element: HtmlElement) -> HtmlElement | None:
    """Return the heading in a link, else the one close around it."""
    for node in element.iterdescendants():
        if node.tag in _HEADINGS:
            return node
    for node, _ in zip(element.iterancestors(), range(_HEADING_ABOVE), strict=False):
        if node.tag in _HEADINGS:
            return node
        if node.tag in _ROW_TAGS:
            return None
    return None


def _title_of(element: HtmlElement, heading: HtmlElement | None) -> str:
    """Return the heading inside, what is named a title, else the weightiest line."""
    if heading is not None and element in heading.iterancestors():
        return visible_text(heading)
    for node in element.iterdescendants():
        titled = not names_of(node).isdisjoint(_TITLE_NAMES)
        if titled and (text := visible_text(node)):
            return text
    lines = [line[:_MAX_TITLE] for line in visible_lines(element)[:_MAX_LINES]]
    if not lines:
        return " ".join(str(element.get("title") or "").split())
    return max(lines, key=lambda line: min(weight(line), _ENOUGH))
