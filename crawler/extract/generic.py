"""Rules for pages of no portal: what reads a page that nobody wrote rules for."""

from __future__ import annotations

from crawler.config.portal import ItemRule, Portal, Scope

ITEM_RULE = ItemRule(match="", required=())
"""Reads any page: everything generic, nothing required."""

LISTING_ID = "page"
GENERIC_ID = "generic"
"""The id of the portal that stands for none."""


def generic_portal(url: str) -> Portal:
    """Return a portal whose one listing begins at url and is read without rules."""
    return Portal.model_validate(
        {
            "id": GENERIC_ID,
            "listings": [{"id": LISTING_ID, "from": "auto", "url": url}],
            "items": [ITEM_RULE],
        }
    )


def boundless_portal(url: str) -> Portal:
    """Return the same with links to any host.

    Which of them are the listing's own is the page's to tell: portals keep articles on
    hosts that a URL alone does not connect.
    """
    rules = generic_portal(url)
    return rules.model_copy(update={"scope": Scope(hosts=("*",))})
