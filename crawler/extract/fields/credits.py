"""Who wrote it and whose it is, where a page's markup or labels say so.

1. Elements that are marked as of an author: ``rel``, ``itemprop``, class; those
   nearest to the title, none of comments or of other articles.
2. Texts after a label (来源, 作者, 责任编辑).  A label and what it names are often
   two elements without a blank between: so texts are read one by one, not as lines.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING

from lxml import etree

from crawler.extract.document.text import collapse, is_hidden, squeeze
from crawler.extract.fields.marked import brief_text, elements, is_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page

_WORDS = ("author", "Author", "byline", "Byline", "autor", "auteur", "Autor", "vcard")
_CLASSED = " or ".join(f"contains(@class, {word!r})" for word in _WORDS)
_LINKED = " or ".join(
    f"contains(@href, '/{word}/')"
    for word in ("author", "authors", "autor", "autoren", "auteur", "auteurs", "staff")
)
_MARKED = etree.XPath(
    "(//body//*[self::h1 or self::h2 or self::h3 or contains(@rel, 'author')"
    f" or @itemprop='author' or @itemprop='creator' or {_CLASSED}"
    f" or self::a[{_LINKED}]])[position() <= 300]"
)
_NAMED = re.compile(
    r"author[-_]*(?:name|link|url|title)|by[-_]?line|vcard|AuthorName|autor[-_]?name",
    re.IGNORECASE,
)
_PART = re.compile(
    r"author[-_\w]*(?:bio|desc|image|img|avatar|social|job|role|twitter|mail|about|date"
    r"|time|photo|icon|follow)|comment|avatar|button",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"by[-_]?line|author|autor|auteur|vcard", re.IGNORECASE)
_ACCOUNT = etree.XPath(
    "(//body//*[contains(@class,'author-name') or contains(@class,'nickname')"
    " or contains(@class,'account-name') or contains(@class,'media-name')"
    " or contains(@class,'mediaName') or contains(@class,'account_nickname')])"
    "[position() <= 60]"
)
_MAX_HEADING = 300
_MAX_GROUPS = 6
_MAX_TEXT, _MAX_ACCOUNT = 120, 24
_HEADINGS = frozenset({"h1", "h2", "h3"})

_LABELS = {
    "source": r"(?:文章|稿件|消息|[内內]容|信息|新[闻聞]|本文)?(?:[来來]源|稿源)",
    "editor": (
        r"(?:[责責]任|本文|值班|[执執]行|主|[网網]站|新[闻聞])?[编編][辑輯]|[责責][编編]"
    ),
    "author": r"(?:本文)?作者|撰文|[执執][笔筆]|采写|採寫|文字?(?=[/／|:：])",
}
_LABELLED = {
    kind: re.compile(
        rf"(?:^[\W_]*|[\s|｜·])(?:{label})\s*(?:[:：/／|｜]\s*|$|\s)(?P<value>.*)",
        re.DOTALL,
    )
    for kind, label in _LABELS.items()
}
_ANYWHERE = {kind: re.compile(label) for kind, label in _LABELS.items()}
_HELD = etree.XPath(
    "(//body//*[not(self::script or self::style or self::option or self::a)]"
    "[text()[string-length(.) < 200][contains(.,'源') or contains(.,'编')"
    " or contains(.,'編') or contains(.,'作者') or contains(.,'撰文')"
    " or contains(.,'笔') or contains(.,'筆') or contains(.,'采写')]])"
    "[position() <= 60]"
)
_MAX_PIECES = 40
_MAX_PIECE = 200
_MAX_LINES = 2_000


def marked_authors(page: Page, title: str | None) -> Iterator[list[str]]:
    """Yield the texts of marked author elements, those of a group together.

    The best marked first, of those the nearest to the title.
    """
    found: list[tuple[int, int, HtmlElement]] = []
    title_at, wanted = 0, squeeze(title or "")
    for at, node in enumerate(elements(_MARKED, page.tree)):
        if node.tag in _HEADINGS and not title_at and wanted:
            title_at = at if wanted in squeeze(brief_text(node, _MAX_HEADING)) else 0
        rank = _rank(node)
        if rank is None or is_beside(node) or _is_of_picture(node):
            continue
        if _text(node):
            found.append((rank, at, node))
    found.sort(key=lambda each: (each[0], abs(each[1] - title_at)))
    nodes = [node for *_, node in found]
    for best in nodes[:_MAX_GROUPS]:
        beside = [node for node in nodes if _is_like(node, best)]
        texts = [text for node in beside for text in _names(node)]
        yield list(dict.fromkeys(texts))


def _is_like(node: HtmlElement, best: HtmlElement) -> bool:
    """Tell whether an element is of the same list of authors."""
    named = node.tag == best.tag and node.get("class") == best.get("class")
    return named and _holder(node) is _holder(best)


def _holder(node: HtmlElement) -> HtmlElement | None:
    """Return what holds a list of authors: the parent, of list entries theirs."""
    parent = node.getparent()
    alone = node.getprevious() is None and node.getnext() is None  # len() counts all
    if parent is not None and (parent.tag in {"li", "span"} or alone):
        return parent.getparent()
    return parent


def _rank(node: HtmlElement) -> int | None:
    named = f"{node.get('class') or ''}"
    if node.tag in _HEADINGS and not _BYLINE.search(named):
        return None
    if _PART.search(named):
        return None
    if "author" in (node.get("rel") or "") or node.get("itemprop") in {
        "author",
        "creator",
    }:
        return 0
    if _NAMED.search(named):
        return 0
    return 1 if _BYLINE.search(named) else 2


def _is_of_picture(node: HtmlElement) -> bool:
    return any(above.tag in {"figure", "figcaption"} for above in node.iterancestors())


def _text(node: HtmlElement) -> str:
    if is_hidden(node):
        return ""
    text = brief_text(node, _MAX_TEXT)
    return text if len(text) > 1 else ""


def _names(node: HtmlElement) -> Iterator[str]:
    """Yield the names an element holds: its links, else its named part, else all."""
    inner = [
        text
        for link in node.iter("a")
        if link is not node and (text := collapse("".join(link.itertext())))
    ]
    named = [
        text
        for part in node.iterdescendants()
        if isinstance(part.tag, str)
        and (
            part.get("itemprop") == "name" or "fn" in (part.get("class") or "").split()
        )
        and (text := collapse("".join(part.itertext())))
    ]
    yield from named or inner or [_text(node)]


def account_on(page: Page) -> str | None:
    """Return the name of the account that published a page on a platform."""
    for node in elements(_ACCOUNT, page.tree):
        if is_beside(node) or is_hidden(node):
            continue
        if text := brief_text(node, _MAX_ACCOUNT):
            return text
    return None


def labelled(page: Page, kind: str) -> Iterator[str]:
    """Yield what texts after a label of the kind name, in order."""
    if not any(_ANYWHERE[kind].search(line) for line in page.lines[:_MAX_LINES]):
        return
    for node in elements(_HELD, page.tree):
        pieces = _pieces(node)
        for at, piece in enumerate(pieces):
            found = _LABELLED[kind].search(piece) if len(piece) < _MAX_PIECE else None
            if found and (
                value := found["value"].strip() or "".join(pieces[at + 1 :][:1])
            ):
                yield collapse(value)


def _pieces(node: HtmlElement) -> list[str]:
    """Return the texts of an element one by one, and the first after it."""
    following = node.getnext()
    after = following.itertext() if following is not None else ()
    texts = chain(node.itertext(), (node.tail or "",), islice(after, 2))
    return [text for each in islice(texts, _MAX_PIECES) if (text := each.strip())]
