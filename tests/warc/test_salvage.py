"""Damage is seen wherever it is, and costs only the records it touches."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from crawler.errors import ArchiveDamaged
from crawler.warc.format import Record, render
from crawler.warc.reader import Member, read_member, scan
from crawler.warc.salvage import salvage, spans
from crawler.warc.verify import Fault, verify_file
from tests.warc.sample import AT, Segment, Written, exchange, new_segment, plain


@pytest.fixture
def members(written: Written) -> list[Member]:
    """Give the members of a whole file."""
    return list(scan(written.path))


def offsets(path: Path) -> list[int]:
    """Return where the good members of a damaged file begin."""
    return [span.offset for span in spans(path) if span.record]


def test_a_file_torn_anywhere_keeps_every_whole_record(
    tmp_path: Path, segment: Segment
) -> None:
    """Cut at each byte: what lies before the cut is kept, nothing more is found."""
    segment.add(exchange(plain()))
    path = segment.writer.close()
    members = list(scan(path))
    content = path.read_bytes()
    ends = [m.offset + m.length for m in members]
    torn = tmp_path / "torn"
    for size in range(len(content)):
        torn.write_bytes(content[:size])
        whole = [m.offset for m, end in zip(members, ends, strict=True) if end <= size]
        assert offsets(torn) == whole
        if size in (0, *ends):
            assert len(list(scan(torn))) == len(whole)
        else:
            with pytest.raises(ArchiveDamaged):
                list(scan(torn))


@pytest.mark.parametrize("damage", [b"\0" * 40, b"\x1f\x8b\x08" * 13, os.urandom(40)])
def test_damage_in_the_middle_costs_the_records_it_touches(
    tmp_path: Path, written: Written, members: list[Member], damage: bytes
) -> None:
    """Overwritten bytes lose their own record; those after it are all found."""
    content = written.path.read_bytes()
    bad = tmp_path / "bad"
    for victim in members:
        middle = victim.offset + victim.length // 2
        bad.write_bytes(content[:middle] + damage + content[middle + len(damage) :])
        whole = [m.offset for m in members if m.offset != victim.offset]
        assert offsets(bad) == whole


def test_a_cut_file_that_was_appended_to_keeps_both_sides(
    tmp_path: Path, written: Written, members: list[Member]
) -> None:
    """A torn member between good ones hides none of them."""
    content = written.path.read_bytes()
    third = members[3]
    cut = content[: third.offset + 50] + content[members[4].offset :]
    (tmp_path / "bad").write_bytes(cut)
    result = salvage(tmp_path / "bad", tmp_path / "good")
    assert result.kept == len(members) - 1
    assert [(s.offset, s.length) for s in result.lost] == [(third.offset, 50)]
    saved = [m.record.record_id for m in scan(tmp_path / "good")]
    assert saved == [m.record.record_id for m in members if m is not third]
    assert (tmp_path / "bad").read_bytes() == cut
    with pytest.raises(FileExistsError):
        salvage(tmp_path / "bad", tmp_path / "good")


@pytest.mark.parametrize("cut", [1, 200])
def test_records_within_a_damaged_record_are_not_ours(
    tmp_path: Path, written: Written, cut: int
) -> None:
    """A WARC that was captured as a body does not become our captures."""
    segment = new_segment(tmp_path, "b.warc.gz", level=0)
    foreign = Record("resource", "urn:foreign", AT, b"<p>", target_uri="http://x/")
    inner = b"".join(render(foreign, 6))
    refs = segment.add(exchange(plain(b"." * 100 + inner + b"." * 100)))[1]
    path = segment.writer.close()
    content = path.read_bytes()
    assert inner in content
    end = refs[0].offset + refs[0].length
    path.write_bytes(content[: end - cut] + content[end:])
    assert offsets(path) == [0, refs[1].offset - cut, refs[2].offset - cut]


def test_without_its_first_record_the_rest_is_still_found(
    tmp_path: Path, written: Written, members: list[Member]
) -> None:
    """A file that lost its warcinfo is not lost."""
    content = b"\0" * 100 + written.path.read_bytes()[100:]
    (tmp_path / "bad").write_bytes(content)
    assert offsets(tmp_path / "bad") == [m.offset for m in members[1:]]


def test_salvage_takes_linear_time(tmp_path: Path) -> None:
    """A megabyte that looks like the beginning of members is passed over quickly."""
    (tmp_path / "bad").write_bytes(b"\x1f\x8b\x08" * 20_000)
    started = time.process_time()
    assert offsets(tmp_path / "bad") == []
    assert time.process_time() - started < 10


def rewritten(record: bytes) -> bytes:
    """Pack a record's bytes as a member."""
    return gzip.compress(record, mtime=0)


