"""A SOCKS5 proxy on loopback: every name is this host, and what was asked is kept."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Told:
    """What clients said: their log-ins, and the hosts and ports they wanted."""

    logins: list[tuple[bytes, bytes] | None] = field(default_factory=list)
    wanted: list[tuple[str, int]] = field(default_factory=list)


class SocksServer(ThreadingTCPServer):
    """Serves ``socks5://127.0.0.1:port``.

    Attributes:
        login: asked of clients, None for nothing.
        refusal: the reply to every connect, 0 to serve it.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, login: tuple[bytes, bytes] | None, refusal: int) -> None:
        self.told = Told()
        self.login = login
        self.refusal = refusal
        super().__init__(("127.0.0.1", 0), _Client)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Client(BaseRequestHandler):
    server: SocksServer
    request: socket.socket

    def handle(self) -> None:
        self.file = self.request.makefile("rb")
        with contextlib.suppress(OSError), self.file:
            if self._greet():
                self._serve()

    def _greet(self) -> bool:
        _, count = self.file.read(2)
        offered = self.file.read(count)
        method = 0 if self.server.login is None else 2
        if method not in offered:
            self.request.sendall(b"\x05\xff")
            return False
        self.request.sendall(bytes([5, method]))
        if method == 0:
            self.server.told.logins.append(None)
            return True
        user = self.file.read(self.file.read(2)[1])
        login = (user, self.file.read(self.file.read(1)[0]))
        self.server.told.logins.append(login)
        good = login == self.server.login
        self.request.sendall(bytes([1, not good]))
        return good

    def _serve(self) -> None:
        kind = self.file.read(4)[3]
        if kind == 3:
            host = self.file.read(self.file.read(1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, self.file.read(size))
        port = int.from_bytes(self.file.read(2), "big")
        self.server.told.wanted.append((host, port))
        reply = self.server.refusal
        name = b"\x03\x01x" if kind == 3 else b"\x01\x00\x00\x00\x00"
        if reply:
            self.request.sendall(bytes([5, reply, 0]) + name + b"\x00\x00")
            return
        with socket.create_connection(("127.0.0.1", port)) as there:
            self.request.sendall(b"\x05\x00\x00" + name + b"\x00\x00")
            back = threading.Thread(target=_pump, args=(there, self.request))
            back.start()
            _pump(self.request, there)
            back.join(20)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def socks(
    login: tuple[bytes, bytes] | None = None, refusal: int = 0
) -> Iterator[SocksServer]:
    """Run a proxy until the block ends."""
    with SocksServer(login, refusal) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
