"""HTTP messages are read as browsers read them, and no byte is lost on the way."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.block import Block
from crawler.http import (
    BodyMeter,
    Dechunker,
    Framing,
    Head,
    content_length,
    final_head_offset,
    framing,
    header,
    header_all,
    is_whole,
    message_end,
    parse_head,
    parse_request_head,
    payload,
    payload_chunks,
    response_from_block,
)

AT = datetime(2025, 7, 15, 14, tzinfo=UTC)

TOKENS = st.text("abcXYZ-_19", min_size=1).map(str.encode)
VALUES = st.binary(max_size=20).map(
    lambda b: b.translate(None, b"\r\n").strip(b" \t\x0b\x0c")
)
PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
ENDS = st.sampled_from([b"\r\n", b"\n"])


def head_of(content: bytes) -> Head:
    """Read a head that is there."""
    head = parse_head(content)
    assert head is not None
    return head


def chunked(pieces: list[bytes], end: bytes = b"\r\n") -> bytes:
    """Chunk a body, with extensions and a trailer."""
    sized = [b"%x;ext=1" % len(p) + end + p + end for p in pieces]
    return b"".join(sized) + b"0" + end + b"Trailer: x" + end + end


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@given(headers=st.lists(st.tuples(TOKENS, VALUES)), end=ENDS)
def test_head_comes_back_as_written(
    headers: list[tuple[bytes, bytes]], end: bytes
) -> None:
    """Names, values, order and repeats are those on the wire, with either line end."""
    lines = [b"HTTP/1.1 200 OK", *(n + b": " + v for n, v in headers)]
    content = end.join(lines) + end + end
    head = head_of(content + b"body\r\n\r\n")
    assert head.headers == tuple(headers)
    assert head.size == len(content)


@pytest.mark.parametrize(
    ("content", "status", "reason", "headers"),
    [
        (b"HTTP/1.0 404\r\n\r\n", 404, b"", ()),
        (b"HTTP/1.1 200 \n\n", 200, b"", ()),
        (b"HTTP/1.1  204  Not  Here \r\n\r\n", 204, b"Not  Here", ()),
        (b"HTTP/2 200 OK\r\n\r\n", 200, b"OK", ()),
        (
            b"HTTP/1.1 200 OK\r\nA: 1\r\n  2\r\n\t3\r\nB:4\r\n\r\n",
            200,
            b"OK",
            ((b"A", b"1 2 3"), (b"B", b"4")),
        ),
        (
            b"HTTP/1.1 200 OK\r\nno colon\r\n folded\r\nA : 1\r\n: x\r\n\r\n",
            200,
            b"OK",
            ((b"A", b"1"),),
        ),
        (
            b"HTTP/1.1 200 \xe4\xbd\xa0\r\nX-\xe9: \xff\r\n\r\n",
            200,
            b"\xe4\xbd\xa0",
            ((b"X-\xe9", b"\xff"),),
        ),
    ],
)
def test_odd_heads_are_read(
    content: bytes,
    status: int,
    reason: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    """What browsers accept is accepted."""
    head = head_of(content)
    assert (head.status, head.reason, head.headers) == (status, reason, headers)


@pytest.mark.parametrize(
    "content",
    [b"", b"HTTP/1.1 200 OK\r\nA: 1\r\n", b"<html>\n\n", b"HTTP/1.1 2000 OK\r\n\r\n"],
)
def test_no_head_is_none(content: bytes) -> None:
    """An unfinished head, or something that is none, gives None and no guess."""
    assert parse_head(content) is None


def test_header_is_the_last_of_that_name_in_any_case() -> None:
    """A repeated header's last value counts, and all are there to be asked for."""
    headers = ((b"X-a", b"1"), (b"B", b"2"), (b"x-A", b"3"))
    assert header(headers, b"X-A") == b"3"
    assert header_all(headers, b"x-a") == (b"1", b"3")
    assert header(headers, b"C") is None


