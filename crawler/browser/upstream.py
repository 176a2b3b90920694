"""Connections to origins: straight or through a proxy, guarded at the address.

TLS is not verified, as Scrapy's is not: an archive keeps what a server sends, and
notes who sent it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from crawler import http
from crawler.addresses import literal_address, private_host
from crawler.browser.channel import Channel
from crawler.errors import PortalkeepError
from crawler.socks import SocksRefused, hello

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from crawler.browser.message import Target
    from crawler.exchange import Tls
    from crawler.proxy import Proxy
    from crawler.socks import Socks

_OK = range(200, 300)
_LEGACY_SERVER_CONNECT = 0x4  # OpenSSL's; Python 3.12 has a name for it


class Refused(PortalkeepError):
    """The guard lets nobody connect there; the browser gets a 403, nothing is kept."""


class Unreachable(PortalkeepError):
    """No connection came about; the message begins with the reason it counts as."""

    retryable: ClassVar[bool] = True


class AddressGuard(Protocol):
    """Says which addresses may be connected to."""

    def allows(self, address: str) -> bool:
        """Tell whether address, IPv4 or IPv6 as text, may be connected to."""
        ...


@dataclass(frozen=True, slots=True)
class Upstream:
    """A connection on which target can be asked.

    Attributes:
        ip: of the origin; None through a proxy.
        prefix, header: what a request line's path and its header lines are preceded
            by, where a proxy reads them; nothing of it is recorded.
    """

    target: Target
    channel: Channel
    ip: str | None
    tls: Tls | None
    via: str | None = None
    prefix: bytes = b""
    header: bytes = b""

    def outgoing(self, head: bytes) -> bytes:
        """Return a request head in origin-form as it has to be written here."""
        if not self.prefix:
            return head
        method, _, rest = head.partition(b" ")
        line, newline, lines = rest.partition(b"\n")
        return method + b" " + self.prefix + line + newline + self.header + lines


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of host, as the system has them.

    Raises:
        OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def client_context() -> ssl.SSLContext:
    """Return a context that takes any certificate and speaks HTTP/1.1.

    Its ciphers are OpenSSL's own choice, as Scrapy's are, not Python's stricter one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT")
    context.options |= _LEGACY_SERVER_CONNECT
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass(frozen=True, slots=True)
class Dialer:
    """Makes connections to origins.

    Attributes:
        guard: None lets every address pass.
        resolve: returns the addresses of a host, or raises OSError.
        timeout_s: for all of one connection: look-up, TCP, proxy and TLS.
    """

    guard: AddressGuard | None = None
    parent: Proxy | None = None
    resolve: Callable[[str, int], Awaitable[Sequence[str]]] = look_up
    timeout_s: float = 30.0
    context: ssl.SSLContext = field(default_factory=client_context)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of host that may be connected to; none with a proxy.

        Raises:
            Refused: the guard lets none of them pass.
            Unreachable: there are none.
        """
        spelt = private_host(host) or literal_address(host)
        if spelt is not None and not self._allows(spelt):
            raise Refused(f"{spelt} may not be connected to")
        if self.parent is not None:
            return ()
        try:
            found = [spelt] if literal_address(host) else None
            resolved = found or await self.resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise Unreachable(f"dns: {exc}") from exc
        addresses = [str(address) for address in resolved]
        if not addresses:
            raise Unreachable(f"dns: {host!r} has no address")
        allowed = [address for address in addresses if self._allows(address)]
        if not allowed:
            raise Refused(f"{addresses[0]} may not be connected to")
        return allowed

    def _allows(self, address: str) -> bool:
        return self.guard is None or self.guard.allows(address)

    async def dial(self, target: Target) -> Upstream:
        """Connect to target.

        Raises:
            Refused: the guard lets none of its addresses pass.
            Unreachable: no connection came about.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._dial(target)
        except TimeoutError as exc:
            raise Unreachable(f"timeout: none in {self.timeout_s} s") from exc

    async def _dial(self, target: Target) -> Upstream:
        addresses = await self.addresses(target.host, target.port)
        if self.parent is None:
            channel = await _connect(addresses, target.port)
        else:
            channel = await _connect([self.parent.host], self.parent.port)
        try:
            return await self._prepare(target, channel)
        except BaseException:
            channel.abort()
            raise

    async def _prepare(self, target: Target, channel: Channel) -> Upstream:
        """Ask a proxy and lay TLS over the connection, where need be."""
        through = self.parent
        if through is not None:
            await _pass(channel, target, through)
        if target.scheme == "https":
            await _secure(channel, self.context, target.host)
        if through is None:
            return Upstream(target, channel, channel.ip, channel.tls)
        if target.tunnelled or through.socks is not None:
            return Upstream(target, channel, None, channel.tls, through.address)
        prefix = target.origin.encode("latin-1")
        return Upstream(
            target, channel, None, None, through.address, prefix, through.header
        )


async def _connect(addresses: Sequence[str], port: int) -> Channel:
    """Connect to the first of addresses that takes it."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for address in addresses:
        try:
            _, channel = await loop.create_connection(Channel, address, port)
            return channel
        except TimeoutError as exc:  # the kernel's own
            failure = OSError(str(exc))
        except OSError as exc:
            failure = exc
    raise Unreachable(f"connect: {failure}") from failure


async def _pass(channel: Channel, target: Target, parent: Proxy) -> None:
    """Have a proxy connect us, where it is not asked with each request."""
    try:
        if parent.socks is not None:
            await _ask_socks(channel, target, parent.socks)
        elif target.tunnelled:
            await _ask_proxy(channel, target, parent)
    except (OSError, SocksRefused) as exc:
        raise Unreachable(f"connect: {exc}") from exc


async def _ask_socks(channel: Channel, target: Target, socks: Socks) -> None:
    talk = hello(socks, target.host, target.port)
    came = b""
    try:
        said = next(talk)
        while True:
            if isinstance(said, bytes):
                channel.write(said)
                said = next(talk)
                continue
            while len(came) < said:
                came += await _more(channel)
            wanted, came = came[:said], came[said:]
            said = talk.send(wanted)
    except StopIteration:
        channel.unread(came)


async def _more(channel: Channel) -> bytes:
    if not (piece := await channel.read()):
        raise SocksRefused("the SOCKS proxy hung up")
    return piece


async def _ask_proxy(channel: Channel, target: Target, parent: Proxy) -> None:
    authority = target.authority.encode("latin-1")
    channel.write(
        b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n"
        % (authority, authority, parent.header)
    )
    answer = b""
    while http.head_end(answer) is None and len(answer) < http.HEAD_BYTES:
        if not (piece := await channel.read()):
            break
        answer += piece
    head = http.parse_head(answer)
    if head is None or head.status not in _OK:
        said = head.status if head else "nothing"
        raise Unreachable(f"connect: the proxy answered {said}")
    channel.unread(answer[head.size :])


async def _secure(channel: Channel, context: ssl.SSLContext, hostname: str) -> None:
    try:
        await channel.start_tls(context, hostname=hostname)
    except (OSError, ValueError) as exc:  # ValueError: what idna says of the name
        raise Unreachable(f"tls: {exc}") from exc
