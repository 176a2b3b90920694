"""Chromium started and ended, with its directory and the watch over its memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from playwright.async_api import Error, async_playwright

from crawler.browser.chromium import FLAGS, NOWHERE
from crawler.browser.memory import Watch, heap_flag
from crawler.browser.renderer import NotRendered
from crawler.browser.scratch import Scratch
from crawler.browser.transfer import to_its_end

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from playwright.async_api import Browser, CDPSession, Playwright

START_S = 30.0
CLOSE_S = 10.0
DYING_S = 1.0
"""How long after a page's failure it may show that the browser is gone."""


@dataclass  # no slots: Playwright notes something at who listens
class Running:
    """A browser that runs.

    Attributes:
        scratch: where it keeps its files.
        watch: of its renderers' memory.
        gone: set once it has ended.
    """

    playwright: Playwright
    browser: Browser
    scratch: Scratch
    watch: Watch
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    _watching: asyncio.Task[None] | None = None
    _closing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def start(cls, path: str, max_memory: int) -> Self:
        """Start the browser at path; max_memory: of one page, in bytes.

        Raises:
            NotRendered: it does not start.
        """
        try:
            scratch = await asyncio.to_thread(Scratch.make)
        except OSError as exc:
            raise NotRendered(f"no directory for a browser: {exc}") from exc
        try:
            return await cls._start(path, scratch, max_memory)
        except BaseException:
            await asyncio.to_thread(scratch.remove)
            raise

    @classmethod
    async def _start(cls, path: str, scratch: Scratch, max_memory: int) -> Self:
        starting = asyncio.ensure_future(_started(scratch))
        try:
            playwright = await asyncio.shield(starting)
            browser = await playwright.chromium.launch(
                executable_path=path,
                args=[*FLAGS, heap_flag(max_memory)],
                headless=True,
                proxy={"server": NOWHERE},
                timeout=START_S * 1000,
                handle_sigint=False,  # Ctrl-C is ours: visits under way may end
                handle_sigterm=False,
                handle_sighup=False,
            )
            running = cls(playwright, browser, scratch, Watch(max_memory))
            await running._follow()
        except BaseException as exc:
            await to_its_end(_stopped(starting))
            if isinstance(exc, Error):
                raise NotRendered(f"{path} does not start: {said(exc)}") from exc
            raise
        return running

    async def _follow(self) -> None:
        """Hear of the browser's end, and watch its renderers up to it."""
        self.browser.on("disconnected", self._ended)
        session = await self.browser.new_browser_cdp_session()
        watching = asyncio.ensure_future(self.watch.run(partial(_renderers, session)))
        watching.add_done_callback(_seen)
        self._watching = watching

    def _ended(self, _: Browser) -> None:
        self.gone.set()

    @property
    def is_gone(self) -> bool:
        """Tell whether the browser has ended."""
        return not self.browser.is_connected()

    async def is_dying(self) -> bool:
        """Tell whether the browser has ended, or does so while we look."""
        if not self.is_gone:
            await bounded(self.gone.wait(), DYING_S)
        return self.is_gone

    async def close(self) -> None:
        """End it; return once it has ended, whoever asked for that first."""
        async with self._closing:
            if self._watching is None:
                return
            self._watching.cancel()
            self._watching = None
            await bounded(self.browser.close())
            await bounded(self.playwright.stop())
            await asyncio.to_thread(self.scratch.remove)


async def _started(scratch: Scratch) -> Playwright:
    """Start the driver.

    Raises:
        NotRendered: it does not start.
    """
    try:
        with scratch.as_temporary():
            return await async_playwright().start()
    except Exception as exc:
        raise NotRendered(f"the browser's driver does not start: {exc}") from exc


async def _stopped(starting: asyncio.Task[Playwright]) -> None:
    """End the driver, and its browser with it, once it has started."""
    await asyncio.wait({starting}, timeout=START_S)
    if not starting.done():
        starting.cancel()
    elif starting.exception() is None:
        await bounded(starting.result().stop())


async def _renderers(session: CDPSession) -> list[int]:
    """Return the browser's processes that run pages."""
    answer = await session.send("SystemInfo.getProcessInfo")
    processes = answer["processInfo"]
    return [int(each["id"]) for each in processes if each["type"] == "renderer"]


def _seen(watching: asyncio.Task[None]) -> None:
    """Take note of how a watch ended: by us, or with its browser."""
    if not watching.cancelled():
        watching.exception()


async def bounded(
    closing: Awaitable[Any], timeout_s: float = CLOSE_S
) -> bool:  # Any: it is not looked at
    """Wait for something to close, not for long; tell whether it did."""
    try:
        async with asyncio.timeout(timeout_s):
            await closing
    except (TimeoutError, Error):
        return False
    return True


def said(error: Error) -> str:
    """Return what an error says, on one line."""
    return error.message.strip().partition("\n")[0][:200]
