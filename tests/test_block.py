"""Bytes in order of arrival, in memory or on disk."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.block import CHUNK_BYTES, Block

IN_MEMORY, ON_DISK = 1 << 20, 4


@pytest.fixture(params=[IN_MEMORY, ON_DISK], ids=["memory", "disk"])
def block(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Block]:
    """Give a block of ten bytes, in memory and on disk."""
    with closing(Block(spill_bytes=request.param, directory=tmp_path)) as made:
        for piece in (b"012", b"", b"3456", b"789"):
            made.append(piece)
        yield made


@given(st.lists(st.binary(max_size=9)), st.integers(0, 12), st.integers(0, 30))
def test_spilling_changes_nothing(pieces: list[bytes], spill: int, start: int) -> None:
    """What was appended is what is read, wherever it lies."""
    whole = b"".join(pieces)
    with closing(Block(spill_bytes=spill)) as block:
        for piece in pieces:
            block.append(piece)
        assert block.size == len(whole)
        assert block.read() == whole
        assert block.read(3, start=start) == whole[start : start + 3]
        assert b"".join(block.chunks(start)) == whole[start:]


def test_read_ranges(block: Block) -> None:
    """A range is cut at the end and empty beyond it."""
    assert block.read(3) == b"012"
    assert block.read(3, start=8) == b"89"
    assert block.read(start=7) == b"789"
    assert block.read(0) == b""
    assert block.read(start=11) == b""


def test_reading_does_not_move_the_next_append(block: Block) -> None:
    """A head that is read while more arrives leaves the end where it is."""
    assert next(block.chunks()) == b"0123456789"
    assert block.read(2) == b"01"
    block.append(b"ab")
    assert block.read() == b"0123456789ab"


def test_two_readers_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each reader goes on from its own place."""
    with closing(Block(spill_bytes=ON_DISK, directory=tmp_path)) as block:
        block.append(b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c")
        first, second = block.chunks(), block.chunks(1)
        pairs = list(itertools.zip_longest(first, second, fillvalue=b""))
        assert b"".join(one for one, _ in pairs) == block.read()
        assert b"".join(two for _, two in pairs) == block.read(start=1)


def test_cut_keeps_the_head_and_returns_the_rest(block: Block) -> None:
    """What is appended after a cut follows the bytes that were kept."""
    assert block.cut(4) == b"456789"
    assert block.size == 4
    block.append(b"xy")
    assert block.read() == b"0123xy"


@pytest.mark.parametrize("size", [10, 50])
def test_cut_at_or_beyond_the_end_is_nothing(block: Block, size: int) -> None:
    """A cut never makes a block longer."""
    assert block.cut(size) == b""
    assert block.size == 10
    assert block.read() == b"0123456789"


def test_chunks_are_bounded() -> None:
    """No chunk is larger than CHUNK_BYTES."""
    block = Block(b"x" * (2 * CHUNK_BYTES + 1))
    assert [len(x) for x in block.chunks()] == [CHUNK_BYTES, CHUNK_BYTES, 1]


def test_spilled_bytes_leave_no_name(tmp_path: Path) -> None:
    """A crash leaves no file behind: it has no name from the start."""
    with closing(Block(spill_bytes=1, directory=tmp_path)) as block:
        block.append(b"spilled")
        assert list(tmp_path.iterdir()) == []
        assert block.read() == b"spilled"


def test_closed_block_is_empty(block: Block) -> None:
    """After close readers see nothing, and closing twice is fine."""
    block.close()
    block.close()
    assert block.read() == b""
    assert list(block.chunks()) == []
