"""The bytes of one exchange, both ways at once, no faster than the slower side."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from crawler.browser.channel import Channel
    from crawler.browser.message import Asked
    from crawler.browser.recording import Recording
    from crawler.browser.upstream import Upstream

T = TypeVar("T")


class Left(Exception):
    """What was waited for is wanted no more: the browser left or the port closes."""


async def unless(work: Coroutine[object, object, T], *ends: asyncio.Future[None]) -> T:
    """Return what work gives, unless one of ends is done before.

    Raises:
        Left: it was; work is cancelled and has ended.
    """
    task = asyncio.ensure_future(work)
    awaited: set[asyncio.Future[Any]] = {task, *ends}  # wait() wants them alike
    try:
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        await _end(task)
    raise Left


async def to_its_end(work: Coroutine[object, object, T]) -> T:
    """Return what work gives; whoever cancels that waits until work has ended."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        await _end(task)
        raise asyncio.CancelledError
    return task.result()


async def _end(task: asyncio.Task[T]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen by whoever waited, or wanted by nobody


async def transfer(
    asked: Asked,
    recording: Recording,
    browser: Channel,
    upstream: Upstream,
    idle_timeout_s: float,
) -> bool:
    """Carry one exchange to its end; return whether all of the request was sent.

    Raises:
        TimeoutError: the origin neither took nor sent a byte for idle_timeout_s, with
            nothing waiting for the browser.
        OSError: the browser is gone.
        SpoolUnwritable: the response cannot be kept.
    """
    async with asyncio.timeout(idle_timeout_s) as timer:
        idle = _Idle(timer, idle_timeout_s)
        sending = asyncio.ensure_future(
            _send(asked, recording, browser, upstream, idle)
        )
        try:
            await _receive(recording, browser, upstream.channel, idle)
            return sending.done()
        finally:
            await _end(sending)


class _Idle:
    """The time since the origin last did something."""

    def __init__(self, timer: asyncio.Timeout, timeout_s: float) -> None:
        self._timer = timer
        self._timeout_s = timeout_s

    def restart(self) -> None:
        """Count from now."""
        self._set(asyncio.get_running_loop().time() + self._timeout_s)

    def stop(self) -> None:
        """Do not count: it is not the origin who is waited for."""
        self._set(None)

    def _set(self, when: float | None) -> None:
        if not self._timer.expired():
            self._timer.reschedule(when)


async def _send(
    asked: Asked,
    recording: Recording,
    browser: Channel,
    upstream: Upstream,
    idle: _Idle,
) -> None:
    """Send the request; where the origin takes no more, its answer says why."""
    recording.sent(asked.head)
    upstream.channel.write(upstream.outgoing(asked.head))
    meter = asked.meter
    with contextlib.suppress(OSError):
        while meter is not None and not meter.done:
            if not (piece := await browser.read()):
                return
            taken = meter.feed(piece)
            browser.unread(piece[taken:])
            recording.sent(piece[:taken])
            upstream.channel.write(piece[:taken])
            await upstream.channel.drain()
            idle.restart()


async def _receive(
    recording: Recording, browser: Channel, upstream: Channel, idle: _Idle
) -> None:
    while not recording.ended:
        try:
            piece = await upstream.read()
        except OSError as exc:
            recording.lost(clean=False, why=str(exc) or type(exc).__name__)
            return
        if not piece:
            recording.lost(clean=True, why="closed")
            return
        browser.write(recording.received(piece))
        idle.stop()
        await browser.drain()
        idle.restart()


async def pump_both(one: Channel, other: Channel) -> None:
    """Pass bytes on both ways until one side ends."""
    pumps = [
        asyncio.ensure_future(_pump(*pair)) for pair in ((one, other), (other, one))
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            await _end(pump)


async def _pump(source: Channel, sink: Channel) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read():
            sink.write(piece)
            await sink.drain()
