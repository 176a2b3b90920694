from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crawler.addresses import PublicOnly
from crawler.browser.proxy import Port, RecordingProxy
from crawler.browser.upstream import Dialer
from crawler.errors import SpoolUnwritable
from crawler.exchange import Exchange, Truncated
from crawler.proxy import proxy_of
from tests.browser.driving import (
    PATIENCE_S,
    Sink,
    asked_as,
    client_of,
    connected,
    loopback_only,
    open_port,
    recording_proxy,
)
from tests.browser.origin import PIECE, VIDEO, Origin
from tests.site.compare import certified
from tests.site.socks import socks
from tests.site.wire import WireServer

SCHEMES = pytest.mark.parametrize("scheme", ["http", "https"])
GONE_PORT = 9  # discard: nothing listens there
FRAME = b"\x81\x82\x00\x00\x00\x00hi"


class Resolver:
    """Knows the addresses of some hosts and notes who was asked for."""

    def __init__(self, known: dict[str, list[str]] | None = None) -> None:
        self.known = known or {}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return what is known of host."""
        self.asked.append(host)
        if host not in self.known:
            raise OSError(f"no address of {host}")
        return self.known[host]


@contextlib.asynccontextmanager
async def site(
    proxy: RecordingProxy,
) -> AsyncIterator[tuple[Origin, Port, Sink]]:
    """Give an origin, and a port of proxy with its sink."""
    async with (
        Origin(certified()).listening() as origin,
        open_port(proxy) as (port, sink),
    ):
        yield origin, port, sink


def get(prefix: str, path: str, *lines: str, method: str = "GET") -> bytes:
    """Return a request without a body."""
    head = [f"{method} {prefix}{path} HTTP/1.1", "Host: the.host", *lines, "", ""]
    return "\r\n".join(head).encode()


def body_of(exchange: Exchange) -> bytes:
    """Return what follows the head of the recorded response."""
    assert exchange.response is not None
    return exchange.response.read().partition(b"\r\n\r\n")[2]


# --- who may be asked ----------------------------------------------------------


@pytest.mark.parametrize("target", ["http://denied.example/x", "denied.example:443"])
def test_what_is_not_allowed_never_leaves(target: str, tmp_path: Path) -> None:
    """A refused request is a 403 and a count: not looked up, not recorded."""

    async def ask() -> tuple[bytes, Port, Sink, Resolver]:
        resolver = Resolver()
        proxy = recording_proxy(tmp_path, dialer=Dialer(resolve=resolver))
        async with open_port(proxy) as (port, sink):
            client = await connected(port)
            method = "GET" if "//" in target else "CONNECT"
            client.write(get("", target, method=method))
            answer = await client.until(lambda _: False)
            await client.close()
        return answer, port, sink, resolver

    answer, port, sink, resolver = asyncio.run(ask())
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert port.refused == {"denied.example": 1}
    assert (sink.exchanges, resolver.asked, port.under_way) == ([], [], 0)


def test_allow_is_asked_of_every_request_in_a_tunnel(tmp_path: Path) -> None:
    """Host, port and the URL itself decide, inside a tunnel too."""
    seen: list[tuple[str, int, str]] = []

    def allow(host: str, port: int, url: str) -> bool:
        seen.append((host, port, url))
        return loopback_only(host, port, url) and not url.endswith("/put")

    async def ask() -> tuple[bytes, Sink, str]:
        async with (
            Origin(certified()).listening() as origin,
            open_port(recording_proxy(tmp_path), allow=allow) as (port, sink),
            client_of(port, base := origin.base("https")) as (client, _),
        ):
            client.write(get("", "/empty"))
            await sink.first(1)
            client.write(get("", "/put"))
            answer = await client.until(lambda _: False)
        return answer, sink, base

    answer, sink, base = asyncio.run(ask())
    assert b"HTTP/1.1 403 " in answer
    assert sink.paths() == ["/empty"]
    assert {url for *_, url in seen} == {f"{base}/", f"{base}/empty", f"{base}/put"}
    assert {(host, port) for host, port, _ in seen} == {
        ("127.0.0.1", int(base.rpartition(":")[2]))
    }


@SCHEMES
@pytest.mark.parametrize("host", ["inside.example", "127.0.0.1", "localhost", "[::1]"])
def test_private_addresses_are_refused(host: str, scheme: str, tmp_path: Path) -> None:
    """The guard sees literal addresses and every resolved one; nobody is connected."""

    async def ask() -> tuple[bytes, Port, Sink, Origin]:
        resolver = Resolver({"inside.example": ["127.0.0.1", "::1"]})
        dialer = Dialer(guard=PublicOnly(), resolve=resolver)
        proxy = recording_proxy(tmp_path, dialer=dialer)
        async with (
            Origin(certified()).listening() as origin,
            open_port(proxy, allow=lambda *_: True) as (port, sink),
        ):
            authority = f"{host}:{origin.base(scheme).rpartition(':')[2]}"
            client = await connected(port)
            plain = get(f"http://{authority}", "/empty")
            tls = get("", authority, method="CONNECT")
            client.write(plain if scheme == "http" else tls)
            answer = await client.until(lambda _: False)
            await client.close()
        return answer, port, sink, origin

    answer, port, sink, origin = asyncio.run(ask())
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert sum(port.refused.values()) == 1
    assert (sink.exchanges, origin.log, port.under_way) == ([], [], 0)


def test_only_the_allowed_of_several_addresses_are_tried(tmp_path: Path) -> None:
    """A host with a private and a reachable address is asked at the latter."""

    class NotFirst:
        def allows(self, address: str) -> bool:
            return address != "127.0.0.2"

    async def ask() -> Sink:
        resolver = Resolver({"two.example": ["127.0.0.2", "127.0.0.1"]})
        dialer = Dialer(guard=NotFirst(), resolve=resolver)
        proxy = recording_proxy(tmp_path, dialer=dialer)
        async with (
            Origin(certified()).listening() as origin,
            open_port(proxy, allow=lambda *_: True) as (port, sink),
        ):
            base = origin.base().replace("127.0.0.1", "two.example")
            async with client_of(port, base) as (client, prefix):
                client.write(get(prefix, "/empty"))
                await sink.first(1)
        return sink

    (exchange,) = asyncio.run(ask()).exchanges
    assert exchange.ip == "127.0.0.1"
    assert exchange.url.startswith("http://two.example:")


# --- what does not come about --------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        ("http://nobody.example", "dns"),
        ("https://nobody.example:443", "dns"),
        (f"http://127.0.0.1:{GONE_PORT}", "connect"),
        (f"https://127.0.0.1:{GONE_PORT}", "connect"),
        ("https://127.0.0.1:NO_TLS", "tls"),
    ],
)
def test_unreachable_origins_are_told(origin: str, reason: str, tmp_path: Path) -> None:
    """Where no connection comes about there is an exchange that says why, no answer."""

    async def ask() -> tuple[bytes, Sink]:
        proxy = recording_proxy(tmp_path, dialer=Dialer(resolve=Resolver()))
        rude = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with rude, open_port(proxy, allow=lambda *_: True) as (port, sink):
            number = rude.sockets[0].getsockname()[1]
            base = origin.replace("NO_TLS", str(number))
            async with client_of(port, base) as (client, prefix):
                client.write(get(prefix, "/x"))
                return await client.until(lambda _: False), sink

    answer, sink = asyncio.run(ask())
    (exchange,) = sink.exchanges
    assert answer == b""
    assert exchange.url.endswith("/x")
    assert (exchange.request, exchange.response) == (b"", None)
    assert (exchange.error or "").startswith(f"{reason}: ")


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what no TLS server says."""
    writer.write(b"220 hello\r\n")
    writer.close()


