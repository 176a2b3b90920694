"""The order of writes: what is said to be durable survives a loss of power.

A crawl is run under strace.  Its calls are replayed on a disk that forgets what was not
synced, and what that disk holds is looked at after each transaction, and crawled on.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.durability import trace
from tests.durability.command import finish, start, workplace
from tests.durability.disk import SYNCS, Disk
from tests.durability.left import Broken, Left
from tests.durability.origin import Shape, served
from tests.durability.whole import assert_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.durability.origin import Origin
    from tests.durability.trace import Call

SEED = int(os.environ.get("PORTALKEEP_SEED", "20251123"))
RESTARTS = int(os.environ.get("PORTALKEEP_RESTARTS", "6"))
SHAPE = Shape(pages=3, rows=12)
SETTINGS = {"warc": {"max_size": "20KB"}}


@dataclass(frozen=True, slots=True)
class Traced:
    """A crawl that was traced.

    Attributes:
        root: of store and spool.
        calls: in order.
    """

    origin: Origin
    root: Path
    calls: tuple[Call, ...]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """Give a small crawl's calls; its portal is served on."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (apt-get install strace)")
    folder = tmp_path_factory.mktemp("traced")
    output = folder / "calls"
    with served(folder / "origin", SHAPE) as origin:
        place = workplace(folder / "place", origin, **SETTINGS)
        child = start(place, under=trace.under(output), verbose="-vv")
        code, said = child.end()
        if "ptrace" in said and code != 0:
            pytest.skip(f"strace may not trace here: {said.splitlines()[0]}")
        assert code == 0, said[-3000:]
        assert_whole(place, SHAPE, origin.base)
        yield Traced(origin, place.directory, tuple(trace.read(output)))


def is_commit(call: Call) -> bool:
    """Tell whether a call ended a transaction, or changed what names there are."""
    if not call.ended or call.failed:
        return False
    if call.name in SYNCS:
        return call.path.endswith("/spool.sqlite-wal")
    return call.name in ("rename", "unlink", "link")


def said(call: Call) -> str:
    """Return what a call wrote to the log, "" for none."""
    if call.name != "write" or not call.ended or "/talk-" not in call.path:
        return ""
    return call.content.decode(errors="replace")


def check(traced: Traced, calls: Iterable[Call], folder: Path) -> int:
    """Look at what a loss of power leaves after each transaction; return how many.

    Raises:
        Broken: something that was said to be durable is not there.
    """
    disk, looked, acknowledged = Disk(traced.root), 0, set[str]()
    place, left = folder / "left", Left()
    for call in calls:
        disk.take(call)
        acknowledged |= left.urls_in(said(call))
        if is_commit(call):
            disk.build(place)
            left.look(place, acknowledged)
            shutil.rmtree(place)
            looked += 1
    return looked


def test_what_is_acknowledged_is_durable(traced: Traced, tmp_path: Path) -> None:
    """At no moment does a loss of power take a record, item, segment or run."""
    looked = check(traced, traced.calls, tmp_path)
    print(f"\n{len(traced.calls)} calls, {looked} moments looked at")  # noqa: T201
    assert looked > 40


def is_sync_of(call: Call, *, has: str, ends: str = "", folder: bool = False) -> bool:
    """Tell whether a call syncs a file (or folder) whose path looks so."""
    if call.name not in SYNCS:
        return False
    path = Path(call.path)
    is_folder = path.suffix == ""
    return has in str(path) and str(path).endswith(ends) and is_folder is folder


@pytest.mark.parametrize(
    "forgotten",
    [
        partial(is_sync_of, has="/spool/", ends=".warc.gz.open"),
        partial(is_sync_of, has="/spool/harbour/2", folder=True),
        partial(is_sync_of, has="/spool/harbour", ends="harbour", folder=True),
        partial(is_sync_of, has="/store/archive/", ends=".new"),
        partial(is_sync_of, has="/store/items/", folder=True),
        partial(is_sync_of, has="/store/segments/", ends=".new"),
        partial(is_sync_of, has="/store", ends="store", folder=True),
        partial(is_sync_of, has="/store/runs/", folder=True),
        partial(is_sync_of, has="/spool/", ends="-wal"),
    ],
    ids=[
        "spooled WARC",
        "spooled WARC's name",
        "run's directory",
        "stored WARC",
        "stored item part's name",
        "segment manifest",
        "store's directories",
        "run manifest's name",
        "transaction",
    ],
)
def test_a_forgotten_sync_is_found(
    traced: Traced, tmp_path: Path, forgotten: Callable[[Call], bool]
) -> None:
    """The check above fails where any one kind of sync is left out."""
    calls = [call for call in traced.calls if not forgotten(call)]
    assert len(calls) < len(traced.calls), "there was no such sync"
    with pytest.raises(Broken) as found:
        check(traced, calls, tmp_path)
    print(f"\n{found.value}")  # noqa: T201


@pytest.mark.parametrize("torn", [False, True], ids=["cut", "torn"])
def test_crawl_goes_on_after_a_loss_of_power(
    traced: Traced, tmp_path: Path, torn: bool
) -> None:
    """What is left is crawled to its end: nothing lost, nothing twice."""
    chance = random.Random(SEED)
    commits = [n for n, call in enumerate(traced.calls) if is_commit(call)]
    chosen = set(chance.sample(commits, RESTARTS // 2))
    disk = Disk(traced.root)
    for number, call in enumerate(traced.calls):
        disk.take(call)
        if number in chosen:
            place = workplace(tmp_path / str(number), traced.origin, **SETTINGS)
            disk.build(place.directory, chance if torn else None)
            finish(place)
            assert_whole(place, SHAPE, traced.origin.base)
