"""Pages shown by one Chromium a process: a context as new, a time limit, for each.

1. The browser starts with the first page, or beside what comes before it (`warm`), and
   is started anew after a crash.
2. A page waits for its turn, then has ``timeout_s`` in all: for the document, for what
   it is to show, for being read.  What it shows when four fifths are over is taken.
   It is tried once more where it crashed, and where the browser did.
3. Dialogs are dismissed, popups closed, downloads refused; nothing is kept from page
   to page.
4. The browser hangs on a pipe from its driver, and the driver on one from us: both
   end with this process, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.browser.behaviour import NOTHING, USUAL
from crawler.browser.chromium import find_chromium
from crawler.errors import ConfigError, PortalkeepError
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.browser.behaviour import Plan, Surroundings
    from crawler.browser.driver import Driver

MAX_MEMORY = 1_000_000_000
TRIES = 2
log = get_log(__name__)


class NotRendered(PortalkeepError):
    """The browser gave no document; the page has no item, the run goes on."""


class TooLate(NotRendered):
    """Its time was over before it showed anything."""


class TooLarge(NotRendered):
    """The page took more memory than it may; it would do so again."""


class PageCrashed(NotRendered):
    """The page's renderer ended; the browser runs on."""


class BrowserGone(PortalkeepError):
    """The browser is not there any more; the next page starts another."""


@dataclass(frozen=True, slots=True)
class Order:
    """A page to render.

    Attributes:
        plan: what is done with the page once it shows that.
        around: what it finds.
        timeout_s: of it in all, None for the renderer's own.
        wait_for: selectors; the document is taken once one of them finds something.
        ready: the same, and then the page may go quiet first.
        cookies: names and values, for url's host.
        script: run before the page's own.
        keep: ``screenshot``, ``full_page``, ``text``: to be made of the page, too.
        told: hears method, URL and resource type of each request of the page.
    """

    url: str
    user_agent: str
    plan: Plan = NOTHING
    around: Surroundings = USUAL
    timeout_s: float | None = None
    wait_for: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    referer: str | None = None
    cookies: tuple[tuple[str, str], ...] = ()
    script: str | None = None
    keep: tuple[str, ...] = ()
    told: Callable[[str, str, str], None] | None = None


@dataclass(frozen=True, slots=True)
class Portrait:
    """What was made of a page besides its document, by what ``keep`` calls it.

    Attributes:
        made: PNG, or text in UTF-8.
        missing: why something was not.
        cut: of which there is more than was made.
    """

    made: Mapping[str, bytes] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the page showed.

    Attributes:
        steps: the DOM as HTML, UTF-8, at each step of the plan, at least once.
        documents: URLs of the documents the page went through, redirects included;
            the last one showed this.
        ended: why the plan's last act did, see `crawler.browser.behaviour`.
        blocked: by host, how much of a kind that is not wanted was not fetched.
        acted: method and URL of what was asked for once the plan's acts had begun.
    """

    steps: tuple[bytes, ...]
    documents: tuple[str, ...]
    portrait: Portrait = field(default_factory=Portrait)
    ended: str | None = None
    blocked: Mapping[str, int] = field(default_factory=dict)
    acted: frozenset[tuple[str, str]] = frozenset()

    @property
    def document(self) -> bytes:
        """What it showed last."""
        return self.steps[-1]


@dataclass(slots=True)
class Renderer:
    """One browser, started when it is wanted; all of it on the loop that runs.

    Attributes:
        path: of the browser; None looks for one.
        timeout_s: of one page.
        max_memory: of one page, in bytes.
        pages: at once.
    """

    path: str | None = None
    timeout_s: float = 30.0
    pages: int = 2
    max_memory: int = MAX_MEMORY
    _users: int = 0
    _turns: asyncio.Semaphore = field(init=False)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _driver: Driver | None = None
    _warming: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Make room for pages."""
        self._turns = asyncio.Semaphore(self.pages)

    def hold(self) -> None:
        """Take part in it; to be followed by a `release`."""
        self._users += 1

    async def release(self) -> None:
        """Take part no more; the last one closes it."""
        self._users -= 1
        if self._users <= 0:
            await self.close()

    def warm(self) -> None:
        """Start the browser, once, while the caller goes on."""
        if self._warming is None:
            self._warming = asyncio.ensure_future(self._warm())

    async def _warm(self) -> None:
        with contextlib.suppress(NotRendered, ConfigError):  # the first page is told
            await self._driving()

    async def close(self) -> None:
        """Close the browser, once it has started where it is about to."""
        warming, self._warming = self._warming, None
        if warming is not None:
            await asyncio.wait({warming})
            if not warming.cancelled() and (failure := warming.exception()):
                log.warning("browser_not_started", error=repr(failure))
        await self._end()

    async def _end(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def render(
        self, order: Order, proxy: str, begun: Callable[[], None] | None = None
    ) -> Rendered:
        """Return what a page shows, all of its requests made through proxy.

        Args:
            order: what is to be shown.
            proxy: its URL.
            begun: called when a try begins: nothing of those before it counts.

        Raises:
            NotRendered: it shows nothing, in time.
            ConfigError: there is no browser.
        """
        async with self._turns:
            crashes: Counter[str] = Counter()
            while not crashes or max(crashes.values()) < TRIES:
                if begun is not None:
                    begun()
                try:
                    return await self._render(order, proxy)
                except (BrowserGone, PageCrashed) as exc:
                    gone = isinstance(exc, BrowserGone)
                    crashes["browser" if gone else "page"] += 1
                    log.warning("browser_crashed" if gone else "page_crashed")
            ((what, times),) = crashes.most_common(1)
            raise NotRendered(f"the {what} crashed {times} times")

    async def _render(self, order: Order, proxy: str) -> Rendered:
        driver = await self._driving()
        return await driver.show(order, proxy, order.timeout_s or self.timeout_s)

    async def _driving(self) -> Driver:
        async with self._starting:
            if self._driver is not None and not self._driver.is_gone:
                return self._driver
            path = find_chromium(self.path)
            await self._end()
            # Importing Playwright takes a second; most commands and crawls never do.
            from crawler.browser.driver import Driver  # noqa: PLC0415

            self._driver = await Driver.start(path, self.max_memory)
            log.info("browser_started", path=path, version=self._driver.version)
            return self._driver
