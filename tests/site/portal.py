"""A portal on loopback that does as a table says: target to behaviour, hits counted.

A behaviour is called with the request's handler and writes what it likes to the
connection.  A target is looked up with its query, then without, then as ``*``; what is
nowhere is a 404.  ``robots.txt`` is a 404 unless the table says otherwise.
"""

from __future__ import annotations

import contextlib
import html
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """One request as it came: target and header names as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Looks a request up in the server's table."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 20
    server: Portal
    asked: Asked

    def do_GET(self) -> None:
        """Count the request and behave."""
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else b""
        self.asked = Asked(self.command, self.path, dict(self.headers.items()), body)
        behaviour = self.server.take(self.asked)
        with contextlib.suppress(OSError):
            behaviour(self)

    do_POST = do_GET  # noqa: N815 - the base class's spelling

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def send_raw(self, content: bytes, *, close: bool = False) -> None:
        """Write bytes as they are."""
        self.wfile.write(content)
        self.wfile.flush()
        self.close_connection = self.close_connection or close


Behaviour = Callable[[Handler], None]


class Portal(ThreadingHTTPServer):
    """A scripted portal on 127.0.0.1.

    Attributes:
        routes: target to behaviour; may be changed at any time.
        hits: requests by target.
        asked: every request in order.
        times: when each came, in seconds of a clock that does not jump.
        closing: set when the server closes; behaviours that wait look at it.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, routes: Mapping[str, Behaviour], port: int = 0) -> None:
        self.routes = dict(routes)
        self.hits: Counter[str] = Counter()
        self.asked: list[Asked] = []
        self.times: list[float] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without asking a resolver for our own name."""
        TCPServer.server_bind(self)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def base(self) -> str:
        """The portal's URL without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def take(self, asked: Asked) -> Behaviour:
        """Count a request and return what is to be done with it."""
        with self._lock:
            self.hits[asked.target] += 1
            self.asked.append(asked)
            self.times.append(time.monotonic())
        path = asked.target.partition("?")[0]
        for target in (asked.target, path, "*"):
            if target in self.routes:
                return self.routes[target]
        return page("not here", 404)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients here are killed and go away."""


@contextlib.contextmanager
def serving(routes: Mapping[str, Behaviour], port: int = 0) -> Iterator[Portal]:
    """Run a portal until the block ends."""
    with Portal(routes, port) as portal:
        thread = threading.Thread(target=portal.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield portal
        finally:
            portal.closing.set()
            portal.shutdown()
            thread.join()


# behaviours


def page(
    body: str | bytes,
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (),
    content_type: str | None = HTML,
) -> Behaviour:
    """Return what answers with a body."""
    content = body.encode() if isinstance(body, str) else body

    def behave(handler: Handler) -> None:
        handler.send_response_only(status)
        if content_type is not None:
            handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return behave


def json_page(value: Any, status: int = 200) -> Behaviour:  # noqa: ANN401 - JSON
    """Return what answers with JSON."""
    return page(json.dumps(value), status, content_type="application/json")


def redirect(to: str, status: int = 302) -> Behaviour:
    """Return what points elsewhere."""
    return page("", status, [("Location", to)])


def article(title: str, *, more: str = "", head: str = "") -> str:
    """Return an item page that the test portals' rules read."""
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body>"
        f"<h1>{title}</h1><div class=body><p>The harbour office wrote about {title} "
        "and gave its reasons in full, with figures.</p><p>A second paragraph of "
        f"{title} says when it will be looked at again.</p>{more}</div></body></html>"
    )


def listing(links: Iterable[str], then: str | None = None) -> str:
    """Return a listing page of links, each with its URL as the text."""
    rows = "".join(
        f'<li class=row><a href="{html.escape(link, quote=True)}">row {number}</a></li>'
        for number, link in enumerate(links)
    )
    after = (
        f'<a rel=next href="{html.escape(then, quote=True)}">next</a>' if then else ""
    )
    return f"<!doctype html><title>latest</title><ul>{rows}</ul>{after}"


def raw(content: bytes, *, close: bool = True) -> Behaviour:
    """Return what writes bytes as they are."""
    return lambda handler: handler.send_raw(content, close=close)


def reset(handler: Handler) -> None:
    """Answer nothing and reset the connection."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()


def silent(handler: Handler) -> None:
    """Never answer."""
    handler.server.closing.wait(15)
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """Send a page that never stops, until the client goes away."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {HTML}\r\n\r\n<h1>endless</h1>"
    handler.send_raw(head.encode(), close=True)
    while not handler.server.closing.is_set():
        handler.send_raw(b"<p>and on and on</p>" * 500)


@dataclass
class Turns:
    """Behaves differently each time; the last one for ever after."""

    behaviours: tuple[Behaviour, ...]
    turn: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, handler: Handler) -> None:
        """Behave as the next one."""
        with self.lock:
            behaviour = self.behaviours[min(self.turn, len(self.behaviours) - 1)]
            self.turn += 1
        behaviour(handler)


def turns(*behaviours: Behaviour) -> Turns:
    """Return what does one thing after the other."""
    return Turns(behaviours)
