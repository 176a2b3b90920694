"""Which parts of a page hold no items: navigation, footers, comments, paid boxes.

1. What the markup itself says counts always: ``<nav>``, ``<footer>``, ``<aside>`` and
   the roles of the same meaning.
2. A word in a class counts where the element holds less than a third of the page's
   headlines: a whole page may be wrapped in ``with-sidebar``.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.auto.wording import names_of, weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

MAX_ANCHORS = 5_000
"""Links of one page that are looked at."""

_TAGS = frozenset({"nav", "footer", "aside", "noscript", "template"})
_ROLES = frozenset({"navigation", "contentinfo", "complementary", "banner"})
_NAMES = frozenset(
    {"nav", "navbar", "navigation", "menu", "submenu", "breadcrumb", "breadcrumbs"}
    | {"crumb", "crumbs", "footer", "sidebar", "pagination", "pager", "paginator"}
    | {"comments", "tagcloud", "share", "social", "login", "copyright", "toolbar"}
    | {"cookie", "cookies", "consent", "subnav", "sponsored", "sponsor", "advert"}
    | {"advertisement", "ads", "ad", "adsense"}
)
_SHARE = 3
_LEVELS = 100


def anchors_of(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the links of a page in order, at most 5,000.

    A link around other links is one that was never closed: only those count.
    """
    return islice(filter(is_innermost, tree.iter("a")), MAX_ANCHORS)


def is_innermost(anchor: HtmlElement) -> bool:
    """Tell whether there is no link within a link."""
    return next(anchor.iterdescendants("a"), None) is None


class Regions:
    """The parts of one page."""

    def __init__(self, tree: HtmlElement) -> None:
        """Count the headlines below each element of tree."""
        self._known: dict[HtmlElement, bool] = {}
        self._below: dict[HtmlElement, int] = {}
        self._whole = 0
        for anchor in anchors_of(tree):
            if weight("".join(anchor.itertext())[:400]) >= 1:
                self._count(anchor)

    def is_outside(self, element: HtmlElement) -> bool:
        """Tell whether an element stands in a part that holds no items."""
        path = []
        node: HtmlElement | None = element
        while node is not None and node not in self._known:
            path.append(node)
            node = node.getparent()
        outside = node is not None and self._known[node]
        for each in reversed(path):
            outside = outside or self._begins(each)
            self._known[each] = outside
        return outside

    def _count(self, anchor: HtmlElement) -> None:
        self._whole += 1
        for node in islice(anchor.iterancestors(), _LEVELS):
            self._below[node] = self._below.get(node, 0) + 1

    def _begins(self, element: HtmlElement) -> bool:
        if element.tag in ("html", "body"):
            return False
        if element.tag in _TAGS or element.get("role") in _ROLES:
            return True
        few = self._below.get(element, 0) * _SHARE < self._whole
        return few and not names_of(element).isdisjoint(_NAMES)
