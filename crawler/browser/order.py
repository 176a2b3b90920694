"""What a browser is asked to show, by the rule of the page; live and offline alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.browser.behaviour import plan_of, rows_of, surroundings_of
from crawler.browser.chromium import date_script, selectors_of
from crawler.browser.renderer import Order
from crawler.config.portal import ItemRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.clock import Clock
    from crawler.config.portal import ListingRule, Portal
    from crawler.model import Json


def order_of(
    rule: ItemRule | ListingRule,
    portal: Portal,
    url: str,
    clock: Clock,
    *,
    referer: str | None = None,
    cookies: tuple[tuple[str, str], ...] = (),
    state: Mapping[str, Json] | None = None,
) -> Order:
    """Return the order for a page that rule reads, at the time that clock tells.

    state: what is in the file that ``storage_state`` names.
    """
    return Order(
        url,
        portal.crawl.user_agent,
        plan_of(rule, portal.crawl.max_parse),
        surroundings_of(rule.browser, portal.timezone, state),
        rule.browser.timeout,
        wait_for=selectors_of(rule.wait_for),
        ready=selectors_of(rule.ready) or rows_of(rule),
        referer=referer,
        cookies=cookies,
        script=date_script(clock),
        keep=rule.keep if isinstance(rule, ItemRule) else (),
    )
