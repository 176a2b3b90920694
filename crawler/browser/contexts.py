"""Browser contexts that are as good as new, without the cost of new ones.

A new context takes Chromium two processes and more time than most pages do.  So a page
that comes through the same proxy port as one before it, and finds the same around it,
is shown in the same context, of which nothing is left but a place:

1. Pages are closed; cookies, cache and whatever any origin stored are cleared.  What
   cannot be cleared for sure ends with its context: a service worker, a popup, a stored
   state, a page that failed.
2. A page is opened while the one before it is shown: making its process takes as long
   as a small page does.  It stays empty, and knows nothing of that one, as two tabs.
3. Between two pages nobody listens at its port: what a page left under way comes to
   nobody's exchanges.
"""

from __future__ import annotations

import asyncio
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
        pages: how many were shown.
        is_spent: whether something is left that is not cleared.
    """

    key: Key
    context: BrowserContext
    pages: int = 0
    is_spent: bool = False
    _empty: Page | None = None
    _making: asyncio.Task[CDPSession] | None = None

    async def open(self) -> Page:
        """Return an empty page; popups are closed from now on."""
        page, self._empty = self._empty, None
        if page is None:
            page = await self._new_page()
            self.context.on("page", self._appeared)
        self.pages += 1
        if self.key is not None and self.pages < MAX_PAGES:
            self._making = asyncio.ensure_future(self._make(page))
        return page

    async def _make(self, shown: Page) -> CDPSession:
        """Open the page to show next, behind the one shown; return a session to it."""
        self._empty = await self._new_page()
        await shown.bring_to_front()  # one behind another is not asked for permissions
        return await self.context.new_cdp_session(self._empty)

    async def _new_page(self) -> Page:
        page = await self.context.new_page()
        page.on("crash", self._crashed)
        return page

    def _crashed(self, _: Page) -> None:
        self.is_spent = True

    async def _appeared(self, page: Page) -> None:
        """Close a page that the page opened."""
        if self._making is not None:
            await asyncio.wait({self._making})
        if page is self._empty:
            return
        self.is_spent = True
        with contextlib.suppress(Error):
            await page.close()

    @property
    def may_rest(self) -> bool:
        """Tell whether it can be made as good as new."""
        return not (self.is_spent or self.context.service_workers)

    @property
    def has_rested(self) -> bool:
        """Tell whether it still is as good as new."""
        empty = self._empty
        return empty is not None and not (self.is_spent or empty.is_closed())

    async def clear(self) -> None:
        """Leave nothing of the page that was shown."""
        if self._making is None:  # there is no next page to clear it through
            self.is_spent = True
            return
        session, self._making = await self._making, None
        for page in self.context.pages:
            if page is not self._empty:
                await page.close()
        await self.context.unroute_all()
        await asyncio.gather(
            session.send("Network.clearBrowserCache"),
            session.send("Network.clearBrowserCookies"),
            session.send("Storage.clearDataForOrigin", _EVERYTHING),
        )

    async def close(self) -> None:
        """End the context."""
        try:
            await self.context.close()
        finally:
            if self._making is not None:
                self._making.cancel()
                await asyncio.gather(self._making, return_exceptions=True)


@dataclass(slots=True)
class Contexts:
    """The contexts of one browser."""

    browser: Browser
    _resting: OrderedDict[Key, Place] = field(default_factory=OrderedDict)

    async def take(self, order: Order, proxy: str) -> Place:
        """Return a context for an order's page, at rest or new."""
        key = _key(order, proxy)
        place = self._resting.pop(key, None) if key is not None else None
        if place is not None and place.has_rested:
            return place
        if place is not None:
            await bounded(place.close())
        context = await self.browser.new_context(**options_of(order, proxy))
        return Place(key, context)

    async def give_back(self, place: Place) -> bool:
        """Clear or close a context; tell whether that was done, in time."""
        if place.may_rest and await bounded(place.clear()) and not place.is_spent:
            self._resting[place.key] = place
            if len(self._resting) <= MAX_RESTING:
                return True
            _, place = self._resting.popitem(last=False)
        return await bounded(place.close())


def _key(order: Order, proxy: str) -> Key:
    """Return what two pages have in common that may be shown in the same context."""
    if order.around.state is not None:
        return None
    return (proxy, order.user_agent, order.around)
