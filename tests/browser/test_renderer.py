"""Chromium itself: what it shows, what it cannot reach, what comes after a crash."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from crawler.browser.chromium import date_script, find_chromium
from crawler.browser.proxy import Allow
from crawler.browser.renderer import NotRendered, Order, Rendered, Renderer
from crawler.browser.upstream import Dialer
from crawler.clock import SystemClock, clock_from
from crawler.errors import ConfigError
from tests.browser.driving import Sink, loopback_only, open_port, recording_proxy
from tests.browser.endurance import kind_of
from tests.site.portal import Behaviour, Handler, article, page, serving
from tests.site.processes import children_of

NAMES = ("chromium", "chromium-browser", "google-chrome")
chromium = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
TIMEOUT_S = 20.0
FETCHES = """<div id=out></div><script>
const get = async url => {
  try { return (await fetch(url, {mode: 'no-cors'})).type + ' came' }
  catch (e) { return 'refused' }
};
(async () => {
  document.getElementById('out').innerHTML = '<p class=ready>' +
    [await get('file:///etc/passwd'), await get('http://127.0.0.2:8080/x'),
     await get('https://127.0.0.2:8443/x')].join(', ') + ' at ' +
    new Date().toISOString().slice(0, 10) + ' ' + document.cookie + '</p>';
})();
</script>"""


class OneAddress:
    """A guard that lets this machine's first address pass and no other."""

    def allows(self, address: str) -> bool:
        """Tell whether address is it."""
        return address == "127.0.0.1"


async def show(
    renderer: Renderer, order: Order, spool: Path, allow: Allow = loopback_only
) -> tuple[Rendered, Sink, int]:
    """Return what a page shows, its exchanges, and how much of it was refused."""
    proxy = recording_proxy(spool, dialer=Dialer(OneAddress()))
    async with open_port(proxy, allow=allow) as (port, sink):
        rendered = await renderer.render(order, port.server)
    return rendered, sink, sum(port.refused.values())


@chromium
def test_a_page_gets_what_is_allowed_and_the_time_that_was_set(tmp_path: Path) -> None:
    """Files and guarded addresses are refused; Date and cookies are as ordered."""

    async def run(base: str) -> tuple[Rendered, Sink, int]:
        script = date_script(clock_from("2025-07-15T14:00:00Z"))
        order = Order(
            f"{base}/",
            "tester/1",
            ready=("css=.ready",),
            referer=f"{base}/from",
            cookies=(("one", "1"),),
            script=script,
        )
        renderer = Renderer(timeout_s=TIMEOUT_S)
        try:
            everywhere = await show(renderer, order, tmp_path, lambda *_: True)
        finally:
            await renderer.close()
        return everywhere

    with serving({"/": page(FETCHES)}) as served:
        rendered, sink, refused = asyncio.run(run(served.base))
    said = "refused, opaque came, refused at 2025-07-15 one=1"
    assert f'<p class="ready">{said}</p>'.encode() in rendered.document
    assert rendered.documents == (f"{served.base}/",)
    assert refused >= 2
    assert not any("127.0.0.2" in path for path in sink.paths())
    (asked,) = [each for each in served.asked if each.target == "/"]
    assert asked.headers["User-Agent"] == "tester/1"
    assert asked.headers["Referer"] == f"{served.base}/from"


@chromium
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_crashed_browser_is_started_anew(tmp_path: Path) -> None:
    """Killed between pages or under a page, the browser is back for the next try."""

    async def run(base: str) -> list[bytes]:
        renderer = Renderer(timeout_s=TIMEOUT_S)
        order = Order(f"{base}/", "tester/1", ready=("css=h1",))
        slow = Order(f"{base}/", "tester/1", wait_for=("css=.never",))
        try:
            first, *_ = await show(renderer, order, tmp_path)
            kill_browsers()
            second, *_ = await show(renderer, order, tmp_path)
            under_way = asyncio.ensure_future(show(renderer, slow, tmp_path))
            await asyncio.sleep(1.0)  # the page waits for what never comes
            kill_browsers()
            third, *_ = await under_way
        finally:
            await renderer.close()
        return [first.document, second.document, third.document]

    with serving({"/": page(article("steady"))}) as served:
        documents = asyncio.run(run(served.base))
    assert all(b"<h1>steady</h1>" in document for document in documents)


def kill_browsers() -> None:
    """Kill the browsers below this process, their driver aside."""
    for pid in children_of(os.getpid()):
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
        if name.startswith(("chrom", "google")):
            os.kill(pid, signal.SIGKILL)


@chromium
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_crashed_page_is_tried_once_more(tmp_path: Path) -> None:
    """A renderer that ends is another try; the second end is a reason, in time."""

    async def run(base: str) -> bytes:
        renderer = Renderer(timeout_s=TIMEOUT_S)
        order = Order(f"{base}/", "tester/1", wait_for=("css=.done",))
        try:
            killing.times = 1
            rendered, *_ = await show(renderer, order, tmp_path)
            killing.times = 2
            with pytest.raises(NotRendered, match="the page crashed 2 times"):
                await show(renderer, order, tmp_path)
            after, *_ = await show(renderer, order, tmp_path)
        finally:
            await renderer.close()
        assert after.document == rendered.document
        return rendered.document

    asks = (
        "<script>fetch('/kill').then(() => document.body.className = 'done')</script>"
    )
    killing = Killing()
    routes: dict[str, Behaviour] = {"/": page(f"<body><p>x{asks}"), "/kill": killing}
    with serving(routes) as portal:
        document = asyncio.run(run(portal.base))
    assert b'class="done"' in document


