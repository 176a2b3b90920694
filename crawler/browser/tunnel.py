"""A browser's connection to a proxy: its request heads, and the tunnels it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler import http
from crawler.browser.transfer import unless

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Awaitable, Callable

    from crawler.browser.channel import Channel
    from crawler.browser.message import Target

BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def next_head(browser: Channel) -> bytes | None:
    """Read the next request's head; None where none comes whole."""
    raw = b""
    while (end := http.head_end(raw)) is None:
        piece = await browser.read()
        if not piece or len(raw) > http.HEAD_BYTES:
            return None
        raw = (raw + piece).lstrip(b"\r\n")
    browser.unread(raw[end:])
    return raw[:end]


async def accept_tunnel(
    browser: Channel,
    target: Target,
    certified: Callable[[str], Awaitable[ssl.SSLContext]],
    *ends: asyncio.Future[None],
) -> Target:
    """Open a tunnel for the browser; return who is asked through it.

    Only then it says whether TLS comes; certified gives a context for its host.

    Raises:
        Left: one of ends was done before.
        OSError: the two did not come to terms, or the connection broke.
    """
    browser.write(_ESTABLISHED)
    if not await unless(browser.begins_tls(), *ends):
        return target.without_tls()
    context = await certified(target.host)
    await unless(browser.start_tls(context), *ends)
    return target
