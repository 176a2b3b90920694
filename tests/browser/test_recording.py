from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.browser import recording as module
from crawler.browser.recording import Recording
from crawler.clock import SystemClock
from crawler.exchange import Truncated
from tests.site.behaviours import MAX_RECORD_BYTES, OK, answer
from tests.site.oddities import BEHAVIOURS

NAMES = sorted(name for name, each in BEHAVIOURS.items() if len(each.sent) < 20_000)


def recording(method: str = "GET", limit: int = MAX_RECORD_BYTES) -> Recording:
    """Return the record of a request that is under way."""
    return Recording(
        method, "http://portal.example/", clock=SystemClock(), max_record_bytes=limit
    )


def recorded(one: Recording) -> bytes:
    """Return the response as recorded."""
    block = one.exchange().response
    return block.read() if block else b""


@given(name=st.sampled_from(NAMES), cuts=st.lists(st.integers(0, 20_000), max_size=12))
def test_pieces_do_not_matter(name: str, cuts: list[int]) -> None:
    """However the origin's bytes are cut, the same is recorded and passed on."""
    behaviour = BEHAVIOURS[name]
    sent = behaviour.sent
    one = recording(behaviour.method)
    passed_on = b""
    places = sorted({0, *(cut for cut in cuts if cut < len(sent)), len(sent)})
    for start, stop in pairwise(places):
        if not one.ended:
            passed_on += one.received(sent[start:stop])
    one.lost(clean=True, why="closed")
    end = len(sent) - behaviour.excess
    assert one.exchange().interim == sent[: behaviour.interim]
    assert recorded(one) == sent[behaviour.interim : end]
    assert passed_on[:end] == sent[:end]
    assert behaviour.status == 101 or passed_on == sent[:end]


@given(limit=st.integers(0, 80), pieces=st.lists(st.integers(1, 40), max_size=8))
def test_beyond_the_limit_is_passed_on(limit: int, pieces: list[int]) -> None:
    """The record is the message's beginning, marked; the browser gets all of it."""
    one, passed_on, rest = recording(limit=limit), b"", OK
    for size in (*pieces, len(OK)):
        if not one.ended:
            passed_on += one.received(rest[:size])
            rest = rest[size:]
    assert one.ended
    assert passed_on == OK
    assert recorded(one) == OK[:limit]
    cut = limit < len(OK)
    assert one.exchange().truncated == (Truncated.LENGTH if cut else None)
    assert (one.exchange().error is not None) == cut
    assert one.reusable


def test_long_requests_are_recorded_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a request only so much is held in memory, and that is said."""
    monkeypatch.setattr(module, "MAX_REQUEST_BYTES", 10)
    one = recording("POST")
    one.sent(b"0123456")
    assert one.error is None
    one.sent(b"789abc")
    one.received(OK)
    assert one.exchange().request == b"0123456789"
    assert "10 bytes" in (one.exchange().error or "")


def test_what_was_stopped_says_why() -> None:
    """A message that is given up is kept as far as it came; one that ended is whole."""
    one = recording()
    one.received(answer(b"200 OK", b"Content-Length: 9", body=b"abc"))
    one.stop(Truncated.TIME, "timeout: x")
    exchange = one.exchange()
    assert (exchange.truncated, exchange.error) == (Truncated.TIME, "timeout: x")
    whole = recording()
    whole.received(OK)
    whole.stop(Truncated.TIME, "timeout: x")
    assert (whole.exchange().truncated, whole.exchange().error) == (None, None)


def test_large_responses_spill(tmp_path: Path) -> None:
    """What is large waits in the spool's directory, unlinked."""
    one = Recording(
        "GET",
        "http://portal.example/",
        clock=SystemClock(),
        max_record_bytes=1 << 30,
        directory=tmp_path,
    )
    one.received(answer(b"200 OK", body=b"x" * (1 << 21)))
    one.lost(clean=True, why="closed")
    assert len(recorded(one)) > 1 << 21
    assert list(tmp_path.iterdir()) == []
