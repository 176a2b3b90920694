"""Read an item's single fields: by rule, else from the hint, else from the page's head.

Every reader returns what it found with its method (``css:h1``, ``hint:feed``,
``meta:author``), for provenance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extract.article.lines import emoji_lead
from crawler.extract.document.rules import is_in_scope, own_url, rule_for
from crawler.extract.document.selectors import Found, first, is_html, located, texts
from crawler.extract.document.text import collapse, visible_text
from crawler.item import Alternate, File, KeyPoint, TitledUrl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo
    from typing import Literal

    from crawler.config.portal import ItemRule, Portal, RowsRule, Rule
    from crawler.extract.document.page import Page
    from crawler.extract.document.selectors import Node
    from crawler.extract.fields.metadata import Metadata
    from crawler.model import Hint

_CUT_OFF = re.compile(r"(?:…|\.\.\.)$")
_SAID = {"sections": "articleSection"}
_SHEET = re.compile(r"handheld|max-width|only screen", re.IGNORECASE)
_TAGS = re.compile(r"<[a-zA-Z/!][^>]{0,1000}>")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an item's fields are read from.

    Attributes:
        url: the page's own URL, tracking parameters cut.
        groups: named groups of the rule's ``match``.
        at: what relative times on the page count from.
        zone: of times without an offset.
    """

    page: Page
    url: str
    rule: ItemRule
    groups: Mapping[str, str]
    portal: Portal
    hint: Hint
    meta: Metadata
    at: datetime
    zone: tzinfo

    @property
    def lines(self) -> tuple[str, ...]:
        """The visible lines that generic readers may look at."""
        if self.page.is_json or not self.rule.generic:
            return ()
        return self.page.lines

    def by_rule(self, rule: Rule) -> Found | None:
        """Return the first text that rule finds on the page."""
        return first(rule, self.page.root, self.page)

    def all_by_rule(self, rule: Rule) -> list[Found]:
        """Return all texts that rule finds on the page."""
        return texts(rule, self.page.root, self.page)

    def hinted(self, name: str) -> list[Found]:
        """Return what the listing said of the field; markup in it is cut."""
        value = self.hint.get(name)
        if value is None:
            return []
        plain = (collapse(_TAGS.sub(" ", text)) for text in value.values)
        return [Found(text, f"hint:{value.origin.value}") for text in plain if text]

    def meta_first(self, *names: str) -> Found | None:
        """Return the first content of the first of the named meta elements."""
        text = self.meta.first(*names)
        return Found(text, f"meta:{names[0]}") if text else None

    def said(self, key: str) -> list[Found]:
        """Return what the page's JSON-LD article says."""
        return [Found(text, f"jsonld:{key}") for text in self.meta.said(key)]


def read_title(sources: Sources) -> Found | None:
    """Return the title by rule, or a hint's that is not cut off with dots."""
    if found := sources.by_rule(sources.rule.title):
        return found
    whole = (
        found for found in sources.hinted("title") if not _CUT_OFF.search(found.text)
    )
    return next(whole, None)


def read_external_id(sources: Sources) -> Found | None:
    """Return the portal's own number of the item: rule, the URL's, the hint's."""
    if found := sources.by_rule(sources.rule.external_id):
        return found
    if text := sources.groups.get("external_id"):
        return Found(text, "url")
    return next(iter(sources.hinted("external_id")), None)


def read_texts(
    sources: Sources, rule: Rule, hint: str, *metas: str
) -> tuple[tuple[str, ...], str | None]:
    """Return a list field, each text once: by rule, hint, named metas, or JSON-LD."""
    found = sources.all_by_rule(rule) or sources.hinted(hint)
    if not found:
        found = [Found(text, f"meta:{metas[0]}") for text in sources.meta.all(*metas)]
    if not found and hint in _SAID:
        found = sources.said(_SAID[hint])
    unique = tuple(dict.fromkeys(each.text for each in found))
    return unique, found[0].method if found else None


