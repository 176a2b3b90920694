"""What a page finds around it, as Playwright's browser context takes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Route

    from crawler.browser.renderer import Order


def options_of(order: Order, proxy: str) -> dict[str, Any]:  # Any: Playwright's
    """Return the options of the context that an order's page is shown in."""
    around = order.around
    options: dict[str, Any] = {
        "proxy": {"server": proxy, "bypass": "<-loopback>"},
        "ignore_https_errors": True,
        "accept_downloads": False,
        "user_agent": order.user_agent,
        "timezone_id": around.timezone,
        "viewport": {"width": around.width, "height": around.height},
        "device_scale_factor": around.scale,
        "is_mobile": around.mobile,
        "has_touch": around.mobile,
    }
    if around.locale is not None:
        options["locale"] = around.locale
    if around.state is not None:
        options["storage_state"] = dict(around.state)
    return options


@dataclass(slots=True)
class Refusals:
    """Refuses kinds of what a page asks for, before it is asked for.

    Attributes:
        kinds: what Playwright calls them: ``image``, ``media``, ``font``.
        hosts: how much of them was to come from where.
    """

    kinds: frozenset[str] = frozenset()
    hosts: Counter[str] = field(default_factory=Counter)

    async def stand_in(self, context: BrowserContext) -> None:
        """Look at all that the context's pages ask for, where there is need to."""
        if self.kinds:
            await context.route("**/*", self._decide)

    async def _decide(self, route: Route) -> None:
        if route.request.resource_type not in self.kinds:
            await route.continue_()
            return
        self.hosts[urlsplit(route.request.url).hostname or ""] += 1
        await route.abort("blockedbyclient")
