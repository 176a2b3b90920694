"""A page gone through step by step, the document read at each: clicks and scrolling.

1. A step is over when what it asked for has come, or after SETTLE_S at most.
2. A list may keep only what is on the screen: every step's document is kept, but one
   that is the same as the step's before.
3. It ends with a reason, in time: what was read until then is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.async_api import Error
from playwright.async_api import TimeoutError as Late

from crawler.browser import behaviour
from crawler.browser.behaviour import Click
from crawler.browser.renderer import NotRendered
from crawler.browser.scripts import DISMISS, DOWN, SIZE, size_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Locator, Page, Request

    from crawler.browser.behaviour import Act, Plan

SETTLE_S = 3.0
"""How long what a step asked for may take."""

QUIET_S = 0.1
"""A page that asks for nothing for so long has what it wanted."""

GROWTH_S = 1.0
"""How long a page that asks for nothing may take to show more."""

CLICK_MS = 1_000
_LOOK_S = 0.05


@dataclass
class Harvest:  # no slots: Playwright notes something at who listens
    """What a page shows, step by step.

    Attributes:
        page: it.
        plan: what is done with it.
        documents: counts those it went through; another one ends the walk.
        steps: what was read, UTF-8.
        begun: how many documents it had gone through when it was first read.
        asked: method and URL of what it asked for since.
        has_crashed: whether its renderer ended.
    """

    page: Page
    plan: Plan
    documents: Callable[[], int]
    steps: list[bytes] = field(default_factory=list)
    begun: int = 0
    asked: set[tuple[str, str]] = field(default_factory=set)
    has_crashed: bool = False
    _open: set[Request] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)
    _most: int = 0

    async def run(self, until_s: float) -> str | None:
        """Read the page at each step of its plan; return why the last act ended.

        None where there is no act.

        Raises:
            NotRendered: not even the first document can be read.
            Error: the page or the browser is there no more.
        """
        self.page.on("crash", self._crashed)
        await self._dismiss_quietly()
        self.steps.append(await content_of(self.page))
        self.begun = self.documents()
        if not self.plan.acts:
            return None
        self.page.on("request", self._asked)
        for event in ("requestfinished", "requestfailed"):
            self.page.on(event, self._answered)
        ended = behaviour.TIMEOUT
        try:
            async with asyncio.timeout_at(until_s):
                await self._grows()
                for act in self.plan.acts:
                    ended = behaviour.TIMEOUT  # unless it ends otherwise
                    ended = await self._perform(act)
        except (TimeoutError, Error, NotRendered) as exc:
            ended = self._cut_short(exc, ended)
        return ended

    def _cut_short(self, exc: Exception, ended: str) -> str:
        """Return why the walk ended with exc; ended, where its time was over.

        Raises:
            Exception: exc, where there is no page any more.
        """
        if isinstance(exc, Error) and self._is_over(exc):
            raise exc
        if self.documents() != self.begun or "because of a navigation" in str(exc):
            return behaviour.LEFT
        is_late = not isinstance(exc, Error) or isinstance(exc, Late)
        return ended if is_late else behaviour.PAGE_ERROR

    def _is_over(self, exc: Error) -> bool:
        """Tell whether the page or the browser ended; what a page throws is neither."""
        browser = self.page.context.browser
        return (
            self.has_crashed
            or self.page.is_closed()
            or (browser is not None and not browser.is_connected())
            or type(exc).__name__ == "TargetClosedError"  # of no public name
        )

    def _crashed(self, _: Page) -> None:
        self.has_crashed = True

    async def _perform(self, act: Act) -> str:
        for _ in range(act.max):
            await self._dismiss()
            self._open.clear()
            if isinstance(act, Click):
                ended = await self._click(act)
            else:
                ended = await self._scroll()
            ended = await self._take() or ended
            if ended is not None:
                return ended
        if isinstance(act, Click) and await self._target(act) is None:
            return behaviour.NO_NEXT
        return behaviour.MAX_STEPS

    async def _click(self, act: Click) -> str | None:
        target = await self._target(act)
        if target is None:
            return behaviour.NO_NEXT
        try:
            await target.click(timeout=CLICK_MS)
        except Late:  # something lies over it
            with contextlib.suppress(Late):
                await target.evaluate("each => each.click()", timeout=CLICK_MS)
        await self._settle()
        if await self._grows_soon():
            return None
        gone = await self._target(act) is None
        return behaviour.NO_NEXT if gone else behaviour.NO_GROWTH

    async def _scroll(self) -> str | None:
        moved = await self.page.evaluate(DOWN) is True
        await self._settle()
        if await self._grows() or moved or await self._grows_soon():
            return None
        return behaviour.NO_GROWTH

    async def _target(self, act: Click) -> Locator | None:
        """Return what is to be clicked on: seen, and not switched off."""
        for selector in act.selectors:
            for each in await self.page.locator(selector).all():
                if await each.is_visible() and await each.is_enabled():
                    return each
        return None

    async def _dismiss(self) -> None:
        if self.plan.dismiss:
            await self.page.evaluate(DISMISS, list(self.plan.dismiss))

    async def _dismiss_quietly(self) -> None:
        """Dismiss what covers the page; one that just goes on has none of it."""
        with contextlib.suppress(Error):
            await self._dismiss()

    async def _take(self) -> str | None:
        """Keep what the page shows now; tell why it is not kept, where it is not."""
        if self.documents() != self.begun:
            return behaviour.LEFT
        document = await content_of(self.page)
        if self.documents() != self.begun:  # it may be the other one's
            return behaviour.LEFT
        if document == self.steps[-1]:
            return None
        whole = sum(map(len, self.steps)) + len(document)
        most = self.plan.max_bytes
        if len(document) > most or whole > behaviour.ALL_STEPS * most:
            return behaviour.TOO_LARGE
        self.steps.append(document)
        return None

    async def _settle(self) -> None:
        """Wait for what was asked for since the step began."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SETTLE_S
        quiet_s = loop.time() + QUIET_S
        while loop.time() < min(quiet_s, until_s):
            await asyncio.sleep(_LOOK_S)
            if self._open:
                quiet_s = loop.time() + QUIET_S

    async def _grows_soon(self) -> bool:
        """Tell whether more is there, or comes while we wait."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + GROWTH_S
        while not await self._grows():
            if loop.time() > until_s:
                return False
            await self._settle()
        return True

    async def _grows(self) -> bool:
        """Tell whether there is anything that was not there before."""
        told = await self.page.evaluate(SIZE, list(self.plan.rows))
        rows, elements = size_of(told)
        fresh = rows - self._seen
        self._seen |= fresh
        more = elements > self._most
        self._most = max(self._most, elements)
        return bool(fresh) if self.plan.rows else more

    def _asked(self, request: Request) -> None:
        self._open.add(request)
        self.asked.add((request.method, request.url.partition("#")[0]))

    def _answered(self, request: Request) -> None:
        self._open.discard(request)


async def content_of(page: Page) -> bytes:
    """Return the document; a page that is just going on to another is asked again.

    Raises:
        NotRendered: it goes on and on.
    """
    for _ in range(3):
        try:
            content = await page.content()
            return content.encode("utf-8", "replace")
        except Error as exc:
            if "navigating" not in str(exc):
                raise
            with contextlib.suppress(Late):
                await page.wait_for_load_state("domcontentloaded", timeout=1000)
    raise NotRendered("it goes on from document to document")