class Killing:
    """Kills the renderers below this process so many times, then answers."""

    times = 0

    def __call__(self, handler: Handler) -> None:
        """Kill or answer."""
        self.times -= 1
        if self.times >= 0:
            for pid in children_of(os.getpid()):
                if kind_of(pid) == "renderer":
                    os.kill(pid, signal.SIGKILL)
        page("ok")(handler)


@chromium
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "code",
    [
        "setInterval(() => kept.push(new Uint8Array(2e7).fill(1)), 20)",
        "document.body.append('y'.repeat(3e8))",
    ],
)
def test_a_page_that_takes_too_much_is_ended(code: str, tmp_path: Path) -> None:
    """Memory that scripts or documents take has a limit; the browser lives on."""

    async def run(base: str) -> Rendered:
        renderer = Renderer(timeout_s=TIMEOUT_S, max_memory=300_000_000)
        never = Order(f"{base}/", "tester/1", wait_for=("css=.never",))
        try:
            with pytest.raises(NotRendered, match="300000000 bytes of memory"):
                await show(renderer, never, tmp_path)
            order = Order(f"{base}/fine", "tester/1")
            return (await show(renderer, order, tmp_path))[0]
        finally:
            await renderer.close()

    html = f"<body><p>x<script>const kept = []; {code}</script>"
    with serving({"/": page(html), "/fine": page(article("fine"))}) as served:
        rendered = asyncio.run(run(served.base))
        assert served.hits["/"] == 1
    assert b"<h1>fine</h1>" in rendered.document


@chromium
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("pages", [0, 1])
def test_a_browser_that_is_warm_is_the_one(pages: int, tmp_path: Path) -> None:
    """Started beforehand, one browser is there; closed while it starts, none."""

    def ours() -> list[int]:
        return [pid for pid in children_of(os.getpid()) if pid not in before]

    async def run(base: str) -> None:
        renderer = Renderer(timeout_s=TIMEOUT_S)
        renderer.warm()
        renderer.warm()
        await asyncio.sleep(0)  # it has begun to start
        for _ in range(pages):
            await show(renderer, Order(f"{base}/", "tester/1"), tmp_path)
            assert [kind_of(each) for each in ours()].count("") == 1
        await renderer.close()
        assert ours() == []

    before = set(children_of(os.getpid()))  # of other tests: a resource tracker
    with serving({"/": page(article("warm"))}) as served:
        asyncio.run(run(served.base))
        assert served.hits["/"] == pages


@chromium
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("processes", [0, 1, 2, 5])
def test_a_start_that_is_cancelled_leaves_no_process(processes: int) -> None:
    """Given up while the driver or the browser starts, both are gone."""

    def ours() -> list[int]:
        return [pid for pid in children_of(os.getpid()) if pid not in before]

    async def run() -> None:
        renderer = Renderer(timeout_s=TIMEOUT_S)
        order = Order("http://127.0.0.1:9/", "tester/1")
        showing = asyncio.ensure_future(renderer.render(order, "http://127.0.0.1:9"))
        until_s = asyncio.get_running_loop().time() + TIMEOUT_S
        while len(ours()) < processes:
            assert asyncio.get_running_loop().time() < until_s
            await asyncio.sleep(0.005)  # bounded: until it has started so far
        showing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await showing
        until_s = asyncio.get_running_loop().time() + TIMEOUT_S
        while left := ours():
            assert asyncio.get_running_loop().time() < until_s, left
            await asyncio.sleep(0.05)  # bounded: a browser whose pipe is closed ends
        await renderer.close()

    before = set(children_of(os.getpid()))  # of other tests: a resource tracker
    asyncio.run(run())


def test_a_missing_browser_says_what_to_do(tmp_path: Path) -> None:
    """The message names the setting, whether it was given or not."""
    with pytest.raises(ConfigError, match=r"browser\.path '/nowhere'"):
        find_chromium("/nowhere")
    renderer = Renderer(str(tmp_path))

    async def run() -> None:
        renderer.warm()  # which is not where it is told
        await renderer.render(Order("http://a.example/", "x"), "http://x")

    with pytest.raises(ConfigError, match=r"browser\.path"):
        asyncio.run(run())


def test_a_browser_that_does_not_start_is_a_reason(tmp_path: Path) -> None:
    """A program that is no browser gives no document; the run can go on."""
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    renderer = Renderer(str(program))

    async def run() -> None:
        try:
            await renderer.render(Order("http://a.example/", "x"), "http://x")
        finally:
            await renderer.close()

    with pytest.raises(NotRendered, match="does not start"):
        asyncio.run(run())


def test_the_date_is_left_alone_without_a_set_clock() -> None:
    """No script stands between a page and the machine's own time."""
    assert date_script(SystemClock()) is None
