"""What a page finds around it, as Playwright's browser context takes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright._impl._api_structures import SetCookieParam
    from playwright.async_api import BrowserContext, Route

    from crawler.browser.renderer import Order
    from crawler.model import Json


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
        options["storage_state"] = _renewed(around.state, dict(order.cookies))
    return options


def cookies_of(order: Order) -> list[SetCookieParam]:
    """Return the cookies to set that are not in the order's state."""
    known = {cookie["name"] for cookie in _cookies(order.around.state or {})}
    return [
        {"name": name, "value": value, "url": order.url}
        for name, value in order.cookies
        if name not in known
    ]


def _renewed(
    state: Mapping[str, Json], values: Mapping[str, str]
) -> dict[str, Any]:  # Any: JSON
    """Return a state with the values that its cookies have by now."""
    cookies = [
        {**cookie, "value": values.get(cookie["name"], cookie["value"])}
        for cookie in _cookies(state)
    ]
    return {**state, "cookies": cookies}


def _cookies(state: Mapping[str, Json]) -> list[dict[str, Any]]:  # Any: JSON
    found = state.get("cookies")
    given = found if isinstance(found, list) else []
    return [each for each in given if isinstance(each, dict)]


@dataclass  # no slots: Playwright notes something at who listens
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
