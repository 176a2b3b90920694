"""Explain an item: for each field what was looked at, in order of trust, and what won.

The candidates are looked up again, apart from the extraction itself: what it says it
took is marked, and whatever else the page, the listing or the rules say is beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.errors import NotExtracted
from crawler.extract.auto.pagetype import page_type
from crawler.extract.dates.grammar import read_date
from crawler.extract.document.page import Page
from crawler.extract.document.rules import rule_of
from crawler.extract.document.selectors import elements, method_of, texts
from crawler.extract.document.text import collapse, visible_text
from crawler.extract.fields.metadata import Metadata
from crawler.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.config.portal import ItemRule, Portal, Rule
    from crawler.item import Item
    from crawler.model import Capture

CHOSEN = "chosen"
NOTHING = "found nothing"
NO_TIME = "no time can be read"
REFUSED = "refused"
LESS = "not needed"
_TIMED = frozenset({"published", "modified"})
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to a field: a rule's expression, a hint, something in the head.

    Attributes:
        way: as in provenance: ``css:h1``, ``hint:rows``, ``meta:og:title``.
        text: what it finds first, None where that is nothing.
        verdict: chosen, or why not.
    """

    way: str
    text: str | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an item and where it is from; None, where there is no item."""

    name: str
    value: object
    method: str | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page is, as far as it can be told.

    Attributes:
        rule: ``match`` of the item rule that reads it; None of a listing.
        characters, lines: of its text as a reader sees it.
        og_type, article: what its head says it is: og:type, the JSON-LD type.
        type, evidence: what it would be taken for without rules, and why.
    """

    encoding: str | None
    encoding_method: str
    characters: int
    lines: int
    rule: str | None = None
    og_type: str | None = None
    article: str | None = None
    type: str | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """Where a field may stand beside its rule."""

    hint: str | None = None
    metas: tuple[str, ...] = ()
    json_ld: str | None = None


_FIELDS: dict[str, _Said] = {
    "title": _Said("title", ("og:title", "twitter:title"), "headline"),
    "subtitle": _Said(),
    "published": _Said(
        "published",
        (
            *("article:published_time", "og:article:published_time", "datepublished"),
            *("publishdate", "pubdate", "publish_time"),
        ),
        "datePublished",
    ),
    "modified": _Said(
        None, ("article:modified_time", "og:updated_time"), "dateModified"
    ),
    "authors": _Said("author", ("author", "article:author"), "author"),
    "editor": _Said(),
    "source": _Said("source", ("source", "article:publisher_name"), "publisher"),
    "body": _Said(),
    "lead": _Said(),
    "summary": _Said("summary", ("description", "og:description"), "description"),
    "key_points": _Said(),
    "tags": _Said("tags", ("article:tag", "news_keywords"), "keywords"),
    "sections": _Said("sections", ("article:section",), "articleSection"),
    "external_id": _Said("external_id"),
    "canonical_url": _Said(None, ("og:url",)),
    "original_url": _Said(),
    "paywalled": _Said(None, (), "isAccessibleForFree"),
}
_VALUE = {"published": "published_at", "modified": "modified_at", "body": "body_text"}


def facts_of(capture: Capture, portal: Portal) -> PageFacts | None:
    """Return what a captured page is; None where it cannot be read at all."""
    try:
        page = _page(capture, portal)
        rule = _rule(capture, portal)
    except NotExtracted:
        return None
    meta = Metadata(page)
    kind = meta.article.get("@type")
    lines = () if page.is_json else page.lines
    judged = None if page.is_json else page_type(page)
    return PageFacts(
        page.encoding or None,
        page.encoding_method,
        sum(map(len, lines)) if lines else len(page.text),
        len(lines),
        rule.match if rule else None,
        meta.first("og:type"),
        str(kind) if kind else None,
        judged.type.value if judged else None,
        judged.evidence if judged else "",
    )


