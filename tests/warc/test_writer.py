"""A segment holds whole records only, whatever happens to the disk or the process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.errors import ArchiveDamaged, ObjectExists, SpoolUnwritable
from crawler.model import RecordRef
from crawler.warc.reader import read_at, scan
from crawler.warc.verify import verify_file
from crawler.warc.writer import opened_path, recover
from tests.warc.sample import Segment, Written, exchange, new_segment, plain


def test_references_lead_to_the_records(written: Written) -> None:
    """Offset and length of each reference are those of its member."""
    assert [m.record.record_id for m in scan(written.path)][1:] == [
        ref.record_id for ref in written.refs
    ]
    for ref, record in zip(written.refs, written.records, strict=True):
        member = read_at(written.path, ref.offset)
        assert member.length == ref.length
        assert member.record.record_id == record.record_id
        assert member.record.target_uri == ref.target_uri
        assert member.record.date == ref.captured_at
        assert ref.warc == written.path.name


def test_a_file_is_open_until_it_is_whole(segment: Segment) -> None:
    """The final name appears at close; what was appended can be read before that."""
    path = segment.writer.path
    segment.add(exchange(plain()))
    segment.writer.sync()
    assert not path.exists()
    assert len(list(scan(opened_path(path)))) == 4
    assert segment.writer.close() == path
    assert not opened_path(path).exists()
    assert list(verify_file(path, read_data=True)) == []


def test_no_file_is_ever_overwritten(tmp_path: Path) -> None:
    """A name that is taken is refused, at the start and at the end."""
    segment = new_segment(tmp_path)
    with pytest.raises(SpoolUnwritable):
        new_segment(tmp_path)
    segment.writer.path.write_bytes(b"mine")
    with pytest.raises(ObjectExists):
        segment.writer.close()
    assert segment.writer.path.read_bytes() == b"mine"


def test_a_full_disk_leaves_whole_members(segment: Segment) -> None:
    """An append that fails leaves no byte behind, and the next one may succeed."""
    segment.add(exchange(plain()))
    before = segment.writer.size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + 900, hard))
    try:
        with pytest.raises(SpoolUnwritable):
            segment.add(exchange(plain(os.urandom(50_000))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert segment.writer.size == before
    assert opened_path(segment.writer.path).stat().st_size == before
    segment.add(exchange(plain()))
    path = segment.writer.close()
    assert list(verify_file(path, read_data=True)) == []
    assert len(list(scan(path))) == 7


def test_an_append_is_all_or_none(segment: Segment) -> None:
    """A record that cannot be rendered takes those appended with it back."""
    before = segment.writer.size
    records, _ = segment.add(exchange(plain()))
    after = segment.writer.size

    def failing() -> object:
        yield records[0]
        raise KeyError("the next one")

    with pytest.raises(KeyError):
        segment.writer.append(failing())  # type: ignore[arg-type] # a generator
    assert segment.writer.size == after > before
    assert opened_path(segment.writer.path).stat().st_size == after


@pytest.fixture
def crashed(segment: Segment) -> tuple[Path, list[RecordRef]]:
    """Give a file left open, and where its records are."""
    refs = segment.add(exchange(plain()))[1]
    segment.writer.abandon()
    return opened_path(segment.writer.path), refs


@pytest.mark.parametrize("tail", [b"", b"\x1f\x8b\x08torn", b"\0" * 5000])
def test_recover_cuts_to_what_was_committed(
    crashed: tuple[Path, list[RecordRef]], tail: bytes
) -> None:
    """After a crash the file holds the committed records and nothing else."""
    path, refs = crashed
    committed = refs[1].offset + refs[1].length
    with path.open("ab") as file:
        file.write(tail)
    final = recover(path, committed)
    assert final.name == "a.warc.gz"
    assert final.stat().st_size == committed
    assert [m.record.type for m in scan(final)] == ["warcinfo", "response", "request"]


@pytest.mark.parametrize("off", [-1, 1, 10**6])
def test_recover_refuses_what_is_no_boundary(
    crashed: tuple[Path, list[RecordRef]], off: int
) -> None:
    """A length that ends no member cuts nothing: something else is wrong."""
    path, refs = crashed
    before = path.read_bytes()
    with pytest.raises(ArchiveDamaged):
        recover(path, refs[1].offset + off)
    assert path.read_bytes() == before


def test_one_file_from_the_same_records(tmp_path: Path) -> None:
    """The same records give the same bytes."""
    contents = []
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        segment = new_segment(tmp_path / name)
        segment.add(exchange(plain()))
        contents.append(segment.writer.close().read_bytes())
    assert contents[0] == contents[1]


LARGE = """
import resource, sys
from pathlib import Path
from crawler.block import Block
from tests.warc.sample import new_segment, exchange
from dataclasses import replace
from crawler.warc.verify import verify_file
piece, count = bytes(range(256)) * 256, 1024
segment = new_segment(Path(sys.argv[1]), level=1)
block = Block(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % (65536 * count),
              directory=Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(count):
    block.append(piece)
segment.add(replace(exchange(b""), response=block))
path = segment.writer.close()
assert not list(verify_file(path, read_data=True))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_large_block_takes_no_memory(tmp_path: Path) -> None:
    """64 MB go into a record, and are verified, within a few megabytes of memory."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown_kib = int(done.stdout)
    assert grown_kib < 16_000
