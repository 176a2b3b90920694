"""A page shown by Chromium, driven by Playwright."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from playwright.async_api import Error
from playwright.async_api import TimeoutError as Late

from crawler.browser.acting import Harvest
from crawler.browser.context import Refusals, options_of
from crawler.browser.launch import Running, bounded, said
from crawler.browser.picture import overhear, portray
from crawler.browser.renderer import (
    BrowserGone,
    NotRendered,
    PageCrashed,
    Rendered,
    TooLarge,
)
from crawler.browser.transfer import Left, unless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Frame, Page, Response

    from crawler.browser.renderer import Order

QUIET_S = 2.0
"""How long a page that shows what it is to show may go on loading."""

MAX_DOCUMENTS = 20
_TAKEN = 0.8
_FOR_PICTURES = 0.125
"""Of a page's time before its document is taken: so much later pictures have to be."""


@dataclass(slots=True)
class Driver:
    """A browser that runs, and what is shown by it."""

    running: Running

    @classmethod
    async def start(cls, path: str, max_memory: int) -> Self:
        """Start the browser at path; max_memory: of one page, in bytes.

        Raises:
            NotRendered: it does not start.
        """
        return cls(await Running.start(path, max_memory))

    @property
    def version(self) -> str:
        """The browser's."""
        return self.running.browser.version

    @property
    def is_gone(self) -> bool:
        """Tell whether the browser has ended."""
        return self.running.is_gone

    async def close(self) -> None:
        """End it."""
        await self.running.close()

    async def show(self, order: Order, proxy: str, timeout_s: float) -> Rendered:
        """Return what a page shows; the caller sees to it that it ends in timeout_s.

        Raises:
            NotRendered: it shows nothing.
            TooLarge: it took too much memory.
            PageCrashed: its renderer ended before.
            BrowserGone: the browser ended before.
        """
        crashed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refusals = Refusals(frozenset(order.around.block))
        try:
            async with self._page(order, proxy, refusals) as page:
                page.on("crash", partial(_note, crashed))
                visit = _visit(page, order, timeout_s * _TAKEN)
                rendered = await unless(visit, crashed)
                return replace(rendered, blocked=refusals.hosts)
        except Left as exc:
            raise self._crash("the page crashed") from exc
        except Error as exc:
            if "closed" in exc.message and await self.running.is_dying():
                raise BrowserGone(said(exc)) from exc
            if crashed.done() or "crashed" in exc.message:
                raise self._crash(said(exc)) from exc
            raise NotRendered(said(exc)) from exc

    def _crash(self, why: str) -> NotRendered:
        watch = self.running.watch
        if watch.has_just_killed:
            return TooLarge(f"it took more than {watch.max_bytes} bytes of memory")
        return PageCrashed(why)

    @contextlib.asynccontextmanager
    async def _page(
        self, order: Order, proxy: str, refusals: Refusals
    ) -> AsyncIterator[Page]:
        """Give a page in a context of its own."""
        context = await self.running.browser.new_context(**options_of(order, proxy))
        try:
            if order.script is not None:
                await context.add_init_script(order.script)
            await context.add_cookies(
                [
                    {"name": name, "value": value, "url": order.url}
                    for name, value in order.cookies
                ]
            )
            await refusals.stand_in(context)
            page = await context.new_page()
            context.on("page", _close)
            if order.told is not None:
                overhear(page, order.told)
            yield page
        finally:
            if not await bounded(context.close()):
                await self.close()  # it hangs: the next page gets another


def _note(crashed: asyncio.Future[None], _: Page) -> None:
    if not crashed.done():
        crashed.set_result(None)


async def _close(popup: Page) -> None:
    with contextlib.suppress(Error):
        await popup.close()


@dataclass
class _Documents:  # no slots: Playwright notes something at who listens
    """The documents a page goes through.

    Attributes:
        urls: of those that were answered.
        count: how many of them were shown; a download is not.
    """

    frame: Frame
    urls: list[str] = field(default_factory=list)
    count: int = 0

    def answered(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == self.frame:
            self.urls.append(response.url)

    def shown(self, frame: Frame) -> None:
        if frame == self.frame:
            self.count = len(self.urls)


async def _visit(page: Page, order: Order, patience_s: float) -> Rendered:
    seen = _Documents(page.main_frame)
    page.on("response", seen.answered)
    page.on("framenavigated", seen.shown)
    until_s = asyncio.get_running_loop().time() + patience_s
    await page.goto(
        order.url, wait_until="commit", timeout=patience_s * 1000, referer=order.referer
    )
    with contextlib.suppress(Late):
        await _wait(page, order, until_s)
    harvest = Harvest(page, order.plan, lambda: seen.count)
    ended = await harvest.run(until_s)
    if seen.count > MAX_DOCUMENTS:
        raise NotRendered(f"it went through {seen.count} documents")
    portrait = await portray(page, order.keep, until_s + patience_s * _FOR_PICTURES)
    documents = tuple(seen.urls[: harvest.begun])
    return Rendered(tuple(harvest.steps), documents, portrait, ended)


async def _wait(page: Page, order: Order, until_s: float) -> None:
    """Wait for what the page is to show.

    Raises:
        Late: it does not show it in time.
    """
    await page.wait_for_load_state("domcontentloaded", timeout=_left_ms(until_s))
    selectors = order.wait_for or order.ready
    if selectors:
        await _first_of(page, selectors, until_s)
    if order.wait_for:
        return
    soon_s = until_s
    if selectors:
        soon_s = min(until_s, asyncio.get_running_loop().time() + QUIET_S)
    await page.wait_for_load_state("networkidle", timeout=_left_ms(soon_s))


async def _first_of(page: Page, selectors: tuple[str, ...], until_s: float) -> None:
    locator = page.locator(selectors[0])
    for selector in selectors[1:]:
        locator = locator.or_(page.locator(selector))
    await locator.first.wait_for(state="attached", timeout=_left_ms(until_s))


def _left_ms(until_s: float) -> float:
    """Return the time left; never 0, which would be no limit."""
    return max(1.0, (until_s - asyncio.get_running_loop().time()) * 1000)
