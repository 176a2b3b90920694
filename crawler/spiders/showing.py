"""A page in the browser or waiting for its turn, given up when the crawl is to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler import urls
from crawler.spiders.manners import LOOK_S, HostBusy

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.browser.renderer import Order, Rendered, Renderer

GRACE_S = 3.0
"""How long a page that is being shown may go on after the crawl was to stop."""


async def show(
    renderer: Renderer,
    order: Order,
    proxy: str,
    *,
    goes_on: Callable[[], bool],
    forget: Callable[[], None],
) -> Rendered:
    """Return what a page shows.

    Args:
        renderer: where it waits for its turn.
        order: what is to be shown.
        proxy: its URL.
        goes_on: tells whether the crawl does.
        forget: called when a try begins: nothing of those before it counts.

    Raises:
        HostBusy: the crawl is to stop; the work goes back, which costs it no try.
        NotRendered, ConfigError: as of `Renderer.render`.
    """
    begun = asyncio.Event()

    def begin() -> None:
        begun.set()
        forget()

    showing = asyncio.ensure_future(renderer.render(order, proxy, begin))
    left_s = GRACE_S
    try:
        while not (await asyncio.wait({showing}, timeout=LOOK_S))[0]:
            if not goes_on():
                left_s -= LOOK_S
                if left_s <= 0 or not begun.is_set():
                    raise HostBusy(urls.host_of(order.url), 0.0)
        return showing.result()
    finally:
        await _end(showing)


async def _end(showing: asyncio.Task[Rendered]) -> None:
    if not showing.done():
        showing.cancel()
        await asyncio.wait({showing})
    if not showing.cancelled():
        showing.exception()  # raised already, or wanted by nobody
