"""The recording proxy with a sink that remembers, and a raw client to drive it.

The client knows nothing of HTTP: it writes what it is given and keeps what comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from crawler.browser.offline import OfflinePort
from crawler.browser.proxy import Allow, Limits, Port, RecordingProxy
from crawler.browser.upstream import Dialer
from crawler.clock import SystemClock
from crawler.exchange import Exchange
from tests.site.behaviours import MAX_RECORD_BYTES

PATIENCE_S = 20.0


def loopback_only(host: str, port: int, url: str) -> bool:
    """Allow this machine, as every test does."""
    return host in ("127.0.0.1", "localhost")


class Sink:
    """Remembers the exchanges it was given."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._grown = asyncio.Condition()

    async def __call__(self, exchange: Exchange) -> None:
        """Take an exchange."""
        async with self._grown:
            self.exchanges.append(exchange)
            self._grown.notify_all()

    async def first(self, count: int) -> list[Exchange]:
        """Return the first exchanges, once there are count of them."""
        async with asyncio.timeout(PATIENCE_S), self._grown:
            await self._grown.wait_for(lambda: len(self.exchanges) >= count)
        return self.exchanges[:count]

    def paths(self) -> list[str]:
        """Return path and query of each exchange."""
        return ["/" + each.url.split("/", 3)[-1] for each in self.exchanges]


def recording_proxy(
    spool: Path,
    *,
    idle_timeout_s: float = 10.0,
    max_record_bytes: int = MAX_RECORD_BYTES,
    dialer: Dialer | None = None,
) -> RecordingProxy:
    """Return a proxy with the limits of the origin's behaviours."""
    limits = Limits(max_record_bytes, idle_timeout_s)
    return RecordingProxy(SystemClock(), limits, dialer or Dialer(), spool)


@contextlib.asynccontextmanager
async def open_port(
    proxy: RecordingProxy, *, allow: Allow = loopback_only
) -> AsyncIterator[tuple[Port, Sink]]:
    """Give a port and its sink; close it."""
    sink = Sink()
    port = await proxy.open_port(sink, allow=allow)
    try:
        yield port, sink
    finally:
        await port.close()


class Client:
    """One connection to a proxy; ``received`` is what came back."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.received = b""
        self.ended = self.paused = False
        self._reader = reader
        self._writer = writer
        self._grown = asyncio.Event()
        self._task = asyncio.ensure_future(self._collect())

    async def _collect(self) -> None:
        with contextlib.suppress(OSError):
            while piece := await self._reader.read(1 << 16):
                self.received += piece
                self._grown.set()
        self.ended = True
        self._grown.set()

    def pause(self) -> None:
        """Read no more."""
        self.paused = True
        self._task.cancel()

    def write(self, content: bytes) -> None:
        """Send content."""
        self._writer.write(content)

    async def until(self, arrived: Callable[[bytes], bool]) -> bytes:
        """Return what came, once arrived says so or the peer has closed."""
        async with asyncio.timeout(PATIENCE_S):
            while not arrived(self.received) and not self.ended:
                self._grown.clear()
                await self._grown.wait()
        return self.received

    async def has(self, size: int) -> bytes:
        """Return what came, once it is size bytes or all."""
        return await self.until(lambda received: len(received) >= size)

    async def close(self) -> None:
        """Close the connection."""
        self._task.cancel()
        if self.paused:  # else TLS waits for what is not read
            self._writer.transport.abort()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def connected(port: Port | OfflinePort) -> Client:
    """Return a client that is connected to port."""
    return Client(*await asyncio.open_connection("127.0.0.1", port.number))


async def tunnelled(
    port: Port | OfflinePort, authority: str, *, tls: bool = True
) -> Client:
    """Return a client inside a tunnel, with TLS in it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    if tls:
        await writer.start_tls(trusting(), server_hostname=authority.partition(":")[0])
    return Client(reader, writer)


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate and offers what a browser does."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@contextlib.asynccontextmanager
async def client_of(
    port: Port | OfflinePort, origin: str, *, tunnel: bool | None = None
) -> AsyncIterator[tuple[Client, str]]:
    """Give a client for origin and what its targets begin with."""
    scheme, _, authority = origin.partition("://")
    if scheme == "https" or tunnel:
        client, prefix = await tunnelled(port, authority, tls=scheme == "https"), ""
    else:
        client, prefix = await connected(port), origin
    try:
        yield client, prefix
    finally:
        await client.close()


async def asked_as(user: int, port: Port | OfflinePort) -> bytes:
    """Return what a port says to another user of the machine, or why it says nothing.

    user: its number; only root can be another.
    """
    talk = "import os, socket, sys; 'x'.encode('idna'); os.setuid(int(sys.argv[1]));"
    talk += "s = socket.create_connection(('127.0.0.1', int(sys.argv[2])));"
    talk += "s.sendall(b'GET http://127.0.0.1:9/x HTTP/1.1\\r\\n\\r\\n');"
    talk += "sys.stdout.buffer.write(s.recv(99) or b'nothing')"
    arguments = ("-c", talk, str(user), str(port.number))
    asking = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=-1, stderr=-1
    )
    out, err = await asyncio.wait_for(asking.communicate(), PATIENCE_S)
    return out + err
