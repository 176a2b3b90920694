"""Read an item's fields: each by its rule, else from the hint, the head, generic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.extract.article.body import Body, mark_lead, read_body, read_generic_body
from crawler.extract.article.mainbody import main_body
from crawler.extract.fields import lookup as fields
from crawler.extract.fields.authors import read_authors, read_source
from crawler.extract.fields.parts import (
    flags_of,
    languages_of,
    read_editor,
    read_images,
    read_summary,
    read_tickers,
)
from crawler.extract.fields.times import read_modified, read_published
from crawler.extract.fields.titles import generic_title
from crawler.extract.hashes import content_hash, item_id
from crawler.extract.learned import without_repeats, without_suffix
from crawler.item import TitledUrl, Video

if TYPE_CHECKING:
    from crawler.extract.document.page import Page
    from crawler.extract.document.selectors import Found
    from crawler.extract.fields.lookup import Sources

_MAX_LINKS = 200
_DESCRIPTIONS = ("description", "og:description")


@dataclass(slots=True)
class Reading:
    """The values of one item as they are read, with their methods."""

    sources: Sources
    pages: tuple[Page, ...]
    methods: dict[str, str] = field(default_factory=dict)
    body: Body = field(default_factory=Body)

    # Any: the values of Item's fields, which pydantic checks.
    def values(self) -> dict[str, Any]:
        """Return the fields that are read from the page and its hint."""
        read = self._head()
        read |= self._content(read["title"]) | self._around()
        read["languages"] = languages_of(read)
        languages = read["languages"]
        read["language"] = (
            languages.get("body")
            or languages.get("title")
            or self.sources.groups.get("language")
            or self.sources.portal.language
        )
        read["flags"] = flags_of(read, self.sources, self.body.excluded)
        return read

    def identity(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return addresses, the id and the content's digest."""
        sources, number = self.sources, values["external_id"]
        canonical, claim, refused = fields.read_canonical(sources, number)
        self._note("canonical_url", claim)
        scheme = sources.portal.id_scheme
        if scheme is None:
            grouped = "external_id" in sources.groups
            scheme = "external_id" if grouped else "canonical_url"
        if scheme == "external_id" and number is None:
            scheme = "canonical_url"
        keys = {
            "external_id": number,
            "canonical_url": canonical,
            "url": sources.url,
        }
        flags = (*values["flags"], "canonical_refused") if refused else values["flags"]
        return {
            "id": item_id(sources.portal.id, scheme, keys[scheme] or sources.url),
            "url": sources.url,
            "canonical_url": canonical,
            "alternates": fields.read_alternates(sources),
            "content_hash": content_hash(values["title"], values["body_text"]),
            "flags": flags,
        }

    def _head(self) -> dict[str, Any]:
        sources = self.sources
        title = fields.read_title(sources)
        if title is None and sources.rule.generic and not sources.page.is_json:
            title = generic_title(sources.page, sources.meta)
        title = without_suffix(title, sources.portal.learned)
        text = title.text if title else None
        source, source_method = read_source(sources, text)
        authors, authors_method = read_authors(sources, text, source)
        self._method("source", source_method)
        self._method("authors", authors_method)
        return {
            "title": self._note("title", title),
            "subtitle": self._note("subtitle", sources.by_rule(sources.rule.subtitle)),
            "external_id": self._note("external_id", fields.read_external_id(sources)),
            "source": source,
            "authors": authors,
            **self._times(text),
        }

    def _times(self, title: str | None) -> dict[str, Any]:
        published = read_published(self.sources, title)
        modified = read_modified(self.sources)
        self._method("published", published.method if published else None)
        self._method("modified", modified.method if modified else None)
        moment = published.moment if published else None
        return {
            "published_at": moment.at if moment else None,
            "published_raw": moment.raw if moment else None,
            "published_precision": moment.precision if moment else None,
            "published_range": moment.range if moment else None,
            "published_source": published.source if published else None,
            "modified_at": modified.moment.at if modified else None,
            "modified_raw": modified.moment.raw if modified else None,
        }

    def _content(self, title: str | None) -> dict[str, Any]:
        sources, rule = self.sources, self.sources.rule
        self.body = read_body(self.pages, rule, sources.portal, title)
        if not self.body.blocks and rule.generic and not rule.body:
            self.body = self._generic(title)
        self.body = without_repeats(self.body, sources.portal.learned)
        self._method("body", self.body.method)
        lead = mark_lead(self.body, self._note("lead", sources.by_rule(rule.lead)))
        if lead:
            self.methods.setdefault("lead", "repeated")
        points, method = fields.read_key_points(sources)
        self._method("key_points", method)
        summary = read_summary(sources, self.body.text, lead)
        self._method("summary", summary[1])
        tickers, method = read_tickers(sources, title, self.body)
        self._method("tickers", method)
        return {
            "lead": lead,
            "blocks": tuple(self.body.blocks),
            "body_text": self.body.text,
            "images": read_images(sources, self.body.images),
            "videos": tuple(
                Video(url=url, caption=text) for url, text in self.body.videos
            ),
            "links": self._links(),
            "editor": self._note("editor", read_editor(sources, self.pages, self.body)),
            "summary": summary[0],
            "key_points": points,
            "tickers": tickers,
        }

    def _generic(self, title: str | None) -> Body:
        page, sources = self.sources.page, self.sources
        if page.is_json:
            return self.body
        main = main_body(page, title, sources.meta.first(*_DESCRIPTIONS))
        if main is None:
            return self.body
        return read_generic_body(page, main, sources.rule, sources.portal, title)

    def _links(self) -> tuple[TitledUrl, ...]:
        unique = dict(self.body.links[:_MAX_LINKS])
        return tuple(TitledUrl(title=text, url=url) for url, text in unique.items())

    def _around(self) -> dict[str, Any]:
        sources, rule = self.sources, self.sources.rule
        tags, tags_method = fields.read_texts(
            sources, rule.tags, "tags", "article:tag", "news_keywords"
        )
        sections, sections_method = fields.read_texts(
            sources, rule.sections, "sections", "article:section"
        )
        related, related_method = fields.read_rows(sources, rule.related)
        original = self._note("original_url", sources.by_rule(rule.original_url))
        paywalled = self._note("paywalled", fields.read_paywalled(sources))
        self._method("tags", tags_method)
        self._method("sections", sections_method)
        self._method("related", related_method)
        return {
            "tags": tags,
            "sections": sections,
            "related": related,
            "files": fields.read_files(sources),
            "original_url": sources.page.absolute(original) if original else None,
            "paywalled": None if paywalled is None else paywalled == "true",
        }

    def _note(self, name: str, found: Found | None) -> str | None:
        self._method(name, found.method if found else None)
        return found.text if found else None

    def _method(self, name: str, method: str | None) -> None:
        if method:
            self.methods[name] = method