@pytest.mark.parametrize(
    ("interim", "rest"),
    [
        (b"", b"HTTP/1.1 200 OK\r\n\r\n"),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
        (b"HTTP/1.1 100\n\nHTTP/1.1 103 E\r\n\r\n", b"HTTP/1.1 200"),
        (b"", b"HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early\r\nLink"),
    ],
)
def test_final_head_comes_after_whole_interim_ones(interim: bytes, rest: bytes) -> None:
    """Interim answers are skipped once they are whole; a 101 is the final one."""
    assert final_head_offset(interim + rest) == len(interim)


@given(pieces=PIECES, end=ENDS, sizes=st.lists(st.integers(1, 9), min_size=1))
def test_dechunker_undoes_chunking_however_the_bytes_arrive(
    pieces: list[bytes], end: bytes, sizes: list[int]
) -> None:
    """Any split of the input gives the same payload and leaves what follows alone."""
    wire = chunked(pieces, end)
    dechunker, out, at, turn = Dechunker(), b"", 0, 0
    content = wire + b"excess"
    while at < len(content):
        size = sizes[turn % len(sizes)]
        out += dechunker.feed(content[at : at + size])
        at, turn = at + size, turn + 1
    assert out == b"".join(pieces)
    assert dechunker.done
    assert not dechunker.failed
    assert dechunker.consumed == len(wire)


@pytest.mark.parametrize(
    "wire", [b"zz\r\n", b"3\r\nabcX\r\n", b"-1\r\n", b"1" * 20_000, b";ext\r\n"]
)
def test_broken_chunking_fails(wire: bytes) -> None:
    """Broken framing is said to be broken; nothing is made up."""
    dechunker = Dechunker()
    dechunker.feed(wire)
    assert dechunker.failed
    assert not dechunker.done


