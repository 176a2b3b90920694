"""SOCKS5 for Twisted: connect to a host through a proxy (`crawler.socks`)."""

# mypy: disable-error-code="no-untyped-call"
# Twisted's endpoints are typed in part only.
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer  # type: ignore[import-untyped]  # has none

from crawler.socks import SocksRefused, hello

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.interfaces import IAddress
    from twisted.python.failure import Failure

    from crawler.socks import Socks


@implementer(IStreamClientEndpoint)
class SocksEndpoint:
    """Connects to host and port through a proxy; fails with ConnectError."""

    def __init__(self, reactor: Any, proxy: Socks, host: str, port: int) -> None:  # noqa: ANN401 - a zope interface
        self._endpoint: Any = HostnameEndpoint(reactor, proxy.host, proxy.port)
        self._talk = (proxy, host, port)

    @classmethod
    def to(cls, url: str, proxy: Socks, reactor: Any) -> Self:  # noqa: ANN401 - a zope interface
        """Return the endpoint for a URL's host and port."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(reactor, proxy, parts.hostname or "", port)

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: ANN401, N803 - Twisted's
        """Give the factory's protocol once the proxy has connected it."""
        factory = _Hellos(protocolFactory, *self._talk)
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        return connecting.addCallback(lambda hello: hello.done)


class _Hellos(Factory):
    """Makes the one protocol that greets the proxy."""

    noisy = False

    def __init__(self, inner: Any, proxy: Socks, host: str, port: int) -> None:  # noqa: ANN401 - any factory
        self._inner = inner
        self._talk = (proxy, host, port)

    def buildProtocol(self, addr: IAddress | None) -> _Hello:  # noqa: N802
        return _Hello(self._inner, addr, hello(*self._talk))


class _Hello(Protocol):
    """Speaks SOCKS until the proxy is through, then makes way.

    Attributes:
        done: the protocol that takes over.
    """

    transport: Any  # what mypy makes of a zope interface cannot be called

    def __init__(
        self,
        inner: Any,  # noqa: ANN401 - any factory
        addr: IAddress | None,
        talk: Generator[bytes | int, bytes],
    ) -> None:
        self.done: Deferred[Any] = Deferred(lambda _: self.transport.abortConnection())
        self._inner = inner
        self._addr = addr
        self._talk = talk
        self._came = b""
        self._wanted = 0

    def connectionMade(self) -> None:  # noqa: N802
        self._go_on(None)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self._came += data
        while self._wanted and len(self._came) >= self._wanted:
            piece, self._came = self._came[: self._wanted], self._came[self._wanted :]
            self._go_on(piece)

    def _go_on(self, piece: bytes | None) -> None:
        """Let the talk take a piece; write what it says until it wants more."""
        self._wanted = 0
        try:
            said = self._talk.send(piece)  # type: ignore[arg-type]  # None begins it
            while isinstance(said, bytes):
                self.transport.write(said)
                said = next(self._talk)
            self._wanted = said
        except StopIteration:
            self._make_way()
        except SocksRefused as exc:
            self.done.errback(ConnectError(string=str(exc)))
            self.transport.abortConnection()

    def _make_way(self) -> None:
        protocol = self._inner.buildProtocol(self._addr)
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)
        if self._came:
            protocol.dataReceived(self._came)
        self.done.callback(protocol)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802
        if not self.done.called:
            self.done.errback(ConnectError(string="the SOCKS proxy hung up"))
