"""Bounds on what a page without rules may cost: how many of its elements are read."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_ELEMENTS = 40_000
"""Of one page; a long article has 3,000, the longest listing seen 8,000."""

_HEAD, _MAX_HEAD = ("meta", "link"), 1_000
_DRAWN = ("svg", "select", "template", "iframe", "object")


def cut_off(tree: HtmlElement) -> bool:
    """Cut the elements beyond the limit off a tree; tell whether there were any.

    Drawings, choices and what heads repeat go first: maps of thousands of paths stand
    before some texts.
    """
    if _at(tree, MAX_ELEMENTS) is None:
        return False
    etree.strip_elements(tree, *_DRAWN, with_tail=False)
    for node in list(islice(tree.iter(*_HEAD), _MAX_HEAD, None)):
        node.drop_tree()
    last = _at(tree, MAX_ELEMENTS)
    if last is None:
        return False
    while (parent := last.getparent()) is not None:
        del parent[parent.index(last) + 1 :]
        last = parent
    return True


def _at(tree: HtmlElement, place: int) -> HtmlElement | None:
    return next(islice(tree.iter(), place, None), None)
