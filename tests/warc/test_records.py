"""What is archived is what crossed the wire, and what was done with it is written."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crawler.exchange import Truncated
from crawler.warc import dedup
from crawler.warc.format import Record, parse_date, render, safe_uri, safe_value
from crawler.warc.reader import read_member, scan, to_response
from crawler.warc.records import exchange_records
from tests.warc.sample import (
    AT,
    BODY,
    REQUEST,
    Segment,
    Written,
    chunked,
    exchange,
    plain,
)

if TYPE_CHECKING:
    from crawler.warc.member import ParsedRecord


def written_fields(record: Record) -> ParsedRecord:
    """Render a record and read it back."""
    return read_member(b"".join(render(record, 6)))


def test_blocks_are_the_bytes_of_the_wire(segment: Segment) -> None:
    """Request and response come back byte for byte: case, order, chunks and all."""
    segment.add(exchange(chunked()))
    path = segment.writer.close()
    blocks = {m.record.type: m.record.block.read() for m in scan(path)}
    assert blocks["response"] == chunked()
    assert blocks["request"] == REQUEST


def test_interim_and_excess_bytes_are_kept_verbatim(segment: Segment) -> None:
    """What does not belong to the response is in the metadata, bit for bit."""
    one = exchange(plain(), interim=b"HTTP/1.1 103 \xff\r\n\r\n", excess=b"\0\r\njunk")
    metadata = segment.add(one)[0][-1]
    assert isinstance(metadata.block, bytes)
    lines = metadata.block.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines if line)
    assert base64.b64decode(fields["interim"]) == one.interim
    assert base64.b64decode(fields["excess"]) == one.excess
    assert fields["fetchTimeMs"] == "12"
    assert fields["firstByteMs"] == "7"
    assert fields["via"] == "http://proxy.example:3128"


def test_payload_digest_is_of_the_body_without_chunks(segment: Segment) -> None:
    """Two responses that differ only in chunking have one payload digest."""
    expected = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    for content in (plain(), chunked()):
        response, request, metadata = segment.add(exchange(content))[0]
        assert response.payload_digest == expected
        assert request.payload_digest is None
        assert metadata.payload_digest is None


def test_an_exchange_names_its_records_as_concurrent(segment: Segment) -> None:
    """The records of one exchange and one page visit find each other."""
    response, *others = map(written_fields, segment.add(exchange(plain()))[0])
    assert [other.type for other in others] == ["request", "metadata"]
    for other in others:
        assert other.header("WARC-Concurrent-To") == response.record_id
    for record in (response, *others):
        assert record.header("WARC-Page-ID") == "page-1"
        assert record.date == AT
    assert response.header_all("WARC-Protocol") == ("http/1.1", "tls/1.3")
    assert response.header("WARC-Cipher-Suite") == "TLS_AES_128_GCM_SHA256"
    assert response.header("WARC-IP-Address") == "192.0.2.1"


def test_a_known_payload_becomes_a_revisit_that_keeps_its_headers(
    segment: Segment,
) -> None:
    """A revisit has the head it came with and says where the payload is."""
    first = segment.add(exchange(plain()))[1][0]
    made, refs = segment.add(exchange(chunked(), after_s=9), original=first)
    revisit = written_fields(made[0])
    assert revisit.type == "revisit"
    assert revisit.block.read() == chunked().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert str(revisit.header("WARC-Profile")).endswith("/identical-payload-digest")
    assert revisit.header("WARC-Refers-To") == first.record_id
    assert revisit.header("WARC-Refers-To-Target-URI") == first.target_uri
    assert parse_date(str(revisit.header("WARC-Refers-To-Date"))) == first.captured_at
    assert revisit.header("WARC-Truncated") == "length"
    assert refs[0].payload_record == first.record_id
    assert refs[0].payload_digest == first.payload_digest


def test_a_payload_says_since_when_it_is_there(segment: Segment) -> None:
    """Its first capture, less the Age then, goes on from record to record."""
    first = segment.add(exchange(plain(extra=b"Age: 60\r\n")))[1][0]
    assert first.payload_at == AT - timedelta(seconds=60)
    later = exchange(plain(extra=b"Age: 9000\r\n"), after_s=9)
    for known in (
        segment.add(later, original=first),
        segment.add(later, first_at=first.payload_at),
    ):
        made, refs = known
        assert refs[0].payload_at == first.payload_at
        said = written_fields(made[0]).header("WARC-Payload-Date")
        assert parse_date(str(said)) == first.payload_at
    broken = exchange(chunked()[:-4], after_s=9, truncated=Truncated.DISCONNECT)
    made, refs = segment.add(broken, first_at=first.payload_at)
    assert written_fields(made[0]).header("WARC-Truncated") == "disconnect"
    assert (refs[0].payload_digest, refs[0].payload_at) == (
        first.payload_digest,
        first.payload_at,
    )
    fresh = segment.add(exchange(plain(BODY + b"?")))
    assert fresh[1][0].payload_at is None
    assert written_fields(fresh[0][0]).header("WARC-Payload-Date") is None


def test_a_payload_that_broke_off_once_is_whole_when_it_came_whole(
    segment: Segment,
) -> None:
    """A revisit of a record that was cut at its very end is not cut itself."""
    broken = exchange(chunked()[:-4], truncated=Truncated.DISCONNECT)
    first, refs = segment.add(broken)
    made, _ = segment.add(exchange(chunked(), after_s=9), original=refs[0])
    assert made[0].type == "revisit"
    original, revisit = written_fields(first[0]), written_fields(made[0])
    for limit, cut in ((len(BODY), False), (len(BODY) - 1, True)):
        response = to_response(revisit, original, limit)
        assert response is not None
        assert response.cut is cut


@pytest.mark.parametrize("body", [b"", b"x" * (dedup.MINIMUM_BYTES - 1)])
def test_empty_and_tiny_payloads_are_always_written(
    segment: Segment, body: bytes
) -> None:
    """A revisit that would save nothing is not made."""
    first = segment.add(exchange(plain(body)))[1][0]
    assert segment.add(exchange(plain(body)), original=first)[0][0].type == "response"


def test_no_revisit_of_a_revisit_of_another_payload_or_of_a_cut_one(
    segment: Segment,
) -> None:
    """An original holds the very bytes itself, or it is not used."""
    first = segment.add(exchange(plain()))[1][0]
    revisit = segment.add(exchange(plain()), original=first)[1][0]
    other = segment.add(exchange(plain(BODY + b"!")))[1][0]
    cut = exchange(plain(), truncated=Truncated.TIME)
    for one, original in (
        (exchange(plain()), revisit),
        (exchange(plain()), other),
        (cut, first),
    ):
        assert segment.add(one, original=original)[0][0].type == "response"


def test_a_304_refers_to_what_it_stands_for(segment: Segment) -> None:
    """A 304 with a known original is a revisit; without one it is a response."""
    first = segment.add(exchange(plain()))[1][0]
    answer = exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", after_s=1)
    revisit = written_fields(segment.add(answer, validated=first)[0][0])
    assert revisit.type == "revisit"
    assert str(revisit.header("WARC-Profile")).endswith("/server-not-modified")
    assert revisit.header("WARC-Truncated") is None
    assert segment.add(answer)[0][0].type == "response"


def test_a_failure_without_response_is_recorded(segment: Segment) -> None:
    """An exchange without response leaves the request, if one was sent, and why."""
    failed = exchange(None, error="connect: refused\r\nWARC-Type: x")
    records, _ = segment.add(failed)
    assert [record.type for record in records] == ["request", "metadata"]
    assert b"error: connect: refused WARC-Type: x\r\n" in bytes(records[1].block)  # type: ignore[arg-type]
    records, _ = segment.add(exchange(None, request=b"", error="dns"))
    assert [record.type for record in records] == ["metadata"]


@pytest.mark.parametrize(
    ("truncated", "content", "expected"),
    [
        (Truncated.LENGTH, plain()[:-9], "length"),
        (None, plain()[:-9], "unspecified"),
        (None, chunked()[:-9], "unspecified"),
        (None, b"HTTP/1.1 20", "unspecified"),
        (None, plain(), None),
    ],
)
def test_a_cut_response_says_so(
    segment: Segment, truncated: Truncated | None, content: bytes, expected: str | None
) -> None:
    """No record pretends to be whole, even where the caller did not notice."""
    record = segment.add(exchange(content, truncated=truncated))[0][0]
    assert dict(record.headers).get("WARC-Truncated") == expected


EVIL = (
    "http://e.com/\r\nWARC-Type: x\r\n\r\nHTTP/1.1 200 OK\r\n\u2028\x85é \x00<>\ud800"
)


def test_nothing_from_outside_makes_a_header_line(segment: Segment) -> None:
    """Line ends in URLs, errors, pages and filenames stay within their value."""
    one = exchange(plain(), url=EVIL, ip="1.2.3.4\r\nWARC-Type: x", error=EVIL)
    records, _ = segment.add(one, page_id=EVIL, redacted=(EVIL,), request_digest=EVIL)
    for record in records:
        content = b"".join(render(record, 6))
        parsed = read_member(content)
        assert parsed.type == record.type
        assert len(parsed.header_all("WARC-Type")) == 1
        assert parsed.target_uri == safe_uri(EVIL)
        assert parsed.target_uri is not None
        assert parsed.target_uri.isascii()
        assert parsed.target_uri.isprintable()
    assert safe_value("a\r\n\tb\x85c") == "a b c"


def test_a_header_name_from_outside_is_refused() -> None:
    """A name that is no token is a bug and is not written."""
    record = Record("metadata", "urn:x", AT, b"", headers=(("A: b\r\nC", "d"),))
    with pytest.raises(ValueError, match="no header name"):
        list(render(record, 6))


def test_uris_stay_what_they_are_where_they_may() -> None:
    """A URL in good form is not touched; its escapes are not escaped again."""
    url = "https://e.com:8/a%20b;c=1/[x]?q={1}|2&r=~^`\\'#f"
    assert safe_uri(url) == url
    assert safe_uri("http://e.com/é x") == "http://e.com/%C3%A9%20x"


def test_live_and_stored_responses_are_equal(written: Written) -> None:
    """What extraction reads is the same from the block fetched and the block stored."""
    members = {m.record.record_id: m.record for m in scan(written.path)}
    seen = 0
    for record, ref in zip(written.records, written.refs, strict=True):
        parsed = members[record.record_id]
        if record.type not in ("response", "revisit"):
            continue
        original = members.get(ref.payload_record or "")
        response = to_response(parsed, original, 10**6, ref=ref)
        assert response is not None
        assert response.ref == ref
        assert response.captured_at == record.date
        if record.type == "revisit":
            assert response.payload == BODY
            assert response.status == 200
            assert not response.cut
        seen += 1
    assert seen == 6


def test_a_revisit_is_read_with_its_own_headers(written: Written) -> None:
    """Headers are those of the visit, the payload is the original's."""
    records = [m.record for m in scan(written.path)]
    original = next(r for r in records if r.type == "response")
    same, unmodified = (r for r in records if r.type == "revisit")
    response = to_response(same, original, 10**6)
    assert response is not None
    assert response.headers[1:] == ((b"X", b"1"), (b"x", b"2"))
    assert response.captured_at == same.date
    response = to_response(unmodified, original, 10**6)
    assert response is not None
    assert dict(response.headers)[b"ETag"] == b"x"
    assert dict(response.headers)[b"Content-Type"] == b"text/html; charset=gbk"


def test_ids_come_from_the_maker_in_order() -> None:
    """No id is made behind the caller's back: runs can be repeated exactly."""
    ids = iter(("urn:a", "urn:b", "urn:c"))
    records = exchange_records(
        exchange(plain()),
        page_id="p",
        make_id=lambda: next(ids),
        warcinfo_id="urn:w",
    )
    assert [record.record_id for record in records] == ["urn:a", "urn:b", "urn:c"]
