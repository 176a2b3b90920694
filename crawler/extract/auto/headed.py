"""Whether a page with many rows is an article all the same, by heading and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.article.mainbody import main_body
from crawler.extract.article.names import is_sure, name_of, words_of
from crawler.extract.auto.prose import LINE
from crawler.extract.document.text import squeeze
from crawler.extract.fields.titles import generic_title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.html import HtmlElement

    from crawler.extract.auto.prose import Paragraph
    from crawler.extract.document.page import Page
    from crawler.extract.fields.metadata import Metadata

_HEADINGS = frozenset({"generic:h1", "generic:h2"})
_STORY = frozenset({"article", "story", "zhengwen"})
_FEW = 4


def is_headed_article(page: Page, head: Metadata, rows: frozenset[HtmlElement]) -> bool:
    """Tell whether a heading is the page's title, and its body holds few of the rows.

    A front page has no heading but the site's name, or its rows stand in its text.
    """
    title = generic_title(page, head)
    if title is None or title.method not in _HEADINGS:
        return False
    found = main_body(page, title.text, head.first("description", "og:description"))
    if found is None:
        return False
    inside = set(found.elements[-1].iter())
    for removed in found.removed:
        inside.difference_update(removed.iter())
    return len(inside & rows) * _FEW < len(rows)


def is_short_article(
    page: Page,
    head: Metadata,
    paragraphs: Iterable[Paragraph],
    rows: frozenset[HtmlElement],
) -> bool:
    """Tell whether the most text beside the rows is a short article's.

    It stands in a box that is called an article, under the page's only main heading,
    which is its title, and no row stands in that box: the introduction of a listing
    stands in a box of another name, or above its rows.
    """
    said: dict[HtmlElement, float] = {}
    for each in paragraphs:
        if each.row is None and each.box is not None and each.worth >= LINE:
            said[each.box] = said.get(each.box, 0.0) + each.worth
    box = max(said, key=lambda each: said[each], default=None)
    if box is None or not _is_story(box) or any(node in rows for node in box.iter()):
        return False
    headings = [node for node in page.tree.iter("h1") if squeeze(_text_of(node))]
    title = generic_title(page, head)
    return len(headings) == 1 and title is not None and title.method == "generic:h1"


def _is_story(box: HtmlElement) -> bool:
    named = not _STORY.isdisjoint(words_of(name_of(box)))
    return box.tag == "article" or named or is_sure(box)


def _text_of(node: HtmlElement) -> str:
    return "".join(node.itertext())
