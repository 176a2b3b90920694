"""An S3 store that is away for a while during a crawl: it waits, and goes on.

``PORTALKEEP_OUTAGE_S`` says for how long (10), ``PORTALKEEP_BIG=1`` makes the crawl
through a small spool ten times as large.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crawler.archive.store.s3 import S3Store
from tests.durability.command import Child, finish, start, workplace
from tests.durability.origin import Origin, Shape, served
from tests.durability.relay import Relay, relaying
from tests.durability.whole import assert_whole
from tests.site.fault_proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archive.seaweed import Seaweed
    from tests.crawling import Workplace

OUTAGE_S = float(os.environ.get("PORTALKEEP_OUTAGE_S", "10"))
BIG = 10 if os.environ.get("PORTALKEEP_BIG") else 1
SHAPE = Shape(pages=2, rows=50, weight=40_000)
EVER = 1 << 60
SPOOL_BYTES = 400_000


FAULTS: dict[str, Callable[[], Fault]] = {
    "reset": lambda: Fault("reset", times=EVER),
    "slow": lambda: Fault("slow", times=EVER, wait_s=1.0),
    "500": lambda: Fault("answer", times=EVER, status=500),
    "503": lambda: Fault("answer", times=EVER, status=503),
    "lost answers": lambda: Fault("lose", method="PUT", times=EVER),
}


@dataclass
class Outage:
    """One crawl, and what is between it and the store.

    Attributes:
        name: ``refused``, ``blackhole`` or one of FAULTS.
    """

    name: str
    place: Workplace
    origin: Origin
    relay: Relay
    proxy: FaultProxy
    child: Child

    def begin(self) -> None:
        """Once something is stored, let nothing pass any more."""
        assert self.child.wait_for(lambda: self.child.said("segment_committed") >= 2)
        if self.name == "refused":
            self.relay.shut()
        elif self.name == "blackhole":
            self.relay.hold()
        else:
            with self.proxy.lock:
                self.proxy.faults.append(FAULTS[self.name]())

    def end(self) -> None:
        """Let everything pass again."""
        with self.proxy.lock:
            self.proxy.faults.clear()
        self.relay.open()

    def check(self, store: S3Store) -> None:
        """Check that the crawl waited, went on, and that all of it is there."""
        code, said = self.child.end(OUTAGE_S + 180)
        assert code == 0, f"{self.name}\n{said[-3000:]}"
        assert " fetching_paused " in said, f"{self.name}\n{said[-3000:]}"
        assert " fetching_resumed " in said, f"{self.name}\n{said[-3000:]}"
        slow = self.name == "slow"
        assert slow or " commit_delayed " in said, f"{self.name}\n{said[-3000:]}"
        assert_whole(self.place, SHAPE, self.origin.base, store)
        assert self.origin.repeated() == 0


def crawl_to(place: Workplace, seaweed: Seaweed, port: int, spool_bytes: int) -> None:
    """Let a workplace store to S3 through a port, with a small spool."""
    place.settings |= {
        "store": {
            "url": seaweed.settings().url,
            "endpoint_url": f"http://127.0.0.1:{port}",
            "connect_timeout": "1s",
            "read_timeout": "2s",
            "commit_timeout": f"{OUTAGE_S * 2 + 120}s",
        },
        "spool": {"path": str(place.directory / "spool"), "max_size": spool_bytes},
    }


def outage(stack: ExitStack, directory: Path, seaweed: Seaweed, name: str) -> Outage:
    """Start a crawl that will have one."""
    origin = stack.enter_context(served(directory / "origin", SHAPE))
    proxy = stack.enter_context(FaultProxy(seaweed.port))
    relay = stack.enter_context(relaying(proxy.server_address[1]))
    place = workplace(directory, origin)
    crawl_to(place, own(seaweed, name), relay.port, SPOOL_BYTES)
    child = start(place)
    stack.callback(child.kill)
    return Outage(name, place, origin, relay, proxy, child)


def own(seaweed: Seaweed, name: str) -> Seaweed:
    """Return the server with a prefix of one crawl's own."""
    return replace(seaweed, prefix=f"{seaweed.prefix}/{name.replace(' ', '-')}")


def test_store_is_away(tmp_path: Path, seaweed: Seaweed) -> None:
    """Fetching pauses, goes on when the store is back, and all of it is there.

    Each kind of outage has a crawl of its own, all at the same time.
    """
    with ExitStack() as stack:
        outages = [
            outage(stack, tmp_path / str(number), seaweed, name)
            for number, name in enumerate(("refused", "blackhole", *FAULTS))
        ]
        for one in outages:
            one.begin()
        until_s = time.monotonic() + OUTAGE_S
        while (left_s := until_s - time.monotonic()) > 0:
            time.sleep(left_s)  # the outage itself
        for one in outages:
            one.end()
        for one in outages:
            one.check(S3Store(own(seaweed, one.name).settings()))


def test_crawl_larger_than_its_spool(tmp_path: Path, seaweed: Seaweed) -> None:
    """What is stored is taken out of the spool, which stays near its limit."""
    shape = Shape(pages=10 * BIG, rows=50, weight=200_000)
    limit = 10_000_000 * BIG
    with served(tmp_path / "origin", shape) as origin:
        place = workplace(tmp_path / "place", origin)
        del place.settings["warc"]
        crawl_to(place, seaweed, seaweed.port, limit)
        child, most = start(place), 0

        def grows() -> bool:
            nonlocal most
            most = max(most, size_of(place.directory / "spool"))
            return False

        try:
            child.wait_for(grows, 150 * BIG)
        finally:
            child.kill()
        assert child.process.returncode == 0, child.text()[-3000:]
        store = S3Store(seaweed.settings())
        assert_whole(place, shape, origin.base, store)
        stored = sum(info.size for info in store.list("archive/"))
    print(f"\n{stored} bytes through a spool of {limit}: at most {most}")  # noqa: T201
    assert stored > 4 * limit
    assert most < limit * 3 // 2


def size_of(directory: Path) -> int:
    """Return the bytes of the files in a directory that changes meanwhile."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def test_killed_while_it_uploads(tmp_path: Path, seaweed: Seaweed) -> None:
    """Killed again and again in the middle of requests, it leaves no torn object."""
    with ExitStack() as stack:
        origin = stack.enter_context(served(tmp_path / "origin", SHAPE))
        proxy = stack.enter_context(FaultProxy(seaweed.port))
        place = workplace(tmp_path / "place", origin)
        crawl_to(place, seaweed, proxy.server_address[1], SPOOL_BYTES)
        for number in range(6):
            before = proxy.count("PUT", "")
            child = start(place)
            wanted = before + 1 + 2 * number
            child.wait_for(lambda wanted=wanted: proxy.count("PUT", "") >= wanted)  # type: ignore[misc]
            child.kill()
        finish(place)
        assert_whole(place, SHAPE, origin.base, S3Store(seaweed.settings()))