@pytest.mark.parametrize(
    "request_",
    [b"GET /no/host HTTP/1.1\r\n\r\n", b"CONNECT x HTTP/1.1\r\n\r\n", b"\0\n\n"],
)
def test_nonsense_is_refused(request_: bytes, tmp_path: Path) -> None:
    """What does not say whom it asks is a 400, and nothing is recorded."""

    async def ask() -> tuple[bytes, Sink]:
        async with open_port(recording_proxy(tmp_path)) as (port, sink):
            client = await connected(port)
            client.write(request_)
            answer = await client.until(lambda _: False)
            await client.close()
        return answer, sink

    answer, sink = asyncio.run(ask())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert sink.exchanges == []


# --- bodies and protocols ------------------------------------------------------


@SCHEMES
def test_request_bodies_go_up_as_they_come(scheme: str, tmp_path: Path) -> None:
    """A chunked body in pieces and a long one arrive, and are recorded, as written."""
    chunked = b"".join((b"3\r\nabc\r\n", b"5;x=y\r\nabc\r\n\r\n", b"0\r\n\r\n"))
    long = b"\0\r\n" * 700_000

    async def ask() -> tuple[Origin, Sink]:
        async with site(recording_proxy(tmp_path)) as (origin, port, sink):
            base = origin.base(scheme)
            async with client_of(port, base) as (client, prefix):
                client.write(
                    get(prefix, "/put", "Transfer-Encoding: chunked", method="POST")
                )
                for at in range(0, len(chunked), 5):
                    client.write(chunked[at : at + 5])
                    await asyncio.sleep(0)
                await sink.first(1)
                length = f"Content-Length: {len(long)}"
                client.write(get(prefix, "/put", length, method="PUT") + long)
                await sink.first(2)
        return origin, sink

    origin, sink = asyncio.run(ask())
    assert [x.request for x in sink.exchanges] == [x.request for x in origin.log]
    assert sink.exchanges[0].request.endswith(chunked)
    assert sink.exchanges[1].request.endswith(long)


