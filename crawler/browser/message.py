"""Requests as a browser writes them for a proxy: where they go, what the origin gets.

Two things are changed, and no more: the target becomes path and query, and header lines
called ``Proxy-…``, which are meant for the proxy, are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler import http

if TYPE_CHECKING:
    from crawler.http import RequestHead

PORTS = {"http": 80, "https": 443}
_ABSOLUTE = re.compile(rb"(?i)http://([^/?#]*)")
_FOR_PROXY = re.compile(rb"(?im)^proxy-[^\n:]*:[^\n]*\n(?:[ \t][^\n]*\n)*")


@dataclass(frozen=True, slots=True)
class Target:
    """Who is to be connected to.

    Attributes:
        scheme: http or https.
        host: a name or an address, without brackets, in lower case.
        tunnelled: whether a CONNECT asked for it; with http, a WebSocket comes.
    """

    scheme: str
    host: str
    port: int
    tunnelled: bool = False

    @property
    def authority(self) -> str:
        """Host and port, as CONNECT has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The URL up to the path."""
        default = self.port == PORTS[self.scheme]
        authority = self.authority.rpartition(":")[0] if default else self.authority
        return f"{self.scheme}://{authority}"

    def without_tls(self) -> Target:
        """Return the same, asked in the clear: a WebSocket's tunnel."""
        return replace(self, scheme="http")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to one target.

    Attributes:
        method: of the request.
        url: absolute, without fragment.
        target: who is asked.
        head: as the origin gets it.
        meter: tells where the body ends; None where there is no body.
    """

    method: str
    url: str
    target: Target
    head: bytes
    meter: http.BodyMeter | None


def connect_target(head: RequestHead) -> Target | None:
    """Read whom a CONNECT asks for, as https; None where it does not say."""
    found = _authority(head.target)
    return Target("https", *found, tunnelled=True) if found else None


def read_request(raw: bytes, head: RequestHead, tunnel: Target | None) -> Asked | None:
    """Read a request whose head is raw; None where it says not whom it asks."""
    before = len(head.method) + 1
    if not raw.startswith(head.target, before):
        return None
    if match := _ABSOLUTE.match(head.target):
        found = _authority(match[1], PORTS["http"])
        path = head.target[match.end() :]
        target = Target("http", *found) if found else None
    else:
        path, target = head.target, tunnel
    if target is None:
        return None
    if not path.startswith((b"/", b"*")):
        path = b"/" + path
    rest = raw[before + len(head.target) :]
    outgoing = head.method + b" " + path + _FOR_PROXY.sub(b"", rest)
    slash = "/" if path.startswith(b"*") else ""
    url = f"{target.origin}{slash}{path.decode('latin-1')}"
    method = head.method.decode("latin-1")
    return Asked(method, url, target, outgoing, _meter(head))


def _authority(text: bytes, default: int | None = None) -> tuple[str, int] | None:
    try:
        parts = urlsplit(b"//" + text)
        host, port = parts.hostname, parts.port or default
    except ValueError:
        return None
    return (host.decode("latin-1"), port) if host and port else None


def _meter(head: RequestHead) -> http.BodyMeter | None:
    """Return what tells where a request's body ends, by the rules of an answer's."""
    like = http.Head(b"HTTP/1.1", 200, b"", head.headers, head.size)
    if not http.is_chunked(like) and http.content_length(like) is None:
        return None
    return http.BodyMeter(like, "GET")
