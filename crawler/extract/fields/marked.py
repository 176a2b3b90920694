"""Times that a page's markup marks: elements, their attributes, its scripts.

1. Microdata and RDFa say that a time is of publication; ``time`` elements and classes
   only that it is one.  The one nearest to the title counts.
2. A script's assignment (``var ct = "1581517074"``) is of the page itself; a key in
   its data may be of any item shown beside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree
from lxml.html import HtmlElement

from crawler.extract.article.names import name_of, words_of
from crawler.extract.document.text import as_printed, collapse, runs_of, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.extract.document.page import Page

_CLASSED = " or ".join(
    f"contains(@{name}, {word!r})"
    for name in ("class", "id")
    for word in ("date", "Date", "time", "Time", "publi", "Publi", "posted")
)
_MARKED = etree.XPath(
    "(//body//*[self::time or self::h1 or self::h2 or self::h3 or self::h4"
    f" or @itemprop or @property or @pubdate or {_CLASSED}])[position() <= 600]"
)
_PUBLISHED = re.compile(
    r"datepublished|pubdate|dc:(?:date|created|issued)|dcterms:(?:created|issued)"
    r"|published_time",
    re.IGNORECASE,
)
_CLASS_PUBLISHED = re.compile(
    r"publi|posted|entry-?date|post-?date|article-?date|pub-?(?:date|time)|created",
    re.IGNORECASE,
)
_DATED = re.compile(r"date|time(?!r|line|out)|publi|posted", re.IGNORECASE)
_CHANGED = re.compile(r"modif|updat|changed|edited", re.IGNORECASE)
_BESIDE_WORDS = """
comment related relation recommend recommended recommendation sidebar widget
teaser trending popular newsletter ticker nav navi navigation menu footer
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
# Page builders name every box a widget; themes wrap the whole page in a sticky sidebar.
_WHOLE = frozenset({"elementor", "sticky", "entry", "post", "article"})
_TIMED_ATTRIBUTE = re.compile(r"data-[\w-]*(?:time|date|publish)[\w-]*")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_OUTSIDE = frozenset({"nav", "footer", "aside", "form"})
_MAX_TEXT = 80
_MAX_ABOVE = 8  # further out, classes name the whole page
_LINK_CHARS = 40
_MAX_HEADING = 300
_MAX_RUNS = 400

_NAMES = (
    r"(?:ct|(?:first_?)?publish(?:ed)?_?(?:time|date|at|on)|pub_?(?:time|date)"
    r"|date_?published|create[d]?_?(?:time|at)|post_?(?:time|date)|release_?(?:time|date))"
)
_VALUE = (
    r"[\"']?(?P<value>1\d{9}(?:\d{3})?(?!\d)"
    r"|(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}[^\"'<,;\\]{0,24})"
)
_ASSIGNED = re.compile(
    rf"(?:\b(?:var|let|const)\s+|[;\n{{]\s*(?:window\.)?){_NAMES}\s*=\s*{_VALUE}",
    re.IGNORECASE,
)
_KEYED = re.compile(rf"[\"']?\b{_NAMES}\\?[\"']?\s*:\s*\\?{_VALUE}", re.IGNORECASE)
_MAX_SCRIPT, _MAX_KEYED = 400_000, 4


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that markup says is a time.

    Attributes:
        rank: 0 said to be of publication, 1 named so, 2 only a time.
    """

    text: str
    rank: int
    method: str


def marked_times(page: Page, title: str | None) -> list[Marked]:
    """Return the texts of the elements that hold times, the most trusted first."""
    found: list[tuple[int, int, int, Marked]] = []
    title_at, wanted = 0, squeeze(title or "")
    for at, node in enumerate(elements(_MARKED, page.tree)):
        if node.tag in _HEADINGS and not title_at and wanted:
            title_at = at if wanted in squeeze(brief_text(node, _MAX_HEADING)) else 0
        rank = _rank(node)
        if rank is not None and not is_beside(node):
            found += [
                (rank, at, order, Marked(text, rank, _method(node)))
                for order, text in enumerate(_texts(node))
            ]
    found.sort(key=lambda each: (each[0], abs(each[1] - title_at), each[2]))
    return [marked for *_, marked in found]


def assigned_times(page: Page) -> Iterator[str]:
    """Yield what the page's scripts assign to a variable named after its time."""
    for text in _scripts(page):
        for found in _ASSIGNED.finditer(text):
            yield found["value"]


def keyed_times(page: Page) -> Iterator[str]:
    """Yield the first times that the page's scripts hold under a telling key."""
    for text in _scripts(page):
        for at, found in enumerate(_KEYED.finditer(text)):
            if at >= _MAX_KEYED:
                break
            yield found["value"]


def _scripts(page: Page) -> Iterator[str]:
    left = _MAX_SCRIPT
    for script in page.tree.iter("script"):
        text = (script.text or "")[:left]
        left -= len(text)
        if "ld+json" not in (script.get("type") or ""):
            yield text


def _rank(node: HtmlElement) -> int | None:
    said = f"{node.get('itemprop') or ''} {node.get('property') or ''}"
    named = f"{node.get('class') or ''} {node.get('id') or ''}"
    if _CHANGED.search(said) or _CHANGED.search(named):
        return None
    if node.get("pubdate") is not None or _PUBLISHED.search(said):
        return 0
    if _CLASS_PUBLISHED.search(named):
        return 1
    return 2 if node.tag == "time" or _DATED.search(named) else None


def _texts(node: HtmlElement) -> Iterator[str]:
    """Yield what may be the time, the machine's form first."""
    for name in ("datetime", "content"):
        if text := (node.get(name) or "").strip():
            yield text[:_MAX_TEXT]
    for name, text in node.attrib.items():
        if _TIMED_ATTRIBUTE.fullmatch(str(name)):
            yield str(text)[:_MAX_TEXT]
    text = brief_text(node, _MAX_TEXT)
    if text and not _CHANGED.search(text):
        yield text
    if text := (node.get("title") or "").strip():
        yield text[:_MAX_TEXT]


def elements(path: etree.XPath, root: HtmlElement) -> list[HtmlElement]:
    """Return the elements that a path finds."""
    found = path(root)
    if not isinstance(found, list):
        return []
    return [each for each in found if isinstance(each, HtmlElement)]


def brief_text(node: HtmlElement, limit: int) -> str:
    """Return what a reader sees in node as one line, "" beyond limit characters.

    No more is walked than it takes to know: broken pages nest all in one element.
    """
    runs: list[str] = []
    size = 0
    for at, run in enumerate(runs_of(node)):
        runs.append(run)
        size += len(run.strip())
        if size > limit or at > _MAX_RUNS:
            return ""
    lines = "".join(runs).split("\n\n")
    return collapse(" ".join(map(as_printed, lines)))


def is_beside(node: HtmlElement) -> bool:
    """Tell whether the element is of a comment, another article, or the frame."""
    for level, above in enumerate(node.iterancestors()):
        if above.tag in _OUTSIDE:
            return True
        if above.tag == "a" and not brief_text(above, _LINK_CHARS):
            return True
        if level < _MAX_ABOVE and above.tag not in {"body", "html", "main"}:
            words = words_of(name_of(above))
            if words & _BESIDE and not words & _WHOLE:
                return True
    return False


def _method(node: HtmlElement) -> str:
    return f"generic:{node.tag}"
