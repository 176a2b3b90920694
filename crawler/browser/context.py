"""What a page finds around it, as Playwright's browser context takes it.

1. A cookie of the order goes to its host alone: into a cookie of the state only where
   that one would be sent to the order's URL, too.
2. All paths of the host get it: what a page asks for is often beside its directory.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from playwright._impl._api_structures import SetCookieParam
    from playwright.async_api import BrowserContext, Route

    from crawler.browser.renderer import Order
    from crawler.model import Json

_SECURE = ("__host-", "__secure-")


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
        known, _ = _parted(order)
        options["storage_state"] = {**around.state, "cookies": known}
    return options


def cookies_of(order: Order) -> list[SetCookieParam]:
    """Return the cookies to set that are not in the order's state."""
    known, rest = _parted(order)
    parts = urlsplit(order.url)
    host = _host_of(parts)
    here = (host, "/")
    taken = {x["name"] for x in known if (x["domain"].lower(), x["path"]) == here}
    fresh: dict[str, SetCookieParam] = {}
    for name, value in rest:
        secure = parts.scheme == "https"
        if name in taken or (name.lower().startswith(_SECURE) and not secure):
            continue  # there is no place for it, or no browser takes it
        cookie: SetCookieParam = {
            "name": name,
            "value": value,
            "domain": host,
            "path": "/",
            "secure": secure,
        }
        fresh.setdefault(name, cookie)  # that of the longest path comes first
    return list(fresh.values())


def _parted(
    order: Order,
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:  # Any: JSON
    """Return the state's cookies with the values of now, and what is not of them."""
    known = [dict(each) for each in _cookies(order.around.state or {})]
    parts = urlsplit(order.url)
    sent = [each for each in known if _is_sent(each, parts)]
    sent.sort(key=lambda each: -len(each["path"]))
    rest, renewed = list(order.cookies), []
    for cookie in sent:
        if (pair := (cookie["name"], cookie["value"])) in rest:
            rest.remove(pair)  # it is as it was
        else:
            renewed.append(cookie)
    for cookie in renewed:
        fresh = next((pair for pair in rest if pair[0] == cookie["name"]), None)
        if fresh is not None:
            rest.remove(fresh)
            cookie["value"] = fresh[1]
    return known, rest


def _is_sent(cookie: Mapping[str, Any], parts: SplitResult) -> bool:  # Any: JSON
    """Tell whether a browser sends a cookie to a URL.  Source: RFC 6265, 5.4."""
    host, domain = _host_of(parts), cookie["domain"].lower()
    at, path = parts.path or "/", cookie["path"]
    is_below = at == path or at.startswith(path.rstrip("/") + "/")
    is_of_host = host == domain or (
        domain.startswith(".")
        and (host == domain[1:] or (host.endswith(domain) and not _is_address(host)))
    )
    is_let = parts.scheme == "https" or not cookie.get("secure")
    return is_below and is_of_host and is_let


def _host_of(parts: SplitResult) -> str:
    """Return the host of a URL as a cookie's domain has it."""
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _is_address(host: str) -> bool:
    """Tell whether a host is an IP address, of which there are no subdomains."""
    return host.startswith("[") or host.rpartition(".")[2].isdigit()


def _cookies(state: Mapping[str, Json]) -> list[dict[str, Any]]:  # Any: JSON
    """Return the cookies of a state that are not expired."""
    found = state.get("cookies")
    given = found if isinstance(found, list) else []
    cookies: list[dict[str, Any]] = [each for each in given if isinstance(each, dict)]
    now_s = time.time()
    return [each for each in cookies if not 0 < each.get("expires", -1) < now_s]


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
