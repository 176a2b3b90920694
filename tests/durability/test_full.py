"""A full disk, a real one: the spool's or the store's; said, and gone on from later."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.durability.command import finish, start, workplace
from tests.durability.origin import Shape, served
from tests.durability.whole import assert_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.durability.origin import Origin

SHAPE = Shape(pages=3, rows=40, weight=20_000)
ENOUGH = "64m"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """Give the portal, served."""
    with served(tmp_path_factory.mktemp("origin"), SHAPE) as running:
        yield running


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a disk of a few bytes until the block ends."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def enlarge(place: Path) -> None:
    """Make a mounted disk large enough."""
    options = f"remount,size={ENOUGH}"
    subprocess.run(["mount", "-o", options, str(place)], check=True)


def fails_of_a_full_disk(said: str, code: int) -> None:
    """Check that a command said that the disk is full, in words."""
    assert code == 5, f"{code}\n{said[-3000:]}"
    assert "full" in said or "No space left" in said, said[-3000:]
    assert "this is a bug" not in said, said[-3000:]


@pytest.mark.parametrize("size", ["4k", "100k", "400k", "1m", "2m"])
def test_full_spool(tmp_path: Path, origin: Origin, size: str) -> None:
    """It ends with 5 and a message; with space again, nothing is lost or doubled."""
    place = workplace(tmp_path, origin)
    with small_disk(tmp_path / "spool", size):
        code, said = start(place).end(60)
        fails_of_a_full_disk(said, code)
        again = start(place).end(60)  # still full: the same
        fails_of_a_full_disk(again[1], again[0])
        enlarge(tmp_path / "spool")
        finish(place)
        assert_whole(place, SHAPE, origin.base)


@pytest.mark.parametrize("size", ["4k", "1m"])
def test_full_store(tmp_path: Path, origin: Origin, size: str) -> None:
    """It ends with 5 and a message; with space again it is committed, once."""
    place = workplace(
        tmp_path,
        origin,
        store={"url": str(tmp_path / "store"), "commit_timeout": "1s"},
    )
    with small_disk(tmp_path / "store", size):
        code, said = start(place).end(60)
        fails_of_a_full_disk(said, code)
        before = origin.total
        enlarge(tmp_path / "store")
        finish(place, 200)
        assert origin.total == before, "pages were asked for again"
        assert_whole(place, SHAPE, origin.base)


def test_store_refuses_while_the_spool_is_full(tmp_path: Path, origin: Origin) -> None:
    """A crawl that waits for a store that will not take anything ends, with 5."""
    place = workplace(tmp_path, origin, spool={"path": "spool", "max_size": "300KB"})
    place.settings["spool"]["path"] = str(tmp_path / "spool")
    store, aside = tmp_path / "store", tmp_path / "aside"
    child = start(place)
    assert child.wait_for(lambda: child.said("segment_committed") > 0)
    store.rename(aside)
    store.write_text("a file in the way")
    code, said = child.end(60)
    assert code == 5, said[-3000:]
    assert "fetching_paused" in said
    told = [line for line in said.splitlines() if line.startswith("  ")]
    assert "Not a directory" in told[0], said[-3000:]
    store.unlink()
    aside.rename(store)
    finish(place)
    assert_whole(place, SHAPE, origin.base)
