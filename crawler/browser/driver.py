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
from crawler.browser.context import Refusals, cookies_of
from crawler.browser.contexts import Contexts
from crawler.browser.launch import CLOSE_S, Running, said
from crawler.browser.picture import overhear, portray
from crawler.browser.renderer import (
    BrowserGone,
    NotRendered,
    PageCrashed,
    Rendered,
    TooLarge,
    TooLate,
)
from crawler.browser.transfer import Left, to_its_end, unless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Frame, Page, Response

    from crawler.browser.contexts import Place
    from crawler.browser.renderer import Order

QUIET_S = 2.0
"""How long a page that shows what it is to show may go on loading."""

MAX_DOCUMENTS = 20
_TAKEN = 0.8
_PORTRAYED = 0.9
"""Of a page's time: when its document is taken at last, and when its pictures are."""


@dataclass(slots=True)
class Driver:
    """A browser that runs, and what is shown by it."""

    running: Running
    contexts: Contexts

    @classmethod
    async def start(cls, path: str, max_memory: int) -> Self:
        """Start the browser at path; max_memory: of one page, in bytes.

        Raises:
            NotRendered: it does not start.
        """
        running = await Running.start(path, max_memory)
        return cls(running, Contexts(running.browser))

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
        """Return what a page shows in timeout_s; leaving no trace of it comes on top.

        Raises:
            NotRendered: it shows nothing.
            TooLate: its time was over before.
            TooLarge: it took too much memory.
            PageCrashed: its renderer ended before.
            BrowserGone: the browser ended before.
        """
        crashed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refusals = Refusals(frozenset(order.around.block))
        begun_s = asyncio.get_running_loop().time()
        try:
            async with self._page(order, proxy, refusals, timeout_s) as page:
                page.on("crash", partial(_note, crashed))
                visit = _visit(page, order, begun_s, timeout_s)
                rendered = await unless(visit, crashed)
                return replace(rendered, blocked=refusals.hosts)
        except Left as exc:
            raise self._crash("the page crashed") from exc
        except (Late, TimeoutError) as exc:
            raise TooLate(f"no document in {timeout_s:g} s") from exc
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
        self, order: Order, proxy: str, refusals: Refusals, timeout_s: float
    ) -> AsyncIterator[Page]:
        """Give a page in a context of its own, as long as it is shown.

        Raises:
            TimeoutError: it takes longer.
        """
        taking = asyncio.ensure_future(self.contexts.take(order, proxy))
        is_whole = False
        try:
            async with asyncio.timeout(timeout_s):
                yield await _opened(await asyncio.shield(taking), order, refusals)
            is_whole = True
        finally:
            await to_its_end(self._leave(taking, is_whole=is_whole))

    async def _leave(self, taking: asyncio.Task[Place], *, is_whole: bool) -> None:
        """Give a place back; a browser that hangs ends: the next page gets another."""
        await asyncio.wait({taking}, timeout=CLOSE_S)
        given = False
        try:
            if taking.done():
                given = await self._give_back(taking, is_whole=is_whole)
        finally:
            if not given:
                taking.cancel()
                await self.close()

    async def _give_back(self, taken: asyncio.Task[Place], *, is_whole: bool) -> bool:
        if taken.exception() is not None:  # there is nothing to give
            return True
        place = taken.result()
        place.is_spent |= not is_whole
        return await self.contexts.give_back(place)


async def _opened(place: Place, order: Order, refusals: Refusals) -> Page:
    """Return a page that finds what an order wants it to."""
    if cookies := cookies_of(order):
        await place.context.add_cookies(cookies)
    await refusals.stand_in(place.context)
    page = await place.open()
    if order.script is not None:
        await page.add_init_script(order.script)
    if order.told is not None:
        overhear(page, order.told)
    return page


def _note(crashed: asyncio.Future[None], _: Page) -> None:
    if not crashed.done():
        crashed.set_result(None)


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


async def _visit(
    page: Page, order: Order, begun_s: float, timeout_s: float
) -> Rendered:
    seen = _Documents(page.main_frame)
    page.on("response", seen.answered)
    page.on("framenavigated", seen.shown)
    until_s = begun_s + timeout_s * _TAKEN
    await page.goto(
        order.url,
        wait_until="commit",
        timeout=_left_ms(until_s),
        referer=order.referer,
    )
    with contextlib.suppress(Late):
        await _wait(page, order, until_s)
    harvest = Harvest(page, order.plan, lambda: seen.count)
    ended = await harvest.run(until_s)
    if seen.count > MAX_DOCUMENTS:
        raise NotRendered(f"it went through {seen.count} documents")
    portrait = await portray(page, order.keep, begun_s + timeout_s * _PORTRAYED)
    documents = tuple(seen.urls[: harvest.begun])
    return Rendered(
        tuple(harvest.steps),
        documents,
        portrait,
        ended,
        acted=frozenset(harvest.asked),
    )


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