@pytest.mark.parametrize(
    ("head", "method", "expected"),
    [
        (b"Content-Length: 5", "GET", Framing.LENGTH),
        (b"Content-Length: 5\r\nContent-Length: 5, 5", "GET", Framing.LENGTH),
        (b"Content-Length: 5\r\nContent-Length: 6", "GET", Framing.CLOSE),
        (b"Content-Length: -5", "GET", Framing.CLOSE),
        (b"X: 1", "GET", Framing.CLOSE),
        (b"Content-Length: 5", "HEAD", Framing.NONE),
        (b"X: 1", "CONNECT", Framing.NONE),
        (b"Transfer-Encoding: gzip, Chunked", "GET", Framing.CHUNKS),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 1", "GET", Framing.CHUNKS),
        (b"Transfer-Encoding: identity", "GET", Framing.CLOSE),
    ],
)
def test_framing_is_decided_by_head_and_method(
    head: bytes, method: str, expected: Framing
) -> None:
    """Each way of delimiting a body is known by its head and the request's method."""
    assert framing(head_of(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"), method) is (
        expected
    )


@pytest.mark.parametrize("status", [101, 204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    """No body follows these, whatever their headers say."""
    head = head_of(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
    assert framing(head, "GET") is Framing.NONE
    assert content_length(head) == 5


@pytest.mark.parametrize(
    ("content", "method", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "GET", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "GET", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HEAD", True),
        (b"HTTP/1.0 200 OK\r\n\r\nab", "GET", True),
        (CHUNKED_HEAD + chunked([b"abc"]), "GET", True),
        (CHUNKED_HEAD + chunked([b"abc"])[:-2], "GET", False),
        (CHUNKED_HEAD + b"3\r\nabc\r\n", "GET", False),
        (CHUNKED_HEAD + b"3", "GET", False),
        (CHUNKED_HEAD, "GET", False),
        (CHUNKED_HEAD + b"<html>", "GET", True),
    ],
)
def test_whole_or_not(content: bytes, method: str, whole: bool) -> None:
    """A message that was cut is never taken for whole where framing can tell."""
    assert is_whole(Block(content), head_of(content), method) is whole


@pytest.mark.parametrize(
    "message",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",
        CHUNKED_HEAD + chunked([b"abc", b"d" * 300]),
    ],
)
def test_message_end_leaves_the_excess(message: bytes) -> None:
    """Where a message ends is found while it comes in and afterwards alike."""
    content = message + b"HTTP/1.1 junk"
    head = head_of(content)
    assert message_end(Block(content), head, "GET") == len(message)
    meter, end = BodyMeter(head, "GET"), head.size
    for at in range(head.size, len(content)):
        end += meter.feed(content[at : at + 1])
    assert (end, meter.done) == (len(message), True)


def test_a_body_called_chunked_that_is_not_is_taken_as_it_is() -> None:
    """Archives of other makers hold de-chunked bodies under heads that say chunked."""
    content = CHUNKED_HEAD + b"<html>\nnot chunked"
    assert payload(Block(content), head_of(content), 100) == (
        b"<html>\nnot chunked",
        False,
    )


@given(pieces=PIECES, limit=st.integers(0, 80))
def test_payload_is_cut_at_the_limit_and_says_so(
    pieces: list[bytes], limit: int
) -> None:
    """At most limit bytes are returned, cut set exactly where more were there."""
    body = b"".join(pieces)
    content = CHUNKED_HEAD + chunked(pieces)
    block = Block(content, spill_bytes=50)
    assert payload(block, head_of(content), limit) == (body[:limit], len(body) > limit)


def test_payload_of_many_tiny_chunks_takes_linear_time() -> None:
    """A million one-byte chunks in one piece are no way to keep us busy."""
    head = head_of(CHUNKED_HEAD)
    small = Block(CHUNKED_HEAD + b"1\r\nx\r\n" * 20_000)
    large = Block(CHUNKED_HEAD + b"1\r\nx\r\n" * 200_000)
    spent = []
    for block in (small, large):
        started = time.process_time()
        assert sum(map(len, payload_chunks(block, head)))
        spent.append(time.process_time() - started)
    assert spent[1] < 30 * spent[0] + 0.5
    dechunker = Dechunker()
    assert len(dechunker.feed(b"1\r\nx\r\n" * 200_000)) == 200_000


def test_request_heads_are_read() -> None:
    """Method, target and headers come back as sent."""
    head = parse_request_head(b"POST /a?b=1 HTTP/1.1\r\nHost: e.com\r\n\r\nbody")
    assert head is not None
    assert (head.method, head.target, head.version) == (b"POST", b"/a?b=1", b"HTTP/1.1")
    assert head.headers == ((b"Host", b"e.com"),)
    assert head.size == len(b"POST /a?b=1 HTTP/1.1\r\nHost: e.com\r\n\r\n")
    assert parse_request_head(b"POST /") is None


@pytest.mark.parametrize(
    ("content", "limit", "truncated", "cut"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 3, False, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 2, False, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", 3, False, True),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", 3, True, True),
    ],
)
def test_response_says_when_it_is_not_all(
    content: bytes, limit: int, truncated: bool, cut: bool
) -> None:
    """Whatever the reason, extraction is told that a payload is not the whole body."""
    response = response_from_block(
        "http://e.com/",
        Block(content),
        AT,
        method="GET",
        limit=limit,
        truncated=truncated,
    )
    assert response is not None
    assert (response.payload, response.cut) == (b"abc"[:limit], cut)


def test_no_head_gives_no_response() -> None:
    """Bytes that are no HTTP response are never handed to extraction."""
    block = Block(b"\x16\x03\x01")
    assert response_from_block("u", block, AT, method="GET", limit=9) is None


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200" + b" " * 200_000 + b"x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" x\r\n" * 60_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"\r" * 200_000,
        b"HTTP/1.1 103 x\r\n\r\n" * 10_000,
        b"GET " + b" " * 200_000 + b"\r\n\r\n",
    ],
)
def test_no_head_keeps_us_busy(content: bytes) -> None:
    """What a hostile server sends is read, or refused, in linear time."""
    started = time.process_time()
    parse_head(content)
    parse_request_head(content)
    final_head_offset(content)
    assert time.process_time() - started < 2
