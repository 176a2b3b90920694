"""An item's authors and its source, chosen among all that says them.

1. Authors: rule, hint, JSON-LD, what markup marks, the head, bylines in the text.
   The site or a desk counts only where JSON-LD declares it the author and nobody else
   is named.
2. The source (来源): rule, hint, head, a label's value, a name beside the time, the
   account on a platform.  It is never taken for an author, nor an author for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extract.article.lines import without_source_label
from crawler.extract.document.selectors import Found
from crawler.extract.document.text import squeeze
from crawler.extract.fields.bylines import (
    authors_on,
    byline_on,
    source_beside,
    source_on,
)
from crawler.extract.fields.credits import account_on, labelled, marked_authors
from crawler.extract.fields.people import is_chinese_name, is_name, is_told, names_in
from crawler.item import Author, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crawler.extract.fields.lookup import Sources

_AUTHOR_METAS = re.compile(r"(?:^|[.:_-])(?:article)?authors?$|(?:^|\.)creator$|^byl$")
_NO_METAS = re.compile(r"twitter|image|video|email")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NO_SOURCE = re.compile(r"https?:|[记記]者|[编編][辑輯]|\d{3}|[。！？!?]")
_PLACEHOLDER = frozenset(
    {"网络", "網絡", "互联网", "網路", "本站", "综合", "原创", "转载"}
)
_MAX_SOURCE = 40


def read_source(sources: Sources, title: str | None) -> tuple[Source, str | None]:
    """Return the source's parts, and the method of its name."""
    rule = sources.rule.source
    name = sources.by_rule(rule.name) or next(_source_names(sources, title), None)
    publisher, channel = sources.by_rule(rule.publisher), sources.by_rule(rule.channel)
    address = sources.by_rule(rule.url)
    source = Source(
        name=without_source_label(name.text) if name else None,
        publisher=publisher.text if publisher else None,
        channel=channel.text if channel else None,
        url=sources.page.absolute(address.text) if address else None,
    )
    return source, name.method if name else None


def _source_names(sources: Sources, title: str | None) -> Iterator[Found]:
    yield from sources.hinted("source")
    if found := sources.meta_first("source", "article:publisher_name"):
        yield found
    if sources.lines:
        for text in _sources_on(sources, title):
            if _is_source(text):
                yield Found(text, "line")
    yield from sources.said("publisher")
    if found := sources.meta_first("og:site_name"):
        yield found


def _sources_on(sources: Sources, title: str | None) -> Iterator[str]:
    for text in labelled(sources.page, "source"):
        yield re.split(r"\s{2,}|\s+\S+[:：]|[|｜]", text)[0].strip()
    if found := source_on(sources.lines, title):
        yield found
    if found := source_beside(sources.lines, title):
        yield found
    if _HAN.search(title or "") and (found := account_on(sources.page)):
        yield found


def _is_source(text: str) -> bool:
    return 1 < len(text) <= _MAX_SOURCE and not (
        _NO_SOURCE.search(text) or text in _PLACEHOLDER
    )


def read_authors(
    sources: Sources, title: str | None, source: Source
) -> tuple[tuple[Author, ...], str | None]:
    """Return the bylines; rather none than a label, an address or the source."""
    refused = _own_names(sources, source)
    told = sources.all_by_rule(sources.rule.authors) or sources.hinted("author")
    if authors := _authors(told, refused, is_told):
        return authors, told[0].method
    for found in _ways(sources, title):
        if authors := _authors(found, refused, is_name):
            return authors, found[0].method
    return _declared(sources, title)


def _declared(
    sources: Sources, title: str | None
) -> tuple[tuple[Author, ...], str | None]:
    """Return whom the head declares the author though it is the site itself."""
    if not sources.rule.generic or sources.rule.authors:
        return (), None
    declared = [*sources.said("author")]
    if not _HAN.search(title or ""):
        declared += _in_head(sources)[:1]
    named = [each for each in declared if is_name(each.text)][:1]
    authors = tuple(Author(name=each.text) for each in named)
    return authors, named[0].method if named else None


def _ways(sources: Sources, title: str | None) -> Iterator[list[Found]]:
    yield sources.said("author")
    if sources.lines:
        page = sources.page
        if _HAN.search(title or ""):
            yield from _chinese(sources, title)
            return
        for texts in marked_authors(page, title):
            yield [Found(text, "generic:author") for text in texts]
    yield _in_head(sources)
    if sources.lines:
        yield [Found(text, "line") for text in byline_on(sources.lines, title)]


def _in_head(sources: Sources) -> list[Found]:
    return [
        Found(text, f"meta:{name}")
        for name, text in sources.meta.matching(_AUTHOR_METAS)
        if not _NO_METAS.search(name)
    ][:3]


def _chinese(sources: Sources, title: str | None) -> Iterator[list[Found]]:
    """Yield ways for Chinese pages, where the text says it better than the markup.

    A class or the head names accounts, sites and buttons as well: they count only
    where the text looks like a person's name.
    """
    yield [Found(text, "line") for text in labelled(sources.page, "author")][:1]
    yield [Found(text, "line") for text in authors_on(sources.lines, title)]
    for texts in marked_authors(sources.page, title):
        yield [Found(text, "generic:author") for text in texts if is_chinese_name(text)]
    yield [each for each in _in_head(sources) if is_chinese_name(each.text)]
    yield [Found(text, "line") for text in byline_on(sources.lines, title)]


def _authors(
    found: Iterable[Found], refused: frozenset[str], accepts: Callable[[str], bool]
) -> tuple[Author, ...]:
    authors: dict[str, Author] = {}
    for each in found:
        for name in names_in(each.text, refused=refused, accepts=accepts):
            raw = each.text if each.text != name else None
            authors.setdefault(squeeze(name), Author(name=name, raw=raw))
    return tuple(authors.values())


def _own_names(sources: Sources, source: Source) -> frozenset[str]:
    """Return names that are the site's or the source's, squeezed."""
    host = (urlsplit(sources.url).hostname or "").removeprefix("www.")
    given = (
        source.name,
        source.publisher,
        *sources.meta.all("og:site_name"),
        *sources.meta.said("publisher"),
        host,
        host.rpartition(".")[0],
    )
    return frozenset(squeeze(name) for name in given if name)
