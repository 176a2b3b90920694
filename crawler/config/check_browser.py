"""What is wrong with how a browser is to show a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.config import syntax
from crawler.config.check_rule import faults, rule_faults
from crawler.config.listing import OF_PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.browsing import BrowserRule, ClickRule
    from crawler.config.check import Finding
    from crawler.config.itempage import ItemRule
    from crawler.config.listing import ListingRule
    from crawler.config.problem import Path

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ON_ELEMENTS = "is clicked on; give css or xpath alone"


def check_browser(rule: BrowserRule, render: str) -> Iterator[Finding]:
    """Yield what is wrong with the ``browser`` of an item or a listing rule."""
    if render == "never" and rule.model_fields_set:
        what = "'browser': needs 'render: auto' or 'render: always'; add it"
        yield ("browser",), what
    for at, css in enumerate(rule.dismiss):
        yield from faults(("browser", "dismiss", at), syntax.css_fault, css)
    for at, url in enumerate(rule.block_urls):
        yield from faults(("browser", "block_urls", at), syntax.regex_fault, url)
    yield from faults(("browser", "timezone"), syntax.timezone_fault, rule.timezone)
    if rule.locale is not None and not _LOCALE.fullmatch(rule.locale):
        what = f"'locale': {rule.locale!r} is no language; write it like zh-CN"
        yield ("browser", "locale"), what
    if rule.click is not None:
        yield from click_faults(("browser", "click"), rule.click)


def click_faults(path: Path, click: ClickRule) -> Iterator[Finding]:
    """Yield what is wrong with a rule for what is clicked on."""
    yield from rule_faults((*path, "selector"), click.selector)
    for at, expression in enumerate(click.selector):
        css = expression.css or expression.path
        steps = (expression.attr, expression.re, expression.split)
        if any(steps) or not (css or expression.xpath):
            yield (*path, "selector", at), f"'{path[-1]}': {_ON_ELEMENTS}"


def check_shown_item(item: ItemRule) -> Iterator[Finding]:
    """Yield what is wrong with how an item page is shown."""
    yield from check_browser(item.browser, item.render)


def check_shown_listing(listing: ListingRule) -> Iterator[Finding]:
    """Yield what is wrong with how a listing page is shown."""
    yield from check_browser(listing.browser, listing.render)
    if listing.render != "never":
        yield from _can_be_shown(listing)
    if listing.next is not None and listing.next.is_on_page:
        yield from _on_page(listing)


def _can_be_shown(listing: ListingRule) -> Iterator[Finding]:
    if listing.from_ not in OF_PAGES:
        what = f"'render': of a page, not of 'from: {listing.from_}'; drop it"
        yield ("render",), what
    if listing.method == "POST":
        yield ("render",), "'render': a browser asks by GET, not by POST; drop it"


def _on_page(listing: ListingRule) -> Iterator[Finding]:
    rule = listing.next
    if rule is None:
        return
    name = "click" if rule.click is not None else "scroll"
    at: Path = ("next", name)
    if rule.click is not None:
        yield from click_faults(at, rule.click)
    if listing.render != "always":
        yield at, f"'next: {name}' needs 'render: always'; add it"
    if listing.from_ not in ("rows", "auto"):
        yield at, f"'next: {name}' needs 'from: rows' or 'from: auto'"
    if listing.continue_ is not None:
        yield ("continue",), f"'continue': no page follows 'next: {name}'; drop it"
