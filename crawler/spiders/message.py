"""What a client on the wire asks of raw messages beyond ``crawler.http``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler import http

if TYPE_CHECKING:
    from crawler.block import Block
    from crawler.http import Head

_FIRST_FINAL = 200
_NOT_PERSISTENT = (b"HTTP/1.0", b"HTTP/0.9")
_TARGET = re.compile(rb"\A([^ \r\n]+) [a-z][a-z0-9+.-]*://[^/?# ]*", re.IGNORECASE)
_PROXY_SECRET = re.compile(rb"(?im)^proxy-authorization:[^\n]*\n")


def keeps_alive(head: Head) -> bool:
    """Tell whether an answer with head lets its connection be used again.

    Where two headers speak of the length it does not: what comes next may belong to
    this answer.
    """
    if head.status < _FIRST_FINAL:  # a 101
        return False
    lengths = http.header_all(head.headers, b"content-length")
    if len(lengths) > 1 or (lengths and http.is_chunked(head)):
        return False
    connection = b",".join(http.header_all(head.headers, b"connection")).lower()
    asked = {token.strip() for token in connection.split(b",")}
    if head.version.upper() in _NOT_PERSISTENT:
        return b"keep-alive" in asked
    return b"close" not in asked


def origin_form(request: bytes) -> bytes:
    """Return a request written for a proxy as the origin gets it.

    Path and query remain of the target, and Proxy-Authorization is left out whole:
    the rest is byte for byte as it was written.
    """
    head_size = http.head_end(request) or len(request)
    head, body = request[:head_size], request[head_size:]
    if match := _TARGET.match(head):
        rest = head[match.end() :]
        slash = b"" if rest.startswith(b"/") else b"/"
        head = match[1] + b" " + slash + rest
    return _PROXY_SECRET.sub(b"", head) + body


def final_offset(prefix: bytes) -> int:
    """Return where the final message begins: after interim answers and blank lines."""
    at = 0
    while True:
        rest = prefix[at:]
        blank = len(rest) - len(rest.lstrip(b"\r\n"))
        moved = blank + http.final_head_offset(rest[blank:])
        if not moved:
            return at
        at += moved


def is_no_status(block: Block) -> bool:
    """Tell whether what came can no longer become a status line."""
    return not b"HTTP/".startswith(block.read(5).upper())
