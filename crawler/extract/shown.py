"""Which pages a browser is to show: by rule, and by what the plain response gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from crawler import http
from crawler.config.listing import OF_PAGES
from crawler.config.portal import ItemRule, ListingRule
from crawler.errors import NotExtracted
from crawler.extract.document.rules import own_url, rule_for, rule_of
from crawler.extract.listings.paging import follows
from crawler.extract.listings.rows import way_of
from crawler.item import Item, Listing
from crawler.model import Kind, Reason

if TYPE_CHECKING:
    from datetime import date

    from crawler.config.portal import Portal
    from crawler.model import Capture, Headers, Link

ShownRule: TypeAlias = ItemRule | ListingRule

_OK = frozenset(range(200, 300)) - {204, 205}
_SHOWN = ("text/", "application/xhtml", "application/xml", "application/json")
_OF_A_SHELL = (Reason.SHELL_PAGE, Reason.BAD_LISTING)


def is_document(status: int, headers: Headers) -> bool:
    """Tell whether a browser shows an answer: a page that was got, and no download."""
    if status not in _OK:
        return False
    disposition = http.header(headers, b"content-disposition") or b""
    if disposition.strip().lower().startswith(b"attachment"):
        return False
    said = http.header(headers, b"content-type") or b"text/html"
    return said.strip().lower().decode("latin-1").startswith(_SHOWN)


def rule_to_ask_by(
    link: Link, portal: Portal, url: str, on: date, *, page: int
) -> ShownRule | None:
    """Return the rule by which a browser alone asks for a page, None of any other.

    A request that is more than its URL can only be made plainly.

    Args:
        link: that is visited.
        portal: whose rules hold.
        url: of the page, which redirects may have led to.
        on: the day, in the portal's zone.
        page: of the walk.
    """
    more = {name.lower() for name, _ in link.headers} - {"cookie", "referer"}
    if link.method != "GET" or more:
        return None
    if link.kind is Kind.ITEM:
        found = (rule_for(portal, own_url(portal, x), on) for x in (url, link.url))
        rule: ShownRule | None = _article(
            next((x.rule for x in found if x is not None), None)
        )
    else:
        rule = _listing_rule(link, portal, page)
    return rule if rule is not None and rule.render == "always" else None


def rule_to_show(capture: Capture, portal: Portal) -> ShownRule | None:
    """Return the rule of a page that a browser could show, None of any other.

    That is a page that was got, by GET, and is not read as a file, a feed or JSON.
    """
    main, link = capture.main, capture.link
    if not is_document(main.status, main.headers) or link.method != "GET":
        return None
    if link.kind is not Kind.ITEM:
        return _listing_rule(link, portal, capture.page)
    try:
        return _article(rule_of(capture, portal).rule)
    except NotExtracted:
        return None


def _article(rule: ItemRule | None) -> ItemRule | None:
    return rule if rule is not None and rule.kind == "article" else None


def _listing_rule(link: Link, portal: Portal, page: int) -> ListingRule | None:
    rule = next((each for each in portal.listings if each.id == link.listing), None)
    if rule is None:
        return None
    if way_of(rule, further=follows(link, page)).source not in OF_PAGES:
        return None
    return rule


def calls_for_browser(found: Item | Listing | NotExtracted) -> bool:
    """Tell whether what a plain response gave says that scripts are to make the rest.

    That is a shell, and a listing page without any row.
    """
    if isinstance(found, Listing):
        return found.rows == 0
    return isinstance(found, NotExtracted) and found.reason in _OF_A_SHELL


def lacks_dom(
    capture: Capture, portal: Portal, found: NotExtracted | None = None
) -> bool:
    """Tell whether the rules would have a page shown of which nothing shown is stored.

    found: why the plain response gives nothing, where that is known.
    """
    if capture.dom:
        return False
    rule = rule_to_show(capture, portal)
    if rule is None or rule.render == "never":
        return False
    return rule.render == "always" or (found is not None and calls_for_browser(found))
