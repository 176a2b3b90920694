"""Pages shown in one context, one after the other, know nothing of each other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page

from crawler.browser import contexts
from crawler.browser.behaviour import USUAL, Surroundings
from crawler.browser.chromium import FEATURES_OFF, NAMES, find_chromium
from crawler.browser.driver import Driver
from crawler.browser.renderer import NotRendered, Order
from crawler.browser.seats import Seats
from tests.browser.driving import Sink, loopback_only, recording_proxy
from tests.browser.endurance import kind_of
from tests.site.portal import page, serving
from tests.site.processes import children_of

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
TIMEOUT_S = 20.0
STORES = """<script src="/kept.js"></script><script>(async () => {
  const root = await navigator.storage.getDirectory();
  const seen = [document.cookie, localStorage.length, sessionStorage.length,
    (await caches.keys()).length, (await indexedDB.databases()).length,
    (await Array.fromAsync(root.keys())).length];
  document.cookie = 'a=b; max-age=1000';
  localStorage.a = sessionStorage.a = 'b';
  await (await caches.open('c')).put('/c', new Response('c'));
  await new Promise(done => indexedDB.open('d').onsuccess = done);
  await root.getFileHandle('f', {create: true});
  document.body.innerHTML = '<p class=ready>' + seen.join('|') + '</p>';
})()</script>"""
NOTHING_SEEN = b'<p class="ready">|0|0|0|0|0</p>'
POPUP = """<script>open('/other'); document.write('<p class=ready>up</p>')</script>"""
ASKS = """<body><script>Notification.requestPermission().then(said =>
  document.body.innerHTML = '<p class=ready>' + said + '</p>')</script>"""
ZONE = """<script>document.write('<p class=ready>' +
  Intl.DateTimeFormat().resolvedOptions().timeZone + '</p>')</script>"""
RESTLESS = """<body><script>setInterval(() => fetch('/more'), 10)</script>"""
WORKER = """<script>navigator.serviceWorker.register('/worker.js').then(async () => {
  await navigator.serviceWorker.ready;
  document.body.innerHTML = '<p class=ready>works</p>';
})</script>"""


@dataclass(frozen=True)
class Window:
    """A browser, and a seat for one page at a time."""

    driver: Driver
    base: str
    spool: Path
    seats: Seats = field(default_factory=partial(Seats, 1))

    async def show(
        self, path: str, around: Surroundings = USUAL, timeout_s: float = TIMEOUT_S
    ) -> tuple[bytes, list[str]]:
        """Return what a page shows, and the paths it asked for."""
        sink = Sink()
        proxy = recording_proxy(self.spool)
        port = await self.seats.open_port(proxy, sink, allow=loopback_only)
        order = Order(
            f"{self.base}{path}", "tester/1", around=around, wait_for=("css=.ready",)
        )
        is_whole = True
        try:
            rendered = await self.driver.show(order, port.server, timeout_s)
        except NotRendered:
            is_whole = False
            raise
        finally:
            await self.seats.close(port, is_whole=is_whole)
        return rendered.document, sink.paths()

    @property
    def contexts(self) -> list[object]:
        """The browser's, those at rest included."""
        return list(self.driver.running.browser.contexts)


@contextlib.asynccontextmanager
async def window(base: str, spool: Path) -> AsyncIterator[Window]:
    """Give a browser; close it."""
    driver = await Driver.start(find_chromium(None), 1 << 30)
    try:
        yield Window(driver, base, spool)
    finally:
        await driver.close()


def test_nothing_is_left_for_the_next_page(tmp_path: Path) -> None:
    """One context shows three pages: none finds what another stored or had cached."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            first = await one.show("/")
            (context,) = one.contexts
            for _ in range(2):
                document, paths = await one.show("/")
                assert NOTHING_SEEN in document
                assert "/kept.js" in paths
            assert NOTHING_SEEN in first[0]
            assert one.contexts == [context]

    kept = page("1", headers=[("Cache-Control", "max-age=1000")])
    with serving({"/": page(STORES), "/kept.js": kept}) as served:
        asyncio.run(run(served.base))


def test_a_page_cancelled_while_it_is_cleared_leaves_its_place(tmp_path: Path) -> None:
    """The place is cleared to the end, and rests for the next page."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            await one.show("/")
            (context,) = one.driver.running.browser.contexts
            for _ in range(3):
                showing = asyncio.ensure_future(one.show("/"))
                (resting,) = context.pages  # the one that is shown, and then closed
                resting.once("close", partial(cancel, showing))
                with pytest.raises(asyncio.CancelledError):
                    await showing
                assert one.contexts == [context]
                document, paths = await one.show("/")
                assert NOTHING_SEEN in document
                assert sorted(paths) == ["/", "/kept.js"]
                assert one.contexts == [context]

    with serving({"/": page(STORES), "/kept.js": page("1")}) as served:
        asyncio.run(run(served.base))


