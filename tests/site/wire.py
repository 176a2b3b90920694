"""A raw origin and a raw proxy on loopback, which log every byte of every exchange.

The origin knows nothing of HTTP but where a request ends: what it sends is written out
in ``behaviours``.  Both run in a thread of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.site.behaviours import Behaviour
from tests.site.oddities import BEHAVIOURS

if TYPE_CHECKING:
    from collections.abc import Coroutine

STALL_S = 5.0
_GONE = (ConnectionError, ssl.SSLError, asyncio.CancelledError)
PIECE = b"\xa5" * (1 << 16)


@dataclass(slots=True)
class Logged:
    """One exchange as the origin saw it; connection numbers its connections."""

    path: str
    request: bytes
    sent: bytes
    connection: int


@dataclass
class WireServer:
    """The origin; http on ``port``, https on ``tls_port`` where it has a certificate.

    Attributes:
        log: exchanges in order of their requests.
        forwarded: requests as they came to the proxy.
    """

    context: ssl.SSLContext | None = None
    log: list[Logged] = field(default_factory=list)
    forwarded: list[bytes] = field(default_factory=list)
    port: int = 0
    tls_port: int = 0
    proxy_port: int = 0
    _connections: int = 0

    def __enter__(self) -> Self:
        """Listen."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection and wait for the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers = [
            await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22),
            await asyncio.start_server(self._proxy, "127.0.0.1", 0),
        ]
        self.port, self.proxy_port = map(_port, self._servers)
        if self.context is not None:
            tls = await asyncio.start_server(
                self._serve, "127.0.0.1", 0, limit=1 << 22, ssl=self.context
            )
            self._servers.append(tls)
            self.tls_port = _port(tls)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def _own(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._own()
        self._connections += 1
        number, served = self._connections, 0
        with contextlib.suppress(*_GONE):
            while (request := await _read_request(reader)) is not None:
                path = request.split(b" ", 2)[1].decode("latin-1")
                entry = Logged(path, request, b"", number)
                self.log.append(entry)
                if not await self._answer(entry, served, writer):
                    break
                served += 1
        writer.close()
        with contextlib.suppress(*_GONE, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 2)

    async def _answer(
        self, entry: Logged, served: int, writer: asyncio.StreamWriter
    ) -> bool:
        """Send what the path asks for; False ends the connection."""
        name, _, query = entry.path.lstrip("/").partition("?")
        if name == "large":
            await self._send_large(int(query), writer)
            return True
        behaviour = BEHAVIOURS.get(name, BEHAVIOURS["missing"])
        if behaviour.needs_fresh and served:
            return False
        await _send(behaviour, entry, writer)
        if behaviour.reset:
            await _reset(writer)
        return not (behaviour.close or behaviour.reset)

    async def _send_large(self, pieces: int, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {pieces * len(PIECE)}\r\n\r\n"
        writer.write(head.encode())
        for _ in range(pieces):
            writer.write(PIECE)
            await writer.drain()

    async def _proxy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._own()
        with contextlib.suppress(*_GONE):
            request = await _read_request(reader)
            if request is not None and request.startswith(b"CONNECT"):
                await self._tunnel(request, reader, writer)
            else:
                await self._forward(request, reader, writer)
        writer.close()

    async def _tunnel(
        self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.forwarded.append(request)
        port = int(request.split(b" ")[1].rpartition(b":")[2])
        back, upstream = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(upstream):
            writer.write(b"HTTP/1.1 200 Here you go\r\nVia: x\r\n\r\n")
            await asyncio.gather(_pump(reader, upstream), _pump(back, writer))

    async def _forward(
        self,
        request: bytes | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Pass on requests in origin-form, without the proxy's password."""
        if request is None:
            return
        host = request.split(b" ")[1].removeprefix(b"http://").partition(b"/")[0]
        port = int(host.rpartition(b":")[2])
        back, upstream = await asyncio.open_connection("127.0.0.1", port)
        pump = asyncio.ensure_future(_pump(back, writer))
        with contextlib.closing(upstream):
            while request is not None:
                self.forwarded.append(request)
                target = request.split(b" ")[1]
                path = b"/" + target.removeprefix(b"http://").split(b"/", 1)[1]
                upstream.write(_without_secret(request.replace(target, path, 1)))
                request = await _read_request(reader)
        await pump


async def _read_request(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    size = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    return head + await reader.readexactly(size)


async def _send(
    behaviour: Behaviour, entry: Logged, writer: asyncio.StreamWriter
) -> None:
    """Write the bytes; a negative gap means that nothing more will come."""
    step = behaviour.piece_bytes or max(len(behaviour.sent), 1)
    for at in range(0, len(behaviour.sent), step):
        if at and behaviour.gaps_s > 0:
            await asyncio.sleep(behaviour.gaps_s)
        piece = behaviour.sent[at : at + step]
        entry.sent += piece
        writer.write(piece)
        await writer.drain()
    if behaviour.gaps_s < 0:
        await asyncio.sleep(STALL_S)


async def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the peer gets a TCP reset, after it has read what was sent."""
    await asyncio.sleep(0.1 if writer.transport.get_extra_info("socket") else 0)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _without_secret(request: bytes) -> bytes:
    head, blank, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    kept = [x for x in lines if not x.lower().startswith(b"proxy-authorization:")]
    return b"\r\n".join(kept) + blank + body


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])
