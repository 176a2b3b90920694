"""A proxy before an HTTP service that loses, cuts, delays and makes up answers."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Kind = Literal["answer", "cut", "hold", "lose", "reset", "slow"]
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})
LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Fault:
    """What happens to requests.

    Attributes:
        kind: ``answer`` with status and body, asking nobody; ``cut`` the answer's body
            in the middle; ``hold`` the request and never answer; ``lose`` the answer
            after the service gave it; ``reset`` the connection before the body is read;
            ``slow``: wait first.
        method: of the requests; "" is all.
        part: of path and query; "" is in all.
        times: how many requests it happens to.
    """

    kind: Kind
    method: str = ""
    part: str = ""
    times: int = 1
    status: int = 503
    body: bytes = b""
    wait_s: float = 0.0


class FaultProxy(ThreadingHTTPServer):
    """A proxy on a port of its own; use it as a context.

    Attributes:
        faults: what is to happen, first match first; used up ones stay and do nothing.
        seen: method, and path with query, of every request.
    """

    daemon_threads = True

    def __init__(self, target_port: int, *faults: Fault) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target_port = target_port
        self.faults = list(faults)
        self.seen: list[tuple[str, str]] = []
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, method: str, part: str) -> int:
        """Return how many requests there were with part in path and query."""
        with self.lock:
            return sum(1 for m, path in self.seen if m == method and part in path)

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Note a request; use up and return what is to happen to it."""
        with self.lock:
            self.seen.append((method, path))
            for fault in self.faults:
                wanted = fault.method in {"", method} and fault.part in path
                if wanted and fault.times > 0:
                    fault.times -= 1
                    return fault
            return None

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self.shutdown()
        with self.lock:
            for connection in self.connections:
                abort(connection)
        self.server_close()
        self.thread.join(10)


def abort(connection: socket.socket) -> None:
    """End a connection that may be gone already."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FaultProxy

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.lock:
            self.server.connections.discard(self.connection)
        super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        fault = self.server.faults[0] if self.server.faults else None
        if fault is not None and fault.kind == "reset" and fault.times > 0:
            return True  # the body need not come
        return super().handle_expect_100()

    def _any(self) -> None:
        fault = self.server.fault_for(self.command, self.path)
        kind = fault.kind if fault else None
        if kind == "reset":
            self._reset()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault is not None and kind == "hold":
            self.server.closing.wait()
            self._reset()
        elif fault is not None and kind == "answer":
            self._reply(fault.status, [("Content-Type", "application/xml")], fault.body)
        else:
            if fault is not None and kind == "slow":
                self.server.closing.wait(fault.wait_s)
            status, headers, answer = self._asked(body)
            if kind == "lose":
                self._reset()
            else:
                self._reply(status, headers, answer, is_cut=kind == "cut")

    def __getattr__(self, name: str) -> Callable[[], None]:
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._any

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.target_port)
        try:
            upstream.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body or None)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            upstream.close()

    def _reply(
        self,
        status: int,
        headers: list[tuple[str, str]],
        body: bytes,
        *,
        is_cut: bool = False,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            is_length = name.lower() == "content-length"
            if name.lower() not in HOP and (not is_length or self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_cut else body)
        if is_cut:
            abort(self.connection)
            self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.connection.close()
