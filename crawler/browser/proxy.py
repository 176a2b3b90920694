"""The recording proxy: one port a browser context, each with a sink of its own.

1. Whose exchange it is, is told by the port it came through.
2. The sink gets an exchange once it has ended, in the order they end; what is open
   when the port closes ends there, marked truncated, and goes to the sink too.
3. Another user of the machine is not served.
4. What is not allowed is answered with an empty 403, counted, and leaves no other
   trace: no look-up, no connection, no record.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from crawler.browser.ca import Authority
from crawler.browser.channel import Channel
from crawler.browser.recording import Recording
from crawler.browser.relay import Relay
from crawler.browser.upstream import Dialer
from crawler.errors import SpoolUnwritable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from crawler.browser.message import Asked, Target
    from crawler.clock import Clock
    from crawler.exchange import Exchange
    from crawler.http import Head

Sink: TypeAlias = "Callable[[Exchange], Awaitable[None]]"
"""Takes an exchange and owns its response from then on; returns when it is kept."""

Allow: TypeAlias = "Callable[[str, int, str], bool]"
"""Tells of host, port and URL whether it may be asked for."""

Heard: TypeAlias = "Callable[[Asked, Head], None]"
"""Hears the head of a response before the browser does."""

HOST = "127.0.0.1"
SETTLE_S = 1.0
_LOOK_S = 0.01
CLOSE_TIMEOUT_S = 2.0
"""How long a closed connection may take to send what is left."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is recorded and how long is waited.

    Attributes:
        max_record_bytes: longest response that is kept, head included; the browser gets
            the rest too.
        idle_timeout_s: longest wait for a byte of the origin.
    """

    max_record_bytes: int
    idle_timeout_s: float = 60.0


@dataclass(slots=True)
class RecordingProxy:
    """Opens ports; all of its work is done on the loop that runs.

    Attributes:
        dialer: how origins are reached.
        spool_dir: where large responses wait for their sink.
    """

    clock: Clock
    limits: Limits
    dialer: Dialer = field(default_factory=Dialer)
    spool_dir: Path | None = None
    authority: Authority = field(default_factory=Authority)

    async def open_port(
        self, sink: Sink, *, allow: Allow, heard: Heard | None = None, number: int = 0
    ) -> Port:
        """Return a new port whose exchanges go to sink, and only there.

        Args:
            sink: takes them.
            allow: tells what may be asked for.
            heard: is told how each answer begins.
            number: of the port; 0, any that is free.

        Raises:
            OSError: it is taken.
        """
        port = Port(self, sink, allow, heard)
        await port.open(number)
        return port


class Port:
    """One port on loopback, for one browser context.

    Attributes:
        number: of the port, 0 until it is open.
        refused: how often each host was.
        recorded: exchanges that the sink has taken.
        failure: what kept an exchange from its sink; nothing is served after it.
        closing: done when the port closes.
    """

    def __init__(
        self,
        proxy: RecordingProxy,
        sink: Sink,
        allow: Allow,
        heard: Heard | None = None,
    ) -> None:
        self.number = 0
        self.refused: Counter[str] = Counter()
        self.recorded = 0
        self.failure: BaseException | None = None
        self.closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._proxy = proxy
        self._sink = sink
        self._allow = allow
        self._heard = heard
        self._open = 0
        self._channels: dict[asyncio.Task[None], Channel] = {}
        self._server: asyncio.Server | None = None

    @property
    def server(self) -> str:
        """The proxy's URL, as a browser takes it."""
        return f"http://{HOST}:{self.number}"

    @property
    def under_way(self) -> int:
        """Exchanges that the sink has not taken yet."""
        return self._open

    @property
    def dialer(self) -> Dialer:
        """How origins are reached."""
        return self._proxy.dialer

    @property
    def idle_timeout_s(self) -> float:
        """Longest wait for a byte of the origin."""
        return self._proxy.limits.idle_timeout_s

    async def open(self, number: int = 0) -> None:
        """Listen, at number or wherever there is room."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Channel(self._accept), HOST, number, backlog=256
        )
        self.number = self._server.sockets[0].getsockname()[1]

    def _accept(self, channel: Channel) -> None:
        if not channel.is_ours:
            channel.abort()
            return
        task = asyncio.ensure_future(Relay(self, channel).run())
        self._channels[task] = channel
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        channel = self._channels[task]
        channel.closed.add_done_callback(lambda _: self._channels.pop(task, None))
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.failure = self.failure or failure
            self._stop()

    def _stop(self) -> None:
        if not self.closing.done():
            self.closing.set_result(None)
        if self._server is not None:
            self._server.close()

    async def settles(self) -> bool:
        """Tell whether a page that has ended asks for nothing any more, in time.

        A browser takes a moment to give up what the page had under way; where its
        connection is closed before, it asks once more, of whoever listens then.
        """
        until_s = asyncio.get_running_loop().time() + SETTLE_S
        while self._open and asyncio.get_running_loop().time() < until_s:
            if (await asyncio.wait({self.closing}, timeout=_LOOK_S))[0]:
                break  # it has failed
        return not self._open

    async def close(self) -> None:
        """Close; return when every exchange is with its sink.

        Raises:
            BaseException: what the sink raised, ``failure``; SpoolUnwritable where an
                exchange could not be kept at all.
        """
        self._stop()
        tasks, channels = list(self._channels), list(self._channels.values())
        if tasks:
            await asyncio.wait(tasks)
            closed = {channel.closed for channel in channels}
            await asyncio.wait(closed, timeout=CLOSE_TIMEOUT_S)
            for channel in channels:
                channel.abort()
            await asyncio.wait(closed)
        if self.failure is not None:
            raise self.failure

    def allows(self, target: Target, url: str) -> bool:
        """Tell whether url at target may be asked for."""
        return self._allow(target.host, target.port, url)

    def refuse(self, target: Target) -> None:
        """Count what was refused."""
        self.refused[target.host] += 1

    def forget(self) -> None:
        """Take back a begin: there is nothing to record."""
        self._open -= 1

    def begin(self, asked: Asked) -> Recording:
        """Start the record of a request."""
        self._open += 1
        return Recording(
            asked.method,
            asked.url,
            clock=self._proxy.clock,
            max_record_bytes=self._proxy.limits.max_record_bytes,
            directory=self._proxy.spool_dir,
            heard=partial(self._heard, asked) if self._heard is not None else None,
        )

    async def deliver(self, recording: Recording) -> None:
        """Hand an ended recording to the sink.

        Raises:
            SpoolUnwritable: it could not be kept.
        """
        try:
            await self._sink(recording.exchange())
        except OSError as exc:  # of the disk; others are the browser's business
            raise SpoolUnwritable(f"{self._proxy.spool_dir}: {exc}") from exc
        finally:
            self._open -= 1
        self.recorded += 1

    async def certified(self, host: str) -> ssl.SSLContext:
        """Return a TLS context that speaks for host."""
        return await self._proxy.authority.context(host)