HEAD = (
    b"WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:x>\r\n"
    b"WARC-Date: 2025-07-15T14:00:00Z\r\n"
)


@pytest.mark.parametrize(
    "content",
    [
        rewritten(HEAD + b"Content-Length: 3\r\n\r\nabcd\r\n\r\n"),
        rewritten(HEAD + b"Content-Length: 5\r\n\r\nabcd\r\n\r\n"),
        rewritten(HEAD + b"Content-Length: 4\r\n\r\nabcd\r\n\r\n" * 2),
        rewritten(HEAD + b"Content-Length: 4\r\n\r\nabcd\n\n\n\n"),
        rewritten(HEAD + b"Content-Length: x\r\n\r\nabcd\r\n\r\n"),
        rewritten(HEAD + b"\r\nabcd\r\n\r\n"),
        rewritten(b"WARC/1.1\r\nContent-Length: 0\r\n\r\n\r\n\r\n"),
        rewritten(b"GIF89a" * 10),
        rewritten(b""),
        rewritten(HEAD + b"Content-Length: 4\r\n\r\nabcd\r\n\r\n")[:-1],
        rewritten(HEAD + b"Content-Length: 4\r\n\r\nabcd\r\n\r\n") + b"\0",
        rewritten(
            HEAD.replace(b"2025", b"20x5") + b"Content-Length: 0\r\n\r\n\r\n\r\n"
        ),
        b"",
        HEAD,
    ],
)
def test_what_is_not_one_whole_record_is_damage(content: bytes) -> None:
    """The strict reader takes nothing on trust."""
    with pytest.raises(ArchiveDamaged):
        read_member(content)


def test_odd_records_of_other_makers_are_read() -> None:
    """WARC/1.0, folded fields, odd bytes in values and short dates are legal."""
    head = HEAD.replace(b"1.1", b"1.0").replace(b"2025-07-15T14:00:00Z", b"2025-07")
    odd = b"X-Odd: \xff\r\n folded\r\nContent-Length: 4\r\n\r\nabcd\r\n\r\n"
    record = read_member(rewritten(head + odd))
    assert record.header("x-odd") == "\\xff folded"
    assert (record.date.year, record.date.month, record.date.day) == (2025, 7, 1)
    assert record.block.read() == b"abcd"


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, 3 << 20])
def test_blocks_that_compress_well_are_read_whole(size: int) -> None:
    """No output that zlib held back is lost, whatever the sizes."""
    record = Record("resource", "urn:x", AT, bytes(size))
    assert read_member(b"".join(render(record, 9))).block.read() == bytes(size)


def test_a_good_file_has_no_problem(written: Written) -> None:
    """What we write is good by our own strictest check."""
    assert list(verify_file(written.path, read_data=True)) == []


def fixed(content: bytes, old: bytes, new: bytes) -> bytes:
    """Change bytes in the first record that holds them; its member stays whole."""
    record = gzip.decompress(content)
    assert old in record
    return rewritten(record.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "faults", "read_data"),
    [
        (b"same text", b"same texT", {Fault.BLOCK_DIGEST, Fault.PAYLOAD_DIGEST}, True),
        (b"same text", b"same texT", set(), False),
        (b"charset=gbk", b"charset=abc", {Fault.BLOCK_DIGEST}, True),
        (
            b"Payload-Digest: sha256:",
            b"Payload-Digest: md4:",
            {Fault.PAYLOAD_DIGEST, Fault.REVISIT_DIFFERS},
            True,
        ),
        (
            b"0000000002>",
            b"0000000001>",
            {Fault.DUPLICATE_ID, Fault.CONCURRENT_MISSING},
            False,
        ),
    ],
)
def test_every_kind_of_lie_is_found(
    written: Written,
    members: list[Member],
    old: bytes,
    new: bytes,
    *,
    faults: set[Fault],
    read_data: bool,
) -> None:
    """A record changed within a whole member is found by what is said of it."""
    content = written.path.read_bytes()
    first = members[1]
    end = first.offset + first.length
    changed = fixed(content[first.offset : end], old, new)
    written.path.write_bytes(content[: first.offset] + changed + content[end:])
    problems = list(verify_file(written.path, read_data=read_data))
    assert {problem.fault for problem in problems} == faults


def test_damage_is_reported_with_its_place(
    written: Written, members: list[Member]
) -> None:
    """A torn tail is a problem with its offset, length and what is wrong."""
    content = written.path.read_bytes()
    written.path.write_bytes(content[:-3])
    last = members[-1]
    [problem] = verify_file(written.path, read_data=False)
    assert problem.fault is Fault.DAMAGED
    assert (problem.offset, problem.length) == (last.offset, last.length - 3)
    assert "ends within it" in problem.message
