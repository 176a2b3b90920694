"""A large, cheap portal in a process of its own, and the handle tests hold of it.

``python -m tests.durability.origin PLAN`` serves listing pages and items until its
stdin ends.  Every page is computed from its number, so nothing is kept in memory, and
the requests are counted in a file that the test maps too: looking costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import mmap
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.crawling import ROOT
from tests.site.portal import article, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = [
    *("harbour", "ferry", "pilot", "tide", "berth", "crane", "quay", "buoy", "cargo"),
    *("anchor", "mooring", "dredger", "lighthouse", "customs", "freight", "vessel"),
    *("captain", "signal", "channel", "warehouse", "inspection", "notice", "storm"),
    *("weather", "repair", "budget", "council", "figure", "report", "season", "wharf"),
]
COUNTER = struct.Struct("<qq")  # all requests, targets asked for


@dataclass(frozen=True, slots=True)
class Shape:
    """How much there is: listing pages, items on each, words and dead weight of one.

    Attributes:
        weight: bytes of a comment that no compression makes smaller than half.
    """

    pages: int = 20
    rows: int = 60
    words: int = 250
    weight: int = 0

    @property
    def items(self) -> int:
        """How many items there are."""
        return self.pages * self.rows

    def title(self, number: int) -> str:
        """Return an item's title."""
        return f"Harbour notice {number}"

    def targets(self) -> set[str]:
        """Return what there is to be captured."""
        pages = {page_target(number) for number in range(self.pages)}
        return pages | {f"/item/{number}" for number in range(self.items)}

    def body(self, target: str) -> str | None:
        """Return what a target answers with, None where there is nothing."""
        if target.startswith("/item/"):
            return self._item(int(target.removeprefix("/item/")))
        if target.startswith("/latest"):
            return self._page(int(target.partition("=")[2] or 0))
        return None

    def _item(self, number: int) -> str:
        sponge = hashlib.shake_128(str(number).encode())
        chosen = sponge.digest(self.words)
        text = " ".join(WORDS[byte % len(WORDS)] for byte in chosen)
        weight = sponge.hexdigest(self.weight // 2)
        return article(self.title(number), more=f"<p>{text}</p><!--{weight}-->")

    def _page(self, number: int) -> str:
        rows = range(number * self.rows, (number + 1) * self.rows)
        then = page_target(number + 1) if number + 1 < self.pages else None
        return listing((f"/item/{row}" for row in rows), then)


def page_target(number: int) -> str:
    """Return the target of a listing page."""
    return f"/latest?p={number}" if number else "/latest"


class Connection(asyncio.Protocol):
    """Answers GET requests one after the other on one connection."""

    def __init__(self, shape: Shape, hits: Counter[str], total: mmap.mmap) -> None:
        self._shape, self._hits, self._total = shape, hits, total
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._waiting += data
        while b"\r\n\r\n" in self._waiting:
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            self._answer(head.split(b" ", 2)[1].decode("ascii"))

    def _answer(self, target: str) -> None:
        if target == "/counted":
            self._send("200 OK", json.dumps(self._hits))
            return
        self._hits[target] += 1
        COUNTER.pack_into(self._total, 0, self._hits.total(), len(self._hits))
        body = self._shape.body(target)
        if body is None:
            self._send("404 Not Found", "not here")
        else:
            self._send("200 OK", body)

    def _send(self, status: str, body: str) -> None:
        content = body.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
        head += f"Content-Length: {len(content)}\r\n\r\n"
        self._transport.write(head.encode() + content)


async def serve(plan: dict[str, int], counter: Path) -> None:
    """Serve until stdin ends; say the port first."""
    shape, hits = Shape(**plan), Counter[str]()
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), COUNTER.size) as total:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(shape, hits, total), "127.0.0.1", 0, backlog=128
        )
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        server.close()


@dataclass(frozen=True, slots=True)
class Origin:
    """A portal that is served.

    Attributes:
        base: its URL without a trailing slash.
    """

    shape: Shape
    base: str
    _total: mmap.mmap

    @property
    def total(self) -> int:
        """How many requests came."""
        return int(COUNTER.unpack_from(self._total)[0])

    @property
    def different(self) -> int:
        """How many targets were asked for, robots.txt included."""
        return int(COUNTER.unpack_from(self._total)[1])

    def hits(self) -> Counter[str]:
        """Return the requests by target."""
        with urlopen(f"{self.base}/counted", timeout=20) as answer:
            return Counter(json.load(answer))

    def repeated(self) -> int:
        """Return how many requests were not the first for their page."""
        hits = self.hits()
        return sum(hits[target] - 1 for target in self.shape.targets())


@contextlib.contextmanager
def served(directory: Path, shape: Shape) -> Iterator[Origin]:
    """Serve a portal from a process of its own until the block ends."""
    directory.mkdir(parents=True, exist_ok=True)
    counter = directory / "hits"
    counter.write_bytes(bytes(COUNTER.size))
    plan = json.dumps(asdict(shape))
    command = [sys.executable, "-m", "tests.durability.origin", plan, str(counter)]
    with (
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child,
        counter.open("r+b") as file,
        mmap.mmap(file.fileno(), COUNTER.size) as total,
    ):
        assert child.stdout is not None
        try:
            port = int(child.stdout.readline())
            yield Origin(shape, f"http://127.0.0.1:{port}", total)
        finally:
            child.terminate()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1]), Path(sys.argv[2])))
