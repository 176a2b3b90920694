"""A relay of TCP connections that can be shut, held, and opened again."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_S = 0.003


@dataclass
class Relay:
    """Passes bytes on between a port of its own and another one.

    Attributes:
        target: the port passed on to.
        port: its own; the same after it was shut.
    """

    target: int
    port: int = 0
    _listener: socket.socket | None = None
    _pairs: dict[socket.socket, socket.socket] = field(default_factory=dict)
    _held: bool = False
    _ended: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Listen, and pass on what was held."""
        with self._lock:
            self._held = False
            if self._listener is None:
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", self.port))
                listener.listen(64)
                self.port = int(listener.getsockname()[1])
                self._listener = listener

    def shut(self) -> None:
        """Refuse connections and end those there are."""
        with self._lock:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            self._end_all()

    def hold(self) -> None:
        """Pass nothing on and answer nothing, as where packets are dropped."""
        with self._lock:
            self._held = True

    def end(self) -> None:
        """Stop for good."""
        self.shut()
        self._ended = True

    def run(self) -> None:
        """Pass bytes on until the end."""
        while not self._ended:
            with self._lock:
                ready = self._ready()
                for one in ready:
                    self._step(one)
            threading.Event().wait(0 if ready else LOOK_S)

    def _ready(self) -> list[socket.socket]:
        if self._held:
            return []
        watched = [*self._pairs, *([self._listener] if self._listener else [])]
        return select.select(watched, [], [], 0)[0] if watched else []

    def _step(self, one: socket.socket) -> None:
        if one is self._listener:
            came = one.accept()[0]
            onward = socket.create_connection(("127.0.0.1", self.target), 10)
            self._pairs[came], self._pairs[onward] = onward, came
        elif one in self._pairs:
            self._pass(one, self._pairs[one])

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            content = one.recv(1 << 18)
            if content:
                other.sendall(content)
                return
        except OSError:
            pass
        for end in (one, other):
            self._pairs.pop(end, None)
            end.close()

    def _end_all(self) -> None:
        for one in self._pairs:
            one.close()
        self._pairs.clear()


@contextlib.contextmanager
def relaying(target: int) -> Iterator[Relay]:
    """Run a relay until the block ends."""
    relay = Relay(target)
    relay.open()
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        relay.end()
        thread.join()