def cancel(showing: asyncio.Task[tuple[bytes, list[str]]], _: Page) -> None:
    """Give up what is shown."""
    showing.cancel()


def test_a_page_at_its_limit_keeps_no_context(tmp_path: Path) -> None:
    """Wherever its time ends, in its clean-up too, the next page is by itself."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            for tenths in range(1, 9):
                with contextlib.suppress(NotRendered):
                    await one.show("/restless", timeout_s=tenths / 10)
                assert len(one.contexts) <= 1
                assert set((await one.show("/"))[1]) <= {"/", "/favicon.ico"}
                assert len(one.contexts) == 1

    with serving({"/": page(ZONE), "/restless": page(RESTLESS)}) as served:
        asyncio.run(run(served.base))
        assert served.hits["/restless"] > 1


def test_a_page_is_in_front_of_the_next_one(tmp_path: Path) -> None:
    """What asks for a permission is answered: it is not asked for behind a page."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            for _ in range(2):
                assert b">denied<" in (await one.show("/"))[0]
            assert len(one.contexts) == 1

    with serving({"/": page(ASKS)}) as served:
        asyncio.run(run(served.base))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_page_that_crashed_before_it_was_shown_is_not_shown(tmp_path: Path) -> None:
    """A renderer killed at rest costs the next page nothing."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            await one.show("/")
            ((resting,),) = (each.pages for each in one.driver.running.browser.contexts)
            async with resting.expect_event("crash"):
                for pid in children_of(os.getpid()):
                    if kind_of(pid) == "renderer":
                        os.kill(pid, signal.SIGKILL)
            assert NOTHING_SEEN in (await one.show("/"))[0]
            assert len(one.contexts) == 1

    with serving({"/": page(STORES)}) as served:
        asyncio.run(run(served.base))


@pytest.mark.parametrize(
    ("path", "around"),
    [
        ("/popup", USUAL),
        ("/worker", USUAL),
        ("/", Surroundings(state={"cookies": [], "origins": []})),
    ],
)
def test_what_cannot_be_cleared_ends(
    tmp_path: Path, path: str, around: Surroundings
) -> None:
    """A popup, a service worker and a stored state are no other page's neighbours."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            await one.show(path, around)
            assert one.contexts == []
            assert NOTHING_SEEN in (await one.show("/"))[0]

    routes = {
        "/": page(STORES),
        "/popup": page(POPUP),
        "/worker": page(WORKER),
        "/worker.js": page("1", content_type="text/javascript"),
    }
    with serving(routes) as served:
        asyncio.run(run(served.base))


def test_other_surroundings_are_another_context(tmp_path: Path) -> None:
    """A page that is to find something else is not shown where another was."""

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            await one.show("/")
            zone = Surroundings(timezone="Asia/Tokyo")
            assert b"Asia/Tokyo" in (await one.show("/", zone))[0]
            assert len(one.contexts) == 2

    with serving({"/": page(ZONE)}) as served:
        asyncio.run(run(served.base))


def test_a_context_does_not_live_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many pages, a context is left."""
    monkeypatch.setattr(contexts, "MAX_PAGES", 2)

    async def run(base: str) -> None:
        async with window(base, tmp_path) as one:
            await one.show("/")
            assert len(one.contexts) == 1
            await one.show("/")
            assert one.contexts == []

    with serving({"/": page(ZONE)}) as served:
        asyncio.run(run(served.base))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_what_playwright_turns_off_is_off(tmp_path: Path) -> None:
    """Our list of features, the last and so the one heeded, leaves none of its out."""

    async def run() -> list[str]:
        async with window("", tmp_path):
            return list(map(command_of, children_of(os.getpid())))

    line = next(line for line in asyncio.run(run()) if "--user-data-dir" in line)
    lists = re.findall(r"--disable-features=([\w,]+)", line)
    assert len(lists) == 2
    assert set(lists[0].split(",")) <= set(FEATURES_OFF)
    assert lists[1].split(",") == list(FEATURES_OFF)


def command_of(pid: int) -> str:
    """Return what a process was started with."""
    return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")


def test_a_port_that_is_taken_is_not_waited_for(tmp_path: Path) -> None:
    """Where somebody listens at a number that was left, another port is opened."""

    async def run() -> None:
        proxy, seats = recording_proxy(tmp_path), Seats(2)
        first = await seats.open_port(proxy, Sink(), allow=loopback_only)
        await first.close()
        seats.leave(first)
        again = await seats.open_port(proxy, Sink(), allow=loopback_only)
        assert again.number == first.number
        seats.leave(again)  # though it is open
        other = await seats.open_port(proxy, Sink(), allow=loopback_only)
        assert other.number not in (0, first.number)
        await again.close()
        await other.close()

    asyncio.run(run())