def read_key_points(
    sources: Sources,
) -> tuple[tuple[KeyPoint, ...], str | None]:
    """Return key points, the emoji that leads each apart from its text."""
    found = sources.all_by_rule(sources.rule.key_points)
    parts = [emoji_lead(each.text) or (None, each.text) for each in found]
    points = tuple(KeyPoint(emoji=emoji, text=text) for emoji, text in parts if text)
    return points, found[0].method if points else None


def read_rows(
    sources: Sources, rule: RowsRule | None
) -> tuple[tuple[TitledUrl, ...], str | None]:
    """Return (title, URL) rows, each URL once, tracking parameters cut."""
    if rule is None:
        return (), None
    rows, method = located(rule.rows, sources.page.root)
    read: dict[str, TitledUrl] = {}
    for row in rows:
        address = _row_part(sources, row, rule.url, "href", "url")
        url = sources.page.absolute(address) if address else None
        if url:
            title = _row_part(sources, row, rule.title, None, "title")
            own = own_url(sources.portal, url)
            read.setdefault(own, TitledUrl(title=title or None, url=own))
    return tuple(read.values()), method or None


def read_files(sources: Sources) -> tuple[File, ...]:
    """Return the files that the page offers."""
    rows, _ = read_rows(sources, sources.rule.files)
    return tuple(File(url=row.url, title=row.title) for row in rows)


def read_alternates(sources: Sources) -> tuple[Alternate, ...]:
    """Return other addresses of the item, from the page's link elements."""
    found: dict[str, Alternate] = {}
    for rel, href, attributes in sources.meta.links:
        kind = _alternate_kind(rel, attributes)
        if kind is None or href == sources.url:
            continue
        language = attributes.get("hreflang") if kind == "language" else None
        found.setdefault(href, Alternate(url=href, kind=kind, language=language))
    return tuple(found.values())


def read_canonical(
    sources: Sources, external_id: str | None
) -> tuple[str, Found | None, bool]:
    """Return (canonical URL, what said so, whether a claim was refused).

    A claim counts in scope and where it matches an item rule.  One whose number
    differs from the page's own would steal another item's identity: it is refused.
    Without a claim that counts, the page's own URL is canonical.
    """
    linked = sources.meta.linked("canonical") or sources.meta.first("og:url")
    claim = sources.by_rule(sources.rule.canonical_url) or (
        Found(linked, "meta:canonical") if linked else None
    )
    url = sources.page.absolute(claim.text) if claim else None
    if claim is None or url is None:
        return sources.url, None, False
    url = own_url(sources.portal, url)
    if not is_in_scope(sources.portal, url, sources.url):
        return sources.url, None, False
    matched = rule_for(sources.portal, url, sources.at.date())
    if matched is None:
        return sources.url, None, False
    number = matched.groups.get("external_id")
    if external_id is not None and number is not None and number != external_id:
        return sources.url, None, True
    return url, claim, False


def read_paywalled(sources: Sources) -> Found | None:
    """Return "true" or "false" where the page tells, None where it does not."""
    if found := sources.by_rule(sources.rule.paywalled):
        return Found("true", found.method)
    free = sources.meta.article.get("isAccessibleForFree")
    if free is None:
        return None
    is_free = str(free).lower() not in {"false", "no", "0"}
    return Found("false" if is_free else "true", "jsonld:isAccessibleForFree")


def _row_part(
    sources: Sources, row: Node, rule: Rule, attribute: str | None, key: str
) -> str:
    if rule:
        found = first(rule, row, sources.page)
        return found.text if found else ""
    if is_html(row):
        return row.get(attribute) or "" if attribute else visible_text(row)
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""


def _alternate_kind(
    rel: str, attributes: Mapping[str, str]
) -> Literal["language", "amp", "mobile"] | None:
    if rel == "amphtml":
        return "amp"
    if rel != "alternate" or "application/" in attributes.get("type", ""):
        return None
    if attributes.get("hreflang", "x-default").lower() != "x-default":
        return "language"
    return "mobile" if _SHEET.search(attributes.get("media", "")) else None
