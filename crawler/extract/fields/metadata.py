"""What a page's head says of it: meta elements, link relations, JSON-LD."""

from __future__ import annotations

import html
import json
import re
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.document.text import collapse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.extract.document.page import Page
    from crawler.model import Json

_ARTICLE_TYPES = frozenset(
    {"Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting", "LiveBlogPosting"}
    | {"AnalysisNewsArticle", "OpinionNewsArticle", "Report", "TechArticle"}
    | {"BackgroundNewsArticle", "ReviewNewsArticle", "ScholarlyArticle"}
    | {"SocialMediaPosting", "DiscussionForumPosting", "MedicalScholarlyArticle"}
    | {"AdvertiserContentArticle", "SatiricalArticle"}
)
_PAGE_RELS = frozenset({"alternate", "amphtml", "author", "canonical", "next", "prev"})
_OTHER_TYPES = frozenset(
    {"WebPage", "ItemPage", "HowTo", "Recipe", "Review", "CreativeWork", "QAPage"}
)
# What hides a script from parsers of another age, within JSON-LD still.
_GUARD = re.compile(
    r"^\s*(?:<!--|(?://)?\s*<!\[CDATA\[)|(?:(?://)?\s*\]\]>|-->)\s*$|;\s*$"
)
_MAX_EACH, _MAX_MATCHING = 3, 30
_MAX_SCRIPT_CHARACTERS = 1_000_000


class Metadata:
    """The head of one page, read once; empty for a JSON page.

    Attributes:
        article: the first JSON-LD object of an article type, or {}.
        links: (rel, href, attributes) of each link element that leads to a page,
            absolute http(s) only; style sheets, icons and hints are left out.
    """

    def __init__(self, page: Page) -> None:
        self._named: dict[str, list[str]] = {}
        self.links: list[tuple[str, str, dict[str, str]]] = []
        self.article: dict[str, Json] = {}
        self._other: dict[str, Json] = {}
        self._by_id: dict[str, dict[str, Json]] = {}
        if not page.is_json:
            self._read_meta(page)
            self._read_links(page)
            self._read_objects(page)

    def matching(self, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
        """Return (name, content) of the first metas whose name has the pattern."""
        found = (
            (name, content)
            for name, contents in self._named.items()
            if pattern.search(name)
            for content in contents[:_MAX_EACH]
        )
        return list(islice(found, _MAX_MATCHING))

    def first(self, *names: str) -> str | None:
        """Return the first content of the first of the named meta elements."""
        return next(iter(self.all(*names)), None)

    def all(self, *names: str) -> tuple[str, ...]:
        """Return every content of the first of the named meta elements that is there.

        Names are compared in lower case and without regard to name, property or
        itemprop.
        """
        for name in names:
            if name in self._named:
                return tuple(self._named[name])
        return ()

    def linked(self, rel: str) -> str | None:
        """Return the address of the first link element of this relation."""
        return next((href for found, href, _ in self.links if found == rel), None)

    def said(self, key: str) -> tuple[str, ...]:
        """Return texts of the JSON-LD article: strings, or the names of objects."""
        value = self.article.get(key) or self._other.get(key)
        return tuple(text for each in _flat(value) if (text := self._name(each)))

    def _read_objects(self, page: Page) -> None:
        """Take the first article; what it leaves out, of the page it stands on."""
        for value in _objects(page):
            types = _types(value)
            if not self.article and types & _ARTICLE_TYPES:
                self.article = value
            elif not self._other and types & _OTHER_TYPES:
                self._other = value
            if isinstance(name := value.get("@id"), str) and "name" in value:
                self._by_id.setdefault(name, value)

    def _name(self, value: Json) -> str | None:
        if isinstance(value, dict) and "name" not in value:
            value = self._by_id.get(str(value.get("@id")), value)
        if isinstance(value, dict):
            value = value.get("name") or value.get("url")
        if not isinstance(value, str) or not value.strip():
            return None
        return collapse(html.unescape(value))

    def _read_meta(self, page: Page) -> None:
        for meta in page.tree.iter("meta"):
            content = collapse(meta.get("content") or "")
            for attribute in ("property", "name", "itemprop"):
                name = (meta.get(attribute) or "").strip().lower()
                if name and content:
                    self._named.setdefault(name, []).append(content)

    def _read_links(self, page: Page) -> None:
        for link in page.tree.iter("link"):
            rels = _PAGE_RELS.intersection((link.get("rel") or "").lower().split())
            href = page.absolute(link.get("href") or "") if rels else None
            attributes = {str(key): str(value) for key, value in link.attrib.items()}
            self.links += [(rel, href, attributes) for rel in sorted(rels) if href]


def _flat(value: Json) -> Iterator[Json]:
    for each in value if isinstance(value, list) else [value]:
        yield from _flat(each) if isinstance(each, list) else [each]


def _objects(page: Page) -> Iterator[dict[str, Json]]:
    for script in page.tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        text = _GUARD.sub("", (script.text or "")[:_MAX_SCRIPT_CHARACTERS])
        try:
            stack: list[Json] = [json.loads(text, strict=False)]
        except (ValueError, RecursionError):
            continue  # broken JSON-LD is common, and only a hint
        while stack:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(reversed(value))
            elif isinstance(value, dict):
                yield value
                stack.append(value.get("mainEntity"))
                stack.append(value.get("@graph"))


def _types(value: dict[str, Json]) -> set[str]:
    kind = value.get("@type")
    return {
        each
        for each in (kind if isinstance(kind, list) else [kind])
        if isinstance(each, str)
    }
