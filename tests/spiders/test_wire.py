from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import http
from crawler.clock import SystemClock
from crawler.exchange import Exchange, Truncated
from crawler.http import final_offset, keeps_alive
from crawler.model import Reason
from crawler.spiders.message import origin_form
from crawler.spiders.wire import Job, Recording
from tests.site.behaviours import MAX_RECORD_BYTES, OK, chunked, chunks, sized
from tests.site.oddities import BEHAVIOURS

NAMES = sorted(name for name, each in BEHAVIOURS.items() if len(each.sent) < 20_000)


def job(method: str = "GET", limit: int = MAX_RECORD_BYTES) -> Job:
    """Return a job without spool or proxy."""
    return Job("http://a.example/", method, SystemClock(), limit)


def played(pieces: list[bytes], made: Job) -> tuple[Recording, Exchange]:
    """Receive the pieces up to the message's end, then the close."""
    recording = made.begin("192.0.2.1")
    for piece in pieces:
        if not recording.ended:
            recording.received(piece)
    recording.lost(clean=True, why="closed", reason=Reason.DISCONNECTED)
    return recording, recording.exchange()


def parts(exchange: Exchange) -> tuple[bytes, bytes, str | None]:
    """Return what must not depend on how the bytes came."""
    block = exchange.response.read() if exchange.response else b""
    return exchange.interim, block, exchange.truncated


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_pieces_do_not_matter(name: str, data: st.DataObject) -> None:
    """However TCP cuts it, interim, response and truncation are the same."""
    behaviour = BEHAVIOURS[name]
    sent = behaviour.sent
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=20).map(sorted))
    edges = [0, *cuts, len(sent)]
    pieces = [sent[a:b] for a, b in pairwise(edges) if b > a]
    _, whole = played([sent] if sent else [], job(behaviour.method))
    _, cut = played(pieces, job(behaviour.method))
    assert parts(cut) == parts(whole)
    joined = cut.interim + parts(cut)[1] + cut.excess
    assert sent.startswith(joined)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 64))
def test_the_limit_cuts_exactly(limit: int, step: int) -> None:
    """A response is cut at the limit to the byte, whatever the pieces; never below."""
    sent = sized(b"x" * 200)
    pieces = [sent[at : at + step] for at in range(0, len(sent), step)]
    _, exchange = played(pieces, job(limit=limit))
    assert parts(exchange)[1] == sent[:limit]
    assert (exchange.truncated is Truncated.LENGTH) == (len(sent) > limit)


def test_a_late_close_adds_nothing() -> None:
    """After its end an exchange does not change, whatever happens to the socket."""
    recording, before = played([OK], job())
    recording.lost(clean=False, why="reset", reason=Reason.DISCONNECTED)
    recording.abandon(Reason.TIMEOUT, "late")
    assert recording.exchange() == before


def test_a_broken_spool_ends_the_exchange(tmp_path: Path) -> None:
    """A response that cannot be spooled raises, ends, and is remembered by the job."""
    made = job(limit=1 << 23)
    made.spool_dir = tmp_path / "gone"
    recording = made.begin(None)
    recording.received(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(OSError, match="gone"):
        recording.received(b"x" * (1 << 21))
    assert recording.ended
    assert made.broken is not None


def test_endless_interim_answers_end() -> None:
    """A server that sends interim answers without end meets the size limit."""
    made = job()
    recording = made.begin(None)
    piece = b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 2000
    for _ in range(40):
        if not recording.ended:
            recording.received(piece)
    assert recording.truncated is Truncated.LENGTH
    assert recording.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (
            b"GET http://a.example:8080/x?y=http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /x?y=http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (b"GET http://a.example HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
        (b"GET http://a.example?q HTTP/1.1\r\n\r\n", b"GET /?q HTTP/1.1\r\n\r\n"),
        (b"GET /already HTTP/1.1\r\n\r\n", b"GET /already HTTP/1.1\r\n\r\n"),
        (
            b"POST http://a/ HTTP/1.1\r\nProxy-authorization: Basic c2Vj\r\n\r\n",
            b"POST / HTTP/1.1\r\n\r\n",
        ),
        (
            b"POST / HTTP/1.1\r\nA: b\r\n\r\nProxy-Authorization: in the body\n",
            b"POST / HTTP/1.1\r\nA: b\r\n\r\nProxy-Authorization: in the body\n",
        ),
    ],
)
def test_a_proxied_request_is_stored_in_origin_form(
    written: bytes, stored: bytes
) -> None:
    """Target without authority, no proxy password, every other byte as written."""
    assert origin_form(written) == stored


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (OK, True),
        (chunked(chunks(b"ok", 2)), True),
        (sized(b"ok", b"Connection: Close"), False),
        (sized(b"ok", b"Connection: x, close"), False),
        (sized(b"ok", b"Content-Length: 3"), False),
        (chunked(chunks(b"ok", 2), b"Content-Length: 2"), False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"HTTP/1.1 101 Switching\r\n\r\n", False),
    ],
)
def test_which_answers_keep_a_connection(response: bytes, expected: bool) -> None:
    """A connection is used again only where the answer's end is beyond doubt."""
    head = http.parse_head(response)
    assert head is not None
    assert keeps_alive(head) is expected


def test_blank_lines_and_interim_answers_come_before_the_message() -> None:
    """The final message begins after any mix of blank lines and interim answers."""
    before = b"\r\n\nHTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n"
    assert final_offset(before + OK) == len(before)
