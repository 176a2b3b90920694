"""Which pages a browser is to show: by rule, and by what the plain response gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from crawler.config.listing import OF_PAGES
from crawler.config.portal import ItemRule, ListingRule
from crawler.errors import NotExtracted
from crawler.extract.paging import is_further
from crawler.extract.rows import way_of
from crawler.extract.rules import rule_of
from crawler.item import Item, Listing
from crawler.model import Kind, Reason

if TYPE_CHECKING:
    from crawler.config.portal import Portal
    from crawler.model import Capture

ShownRule: TypeAlias = ItemRule | ListingRule

_OK = range(200, 300)
_OF_A_SHELL = (Reason.SHELL_PAGE, Reason.BAD_LISTING)


def rule_to_show(capture: Capture, portal: Portal) -> ShownRule | None:
    """Return the rule of a page that a browser could show, None of any other.

    That is a page that was got, by GET, and is not read as a file, a feed or JSON.
    """
    if capture.main.status not in _OK or capture.link.method != "GET":
        return None
    if capture.link.kind is Kind.ITEM:
        return _item_rule(capture, portal)
    found = (each for each in portal.listings if each.id == capture.link.listing)
    rule = next(found, None)
    if rule is None or way_of(rule, further=is_further(capture)).source not in OF_PAGES:
        return None
    return rule


def _item_rule(capture: Capture, portal: Portal) -> ItemRule | None:
    try:
        rule = rule_of(capture, portal).rule
    except NotExtracted:
        return None
    return rule if rule.kind == "article" else None


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
