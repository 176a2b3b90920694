"""What a client that speaks to a proxy asks of raw messages beyond ``crawler.http``."""

from __future__ import annotations

import re

from crawler import http

_TARGET = re.compile(rb"\A([^ \r\n]+) [a-z][a-z0-9+.-]*://[^/?# ]*", re.IGNORECASE)
_PROXY_SECRET = re.compile(rb"(?im)^proxy-authorization:[^\n]*\n")


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
