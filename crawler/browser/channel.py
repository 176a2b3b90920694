"""One TCP connection, read when asked, with TLS laid over it at any point.

The bytes wait here until they are read: what comes right after a CONNECT is never lost
between two readers, as it is with a StreamReader, and a first byte can be looked at
before it is known whether it begins a TLS session.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, cast

from crawler.browser.peer import is_ours
from crawler.exchange import Tls

if TYPE_CHECKING:
    from collections.abc import Callable

BUFFER_BYTES = 1 << 18
"""Reading pauses while more than this waits; drain() waits while more is unsent."""

_TLS_PIECE_BYTES = 1 << 18


class Channel(asyncio.Protocol):
    """A connection with one reader and one writer at a time.

    Attributes:
        gone: done once the peer has ended its side, or the connection is lost.
        closed: done once the connection is closed on both sides.
    """

    def __init__(self, accepted: Callable[[Channel], None] | None = None) -> None:
        """Call accepted, where given, when the connection is made."""
        loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._accepted = accepted
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._paused = False
        self._notified = False  # the peer ended TLS in good order
        self._failure: Exception | None = None
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._inbox, self._outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    @property
    def ip(self) -> str | None:
        """Address of the peer."""
        peer = self._transport and self._transport.get_extra_info("peername")
        return str(peer[0]) if peer else None

    @property
    def is_ours(self) -> bool:
        """Tell whether this user made the connection, which came over loopback."""
        if self._transport is None:
            return False
        ask = self._transport.get_extra_info
        return is_ours(ask("peername"), ask("sockname"))

    @property
    def tls(self) -> Tls | None:
        """What was negotiated; None without TLS."""
        version, cipher = (
            (self._tls.version(), self._tls.cipher()) if self._tls else (None, None)
        )
        if version is None or cipher is None:
            return None
        return Tls(version.lower().replace("v", "/", 1), cipher[0])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(BUFFER_BYTES)
        if self._accepted is not None:
            self._accepted(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is read; decrypted at once, so that an end shows."""
        self._buffer += data if self._tls is None else self._decrypted(self._tls, data)
        if len(self._buffer) > BUFFER_BYTES and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._news.set()

    def eof_received(self) -> bool:
        """Note that nothing more comes; we may still write."""
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more comes or goes."""
        self._failure = exc
        self._end()
        self._writable.set()
        if not self.closed.done():
            self.closed.set_result(None)

    def _end(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        self._news.set()

    def pause_writing(self) -> None:
        """Let drain() wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let drain() go on."""
        self._writable.set()

    async def read(self) -> bytes:
        """Return what came next, b"" where the peer ended in good order.

        Raises:
            OSError: the connection broke; what came before was returned.
        """
        while not (piece := self._take()):
            if self.gone.done():
                self._judge_end()
                return b""
            await self._arrival()
        return piece

    def unread(self, content: bytes) -> None:
        """Put content back: it is read next."""
        self._buffer[:0] = content

    async def begins_tls(self) -> bool:
        """Wait for the first byte; tell whether it is a TLS handshake's. Take none."""
        while not self._buffer and not self.gone.done():
            await self._arrival()
        return self._buffer[:1] == b"\x16"

    def is_stale(self) -> bool:
        """Tell whether a connection at rest can no longer be used for a request."""
        return bool(self._buffer) or self.gone.done()

    async def _arrival(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _judge_end(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._tls is not None and not self._notified:
            raise ConnectionAbortedError("the TLS session was cut off")

    def _take(self) -> bytes:
        """Return what is here, b"" where that is nothing."""
        content = bytes(self._buffer)
        self._buffer.clear()
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return content

    def _decrypted(self, tls: ssl.SSLObject, raw: bytes) -> bytes:
        self._inbox.write(raw)
        pieces: list[bytes] = []
        try:
            while piece := tls.read(_TLS_PIECE_BYTES):
                pieces.append(piece)
            self._notified = True
            self._end()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as exc:
            self._failure = exc
            self._end()
        self._flush()
        return b"".join(pieces)

    def write(self, content: bytes) -> None:
        """Send content; nothing happens where the connection is lost."""
        if self._transport is None or self.closed.done():
            return
        if self._tls is None:
            self._transport.write(content)
            return
        left = memoryview(content)
        while left:
            left = left[self._tls.write(left) :]
        self._flush()

    async def drain(self) -> None:
        """Wait until what was written is mostly sent.

        Raises:
            ConnectionResetError: the connection is lost.
        """
        await self._writable.wait()
        if self.closed.done():
            raise ConnectionResetError("the connection is lost")

    async def start_tls(
        self, context: ssl.SSLContext, *, hostname: str | None = None
    ) -> None:
        """Shake hands, as the server where no hostname is given.

        Raises:
            OSError: the two did not come to terms, or the connection broke.
        """
        tls = context.wrap_bio(
            self._inbox,
            self._outbox,
            server_side=hostname is None,
            server_hostname=hostname,
        )
        while True:
            self._inbox.write(self._take())
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
            except ssl.SSLError:
                self._flush()  # the alert
                raise
            if self._buffer:
                continue
            if self.gone.done():
                raise self._failure or ConnectionAbortedError("closed in the handshake")
            await self._arrival()
        self._tls = tls
        self._buffer += self._decrypted(tls, b"")

    def _flush(self) -> None:
        if self._outbox.pending and self._transport and not self.closed.done():
            self._transport.write(self._outbox.read())

    def close(self) -> None:
        """Close in good order once everything is sent."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what was not sent is dropped."""
        if self._transport is not None:
            self._transport.abort()
