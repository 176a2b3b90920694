"""What is wrong with a listing rule beyond its types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config import syntax
from crawler.config.check_browser import check_shown_listing
from crawler.config.check_rule import HTML, JSON, faults, rule_faults
from crawler.config.check_walk import check_walk
from crawler.config.listing import (
    FLASH_FIELDS,
    LISTING_FIELDS,
    OF_HTML,
    Continuation,
)
from crawler.config.problem import did_you_mean
from crawler.config.rule import Expression
from crawler.config.signing import signer_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.config.check import Finding
    from crawler.config.listing import ListingRule
    from crawler.config.problem import Path
    from crawler.config.rule import Rule

_KNOWS_ITS_ROWS = ("feed", "sitemap", "auto")


def check_listing(listing: ListingRule) -> Iterator[Finding]:
    """Yield what is wrong with a listing rule."""
    yield from faults(("url",), syntax.url_fault, listing.url)
    yield from faults(("ok",), syntax.jmespath_fault, listing.ok)
    for name in ("ready", "wait_for"):
        yield from rule_faults((name,), getattr(listing, name))
    yield from faults(("encoding",), syntax.encoding_fault, listing.encoding)
    yield from _bodies(listing)
    yield from _rows(listing)
    yield from _continuation_rows(listing)
    yield from _layout_rows(listing)
    yield from _fields(listing)
    yield from _skips(listing)
    yield from check_walk(listing)
    yield from faults(("sign",), signer_fault, listing.sign)
    yield from check_shown_listing(listing)


def _bodies(listing: ListingRule) -> Iterator[Finding]:
    what = "'body': is sent only with 'method: POST'; add it"
    if listing.body is not None and listing.method != "POST":
        yield ("body",), what
    later = listing.continue_ or Continuation()
    if later.body is not None and (later.method or listing.method) != "POST":
        yield ("continue", "body"), what


def _kind(source: str) -> str:
    return HTML if source in OF_HTML else JSON


def _kinds(listing: ListingRule) -> frozenset[str]:
    """Return what the rows of all pages of the walk are."""
    further = (listing.continue_, *listing.layouts)
    later = (each.from_ or listing.from_ for each in further if each)
    return frozenset({_kind(listing.from_), *map(_kind, later)})


def _rows(listing: ListingRule) -> Iterator[Finding]:
    yield from rule_faults(("rows",), listing.rows, _kinds(listing))
    if listing.state is not None:
        yield from faults(("state", "rows"), syntax.jmespath_fault, listing.state.rows)
    if listing.from_ == "state":
        if listing.state is None:
            yield (), "'from: state' needs 'state: {name: …, rows: …}'; add it"
        elif not listing.rows and listing.state.rows is None:
            yield ("state",), "'state' needs 'rows', the path to the list; add it"
    elif not listing.rows and listing.from_ not in _KNOWS_ITS_ROWS:
        yield (), f"'from: {listing.from_}' needs 'rows', where the rows are; add it"


def _continuation_rows(listing: ListingRule) -> Iterator[Finding]:
    later = listing.continue_
    if later is None:
        return
    source = later.from_ or listing.from_
    yield from faults(("continue", "url"), syntax.url_fault, later.url)
    yield from rule_faults(("continue", "rows"), later.rows, frozenset({_kind(source)}))
    if later.state is not None:
        path = later.state.rows
        yield from faults(("continue", "state", "rows"), syntax.jmespath_fault, path)
    own = later.rows or (later.state and later.state.rows)
    inherited = source == listing.from_  # then the first page's rule serves too
    if not own and not inherited and source not in _KNOWS_ITS_ROWS:
        what = f"'continue' with 'from: {source}' needs 'rows' of its own; add it"
        yield ("continue",), what


def _layout_rows(listing: ListingRule) -> Iterator[Finding]:
    for at, layout in enumerate(listing.layouts):
        path: Path = ("layouts", at)
        source = layout.from_ or listing.from_
        kinds = frozenset({_kind(source)})
        yield from faults((*path, "url"), syntax.url_fault, layout.url)
        yield from faults((*path, "until"), syntax.day_fault, layout.until)
        yield from faults((*path, "encoding"), syntax.encoding_fault, layout.encoding)
        yield from rule_faults((*path, "rows"), layout.rows, kinds)
        yield from _named((*path, "fields"), layout.fields, listing, kinds)
        own = layout.rows or (layout.state and layout.state.rows)
        if not own and _kind(source) != _kind(listing.from_):
            what = f"a layout with 'from: {source}' needs 'rows' of its own; add it"
            yield path, what


def _fields(listing: ListingRule) -> Iterator[Finding]:
    yield from _named(("fields",), listing.fields, listing, _kinds(listing))
    if (later := listing.continue_) is not None:
        kinds = frozenset({_kind(later.from_ or listing.from_)})
        yield from _named(("continue", "fields"), later.fields, listing, kinds)
    data = listing.from_ in ("json", "jsonp", "state")
    if data and listing.kind == "article" and "url" not in listing.fields:
        yield (), f"'from: {listing.from_}' needs 'fields: {{url: …}}'; add it"


def _named(
    path: Path, fields: Mapping[str, Rule], listing: ListingRule, kinds: frozenset[str]
) -> Iterator[Finding]:
    """Check a mapping of field names to rules that stands at path."""
    known = FLASH_FIELDS if listing.kind == "flash" else LISTING_FIELDS
    for name, rule in fields.items():
        if name not in known:
            near = did_you_mean(name, known)
            hint = near or f"; known here: {', '.join(known)}"
            yield (*path, name, "[key]"), f"unknown field {name!r}{hint}"
        yield from rule_faults((*path, name), rule, kinds)


def _skips(listing: ListingRule) -> Iterator[Finding]:
    for at, skip in enumerate(listing.skip):
        rule = (Expression.model_validate(skip.when),)
        yield from rule_faults(("skip", at, "when"), rule, _kinds(listing))
