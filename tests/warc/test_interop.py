"""What we write, other tools read.

Known of them: FastWARC 2.0 reads no chunk extensions, no trailers and no heads with
bare LF, warcio 1.8 takes trailers for payload; both read the records all the same,
since blocks are only bytes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import fastwarc.warc
import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.warc.reader import scan
from tests.warc.sample import BODY, Segment, Written, exchange, plain

CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3E8\r\n%b\r\n0\r\n\r\n"


@pytest.fixture
def responses(segment: Segment) -> Path:
    """Give a file of responses framed in all the usual ways."""
    for content in (
        plain(),
        plain(b""),
        plain()[:-9],
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\n" + CHUNKS % (b"x" * 1000),
        b"HTTP/1.1 404 No\r\nA: b\r\n  c\r\n" + CHUNKS % (b"x" * 1000),
        b"HTTP/1.1 302 \r\nLocation: /\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8bnot",
    ):
        segment.add(exchange(content))
    return segment.writer.close()


def test_fastwarc_reads_and_verifies_every_record(written: Written) -> None:
    """Ids and types are the same, and all block digests hold."""
    ours = [m.record for m in scan(written.path)]
    with written.path.open("rb") as file:
        seen = []
        for record in fastwarc.warc.ArchiveIterator(file, parse_http=False):
            assert record.verify_block_digest()
            seen.append((record.headers["WARC-Record-ID"], record.headers["WARC-Type"]))
    assert seen == [(f"<{record.record_id}>", record.type) for record in ours]


def test_fastwarc_agrees_on_payload_digests(responses: Path) -> None:
    """Its payload is ours: chunks taken off, content-coding kept."""
    wanted = fastwarc.warc.WarcRecordType.response
    checked = 0
    with responses.open("rb") as file:
        for record in fastwarc.warc.ArchiveIterator(
            file, parse_http=False, record_types=wanted
        ):
            record.parse_http(auto_decode="transfer")
            assert record.verify_payload_digest(consume=True)
            checked += 1
    assert checked == 8


def test_warcio_reads_every_record(written: Written) -> None:
    """Types, URIs and blocks are the same, byte for byte."""
    ours = [m.record for m in scan(written.path)]
    with written.path.open("rb") as file:
        for record, theirs in zip(
            ours, ArchiveIterator(file, no_record_parse=True), strict=True
        ):
            headers = theirs.rec_headers
            assert theirs.rec_type == record.type
            assert headers.get_header("WARC-Record-ID") == f"<{record.record_id}>"
            assert headers.get_header("WARC-Target-URI") == record.target_uri
            assert theirs.raw_stream.read() == record.block.read()


def test_warcio_agrees_on_payloads(responses: Path) -> None:
    """A response's payload, as its parser sees it, is what our digest is of."""
    checked = 0
    with responses.open("rb") as file:
        for theirs in ArchiveIterator(file):
            if theirs.rec_type != "response":
                continue
            theirs.http_headers.remove_header("Content-Encoding")
            content = theirs.content_stream().read()
            digest = theirs.rec_headers.get_header("WARC-Payload-Digest")
            assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
            checked += 1
    assert checked == 8
