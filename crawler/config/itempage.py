"""How an item is read from its page: frozen models of the YAML."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from crawler.config.browsing import BrowserRule
from crawler.config.rule import (
    Model,
    OneOrMany,
    RowsRule,
    Rule,
    SourceRule,
    Texts,
    as_tuple,
)

Keeps = Annotated[
    tuple[Literal["screenshot", "full_page", "text"], ...],
    BeforeValidator(as_tuple),
    OneOrMany(),
]
"""What can be stored of a rendered page besides its DOM."""


class TickerRule(Model):
    """Securities from markup, and from text where ``text`` is on.

    Attributes:
        css: elements that each name one.
        symbol, name: rules within the element; by default ``$name (SYMBOL)$`` or its
            ``data-code`` is read.
        text: find ``名（09871.HK）``, ``$Name (SYM.US)$`` and the like in the body.
    """

    shorthand = (str, bool)

    css: str | None = None
    symbol: Rule = ()
    name: Rule = ()
    text: bool = True

    @model_validator(mode="before")
    @classmethod
    def _css_alone(cls, given: object) -> object:
        if isinstance(given, bool):
            return {"text": given}
        return {"css": given} if isinstance(given, str) else given


class SummaryRule(Model):
    """A summary that the page carries and who wrote it."""

    shorthand = (Rule,)

    rule: Rule
    origin: Literal["portal", "portal_ai"] = "portal"

    @model_validator(mode="before")
    @classmethod
    def _rule_alone(cls, given: object) -> object:
        if isinstance(given, dict) and "rule" in given:
            return given
        if isinstance(given, dict) and "origin" in given:
            rest = {key: value for key, value in given.items() if key != "origin"}
            return {"rule": rest, "origin": given["origin"]}
        return {"rule": given}


ITEM_FIELDS = (
    *("external_id", "canonical_url", "title", "subtitle", "body", "lead"),
    *("published", "modified", "authors", "editor", "source", "summary"),
    *("key_points", "tags", "sections", "tickers", "related", "files"),
    *("original_url", "paywalled"),
)
"""Rules of an item that are its fields; ``required`` and groups of ``match`` name
them."""


class ItemRule(Model):
    """How an item is read from its page.

    Attributes:
        match: regular expression searched in path and query; its named groups become
            fields (``external_id``).
        until: captures before this day use this rule, later ones a rule further down.
        render: ``auto``: a browser shows the page where the plain response lacks
            ``ready``; ``always``: whatever the response is.
        ready: must match, or the page is a shell and no item.
        wait_for: what a browser waits for; not set, ``ready`` or a quiet network.
        browser: what it does with the page.
        keep: what is stored of a rendered page besides its DOM.
        gone: texts that say the item was taken down (with status 200).
        remove: elements cut out of the body; drop_lines: body lines cut, by pattern.
        lazy: attributes that hold an image's real address, in order of trust.
        pages: links to the further pages of one article.
        required: without these fields there is no item but ``layout_changed``.
        generic: whether fields without a rule may come from the generic extractor.
    """

    match: str
    kind: Literal["article", "file"] = "article"
    until: str | None = None
    render: Literal["never", "auto", "always"] = "never"
    ready: Rule = ()
    wait_for: Rule = ()
    browser: BrowserRule = BrowserRule()
    keep: Keeps = ()
    gone: Texts = ()
    external_id: Rule = ()
    canonical_url: Rule = ()
    title: Rule = ()
    subtitle: Rule = ()
    body: Rule = ()
    lead: Rule = ()
    published: Rule = ()
    modified: Rule = ()
    authors: Rule = ()
    editor: Rule = ()
    source: SourceRule = SourceRule()
    summary: SummaryRule | None = None
    key_points: Rule = ()
    tags: Rule = ()
    sections: Rule = ()
    tickers: TickerRule = TickerRule()
    related: RowsRule | None = None
    files: RowsRule | None = None
    original_url: Rule = ()
    paywalled: Rule = ()
    remove: Texts = ()
    drop_lines: Texts = ()
    lazy: Texts = ("data-original", "data-src", "data-lazy-src")
    pages: Rule = ()
    required: Texts = ("title",)
    generic: bool = True
    encoding: str | None = None