@SCHEMES
def test_ranges_are_recorded_as_they_are(scheme: str, tmp_path: Path) -> None:
    """A 206 is the part that was asked for, under its own head."""

    async def ask() -> Sink:
        async with (
            site(recording_proxy(tmp_path)) as (origin, port, sink),
            client_of(port, origin.base(scheme)) as (client, prefix),
        ):
            client.write(get(prefix, "/video.webm", "Range: bytes=100-299"))
            client.write(get(prefix, "/video.webm", "Range: bytes=500-"))
            await sink.first(2)
        return sink

    first, second = asyncio.run(ask()).exchanges
    assert body_of(first) == VIDEO[100:300]
    assert body_of(second) == VIDEO[500:][: len(body_of(second))]
    assert first.request != second.request


@SCHEMES
def test_websockets_are_relayed_and_the_handshake_recorded(
    scheme: str, tmp_path: Path
) -> None:
    """The 101 is an exchange of its own; frames go both ways and are not recorded."""

    async def ask() -> tuple[bytes, Origin, Sink]:
        async with site(recording_proxy(tmp_path)) as (origin, port, sink):
            base = origin.base(scheme)
            async with client_of(port, base, tunnel=True) as (client, prefix):
                client.write(get(prefix, "/socket", "Sec-WebSocket-Key: aGk="))
                await sink.first(1)
                client.write(FRAME)
                received = await client.until(lambda got: got.endswith(b"yo"))
        return received, origin, sink

    received, origin, sink = asyncio.run(ask())
    ((entry,), (exchange,)) = origin.log, sink.exchanges
    assert exchange.response is not None
    assert (exchange.request, exchange.response.read()) == (entry.request, entry.sent)
    assert (exchange.excess, exchange.truncated, exchange.error) == (b"", None, None)
    assert received == entry.sent + b"\x81\x02yo"
    assert origin.got == FRAME


# --- ends ----------------------------------------------------------------------


