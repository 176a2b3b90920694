"""What a browser is asked to show, by the rule of the page; live and offline alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.browser.chromium import date_script, selectors_of
from crawler.browser.renderer import Order

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config.portal import ItemRule, Portal


def order_of(
    rule: ItemRule,
    portal: Portal,
    url: str,
    clock: Clock,
    *,
    referer: str | None = None,
    cookies: tuple[tuple[str, str], ...] = (),
) -> Order:
    """Return the order for a page that rule reads, at the time that clock tells."""
    return Order(
        url,
        portal.crawl.user_agent,
        timezone=portal.timezone,
        wait_for=selectors_of(rule.wait_for),
        ready=selectors_of(rule.ready),
        referer=referer,
        cookies=cookies,
        script=date_script(clock),
        keep=rule.keep,
    )
