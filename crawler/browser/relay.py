"""One connection of a browser: its requests one after the other, each recorded.

A browser's connection has at most one to an origin, kept as long as the browser keeps
its own and the origin lets it, so that what the browser believes of its connections
is true.  Bytes go through as they come; the last one may have reached the browser
before the sink has the exchange.  Where no answer comes there is none: nothing that the
origin did not send is shown to a page, but for the empty 403 of what is refused.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from crawler import http
from crawler.browser.message import connect_target, read_request
from crawler.browser.transfer import Left, pump_both, transfer, unless
from crawler.browser.tunnel import BAD, REFUSED, accept_tunnel, next_head
from crawler.browser.upstream import Refused, Unreachable
from crawler.exchange import Truncated

if TYPE_CHECKING:
    import asyncio
    import ssl

    from crawler.browser.channel import Channel
    from crawler.browser.message import Asked, Target
    from crawler.browser.recording import Recording
    from crawler.browser.upstream import Dialer, Upstream


class Desk(Protocol):
    """What a relay asks of its port.

    Attributes:
        closing: done when the port closes.
        idle_timeout_s: longest wait for a byte of the origin.
    """

    @property
    def closing(self) -> asyncio.Future[None]: ...  # noqa: D102 - a field
    @property
    def dialer(self) -> Dialer: ...  # noqa: D102
    @property
    def idle_timeout_s(self) -> float: ...  # noqa: D102

    def allows(self, target: Target, url: str) -> bool:
        """Tell whether url at target may be asked for."""
        ...

    def refuse(self, target: Target) -> None:
        """Count what was refused."""
        ...

    def begin(self, asked: Asked) -> Recording:
        """Start the record of a request."""
        ...

    def forget(self) -> None:
        """Take back a begin: there is nothing to record."""
        ...

    async def deliver(self, recording: Recording) -> None:
        """Hand an ended recording to the sink."""
        ...

    async def certified(self, host: str) -> ssl.SSLContext:
        """Return a TLS context that speaks for host."""
        ...


class Relay:
    """Serves one connection of a browser."""

    def __init__(self, desk: Desk, browser: Channel) -> None:
        self._desk = desk
        self._browser = browser
        self._tunnel: Target | None = None
        self._upstream: Upstream | None = None

    async def run(self) -> None:
        """Serve until either side, or the port, has had enough."""
        try:
            with contextlib.suppress(Left, OSError):  # the browser's own business
                while await self._serve_one():
                    pass
        finally:
            self._drop_upstream()
            self._browser.close()

    async def _serve_one(self) -> bool:
        """Serve one request; False ends the connection."""
        raw = await unless(next_head(self._browser), self._desk.closing)
        if raw is None:
            return False
        head = http.parse_request_head(raw)
        if head is not None and head.method == b"CONNECT" and self._tunnel is None:
            return await self._open_tunnel(connect_target(head))
        asked = read_request(raw, head, self._tunnel) if head else None
        if asked is None:
            return self._answer(BAD)
        if not self._desk.allows(asked.target, asked.url):
            return self._refuse(asked.target)
        return await self._exchange(asked)

    def _answer(self, message: bytes) -> bool:
        self._browser.write(message)
        return False

    def _refuse(self, target: Target) -> bool:
        self._desk.refuse(target)
        return self._answer(REFUSED)

    async def _open_tunnel(self, target: Target | None) -> bool:
        """Answer a CONNECT; only then the browser says whether TLS comes."""
        if target is None:
            return self._answer(BAD)
        if not self._desk.allows(target, f"{target.origin}/"):
            return self._refuse(target)
        ends = (self._browser.gone, self._desk.closing)
        try:
            # An unknown host is found out again when it is known what is asked of it.
            with contextlib.suppress(Unreachable):
                await unless(
                    self._desk.dialer.addresses(target.host, target.port), *ends
                )
        except Refused:
            return self._refuse(target)
        self._tunnel = await accept_tunnel(
            self._browser, target, self._desk.certified, *ends
        )
        return True

    async def _exchange(self, asked: Asked) -> bool:
        recording = self._desk.begin(asked)
        try:
            upstream = await self._reach(asked, recording)
        except Refused:
            self._desk.forget()
            return self._refuse(asked.target)
        keep = False
        if upstream is not None:
            keep = await self._carry(asked, recording, upstream)
        if not (keep or recording.switched):
            self._drop_upstream()
            self._browser.close()  # some answers end here; the sink may take its time
        await self._desk.deliver(recording)
        if upstream is not None and recording.switched:
            both = pump_both(self._browser, upstream.channel)
            await unless(both, self._desk.closing)
        return keep

    async def _reach(self, asked: Asked, recording: Recording) -> Upstream | None:
        """Return a connection to who is asked; None, told to recording, without one."""
        kept = self._upstream
        if kept and kept.target == asked.target and not kept.channel.is_stale():
            return kept
        self._drop_upstream()
        ends = (self._browser.gone, self._desk.closing)
        try:
            dialled = await unless(self._desk.dialer.dial(asked.target), *ends)
        except Unreachable as exc:
            recording.stop(Truncated.UNSPECIFIED, str(exc))
            return None
        except Left:
            recording.stop(Truncated.UNSPECIFIED, "left before it was asked for")
            return None
        self._upstream = dialled
        return dialled

    async def _carry(
        self, asked: Asked, recording: Recording, upstream: Upstream
    ) -> bool:
        """Carry one exchange; return whether another may follow on its connections."""
        recording.connected(upstream)
        carrying = transfer(
            asked, recording, self._browser, upstream, self._desk.idle_timeout_s
        )
        try:
            sent = await unless(carrying, self._browser.gone, self._desk.closing)
        except TimeoutError:
            waited = self._desk.idle_timeout_s
            recording.stop(Truncated.TIME, f"timeout: nothing came for {waited} s")
        except (Left, OSError):
            recording.stop(Truncated.UNSPECIFIED, "left before the end")
        else:
            return sent and recording.reusable
        upstream.channel.abort()
        return False

    def _drop_upstream(self) -> None:
        if self._upstream is not None:
            self._upstream.channel.close()
            self._upstream = None