@SCHEMES
def test_endless_answers_end_with_the_port(scheme: str, tmp_path: Path) -> None:
    """What has not ended when the port closes goes to the sink as far as it came."""

    async def ask() -> tuple[Origin, Sink, Port]:
        async with (
            site(recording_proxy(tmp_path)) as (origin, port, sink),
            client_of(port, origin.base(scheme)) as (client, prefix),
        ):
            client.write(get(prefix, "/events"))
            await client.until(lambda got: got.endswith(b"\n\n"))
            assert (sink.exchanges, port.under_way) == ([], 1)
            await port.close()
        return origin, sink, port

    origin, sink, port = asyncio.run(ask())
    (exchange,) = sink.exchanges
    assert exchange.response is not None
    assert exchange.response.read() == origin.log[0].sent
    assert exchange.truncated is Truncated.UNSPECIFIED
    assert (port.under_way, port.recorded) == (0, 1)


@SCHEMES
def test_what_the_browser_leaves_ends_there(scheme: str, tmp_path: Path) -> None:
    """When the browser closes its connection the origin's is closed and it is told."""

    async def ask() -> Sink:
        async with site(recording_proxy(tmp_path)) as (origin, port, sink):
            async with client_of(port, origin.base(scheme)) as (client, prefix):
                client.write(get(prefix, "/events"))
                await client.until(lambda got: got.endswith(b"\n\n"))
            await sink.first(1)
            await asyncio.wait_for(origin.let_go.wait(), PATIENCE_S)
        return sink

    sink = asyncio.run(ask())
    assert sink.exchanges[0].truncated is Truncated.UNSPECIFIED
    assert sink.exchanges[0].error == "left before the end"


def test_a_connection_that_the_origin_closed_is_not_used(tmp_path: Path) -> None:
    """A browser may ask again on its connection though the origin's has ended."""

    async def ask() -> Sink:
        async with (
            site(recording_proxy(tmp_path)) as (origin, port, sink),
            client_of(port, origin.base()) as (client, prefix),
        ):
            client.write(get(prefix, "/bye"))
            await asyncio.wait_for(origin.let_go.wait(), PATIENCE_S)
            await sink.first(1)
            for _ in range(10):  # the end is there; the loop has to look
                await asyncio.sleep(0)
            client.write(get(prefix, "/bye"))
            await sink.first(2)
        return sink

    assert [each.error for each in asyncio.run(ask()).exchanges] == [None, None]


def test_a_sink_that_fails_stops_its_port(tmp_path: Path) -> None:
    """What cannot be kept ends the port, which says so when it is closed."""

    async def full(exchange: Exchange) -> None:
        raise OSError(28, "No space left on device")

    async def ask() -> None:
        async with Origin().listening() as origin:
            port = await recording_proxy(tmp_path).open_port(full, allow=loopback_only)
            async with client_of(port, origin.base()) as (client, prefix):
                client.write(get(prefix, "/empty"))
                await client.until(lambda _: False)
            with pytest.raises(OSError, match="Connect call failed"):
                await connected(port)
            with pytest.raises(SpoolUnwritable, match="No space left"):
                await port.close()

    asyncio.run(ask())


def test_a_spool_that_fails_stops_its_port(tmp_path: Path) -> None:
    """A response that finds no room on disk is not taken for the browser's leaving."""

    async def ask() -> None:
        proxy = recording_proxy(tmp_path / "missing", max_record_bytes=1 << 24)
        async with Origin().listening() as origin:
            port = await proxy.open_port(Sink(), allow=loopback_only)
            async with client_of(port, origin.base()) as (client, prefix):
                client.write(get(prefix, "/flood?40"))
                await client.until(lambda _: False)
            with pytest.raises(SpoolUnwritable):
                await port.close()

    asyncio.run(ask())


