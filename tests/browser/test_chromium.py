from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path

import pytest

from crawler.browser.proxy import Port
from crawler.browser.renderer import Order, Renderer
from crawler.browser.upstream import Dialer
from crawler.exchange import Exchange, Truncated
from tests.browser.driving import Sink, open_port, recording_proxy
from tests.browser.origin import Entry, Origin
from tests.site.compare import certified

CHROMIUM = shutil.which("chromium")
BROWSER_TIMEOUT_S = 60.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--proxy-bypass-list=<-loopback>",
    "--dump-dom",
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Trap:
    """A resolver that notes who is looked up; nobody should be."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        """Note host."""
        self.asked.append(host)
        raise OSError(f"{host} is looked up")


async def dump_dom(port: Port, url: str, profile: Path, *trusting: str) -> str:
    """Return the DOM of url as the browser has it at its load event."""
    assert CHROMIUM is not None
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        *trusting,
        f"--user-data-dir={profile}",
        f"--proxy-server=127.0.0.1:{port.number}",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        dom, _ = await asyncio.wait_for(browser.communicate(), BROWSER_TIMEOUT_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
        await browser.wait()
    return dom.decode()


def is_of(exchange: Exchange, entry: Entry) -> bool:
    """Tell whether an exchange is byte for byte what the origin logged.

    One that the browser itself cut off, as it does with videos, as far as it goes.
    """
    response = exchange.response.read() if exchange.response else b""
    answer = exchange.interim + response + exchange.excess
    sent = entry.sent
    if (exchange.error or "").startswith("left"):
        sent = sent[: len(answer)]
    return (exchange.request, answer) == (entry.request, sent)


def assert_exact(origin: Origin, sink: Sink) -> None:
    """Each logged exchange is recorded, byte for byte, and no other."""
    recorded = list(sink.exchanges)
    for entry in origin.log:
        found = next((each for each in recorded if is_of(each, entry)), None)
        assert found is not None, entry.request
        recorded.remove(found)
    assert [each.url for each in recorded if each.request] == []  # asked, not logged


@pytest.mark.parametrize(
    ("scheme", "by_key"), [("http", False), ("https", False), ("https", True)]
)
def test_a_page_of_all_kinds_is_recorded_exactly(
    scheme: str, by_key: bool, tmp_path: Path
) -> None:
    """Every byte that Chromium and the origin exchanged is in the exchanges."""
    dom, origin, sink, port, trap = asyncio.run(visit(scheme, tmp_path, by_key=by_key))
    for said in SAID[scheme]:
        assert f"<p>{said}</p>" in dom
    assert len(origin.log) >= 20
    assert_exact(origin, sink)
    assert port.refused["denied.example"] >= 1
    assert trap.asked == []
    assert not any("denied" in each.url for each in sink.exchanges)
    revalidated = any(each.sent.startswith(b"HTTP/1.1 304") for each in origin.log)
    assert revalidated == (scheme == "http" or by_key)


ALIKE = (
    "post: 3",
    "put: 204",
    "delete: 204",
    "head: 200",
    "empty: 200",
    "reset: failed",
    "cut: failed",
    "untilclose: to the end",
    "cached: 200",
    "revalidated: 200",
    "early: 200",
    "module: 7",
    "denied tls: failed",
    "socket: yo",
    "events: first",
    "worker: worked",
    "service: served",
    "done: 200",
)
SAID = {"http": (*ALIKE, "denied: 0"), "https": (*ALIKE, "denied: failed")}


async def visit(
    scheme: str, folder: Path, *, by_key: bool
) -> tuple[str, Origin, Sink, Port, Trap]:
    """Let Chromium see the page once; by_key, it takes our certificates as good."""
    trap = Trap()
    proxy = recording_proxy(
        folder, dialer=Dialer(resolve=trap), max_record_bytes=1 << 22
    )
    trusting = "--ignore-certificate-errors"
    if by_key:
        trusting += f"-spki-list={proxy.authority.spki}"
    async with (
        Origin(certified()).listening() as origin,
        open_port(proxy) as (port, sink),
    ):
        url = f"{origin.base(scheme)}/"
        dom = await dump_dom(port, url, folder / "profile", trusting)
    events = [each for each in sink.exchanges if each.url.endswith("/events")]
    assert [each.truncated for each in events] == [Truncated.UNSPECIFIED]
    return dom, origin, sink, port, trap


SCHEMES = ("http", "https", "http", "https")


def test_four_pages_at_once_are_kept_apart(tmp_path: Path) -> None:
    """Of four pages in one browser, each port gets its own exchanges, byte for byte."""
    origins, sinks = asyncio.run(visit_four(tmp_path))
    for origin, sink in zip(origins, sinks, strict=True):
        assert len(sink.exchanges) >= 20
        assert_exact(origin, sink)


async def visit_four(folder: Path) -> tuple[list[Origin], list[Sink]]:
    """Let one browser show four pages, of an origin each, at the same time."""
    proxy = recording_proxy(folder, max_record_bytes=1 << 22)
    renderer = Renderer(timeout_s=BROWSER_TIMEOUT_S, pages=len(SCHEMES))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(renderer.close)
        origins = [
            await stack.enter_async_context(Origin(certified()).listening())
            for _ in SCHEMES
        ]
        ports = [await stack.enter_async_context(open_port(proxy)) for _ in SCHEMES]
        shown = await asyncio.gather(
            *(
                renderer.render(order(origin.base(scheme)), port.server)
                for scheme, origin, (port, _) in zip(
                    SCHEMES, origins, ports, strict=True
                )
            )
        )
    assert all(b"<p>done: 200</p>" in each.document for each in shown)
    return origins, [sink for _, sink in ports]


def order(base: str) -> Order:
    """Return an order for the page, to be read when its script is done."""
    return Order(f"{base}/", "tester/1", wait_for=(DONE,))


DONE = "xpath=//p[starts-with(text(), 'done')]"
