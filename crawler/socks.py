"""SOCKS5: what is said to a proxy that looks a host's name up itself.

Source: RFC 1928; RFC 1929 for user and password.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING

from crawler.errors import PortalkeepError

if TYPE_CHECKING:
    from collections.abc import Generator

LONGEST_LOGIN = 255
_LONGEST_NAME = 255
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


class SocksRefused(PortalkeepError):
    """The proxy does not connect us; the page counts as not reached."""


def hello(proxy: Socks, host: str, port: int) -> Generator[bytes | int, bytes]:
    """Talk to a proxy: yield bytes to send, or how many are wanted next.

    Raises:
        SocksRefused: it refuses, or is no SOCKS5 proxy.
    """
    methods = bytes([_NO_LOGIN] if proxy.login is None else [_NO_LOGIN, _PASSWORD])
    yield bytes([_VERSION, len(methods)]) + methods
    version, method = yield 2
    if version != _VERSION or method not in methods:
        raise SocksRefused("the proxy wants another log-in or no SOCKS5")
    if method == _PASSWORD and proxy.login is not None:
        user, password = proxy.login
        yield bytes([1, len(user)]) + user + bytes([len(password)]) + password
        _, status = yield 2
        if status != 0:
            raise SocksRefused("the SOCKS proxy refused user and password")
    yield bytes([_VERSION, _CONNECT, 0]) + _address(host) + port.to_bytes(2, "big")
    _, reply, _, kind = yield 4
    if reply != 0:
        said = _REPLIES.get(reply, f"reply {reply}")
        raise SocksRefused(f"the SOCKS proxy said: {said}")
    length = _ADDRESS_BYTES.get(kind) or (yield 1)[0]
    yield length + 2


def _address(host: str) -> bytes:
    try:
        literal = ip_address(host)
    except ValueError:
        if not host.isascii() or len(host) > _LONGEST_NAME:
            raise SocksRefused("SOCKS has no room for the host's name") from None
        name = host.encode("ascii")
        return bytes([_NAME, len(name)]) + name
    kind = _IPV4 if isinstance(literal, IPv4Address) else _IPV6
    return bytes([kind]) + literal.packed