def test_ports_are_apart(tmp_path: Path) -> None:
    """Requests on two ports at once go to the two sinks, whatever they ask."""

    async def ask() -> list[Sink]:
        proxy = recording_proxy(tmp_path)
        async with (
            Origin(certified()).listening() as origin,
            open_port(proxy) as one,
            open_port(proxy) as other,
        ):

            async def ask_on(port: Port, sink: Sink, mark: str) -> None:
                for scheme in ("http", "https") * 5:
                    base = origin.base(scheme)
                    async with client_of(port, base) as (client, prefix):
                        seen = len(sink.exchanges)
                        client.write(get(prefix, f"/empty?{mark}"))
                        await sink.first(seen + 1)

            await asyncio.gather(ask_on(*one, "one"), ask_on(*other, "other"))
        return [one[1], other[1]]

    one, other = asyncio.run(ask())
    assert set(one.paths()) == {"/empty?one"}
    assert set(other.paths()) == {"/empty?other"}
    assert len(one.exchanges) == len(other.exchanges) == 10


@pytest.mark.skipif(
    os.getuid() != 0 or sys.platform != "linux", reason="only root can be another user"
)
@pytest.mark.parametrize(("user", "served"), [(0, True), (65534, False)])
def test_another_user_is_not_served(user: int, served: bool, tmp_path: Path) -> None:
    """A port of ours is closed to every other user of the machine."""

    async def ask() -> bytes:
        proxy = recording_proxy(tmp_path)
        async with open_port(proxy, allow=lambda *_: False) as (port, _):
            return await asked_as(user, port)

    said = asyncio.run(ask())
    assert said.startswith(b"HTTP/1.1 403") == served
    assert served or said == b"nothing" or b"ConnectionResetError" in said


# --- through another proxy -----------------------------------------------------


@SCHEMES
def test_a_parent_proxy_carries_all(scheme: str, tmp_path: Path) -> None:
    """Requests leave by the proxy with its password, and are recorded without both."""

    async def ask(server: WireServer) -> Sink:
        parent = proxy_of(f"http://me:pass%20word@127.0.0.1:{server.proxy_port}")
        trap = Resolver()
        dialer = Dialer(parent=parent, resolve=trap)
        proxy = recording_proxy(tmp_path, dialer=dialer)
        number = server.port if scheme == "http" else server.tls_port
        base = f"{scheme}://127.0.0.1:{number}"
        async with (
            open_port(proxy) as (port, sink),
            client_of(port, base) as (client, prefix),
        ):
            for turn in range(2):
                client.write(get(prefix, "/plain"))
                await sink.first(turn + 1)
        assert trap.asked == []
        return sink

    with WireServer(certified()) as server:
        sink = asyncio.run(ask(server))
        assert all(b"Basic bWU6cGFzcyB3b3Jk" in x for x in server.forwarded)
        assert len(server.forwarded) == (2 if scheme == "http" else 1)
        for exchange, logged in zip(sink.exchanges, server.log, strict=True):
            assert exchange.request == logged.request
            assert exchange.response is not None
            assert exchange.response.read() == logged.sent
            assert exchange.via == f"http://127.0.0.1:{server.proxy_port}"
            assert exchange.ip is None


@SCHEMES
@pytest.mark.parametrize("login", [None, (b"us@er", b"pa:ss")])
def test_a_socks_proxy_carries_all(
    scheme: str, login: tuple[bytes, bytes] | None, tmp_path: Path
) -> None:
    """Names are the proxy's to look up; records are exact, log-ins in none of them."""

    async def ask(server: WireServer, setting: str) -> Sink:
        trap = Resolver()
        dialer = Dialer(PublicOnly(), proxy_of(setting), resolve=trap)
        number = server.port if scheme == "http" else server.tls_port
        base = f"{scheme}://origin.invalid:{number}"
        proxy = recording_proxy(tmp_path, dialer=dialer)
        async with (
            open_port(proxy, allow=lambda *_: True) as (port, sink),
            client_of(port, base) as (client, prefix),
        ):
            for turn in range(2):
                client.write(get(prefix, "/plain"))
                await sink.first(turn + 1)
        assert trap.asked == []
        return sink

    with WireServer(certified()) as server, socks(login) as parent:
        user = "us%40er:pa%3Ass@" if login else ""
        sink = asyncio.run(ask(server, f"socks5://{user}127.0.0.1:{parent.port}"))
        number = server.port if scheme == "http" else server.tls_port
        assert parent.told.wanted == [("origin.invalid", number)]
        assert parent.told.logins == [login]
        for exchange, logged in zip(sink.exchanges, server.log, strict=True):
            assert exchange.request == logged.request
            assert exchange.response is not None
            assert exchange.response.read() == logged.sent
            assert exchange.via == f"socks5://127.0.0.1:{parent.port}"
            assert exchange.ip is None