def explain_item(
    capture: Capture, portal: Portal, item: Item | None, methods: Mapping[str, str]
) -> tuple[Field, ...]:
    """Return how each field came about; () of what is no item page.

    Args:
        capture: of the page.
        portal: its rules.
        item: as extracted, None where the page gave none.
        methods: item field to how it was found.
    """
    try:
        page, rule = _page(capture, portal), _rule(capture, portal)
    except NotExtracted:
        return ()
    if rule is None:
        return ()
    looked = _Looked(capture, portal, page, Metadata(page), rule)
    return tuple(looked.field(name, item, methods.get(name)) for name in _FIELDS)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A page to look candidates up on."""

    capture: Capture
    portal: Portal
    page: Page
    meta: Metadata
    rule: ItemRule

    def field(self, name: str, item: Item | None, method: str | None) -> Field:
        """Return one field with its candidates."""
        found = list(self._candidates(name))
        taken = next((at for at, (way, _) in enumerate(found) if way == method), None)
        made = [
            Candidate(way, text, self._verdict(name, text, at, taken))
            for at, (way, text) in enumerate(found)
        ]
        if method is not None and taken is None:
            made.append(Candidate(method, None, CHOSEN))
        kept = tuple(one for one in made if one.text or one.verdict != LESS)
        value = None if item is None else getattr(item, _VALUE.get(name, name))
        return Field(name, value, method, kept)

    def _verdict(self, name: str, text: str | None, at: int, taken: int | None) -> str:
        if at == taken:
            return CHOSEN
        if text is None:
            return NOTHING
        if name in _TIMED and not self._is_time(text):
            return NO_TIME
        return REFUSED if taken is None or at < taken else LESS

    def _is_time(self, text: str) -> bool:
        zone = ZoneInfo(self.portal.timezone)
        return read_date(text, at=self.capture.first_at, zone=zone) is not None

    def _candidates(self, name: str) -> Iterator[tuple[str, str | None]]:
        """Yield the ways to a field in order of trust, with what each finds first."""
        said = _FIELDS[name]
        for expression in self._expressions(name):
            way = method_of(expression, self.page.root)
            yield way, self._first((expression,), name)
        hint = self.capture.link.hint.get(said.hint or "")
        if hint is not None:
            yield f"hint:{hint.origin.value}", _short(", ".join(hint.values))
        if not self.rule.generic:
            return
        for meta in said.metas:
            if (text := self.meta.first(meta)) is not None:
                yield f"meta:{meta}", _short(text)
        if said.json_ld and (texts_said := self.meta.said(said.json_ld)):
            yield f"jsonld:{said.json_ld}", _short(", ".join(texts_said))
        if name == "title" and not self.page.is_json:
            yield from self._headings()

    def _headings(self) -> Iterator[tuple[str, str | None]]:
        for tag in ("h1", "title"):
            node = next(self.page.tree.iter(tag), None)
            if node is not None and (text := visible_text(node)):
                yield f"generic:{tag}", _short(text)

    def _expressions(self, name: str) -> Rule:
        rule = getattr(self.rule, name, ())
        if name == "source":
            return self.rule.source.name
        if name == "summary":
            return self.rule.summary.rule if self.rule.summary else ()
        return rule if isinstance(rule, tuple) else ()

    def _first(self, rule: Rule, name: str) -> str | None:
        if name == "body" and not self.page.is_json:
            count = len(elements(rule, self.page.root))
            return f"{count} element{'s' if count > 1 else ''}" if count else None
        found = texts(rule, self.page.root, self.page)
        return _short(found[0].text) if found else None


def _short(text: str) -> str:
    return collapse(text)[:_SHOWN]


def _page(capture: Capture, portal: Portal) -> Page:
    if capture.dom:
        return Page.from_steps(capture.dom, capture.main.url)
    rule = _rule(capture, portal)
    encoding = (rule.encoding if rule else None) or portal.request.encoding
    return Page.from_response(capture.main, encoding, portal.crawl.max_parse)


def _rule(capture: Capture, portal: Portal) -> ItemRule | None:
    is_item = capture.link.kind is Kind.ITEM
    return rule_of(capture, portal).rule if is_item else None
