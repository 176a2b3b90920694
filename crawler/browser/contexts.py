"""Browser contexts that are as good as new, without the cost of new ones.

A new context takes Chromium two processes and more time than most pages do.  So a page
that comes through the same proxy port as one before it, and finds the same around it,
is shown in the same context, of which nothing is left but a place:

1. Pages are closed; cookies, cache and whatever any origin stored are cleared.  What
   cannot be cleared for sure ends with its context: a service worker, a popup, a stored
   state, a page that failed.
2. An empty page stays open in a context at rest, or its processes would end.
3. Between two pages nobody listens at its port: what a page left under way comes to
   nobody's exchanges.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from playwright.async_api import Error

from crawler.browser.context import options_of
from crawler.browser.launch import bounded

if TYPE_CHECKING:
    from collections.abc import Hashable

    from playwright.async_api import Browser, BrowserContext, CDPSession, Page

    from crawler.browser.renderer import Order

    Key: TypeAlias = Hashable | None

MAX_PAGES = 50
"""Shown in one context: what it leaks, if it does, is gone then."""

MAX_RESTING = 16
_EVERYTHING = {"origin": "*", "storageTypes": "all"}


@dataclass  # no slots: Playwright notes something at who listens
class Place:
    """A context, for one page at a time.

    Attributes:
        key: which pages may come next; None, none may.
        empty: the page that stays open; session: one to it.
        pages: how many were shown.
        is_spent: whether something is left that is not cleared.
    """

    key: Key
    context: BrowserContext
    empty: Page
    session: CDPSession
    pages: int = 0
    is_spent: bool = False
    _page: Page | None = None

    async def open(self) -> Page:
        """Return a new page; popups are closed from now on."""
        self._page = await self.context.new_page()
        self.pages += 1
        return self._page

    async def appeared(self, page: Page) -> None:
        """Close a page that the page opened."""
        if self._page is None:
            return
        self.is_spent = True
        with contextlib.suppress(Error):
            await page.close()

    @property
    def may_rest(self) -> bool:
        """Tell whether it can be made as good as new."""
        left = self.is_spent or self.context.service_workers
        return self.key is not None and self.pages < MAX_PAGES and not left

    async def clear(self) -> None:
        """Leave nothing of the page that was shown."""
        for page in self.context.pages:
            if page is not self.empty:
                await page.close()
        self._page = None
        await self.context.unroute_all()
        await self.session.send("Network.clearBrowserCache")
        await self.session.send("Network.clearBrowserCookies")
        await self.session.send("Storage.clearDataForOrigin", _EVERYTHING)


@dataclass(slots=True)
class Contexts:
    """The contexts of one browser."""

    browser: Browser
    _resting: OrderedDict[Key, Place] = field(default_factory=OrderedDict)

    async def take(self, order: Order, proxy: str) -> Place:
        """Return a context for an order's page, at rest or new."""
        key = _key(order, proxy)
        place = self._resting.pop(key, None) if key is not None else None
        if place is not None and not place.empty.is_closed():
            return place
        context = await self.browser.new_context(**options_of(order, proxy))
        try:
            empty = await context.new_page()
            session = await context.new_cdp_session(empty)
            place = Place(key, context, empty, session)
            context.on("page", place.appeared)
            return place
        except BaseException:
            await bounded(context.close())
            raise

    async def give_back(self, place: Place) -> bool:
        """Clear or close a context; tell whether that was done, in time."""
        if place.may_rest and await bounded(place.clear()) and not place.is_spent:
            self._resting[place.key] = place
            if len(self._resting) <= MAX_RESTING:
                return True
            _, place = self._resting.popitem(last=False)
        return await bounded(place.context.close())


def _key(order: Order, proxy: str) -> Key:
    """Return what two pages have in common that may be shown in the same context."""
    if order.around.state is not None:
        return None
    return (proxy, order.user_agent, order.around)
