"""A proxy for a browser that has no network: every answer comes from a lookup.

1. What the lookup has goes to the browser byte for byte, nothing in it rewritten.
2. What it does not have is a miss: an empty 504, listed.  So is each WebSocket, of
   which only the handshake is ever stored.
3. Nothing here can connect to anything.
4. Another user of the machine is not served.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from crawler import http
from crawler.browser.ca import Authority
from crawler.browser.channel import Channel
from crawler.browser.message import connect_target, read_request
from crawler.browser.policy import is_vendor
from crawler.browser.proxy import CLOSE_TIMEOUT_S, HOST
from crawler.browser.recording import MAX_REQUEST_BYTES
from crawler.browser.transfer import Left, unless
from crawler.browser.tunnel import BAD, REFUSED, accept_tunnel, next_head

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.block import Block
    from crawler.browser.message import Asked, Target

_MISS = b"HTTP/1.1 504 Not Archived\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Question:
    """What a browser asks for.

    Attributes:
        body: as it was sent, chunked where it was.
    """

    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class Absence(Enum):
    """Why there is no answer to give."""

    MISS = "miss"  # it was never captured
    REFUSED = "refused"  # it was then, too
    SILENT = "silent"  # it was asked for, and nothing came


Lookup: TypeAlias = "Callable[[Question], Block | Absence]"
"""Finds the response as it crossed the wire; called by one thread at a time."""


class OfflinePort:
    """One port on loopback, for one page.

    Attributes:
        number: of the port, 0 until it is open.
        answered: how many requests were, by the lookup.
        misses: how often each method and URL was asked for in vain.
        failure: what the lookup raised; nothing is served after it.
        closing: done when the port closes.
    """

    def __init__(self, lookup: Lookup, authority: Authority | None = None) -> None:
        self.number = 0
        self.answered = 0
        self.misses: Counter[tuple[str, str]] = Counter()
        self.failure: BaseException | None = None
        self.closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.authority = authority or Authority()
        self._lookup = lookup
        self._turn = asyncio.Lock()
        self._channels: dict[asyncio.Task[None], Channel] = {}
        self._server: asyncio.Server | None = None

    @property
    def server(self) -> str:
        """The proxy's URL, as a browser takes it."""
        return f"http://{HOST}:{self.number}"

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Channel(self._accept), HOST, 0, backlog=256
        )
        self.number = self._server.sockets[0].getsockname()[1]

    def _accept(self, channel: Channel) -> None:
        if not channel.is_ours:
            channel.abort()
            return
        task = asyncio.ensure_future(_Connection(self, channel).run())
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

    async def close(self) -> None:
        """Close.

        Raises:
            BaseException: what the lookup raised, ``failure``.
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

    async def find(self, question: Question) -> Block | Absence:
        """Return the answer to a question; count it."""
        async with self._turn:
            found = await asyncio.to_thread(self._lookup, question)
        if found is Absence.MISS:
            self.misses[question.method, question.url] += 1
        else:
            self.answered += 1
        return found


class _Connection:
    """Serves one connection of the browser."""

    def __init__(self, port: OfflinePort, browser: Channel) -> None:
        self._port = port
        self._browser = browser
        self._tunnel: Target | None = None

    async def run(self) -> None:
        """Serve until either side has had enough."""
        try:
            with contextlib.suppress(Left, OSError):  # the browser's own business
                while await self._serve_one():
                    pass
        finally:
            self._browser.close()

    async def _serve_one(self) -> bool:
        """Serve one request; False ends the connection."""
        raw = await unless(next_head(self._browser), self._port.closing)
        head = http.parse_request_head(raw) if raw is not None else None
        if raw is None or head is None:
            return False
        if head.method == b"CONNECT" and self._tunnel is None:
            return await self._open_tunnel(connect_target(head))
        asked = read_request(raw, head, self._tunnel)
        if asked is None:
            return self._answer(BAD)
        if is_vendor(asked.target.host):  # no page's business, live neither
            return self._answer(REFUSED)
        if b"websocket" in (http.header(head.headers, b"upgrade") or b"").lower():
            self._port.misses["GET", asked.url.replace("http", "ws", 1)] += 1
            return self._answer(_MISS)
        body = await unless(self._body(asked), self._port.closing)
        found = await self._port.find(
            Question(asked.method, asked.url, head.headers, body)
        )
        return await self._give(asked.method, found)

    def _answer(self, message: bytes) -> bool:
        self._browser.write(message)
        return False

    async def _open_tunnel(self, target: Target | None) -> bool:
        if target is None:
            return self._answer(BAD)
        if is_vendor(target.host):
            return self._answer(REFUSED)
        certified = self._port.authority.context
        ends = (self._browser.gone, self._port.closing)
        self._tunnel = await accept_tunnel(self._browser, target, certified, *ends)
        return True

    async def _body(self, asked: Asked) -> bytes:
        """Read the body of a request, as much of it as a recording keeps."""
        meter, body = asked.meter, bytearray()
        while meter is not None and not meter.done:
            if not (piece := await self._browser.read()):
                raise Left
            taken = meter.feed(piece)
            self._browser.unread(piece[taken:])
            body += piece[: min(taken, MAX_REQUEST_BYTES - len(body))]
        return bytes(body)

    async def _give(self, method: str, found: Block | Absence) -> bool:
        """Send what was found; an answer that is not whole ends the connection."""
        if isinstance(found, Absence):
            told = {Absence.MISS: _MISS, Absence.REFUSED: REFUSED}
            return self._answer(told.get(found, b""))
        for piece in found.chunks():
            self._browser.write(piece)
            await unless(self._browser.drain(), self._port.closing)
        head = http.read_head(found)
        if head is None or not http.keeps_alive(head):
            return False
        return http.message_end(found, head, method) == found.size
