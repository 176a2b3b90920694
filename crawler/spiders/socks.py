"""SOCKS5: connect to a host through a proxy that looks the name up itself.

Source: RFC 1928; RFC 1929 for user and password.
"""

# mypy: disable-error-code="no-untyped-call"
# Twisted's endpoints are typed in part only.
from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer  # type: ignore[import-untyped]  # has none

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.interfaces import IAddress
    from twisted.python.failure import Failure

_VERSION = 5
_NO_LOGIN, _PASSWORD = 0, 2
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}
_REPLIES = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "kind of address not supported",
}


@dataclass(frozen=True, slots=True)
class Socks:
    """A SOCKS5 proxy; user and password are None where it wants none."""

    host: str
    port: int
    login: tuple[bytes, bytes] | None = None


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
        except ConnectError as exc:
            self.done.errback(exc)
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


def hello(proxy: Socks, host: str, port: int) -> Generator[bytes | int, bytes]:
    """Talk to a proxy: yield bytes to send, or how many are wanted next.

    Raises:
        ConnectError: it refuses, or is no SOCKS5 proxy.
    """
    methods = bytes([_NO_LOGIN] if proxy.login is None else [_NO_LOGIN, _PASSWORD])
    yield bytes([_VERSION, len(methods)]) + methods
    version, method = yield 2
    if version != _VERSION or method not in methods:
        raise ConnectError(string="the proxy wants another log-in or no SOCKS5")
    if method == _PASSWORD and proxy.login is not None:
        user, password = proxy.login
        yield bytes([1, len(user)]) + user + bytes([len(password)]) + password
        _, status = yield 2
        if status != 0:
            raise ConnectError(string="the SOCKS proxy refused user and password")
    yield bytes([_VERSION, _CONNECT, 0]) + _address(host) + port.to_bytes(2, "big")
    _, reply, _, kind = yield 4
    if reply != 0:
        said = _REPLIES.get(reply, f"reply {reply}")
        raise ConnectError(string=f"the SOCKS proxy said: {said}")
    length = _ADDRESS_BYTES.get(kind) or (yield 1)[0]
    yield length + 2


def _address(host: str) -> bytes:
    try:
        literal = ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        return bytes([_NAME, len(name)]) + name
    kind = _IPV4 if isinstance(literal, IPv4Address) else _IPV6
    return bytes([kind]) + literal.packed
