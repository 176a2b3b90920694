"""A page in the browser or waiting for its turn, given up when the crawl is to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from crawler import urls
from crawler.browser.transfer import to_its_end
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
    stands: asyncio.Future[None] | None = None,
) -> Rendered | None:
    """Return what a page shows, None where its answer stands.

    Args:
        renderer: where it waits for its turn.
        order: what is to be shown.
        proxy: its URL.
        goes_on: tells whether the crawl does.
        forget: called when a try begins: nothing of those before it counts.
        stands: done where there is no use in showing it.

    Raises:
        HostBusy: the crawl is to stop; the work goes back, which costs it no try.
        NotRendered, ConfigError: as of `Renderer.render`.
    """
    begun = asyncio.Event()

    def begin() -> None:
        begun.set()
        forget()

    showing = asyncio.ensure_future(renderer.render(order, proxy, begin))
    ends: set[asyncio.Future[Any]] = {showing} | ({stands} if stands else set())
    left_s = GRACE_S
    try:
        while not await _one_of(ends):
            if not goes_on():
                left_s -= LOOK_S
                if left_s <= 0 or not begun.is_set():
                    raise HostBusy(urls.host_of(order.url), 0.0)
        return showing.result() if showing.done() else None
    finally:
        await to_its_end(_end(showing))


async def _one_of(ends: set[asyncio.Future[Any]]) -> bool:  # Any: wait()'s
    """Wait a little; tell whether one of them is done."""
    first = asyncio.FIRST_COMPLETED
    return bool((await asyncio.wait(ends, timeout=LOOK_S, return_when=first))[0])


async def _end(showing: asyncio.Task[Rendered]) -> None:
    if not showing.done():
        showing.cancel()
        await asyncio.wait({showing})
    if not showing.cancelled():
        showing.exception()  # raised already, or wanted by nobody
