"""Serve the bundled demo portals on loopback, byte for byte the same every time.

1. A page is encoded into the portal's charset when it is served; the token
   ``{{BASE}}`` becomes the server's own base URL. Images are served as they are.
2. A route matches when its path is equal and its query parameters are all in the
   request's; the first match answers. Other parameters (tracking) change nothing.
3. No ``Date`` and no ``Server`` header: nothing in a response depends on the clock.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import socket
import socketserver
import sys
import threading
import time
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler.demo.site import portal_ids, read_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.demo.site import Route, Site

    Connection = socket.socket | tuple[bytes, socket.socket]  # the base class's word

CHUNK_BYTES = 700
"""Small enough that a chunked page has several chunks, and some cut a letter."""


class PortalServer(ThreadingHTTPServer):
    """A demo portal on 127.0.0.1; ``hits`` counts the requests per target.

    ``server_close`` ends open keep-alive connections and waits for their threads, so
    nothing of a closed server is left.
    """

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, site: Site, port: int = 0) -> None:
        """Bind to 127.0.0.1; port 0 takes a free one."""
        self.site = site
        self.hits: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._failed: set[str] = set()
        super().__init__(("127.0.0.1", port), PortalHandler)

    def server_bind(self) -> None:
        """Bind without asking a resolver for our own name, as the base class would."""
        socketserver.TCPServer.server_bind(self)

    @property
    def base_url(self) -> str:
        """The portal's URL without a trailing slash."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, target: str) -> None:
        """Add one to the target's hits."""
        with self._lock:
            self.hits[target] += 1

    def fails_now(self, route: Route) -> bool:
        """Tell, once for each route marked ``fail_once``, that it fails now."""
        with self._lock:
            fails = route.fail_once and route.path not in self._failed
            self._failed.add(route.path)
        return fails

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it for ``server_close``."""
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Connection) -> None:
        """Close one connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close the listening socket and every open connection, then join."""
        with self._lock:
            for connection in self._open:
                if isinstance(connection, socket.socket):
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Connection, client_address: object) -> None:
        """Keep quiet about a client that went away; print anything else."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class PortalHandler(BaseHTTPRequestHandler):
    """Answer one connection's requests from the server's site."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write a response: no 40 ms stall between head and body
    timeout = 30
    server: PortalServer

    def do_GET(self) -> None:
        """Answer with the route's response."""
        self.server.count(self.path)
        self._answer(self.server.site.route(self.path))

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send the status line only: a Date would differ from run to run."""
        self.send_response_only(code, message)

    def _answer(self, route: Route) -> None:
        if self.server.fails_now(route):
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "0"}, b"")
            return
        if route.referer and not self._from_here():
            self._send(HTTPStatus.FORBIDDEN, {}, b"")
            return
        time.sleep(route.delay_s)
        body = self.server.site.body(route, self.server.base_url)
        headers = {"Content-Type": route.type} if route.file else {}
        if route.location:
            headers["Location"] = route.location
        if route.etag and self._fresh(body, headers):
            self._send(HTTPStatus.NOT_MODIFIED, headers, b"")
            return
        if route.gzip:
            headers["Vary"] = "Accept-Encoding"
            if _accepts_gzip(self.headers.get("Accept-Encoding", "")):
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, mtime=0)
        self._send(route.status, headers, body, chunked=route.chunked)

    def _from_here(self) -> bool:
        """Tell whether the Referer names the host that was asked."""
        referer = urlsplit(self.headers.get("Referer", "")).netloc
        return referer == self.headers.get("Host")

    def _fresh(self, body: bytes, headers: dict[str, str]) -> bool:
        """Add the ETag to headers; tell whether the client already has this body."""
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        return self.headers.get("If-None-Match") == headers["ETag"]

    def _send(
        self,
        status: int,
        headers: dict[str, str],
        body: bytes,
        *,
        chunked: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        chunked = chunked and self.request_version == "HTTP/1.1"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(_chunks(body) if chunked else body)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether an Accept-Encoding value names gzip and does not forbid it."""
    offers = (part.replace(" ", "").lower() for part in accept_encoding.split(","))
    return any(o.split(";")[0] == "gzip" and not o.endswith("q=0") for o in offers)


def _chunks(body: bytes) -> bytes:
    """Return the body in chunked framing, CHUNK_BYTES a chunk."""
    cuts = [body[i : i + CHUNK_BYTES] for i in range(0, len(body), CHUNK_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in cuts) + b"0\r\n\r\n"


def make_server(portal: str, port: int = 0) -> PortalServer:
    """Return a bound server for a bundled portal; the caller runs and closes it.

    Raises:
        UsageError: there is no bundled portal of that name.
    """
    return PortalServer(read_site(portal), port)


@contextlib.contextmanager
def running(portal: str, port: int = 0) -> Iterator[PortalServer]:
    """Run a bundled portal in a thread until the block ends."""
    with make_server(portal, port) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.05,), name=f"demo-{portal}"
        )
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def serve_all() -> Iterator[dict[str, str]]:
    """Run every bundled portal; give ``{portal id: base URL}``."""
    with contextlib.ExitStack() as stack:
        servers = {p: stack.enter_context(running(p)) for p in portal_ids()}
        yield {portal: server.base_url for portal, server in servers.items()}
