from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crawler.browser.proxy import Port
from crawler.exchange import Exchange
from tests.browser.driving import Sink, client_of, open_port, recording_proxy
from tests.site.behaviours import MAX_RECORD_BYTES, Behaviour
from tests.site.compare import certified
from tests.site.oddities import BEHAVIOURS
from tests.site.wire import Logged, WireServer

SLOW = {"dripstall"}  # six seconds of single bytes
ONE_CONNECTION = {"keep", "keepold", "crlf"}
NAMES = [name for name in BEHAVIOURS if name not in SLOW]
IDLE_S = 0.6


@dataclass
class Turn:
    """One request through the proxy: what the three sides saw."""

    exchange: Exchange
    logged: Logged
    received: bytes
    """By the client, on its connection since the request."""


@dataclass
class Run:
    scheme: str
    turns: dict[str, list[Turn]]
    unclaimed: int


@pytest.fixture(scope="module", params=["http", "https"])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """Drive every behaviour once a scheme, several connections at a time."""
    spool = tmp_path_factory.mktemp("browser")
    with WireServer(certified()) as server:
        number = server.port if request.param == "http" else server.tls_port
        origin = f"{request.param}://127.0.0.1:{number}"
        yield asyncio.run(drive(server, origin, spool))


async def drive(server: WireServer, origin: str, spool: Path) -> Run:
    """Ask for each behaviour on a port of its own; eight at a time."""
    patient, hasty = (recording_proxy(spool, idle_timeout_s=s) for s in (20, IDLE_S))
    turns: dict[str, list[Turn]] = {}
    room = asyncio.Semaphore(8)

    async def one(name: str) -> None:
        behaviour = BEHAVIOURS[name]
        late = behaviour.truncated == "time" or behaviour.reason == "timeout"
        async with room, open_port(hasty if late else patient) as (port, sink):
            turns[name] = await ask(server, port, sink, origin, name)

    async with asyncio.timeout(120):
        await asyncio.gather(*map(one, NAMES))
    claimed = sum(map(len, turns.values()))
    return Run(origin.split(":", maxsplit=1)[0], turns, len(server.log) - claimed)


async def ask(
    server: WireServer, port: Port, sink: Sink, origin: str, name: str
) -> list[Turn]:
    """Ask for a behaviour as often as it says."""
    behaviour = BEHAVIOURS[name]
    if name in ONE_CONNECTION:
        async with client_of(port, origin) as (client, prefix):
            for turn in range(behaviour.repeat):
                client.write(request_for(name, behaviour, prefix, turn))
                await sink.first(turn + 1)
            received = await client.has(len(behaviour.sent) * behaviour.repeat)
        parts = [behaviour.sent] * behaviour.repeat
        assert received == b"".join(parts)
    else:
        parts = []
        for turn in range(behaviour.repeat):
            async with client_of(port, origin) as (client, prefix):
                client.write(request_for(name, behaviour, prefix, turn))
                await sink.first(turn + 1)
                parts.append(await client.has(len(passed_on(name, behaviour))))
    logged = [x for x in server.log if x.path.partition("?")[0] == f"/{name}"]
    return [Turn(*each) for each in zip(sink.exchanges, logged, parts, strict=True)]


def request_for(name: str, behaviour: Behaviour, prefix: str, turn: int) -> bytes:
    """Return a request as a browser writes it for a proxy."""
    target = f"{prefix}/{name}" + (f"?{turn}" if turn else "")
    lines = [
        f"{behaviour.method} {target} HTTP/1.1",
        "Host: the.host",
        "proxy-connection: keep-alive",
        "x-OWN-case:  as is ",
        *(f"{header}: {value}" for header, value in behaviour.headers),
        "Proxy-Authorization: Basic c2VjcmV0",
    ]
    if behaviour.body or behaviour.method == "POST":
        lines.append(f"Content-Length: {len(behaviour.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + behaviour.body


def passed_on(name: str, behaviour: Behaviour) -> bytes:
    """Return what of the origin's bytes is the browser's: all but the excess."""
    keep_all = behaviour.status == 101
    return behaviour.sent[: len(behaviour.sent) - behaviour.excess * (not keep_all)]


def test_nothing_else_is_asked(run: Run) -> None:
    """The origin saw the requests of the client and no other."""
    assert run.unclaimed == 0
    assert len(run.turns) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_request_is_exact(run: Run, name: str) -> None:
    """The recorded request is what the origin read, without what is for proxies."""
    for turn, each in enumerate(run.turns[name]):
        assert each.exchange.request == each.logged.request
        written = request_for(name, BEHAVIOURS[name], "", turn)
        kept = [x for x in written.split(b"\r\n") if not x.lower().startswith(b"proxy")]
        assert each.exchange.request == b"\r\n".join(kept)
        assert b"secret" not in each.exchange.request


@pytest.mark.parametrize("name", NAMES)
def test_response_is_exact(run: Run, name: str) -> None:
    """Interim, response and excess are what the origin sent, each in its place."""
    behaviour = BEHAVIOURS[name]
    for each in run.turns[name]:
        exchange, sent = each.exchange, each.logged.sent
        response = exchange.response.read() if exchange.response else b""
        excess = 0 if behaviour.status == 101 else behaviour.excess
        message = sent[behaviour.interim : len(sent) - behaviour.excess]
        assert exchange.interim == sent[: behaviour.interim]
        assert response == message[:MAX_RECORD_BYTES]
        assert exchange.excess == sent[len(sent) - excess :]


@pytest.mark.parametrize("name", NAMES)
def test_browser_gets_what_the_origin_sent(run: Run, name: str) -> None:
    """The bytes that reach the client are the origin's, without the excess."""
    for each in run.turns[name]:
        assert each.received == passed_on(name, BEHAVIOURS[name])


@pytest.mark.parametrize("name", NAMES)
def test_ends_are_told(run: Run, name: str) -> None:
    """A response that is not whole says why, as plain capture does; others do not."""
    behaviour = BEHAVIOURS[name]
    for each in run.turns[name]:
        assert each.exchange.truncated == behaviour.truncated
        whole = behaviour.truncated is None and behaviour.status is not None
        broken = name in ("brokenchunk", "plainchunked")
        assert (each.exchange.error is None) == (whole and not broken)


def test_facts_are_noted(run: Run) -> None:
    """URL, method, peer, TLS and times are those of the wire."""
    exchange = run.turns["post"][0].exchange
    assert exchange.url.startswith(f"{run.scheme}://127.0.0.1:")
    assert exchange.url.endswith("/post")
    assert exchange.method == "POST"
    assert exchange.ip == "127.0.0.1"
    assert (exchange.tls is not None) == (run.scheme == "https")
    assert exchange.tls is None or exchange.tls.version in ("tls/1.2", "tls/1.3")
    assert exchange.via is None
    drip = run.turns["drip"][0].exchange
    assert drip.first_byte_ms is not None
    assert drip.elapsed_ms is not None
    assert 0 <= drip.first_byte_ms < drip.elapsed_ms


@pytest.mark.parametrize("name", sorted(ONE_CONNECTION))
def test_connections_are_kept(run: Run, name: str) -> None:
    """Requests in a row on one connection go over one to the origin."""
    assert len({each.logged.connection for each in run.turns[name]}) == 1
