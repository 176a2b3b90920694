"""What a page's head says of it: meta elements, link relations, JSON-LD."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from crawler.extract.text import collapse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.extract.page import Page
    from crawler.model import Json

_ARTICLE_TYPES = frozenset(
    {"Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting", "LiveBlogPosting"}
    | {"AnalysisNewsArticle", "OpinionNewsArticle", "Report", "TechArticle"}
)
_MAX_SCRIPT_CHARACTERS = 1_000_000


class Metadata:
    """The head of one page, read once; empty for a JSON page.

    Attributes:
        article: the first JSON-LD object of an article type, or {}.
        links: (rel, href, attributes) of each link element, absolute http(s) only.
    """

    def __init__(self, page: Page) -> None:
        self._named: dict[str, list[str]] = {}
        self.links: list[tuple[str, str, dict[str, str]]] = []
        self.article: dict[str, Json] = {}
        if not page.is_json:
            self._read_meta(page)
            self._read_links(page)
            self.article = next(_articles(page), {})

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
        value = self.article.get(key)
        values = value if isinstance(value, list) else [value]
        return tuple(text for each in values if (text := _name(each)))

    def _read_meta(self, page: Page) -> None:
        for meta in page.tree.iter("meta"):
            content = collapse(meta.get("content") or "")
            for attribute in ("property", "name", "itemprop"):
                name = (meta.get(attribute) or "").strip().lower()
                if name and content:
                    self._named.setdefault(name, []).append(content)

    def _read_links(self, page: Page) -> None:
        for link in page.tree.iter("link"):
            href = page.absolute(link.get("href") or "")
            attributes = {str(key): str(value) for key, value in link.attrib.items()}
            for rel in (link.get("rel") or "").lower().split():
                if href:
                    self.links.append((rel, href, attributes))


def _name(value: Json) -> str | None:
    if isinstance(value, dict):
        value = value.get("name") or value.get("url")
    if not isinstance(value, str) or not value.strip():
        return None
    return collapse(value)


def _articles(page: Page) -> Iterator[dict[str, Json]]:
    for script in page.tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        text = (script.text or "")[:_MAX_SCRIPT_CHARACTERS]
        try:
            stack: list[Json] = [json.loads(text, strict=False)]
        except (ValueError, RecursionError):
            continue  # broken JSON-LD is common, and only a hint
        while stack:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(reversed(value))
            elif isinstance(value, dict):
                if _types(value) & _ARTICLE_TYPES:
                    yield value
                stack.append(value.get("@graph"))


def _types(value: dict[str, Json]) -> set[str]:
    kind = value.get("@type")
    return {
        each
        for each in (kind if isinstance(kind, list) else [kind])
        if isinstance(each, str)
    }
