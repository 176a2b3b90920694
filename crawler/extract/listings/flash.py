"""Flash items: rows of a listing that are whole in themselves.

The row is all there is: no title is made up out of its text, and the listing's own
records are its provenance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.extract.article.tickers import strip_markup, tickers_in
from crawler.extract.dates.grammar import read_date
from crawler.extract.document.language import language_of
from crawler.extract.document.page import parse_html
from crawler.extract.document.selectors import elements, raw_texts, texts
from crawler.extract.document.text import as_printed, collapse, visible_lines
from crawler.extract.hashes import content_hash, item_hash, item_id
from crawler.extract.provenance import provenance_of
from crawler.item import (
    Author,
    Block,
    Image,
    Item,
    Source,
    Summary,
    Ticker,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config.portal import ListingRule, Portal, Rule
    from crawler.extract.dates.grammar import Moment
    from crawler.extract.document.page import Page
    from crawler.extract.document.selectors import Found, Node
    from crawler.item import Provenance
    from crawler.model import Capture, Origin

FLASH_FIELDS = frozenset({"body", "tickers"})
"""Fields of a flash listing that are no hints."""

_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,2000}>|&(?:#\d{1,7}|\w{2,31});")
_SYMBOL = re.compile(r"[0-9A-Z.-]{1,12}\.[A-Z]{2,3}")


@dataclass(frozen=True, slots=True)
class FlashContext:
    """What all flash items of one listing page have in common."""

    capture: Capture
    portal: Portal
    rule: ListingRule
    page: Page
    origin: Origin
    config_digest: str
    version: str


def read_flash(
    node: Node, url: str, fields: Mapping[str, Rule], context: FlashContext
) -> Item | None:
    """Return the item that a row is, None where it has neither title nor text.

    url: absolute; the listing's own where the row has none.
    """
    row = _Row(node, fields, context)
    printed_title = row.first("title")
    title = strip_markup(printed_title) if printed_title else None
    printed = _lines(row.found("body"))
    lines = [strip_markup(line) for line in printed]
    if not title and not lines:
        return None
    body_text = "\n\n".join(lines) or None
    published = row.published()
    item = Item(
        id=_id(row, url, content_hash(title, body_text) or ""),
        kind="flash",
        portal=context.portal.id,
        listing=context.rule.id,
        url=url,
        external_id=row.first("external_id"),
        source=Source(name=row.first("source")),
        title=title,
        authors=tuple(Author(name=name) for name in row.all("author")),
        published_at=published.at if published else None,
        published_raw=published.raw if published else None,
        published_precision=published.precision if published else None,
        published_range=published.range if published else None,
        published_source=row.origin if published else None,
        summary=_summary(row),
        blocks=tuple(Block(type="paragraph", text=line) for line in lines),
        body_text=body_text,
        images=_images(row),
        tags=row.all("tags"),
        tickers=_tickers(row, [printed_title or "", *printed]),
        content_hash=content_hash(title, body_text),
        provenance=row.provenance(),
    )
    item = item.model_copy(update=_languages(item, context.portal))
    return item.model_copy(update={"item_hash": item_hash(item)})


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with the rules that read it."""

    node: Node
    fields: Mapping[str, Rule]
    context: FlashContext

    @property
    def origin(self) -> str:
        return self.context.origin.value

    def found(self, name: str) -> list[Found]:
        rule = self.fields.get(name, ())
        read = raw_texts if name == "body" else texts
        found = read(rule, self.node, self.context.page)
        return [replace(each, text=_printable(each.text)) for each in found]

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(found.text for found in self.found(name)))

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def published(self) -> Moment | None:
        """Return the first of the times found that is one."""
        zone = ZoneInfo(self.context.portal.timezone)
        at = self.context.capture.first_at
        for found in self.found("published"):
            moment = read_date(found.text, at=at, zone=zone, format=found.format)
            if moment is not None:
                return moment
        return None

    def provenance(self) -> Provenance:
        """Return the listing's own records: the row is in them."""
        context = self.context
        methods = {x: found[0].method for x in self.fields if (found := self.found(x))}
        return provenance_of(
            context.capture,
            context.page,
            methods,
            config_digest=context.config_digest,
            version=context.version,
        )


def _printable(text: str) -> str:
    """Return text without halves of surrogate pairs, which JSON may hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _id(row: _Row, url: str, digest: str) -> str:
    """Return the identity: the portal's own number, else the row's URL, else its text.

    Flash items are numbered apart from articles, so the kind is part of the key.
    """
    external_id = row.first("external_id")
    if external_id is not None:
        return item_id(row.context.portal.id, "external_id", f"flash:{external_id}")
    if url != row.context.capture.main.url:
        return item_id(row.context.portal.id, "url", url)
    return item_id(row.context.portal.id, "external_id", f"flash:{digest}")


def _lines(body: list[Found]) -> list[str]:
    """Return the body's lines, of text or of the HTML that APIs put into a field."""
    lines: list[str] = []
    for found in body:
        if _MARKUP.search(found.text):
            lines += visible_lines(parse_html(found.text))
        else:
            lines += map(as_printed, found.text.splitlines())
    return [line for line in lines if line]


def _languages(item: Item, portal: Portal) -> dict[str, object]:
    """Return the language of each part that tells, and the item's own."""
    parts = {
        "title": item.title,
        "summary": item.summary.text if item.summary else None,
        "body": item.body_text,
        "tags": "\n".join(item.tags),
        "source": item.source.name,
    }
    told = {name: language_of(text) for name, text in parts.items() if text}
    languages = {name: language for name, language in told.items() if language}
    own = languages.get("body") or languages.get("title") or portal.language
    return {"languages": languages, "language": own}


def _summary(row: _Row) -> Summary | None:
    text = row.first("summary")
    if text is None:
        return None
    return Summary(text=text, origin="portal", language=language_of(text))


def _images(row: _Row) -> tuple[Image, ...]:
    addresses = map(row.context.page.absolute, row.all("image"))
    return tuple(Image(url=url) for url in dict.fromkeys(addresses) if url)


def _tickers(row: _Row, lines: list[str]) -> tuple[Ticker, ...]:
    """Return the securities of the row's field, then those its text names besides.

    The field holds symbols, or objects with ``code`` and ``name``.
    """
    text = "\n".join(lines)
    written = {ticker.symbol: ticker for ticker in tickers_in(text)}
    named: dict[str, str | None] = dict.fromkeys(row.all("tickers"))
    for value in elements(row.fields.get("tickers", ()), row.node):
        if isinstance(value, dict):
            code, name = value.get("code") or value.get("symbol"), value.get("name")
            named[str(code)] = collapse(name) if isinstance(name, str) else None
    for symbol, name in named.items():
        if not _SYMBOL.fullmatch(symbol):
            continue
        ticker = _ticker(symbol, name, text)
        known = written.get(symbol, ticker)
        written[symbol] = known.model_copy(update={"name": known.name or ticker.name})
    order = {symbol: place for place, symbol in enumerate(named)}
    return tuple(
        sorted(written.values(), key=lambda x: order.get(x.symbol, len(order)))
    )


def _ticker(symbol: str, name: str | None, text: str) -> Ticker:
    stem, _, market = symbol.rpartition(".")
    named = None if not name or name in (stem, symbol) else name
    mentions = text.count(named) if named else 0  # by symbol it would be known
    return Ticker(symbol=symbol, name=named, market=market, mentions=mentions)
