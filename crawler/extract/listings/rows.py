"""The rows of a listing page: of HTML, a script's state, JSON, a feed, a sitemap.

``auto`` is a feed or a sitemap where the root element says so, else a page whose items
are found without rules.

Every source gives nodes (elements or JSON values) that the same field rules read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.coding import decode_content
from crawler.config.listing import OF_HTML, OF_PAGES
from crawler.config.portal import Expression
from crawler.errors import ConfigError, NotDecodable, NotExtracted
from crawler.extract.article.steps import united
from crawler.extract.auto.cards import read_cards
from crawler.extract.auto.nextpage import read_paging
from crawler.extract.auto.source import source_of
from crawler.extract.document.condition import is_met
from crawler.extract.document.page import Page
from crawler.extract.document.selectors import elements, is_html, method_of, texts
from crawler.extract.document.text import visible_text
from crawler.extract.guards import check_ready
from crawler.extract.listings.feed import read_feed
from crawler.extract.listings.jsonp import read_jsonp
from crawler.extract.listings.request import layout_of
from crawler.extract.listings.sitemap import Sitemap, gunzipped, read_sitemap
from crawler.extract.listings.state import read_state
from crawler.model import Origin, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.html import HtmlElement

    from crawler.config.listing import Source
    from crawler.config.portal import ListingRule, Portal, Rule, StateRule
    from crawler.extract.document.selectors import Found, Node
    from crawler.item import Paging
    from crawler.model import Capture, Json, Response

_NAMES = (
    *("url", "title", "published", "updated", "summary", "author", "source"),
    *("external_id", "image", "tags"),
)
_ORIGINS: dict[str, Origin] = {"days": Origin.ROWS, "jsonp": Origin.JSON}
_BUILT_IN: dict[str, Rule] = {name: (Expression(json_path=name),) for name in _NAMES}
_MANY = frozenset({"tags", "author", "authors", "image", "images", "tickers"})


@dataclass(frozen=True, slots=True)
class Way:
    """How one page of a listing is read: the first page's way or ``continue``'s.

    Attributes:
        encoding: of a day's layout, None where it has none of its own.
    """

    source: Source
    rows: Rule
    state: StateRule | None
    fields: Mapping[str, Rule]
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """What a listing page holds.

    Attributes:
        page: where addresses count from.
        origin: what hints from here are worth.
        nodes: the rows, in page order.
        fields: the rules for a row.
        document: the JSON answer or the state; None of HTML, feeds and sitemaps.
        children: addresses of further sitemaps, as printed.
        wanted: the rule for the rows, for messages.
        paging: how the page says that it goes on; of ``auto`` alone.
    """

    page: Page
    origin: Origin
    nodes: tuple[Node, ...]
    fields: Mapping[str, Rule]
    document: Json = None
    children: tuple[str, ...] = ()
    wanted: str = ""
    paging: Paging | None = None


def way_of(rule: ListingRule, *, further: bool, token: str | None = None) -> Way:
    """Return how the first page (or a further one, or a day's) of a listing is read."""
    layout = layout_of(rule, date.fromisoformat(token)) if rule.days and token else None
    then = layout or (rule.continue_ if further else None)
    if then is None:
        return Way(rule.from_, rule.rows, rule.state, rule.fields)
    return Way(
        then.from_ or rule.from_,
        then.rows or rule.rows,
        then.state or rule.state,
        {**rule.fields, **then.fields},
        layout.encoding if layout else None,
    )


def read_rows(capture: Capture, portal: Portal, rule: ListingRule, way: Way) -> Rows:
    """Return the rows of a captured listing page; none found is no error here.

    Raises:
        NotExtracted: the page is not what the listing says (bad_listing), has nothing
            that is ``ready`` (shell_page), or cannot be read (truncated, too_large,
            not_decodable, not_a_page).
        ConfigError: a rule cannot be evaluated.
    """
    if capture.dom and way.source in OF_PAGES:
        page = Page.from_steps(capture.dom, capture.main.url)
        check_ready(page, rule.ready)
        steps = [_read(step, rule, way, capture, portal) for step in page.steps]
        return _union(steps)
    limit = portal.crawl.max_parse
    zipped = way.source in ("sitemap", "auto")
    response = _opened(capture.main, limit) if zipped else capture.main
    encoding = way.encoding or rule.encoding or portal.request.encoding
    page = Page.from_response(response, encoding, limit)
    if way.source in OF_PAGES:
        check_ready(page, rule.ready)
    return _read(page, rule, way, capture, portal)


def found_in(node: Node, rule: Rule, page: Page, *, name: str) -> list[Found]:
    """Return what a field's rule finds in a row; one text unless it may have many."""
    if rule is _BUILT_IN.get(name) and isinstance(node, dict) and name not in node:
        return []  # a sitemap has 50,000 rows with hardly a field
    found = texts(rule, node, page)
    return found if name in _MANY else found[:1]


def anchor_of(node: Node) -> HtmlElement | None:
    """Return an HTML row's own link, else its first; None where there is none."""
    if not is_html(node):
        return None
    if node.tag == "a" and node.get("href") is not None:
        return node
    return node.find(".//a[@href]")


def title_of_anchor(anchor: HtmlElement) -> str:
    """Return what a link says: its text, else its title."""
    return visible_text(anchor) or " ".join(str(anchor.get("title") or "").split())


def applies_to(rule: Rule, node: Node) -> bool:
    """Tell whether any expression of the rule can find something in such a node."""
    if is_html(node):
        return any(expression.json_path is None for expression in rule)
    return any(not (expression.css or expression.xpath) for expression in rule)


def _read(
    page: Page, rule: ListingRule, way: Way, capture: Capture, portal: Portal
) -> Rows:
    source = source_of(page) if way.source == "auto" else way.source
    if source in ("feed", "sitemap"):
        return _read_xml(page, replace(way, source=source))
    if source == "auto":
        return _read_auto(page, way, capture, portal)
    path = _path_of(rule, way)
    of_html = way.source in OF_HTML
    start: Node = page.tree if of_html else _document(page, rule, way)
    return Rows(
        page,
        _ORIGINS.get(way.source) or Origin(way.source),
        tuple(elements(path, start)),
        way.fields,
        document=None if is_html(start) else start,
        wanted=" or ".join(method_of(expression, start) for expression in path),
    )


def _read_xml(page: Page, way: Way) -> Rows:
    if way.source == "feed":
        found = Sitemap(tuple(read_feed(page.text)))
    else:
        found = read_sitemap(page.text)
    return Rows(
        page,
        Origin(way.source),
        found.rows,
        {**_BUILT_IN, **way.fields},
        children=found.children,
        wanted=way.source,
    )


def _read_auto(page: Page, way: Way, capture: Capture, portal: Portal) -> Rows:
    at, zone = capture.main.captured_at, ZoneInfo(portal.timezone)
    paging = read_paging(page)
    goes_on = paging.url is not None
    return Rows(
        page,
        Origin.ROWS,
        read_cards(page, at=at, zone=zone, goes_on=goes_on),
        {**_BUILT_IN, **way.fields},
        wanted="auto",
        paging=paging,
    )


def _document(page: Page, rule: ListingRule, way: Way) -> Json:
    """Return the JSON that the page is or holds, where the answer says it is good."""
    if way.source == "state":
        if way.state is None:
            raise ConfigError(f"listing {rule.id!r}: from: state wants state:")
        return read_state(page.text, way.state)
    answer = read_jsonp(page.text) if way.source == "jsonp" else page.json
    if rule.ok is not None and not is_met(rule.ok, answer):
        detail = f"ok {rule.ok!r} is not met on {page.url!r}"
        raise NotExtracted(Reason.BAD_LISTING, detail)
    return answer


def _path_of(rule: ListingRule, way: Way) -> Rule:
    if way.source == "state" and way.state and way.state.rows:
        return (Expression(json_path=way.state.rows),)
    if way.rows:
        return way.rows
    if way.source in ("json", "jsonp"):
        return (
            Expression(
                json_path=way.state.rows if way.state and way.state.rows else "@"
            ),
        )
    raise ConfigError(f"listing {rule.id!r}: from: {way.source} wants rows:")


def _union(steps: list[Rows]) -> Rows:
    """Return the rows of all harvest steps; the last step tells what comes next."""
    nodes = united([rows.nodes for rows in steps], partial(_name, steps[-1]))
    return replace(steps[-1], nodes=tuple(nodes))


def _name(rows: Rows, node: Node) -> str:
    """Return what a row is told by from step to step: its address, else all of it."""
    found = found_in(node, rows.fields.get("url", ()), rows.page, name="url")
    if not found and (anchor := anchor_of(node)) is not None:
        return str(anchor.get("href"))
    if found:
        return found[0].text
    return visible_text(node) if is_html(node) else json.dumps(node, sort_keys=True)


def _opened(response: Response, limit: int) -> Response:
    """Return the response with a gzip file's content for its payload.

    Left as it is where its codings cannot be undone whole: the page says so.
    """
    try:
        decoded = decode_content(response.payload, response.headers, limit)
    except NotDecodable:
        return response
    if response.cut or decoded.cut:
        return response
    headers = tuple(
        (name, value)
        for name, value in response.headers
        if name.lower() != b"content-encoding"
    )
    return replace(response, payload=gunzipped(decoded.body, limit), headers=headers)
