"""Selectors from elements: short, stable, and right on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.document.page import parse_html
from crawler.extract.propose.induce import Target, induce_all, induce_first, is_stable

if TYPE_CHECKING:
    from lxml.html import HtmlElement


def target(html: str, *paths: str) -> Target:
    """Return a page with the elements at these XPaths meant."""
    root: HtmlElement = parse_html(html)
    return Target(root, tuple(node for path in paths for node in root.xpath(path)))


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("news__title", True),
        ("article-content", True),
        ("opacity_0", True),
        ("h1title", True),
        ("css-1q2w3e", False),
        ("sc-bdVaJa", False),
        ("headline_title__3kLmN", False),
        ("_3xKp2", False),
        ("post-60231", False),
        ("jsx-2871293847", False),
        ("a1b2c3", False),
        ("1st", False),
        ("a:b", False),
    ],
)
def test_names_that_tools_make_up_are_told(name: str, stable: bool) -> None:
    """A person's class is taken, a build's hash, a post's number, odd spelling not."""
    assert is_stable(name) is stable


@pytest.mark.parametrize(
    ("html", "path", "selector"),
    [
        ("<h1>a</h1><p>b</p>", "//h1", "h1"),
        ("<div id=content class='x y'><p>b</p></div>", "//div", "#content"),
        ("<p class='css-1q2w3e date'>b</p>", "//p", ".date"),
        ("<div class=meta><span>a</span></div><span>b", "//div/span", ".meta > span"),
        ("<h2>a</h2><div class=hd><h2>b</h2></div>", "//div/h2", ".hd > h2"),
        ("<p itemprop=author>b</p><p>c</p>", "//p[1]", "p[itemprop='author']"),
        ("<p class='active when'>a</p><p class=active>b", "//p[1]", ".when"),
    ],
)
def test_best_selector(html: str, path: str, selector: str) -> None:
    """Ids and classes before tags, the shortest that is enough."""
    assert next(induce_first([target(html, path)])) == selector


def test_selector_does_on_all_pages() -> None:
    """What is the first on one page only is no selector of both."""
    one = target("<p class=a>1</p><p class='a b'>2</p>", "//p[1]")
    two = target("<p class='c'>1</p><p class='a'>2</p>", "//p[2]")
    assert next(induce_first([one, two])) == ".a"
    three = target("<p class='a'>1</p><p class='c'>2</p>", "//p[2]")
    assert ".a" not in list(induce_first([one, three]))


def test_page_without_the_element_must_not_match() -> None:
    """A page that has no author gives none by the authors' selector."""
    one = target("<p class='note by'>A</p>", "//p")
    two = target("<p class='note'>text</p>")
    assert next(induce_first([one, two])) == ".by"


def test_all_rows_and_nothing_else() -> None:
    """Rows are matched exactly."""
    page = "<ul class=news><li>1<li>2</ul><ul class=nav><li>3</ul>"
    found = list(induce_all([target(page, "//ul[1]/li")]))
    assert found[0] == ".news > li"
    assert "li" not in found


NAMES = st.sampled_from(["a", "news", "title", "css-1x2y3z", "x:y", "头条", "top"])
NODES = st.recursive(
    st.builds(lambda name: f"<p class='{name}'>t</p>", NAMES),
    lambda inner: st.builds(
        lambda name, parts: f"<div class='{name}'>{''.join(parts)}</div>",
        NAMES,
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=12,
)


@given(NODES, st.integers(0, 30))
def test_every_selector_finds_its_element(html: str, at: int) -> None:
    """Whatever the page, what is induced finds first what was meant."""
    root = parse_html(html)
    nodes = list(root.iterfind(".//body//*"))
    node = nodes[at % len(nodes)]
    for selector in induce_first([Target(root, (node,))]):
        assert root.cssselect(selector)[0] is node
