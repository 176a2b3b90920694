from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site.behaviours import MAX_RECORD_BYTES, Behaviour
from tests.site.compare import Compared, Crawled, certified, compare, crawl
from tests.site.oddities import BEHAVIOURS
from tests.site.wire import Logged, WireServer

PATHS = [
    (name, name if turn == 0 else f"{name}?{turn}")
    for name, behaviour in BEHAVIOURS.items()
    for turn in range(behaviour.repeat)
]


class Run:
    """One crawl of all behaviours over one scheme, with the origin's log."""

    def __init__(self, scheme: str, crawled: Crawled, log: list[Logged]) -> None:
        self.scheme = scheme
        self.crawled = crawled
        self.log = log
        self.rows = compare(log, crawled)

    def row(self, path: str) -> list[Compared]:
        """Return the compared exchanges of path."""
        return [row for row in self.rows if row.path == f"/{path}"]

    def outcome(self, path: str) -> dict[str, object]:
        """Return the one outcome of path."""
        (found,) = (x for x in self.crawled.outcomes if x["path"] == f"/{path}")
        return found


@pytest.fixture(scope="module", params=["http", "https"])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """Give one crawl a scheme."""
    folder: Path = tmp_path_factory.mktemp("wire")
    with WireServer(certified()) as server:
        port = server.port if request.param == "http" else server.tls_port
        base = f"{request.param}://127.0.0.1:{port}"
        crawled = crawl(folder, base, list(BEHAVIOURS))
        yield Run(request.param, crawled, list(server.log))


def test_nothing_is_lost(run: Run) -> None:
    """Each exchange of the origin's log was recorded, and no other."""
    assert run.crawled.errors == ""
    assert [x["path"] for x in run.crawled.exchanges] == [x.path for x in run.log]
    assert len(run.crawled.exchanges) >= len(PATHS)


def test_each_request_has_one_outcome(run: Run) -> None:
    """Each request gives a response or a FetchFailed, never both or neither."""
    expected = sorted(f"/{path}" for _, path in PATHS)
    assert sorted(x["path"] for x in run.crawled.outcomes) == expected
    failed = [x for x in run.crawled.outcomes if x["status"] is None]
    assert [x["error"] for x in failed if not x["reason"]] == []


@pytest.mark.parametrize(("name", "path"), PATHS, ids=[path for _, path in PATHS])
def test_request_and_response_are_exact(run: Run, name: str, path: str) -> None:
    """Request and response are the bytes that crossed the wire, in three parts."""
    for row in run.row(path):
        assert row.request_exact, row
        assert row.response_exact, row


@pytest.mark.parametrize(("name", "path"), PATHS, ids=[path for _, path in PATHS])
def test_the_stated_deviations_and_no_others(run: Run, name: str, path: str) -> None:
    """Interim and excess bytes are kept apart verbatim; only a size abort cuts."""
    behaviour = BEHAVIOURS[name]
    captured = run.crawled.of(f"/{path}")[-1]
    sent = [x.sent for x in run.log if x.path == f"/{path}"][-1]
    assert captured["interim"] == sent[: behaviour.interim]
    assert captured["excess"] == sent[len(sent) - behaviour.excess :]
    assert captured["truncated"] == behaviour.truncated
    if behaviour.truncated == "length":
        assert captured["response"] == sent[:MAX_RECORD_BYTES]


@pytest.mark.parametrize(("name", "path"), PATHS, ids=[path for _, path in PATHS])
def test_the_response_is_made_of_the_record(run: Run, name: str, path: str) -> None:
    """Status, payload, cut flag and reason are what the recorded bytes say."""
    behaviour, outcome = BEHAVIOURS[name], run.outcome(path)
    assert outcome["status"] == behaviour.status
    if behaviour.status is None:
        assert outcome["reason"] == behaviour.reason
        return
    assert outcome["same"]
    assert outcome["class"] == "Response"
    assert outcome["cut"] is behaviour.cut
    assert outcome["flags"] == flags(behaviour)
    assert outcome["ip"] == "127.0.0.1"
    if name not in ("maxsize", "dripstall"):
        assert outcome["body"] == behaviour.payload
    last = run.crawled.of(f"/{path}")[-1]
    assert outcome["hops"][-1]["target_uri"] == last["url"]  # type: ignore[index]


def flags(behaviour: Behaviour) -> list[str]:
    """Return the flags a behaviour's response has."""
    if behaviour.truncated:
        return [f"truncated:{behaviour.truncated}"]
    return ["cut"] if behaviour.cut else []


@pytest.mark.parametrize("name", ["keep", "keepold", "crlf"])
def test_connections_are_kept(run: Run, name: str) -> None:
    """Requests in a row go over one connection, to an HTTP/1.0 server that asks too."""
    paths = {f"/{path}" for behaviour, path in PATHS if behaviour == name}
    assert len({x.connection for x in run.log if x.path in paths}) == 1


def test_a_retry_on_a_dead_connection_is_two_exchanges(run: Run) -> None:
    """Twisted's silent retry shows: one exchange without response, one with."""
    first, second = run.crawled.of("/dead")
    assert first["size"] is None
    assert "before a response head" in first["error"]
    assert second["response"] == BEHAVIOURS["dead"].sent
    assert len(run.outcome("dead")["hops"]) == 1  # type: ignore[arg-type]


def test_tls_is_noted(run: Run) -> None:
    """The negotiated version and cipher are noted where there is TLS."""
    facts = run.crawled.of("/plain")[0]["tls"]
    if run.scheme == "http":
        assert facts is None
    else:
        assert facts["version"] in ("tls/1.2", "tls/1.3")
        assert facts["cipher"]


def test_times_are_measured(run: Run) -> None:
    """A dripped answer takes longer than its first byte, a stalled one its timeout."""
    drip, slow = run.crawled.of("/drip")[0], run.crawled.of("/slow")[0]
    assert 0 <= drip["first_byte_ms"] < drip["elapsed_ms"]
    assert slow["elapsed_ms"] >= 600
    assert run.outcome("drip")["latency"] == drip["first_byte_ms"] / 1000


def test_headers_are_in_wire_order(run: Run) -> None:
    """Header order, case and repeats reach extraction as they were sent."""
    pairs = run.outcome("plain")["headers"]
    names = [base64.b64decode(name) for name, _ in pairs]  # type: ignore[attr-defined]
    assert names == [
        b"x-LOWER-Case",
        b"Set-Cookie",
        b"ETag",
        b"Set-Cookie",
        b"X-Dup",
        b"x-dup",
        b"Content-Length",
    ]


def test_many_at_once_do_not_mix(tmp_path: Path) -> None:
    """With sixteen downloads at once each exchange is still its own request's."""
    with WireServer() as server:
        base = f"http://127.0.0.1:{server.port}"
        crawled = crawl(tmp_path, base, list(BEHAVIOURS) * 2, concurrency=16)
        log = list(server.log)
    assert len(crawled.outcomes) == 2 * len(PATHS)
    captured = {
        (x["path"], x["request"], x["interim"] + (x["response"] or b"") + x["excess"])
        for x in crawled.exchanges
    }
    lost = {
        entry.path
        for entry in log
        if (entry.path, entry.request, entry.sent) not in captured
    }
    assert lost <= {"/maxsize", "/dripstall"}  # cut by us; exact as far as they go
    assert len(crawled.exchanges) >= len(log)
