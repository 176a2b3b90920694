"""The index is sorted by bytes, the inverse of itself, and made again from records."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import ArchiveDamaged
from crawler.urls import surt
from crawler.warc.cdxj import (
    CdxLine,
    Index,
    format_line,
    line_for,
    line_from,
    parse_line,
    read_lines,
    request_digest,
    write_sorted,
)
from crawler.warc.reader import read_at, ref_of, scan
from tests.warc.sample import AT, Segment, Written, exchange, plain

TEXT = st.text(max_size=12)
MAYBE = st.none() | TEXT
LINES = st.builds(
    CdxLine,
    surt=st.text("abc,)/?=&%20", min_size=1).map(lambda s: s.replace(" ", "")),
    url=TEXT,
    mime=MAYBE,
    status=st.none() | st.integers(100, 999),
    digest=MAYBE,
    length=st.integers(0, 1 << 40),
    offset=st.integers(0, 1 << 40),
    filename=TEXT,
    date=st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware by timezones
    record=TEXT,
    request=MAYBE,
    page=MAYBE,
    ref=MAYBE,
    method=MAYBE,
)
LINE = CdxLine(
    surt="com,e)/a",
    url="https://e.com/a",
    mime="text/html",
    status=200,
    digest="sha256:00",
    length=1,
    offset=2,
    filename="a.warc.gz",
    date=AT,
    record="urn:uuid:1",
    page="p",
)


@given(line=LINES)
def test_a_line_comes_back_as_it_was(line: CdxLine) -> None:
    """Formatting and parsing are inverse, and a line is one line of ASCII."""
    text = format_line(line)
    assert text.isascii()
    assert text.isprintable()
    assert parse_line(text) == line


def test_a_line_is_as_other_tools_write_it() -> None:
    """Key order, strings for numbers, and absent keys are what readers expect."""
    assert format_line(LINE) == (
        'com,e)/a 20250715140000 {"url":"https://e.com/a","mime":"text/html",'
        '"status":"200","digest":"sha256:00","length":"1","offset":"2",'
        '"filename":"a.warc.gz","date":"2025-07-15T14:00:00.123456Z",'
        '"record":"urn:uuid:1","page":"p"}'
    )


def test_lines_of_other_makers_are_read() -> None:
    """Numbers may be numbers, keys of ours may be missing, others may be there."""
    line = parse_line(
        'com,e)/ 20250715140000 {"url":"http://e.com/","mime":"unk","status":"-",'
        '"length":7,"offset":8,"filename":"f","access":"x"}\n'
    )
    assert (line.length, line.offset, line.status) == (7, 8, None)
    assert line.date == datetime(2025, 7, 15, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "a b", "a b {}", "a 1 []", "a 20250715140000 {", "k 1 null"]
)
def test_what_is_no_line_is_damage(text: str) -> None:
    """A bad line is an error, never a line with holes."""
    with pytest.raises(ArchiveDamaged):
        parse_line(text)


def test_lines_made_while_writing_and_while_reading_are_equal(
    written: Written,
) -> None:
    """The index is a cache: rebuilt from the WARC it is the same, line for line."""
    live = [
        line_for(record, ref)
        for record, ref in zip(written.records, written.refs, strict=True)
    ]
    rebuilt = [
        line_from(
            member.record,
            ref_of(
                member.record,
                warc=written.path.name,
                offset=member.offset,
                length=member.length,
            ),
        )
        for member in scan(written.path)
    ]
    assert rebuilt[1:] == live
    kinds = [r.type for r, line in zip(written.records, live, strict=True) if line]
    assert sorted(set(kinds)) == ["metadata", "resource", "response", "revisit"]
    assert kinds.count("metadata") == 1
    assert [line.method for line in live if line and line.method] == ["HEAD"]
    assert [line.mime for line in live if line].count("warc/revisit") == 2


def test_a_file_of_lines_is_sorted_and_repeats_exactly(tmp_path: Path) -> None:
    """Order of writing does not show; two writes give the same bytes."""
    lines = [
        replace(LINE, surt=key, offset=n)
        for n, key in enumerate(["b)/", "a)/b", "a)/", "a)/B", "com,e)/%C3"])
    ]
    write_sorted(lines, tmp_path / "x.cdxj.gz")
    write_sorted(reversed(lines), tmp_path / "y.cdxj.gz")
    content = (tmp_path / "x.cdxj.gz").read_bytes()
    assert content == (tmp_path / "y.cdxj.gz").read_bytes()
    texts = gzip.decompress(content).splitlines()
    assert texts == sorted(texts)
    assert set(read_lines(tmp_path / "x.cdxj.gz")) == set(lines)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_torn_index_is_damage(tmp_path: Path) -> None:
    """An index cut anywhere is never read as a shorter one."""
    path = tmp_path / "x.cdxj.gz"
    write_sorted([replace(LINE, offset=n) for n in range(50)], path)
    content = path.read_bytes()
    for size in (len(content) - 1, len(content) - 8, len(content) // 2, 11):
        path.write_bytes(content[:size])
        with pytest.raises(ArchiveDamaged):
            list(read_lines(path))


def test_the_index_answers_by_url_page_and_record(written: Written) -> None:
    """A URL's lines come oldest first; a page's lines are all of one visit."""
    lines = [
        line
        for record, ref in zip(written.records, written.refs, strict=True)
        if (line := line_for(record, ref))
    ]
    index = Index(reversed(lines))
    found = index.at("http://www.E.com/a")
    assert len(found) == 6
    assert list(found) == sorted(found, key=lambda line: line.date)
    assert all(line.surt == surt("https://e.com/a") for line in found)
    assert [line.mime for line in index.of_page("page-2")] == ["warc/revisit"]
    assert any(line.mime == "application/json" for line in index.of_page("page-1"))
    revisit = index.of_page("page-2")[0]
    original = index.record(revisit.ref or "")
    assert original is not None
    assert read_at(written.path, original.offset).record.record_id == revisit.ref
    assert index.at("http://e.com/other") == ()
    assert index.record("urn:none") is None


def test_requests_that_differ_have_other_digests() -> None:
    """Method, URL, headers and body count; order and case of header names do not."""
    plain = request_digest("GET", "http://e.com/")
    others = {
        request_digest("POST", "http://e.com/"),
        request_digest("GET", "http://e.com/a"),
        request_digest("GET", "http://e.com/", [("A", "1")]),
        request_digest("GET", "http://e.com/", body=b"x"),
    }
    assert len(others | {plain}) == 5
    assert request_digest("get", "u", [("A", "1"), ("b", "2")]) == request_digest(
        "GET", "u", [("B", " 2"), ("a", "1")]
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://e.com:99999/",
        "http://e.com:x/",
        "http://[::1/",
        "http:///",
        "//",
        "urn:dom:http://e.com/a b",
        "http://e.com/\ud800 \u2028",
        "http://\u00e9.com/\u00fc?\u00e4",
        "",
    ],
)
def test_every_url_has_a_line(segment: Segment, url: str) -> None:
    """No URL that was asked for, however broken, stops the archive or its index."""
    records, refs = segment.add(exchange(plain(), url=url))
    line = line_for(records[0], refs[0])
    assert line is not None
    assert parse_line(format_line(line)) == line
    assert Index([line]).at(url) == (line,)
