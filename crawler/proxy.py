"""The proxies of a portal: one for all requests, or a pool with one for each host."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from crawler.errors import ConfigError
from crawler.socks import LONGEST_LOGIN, Socks

_PORTS = {"http": 80, "socks5": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy.

    Attributes:
        scheme: ``http`` or ``socks5``.
        host: a name or an address, without brackets.
        authorization: the value of Proxy-Authorization, None for none; never recorded.
        socks: what a SOCKS proxy is connected by, None for an HTTP proxy.
    """

    scheme: str
    host: str
    port: int
    authorization: bytes | None = None
    socks: Socks | None = None

    @property
    def address(self) -> str:
        """``scheme://host:port``, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def header(self) -> bytes:
        """The header line with the credentials, b"" without."""
        if self.authorization is None:
            return b""
        return b"Proxy-Authorization: " + self.authorization + b"\r\n"


@dataclass(slots=True)
class Proxies:
    """Gives hosts their proxies in turn; a host keeps the one it got."""

    pool: tuple[Proxy, ...] = ()
    _given: dict[str, Proxy] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: str | tuple[str, ...] | None) -> Proxies:
        """Read what is configured.

        Raises:
            ConfigError: one is no proxy we can use; its credentials are not shown.
        """
        given = (settings,) if isinstance(settings, str) else settings or ()
        return cls(tuple(map(proxy_of, given)))

    def choose(self, host: str) -> Proxy | None:
        """Return the proxy of a host, None where there is none at all."""
        if not self.pool:
            return None
        if host not in self._given:
            self._given[host] = self.pool[len(self._given) % len(self.pool)]
        return self._given[host]


def proxy_of(setting: str) -> Proxy:
    """Return the proxy at ``http://`` or ``socks5://[user:password@]host[:port]``.

    Raises:
        ConfigError: it is none; its credentials are not shown.
    """
    parts = urlsplit(setting)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(
            f"the proxy's scheme {parts.scheme!r} or host is not one we can use; "
            "give http:// or socks5://[user:password@]host:port"
        )
    scheme, name = parts.scheme, parts.hostname
    port = parts.port or _PORTS[scheme]
    login = None
    if parts.username is not None:
        login = (
            unquote(parts.username).encode(),
            unquote(parts.password or "").encode(),
        )
    if scheme == "http":
        basic = b"Basic " + b64encode(b":".join(login)) if login else None
        return Proxy(scheme, name, port, basic)
    if login is not None and max(map(len, login)) > LONGEST_LOGIN:
        raise ConfigError("a SOCKS proxy takes at most 255 bytes of user and password")
    return Proxy(scheme, name, port, socks=Socks(name, port, login))