@pytest.mark.parametrize(
    ("login", "refusal", "said"),
    [(None, 2, "not allowed"), ((b"a", b"b"), 0, "log-in"), (None, 99, "reply 99")],
)
def test_what_socks_refuses_is_recorded(
    login: tuple[bytes, bytes] | None, refusal: int, said: str, tmp_path: Path
) -> None:
    """A refusal is a failed exchange that says why; a refused literal is not asked."""

    async def ask(setting: str) -> tuple[Sink, Port]:
        dialer = Dialer(PublicOnly(), proxy_of(setting))
        proxy = recording_proxy(tmp_path, dialer=dialer)
        async with open_port(proxy, allow=lambda *_: True) as (port, sink):
            for host in ("origin.invalid", "127.1"):
                async with client_of(port, f"http://{host}") as (client, prefix):
                    client.write(get(prefix, "/plain"))
                    await client.until(lambda _: False)
        return sink, port

    with socks(login, refusal) as parent:
        sink, port = asyncio.run(ask(f"socks5://127.0.0.1:{parent.port}"))
        assert all(host == "origin.invalid" for host, _ in parent.told.wanted)
    (exchange,) = sink.exchanges
    assert said in (exchange.error or "")
    assert port.refused == {"127.1": 1}


# --- large answers, slow readers -----------------------------------------------


def resident_bytes() -> int:
    """Return how much memory this process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
@SCHEMES
def test_a_large_video_needs_little_memory(scheme: str, tmp_path: Path) -> None:
    """100 MB go through, and to disk, with less than 40 MB more memory."""
    pieces = 1600

    async def ask() -> tuple[int, float, Exchange]:
        proxy = recording_proxy(tmp_path, max_record_bytes=1 << 30)
        async with site(proxy) as (origin, port, sink):
            before = peak = resident_bytes()
            lag_s, last = 0.0, time.monotonic()
            base = origin.base(scheme)
            async with client_of(port, base) as (client, prefix):
                client.write(get(prefix, f"/flood?{pieces}"))
                while not sink.exchanges:
                    client.received = b""  # a browser does not keep all of it either
                    peak = max(peak, resident_bytes())
                    await asyncio.sleep(0.005)
                    now = time.monotonic()
                    lag_s, last = max(lag_s, now - last), now
            return peak - before, lag_s, sink.exchanges[0]

    growth, lag_s, exchange = asyncio.run(ask())
    assert body_of(exchange) == PIECE * pieces
    assert growth < 40 << 20
    assert lag_s < 2


@SCHEMES
def test_a_slow_reader_slows_the_origin(scheme: str, tmp_path: Path) -> None:
    """What a browser does not read is not read from the origin, nor timed out."""

    async def ask() -> tuple[int, Sink]:
        proxy = recording_proxy(tmp_path, idle_timeout_s=0.3)
        async with (
            site(proxy) as (origin, port, sink),
            client_of(port, origin.base(scheme)) as (client, prefix),
        ):
            client.pause()
            client.write(get(prefix, "/flood?2000"))
            written = await settled(origin)
            assert sink.exchanges == []
        return written, sink

    written, sink = asyncio.run(ask())
    assert written < 40 << 20
    assert sink.exchanges[0].truncated is Truncated.LENGTH


async def settled(origin: Origin) -> int:
    """Return how much of a flood was written, once it goes on no more."""
    written = -1
    async with asyncio.timeout(PATIENCE_S):
        while not origin.written or written != origin.written:
            written = origin.written
            await asyncio.sleep(0.6)
    return written
