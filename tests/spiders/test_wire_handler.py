from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy.exceptions import CannotResolveHostError, DownloadFailedError

from crawler import proxy
from crawler.clock import SystemClock
from crawler.errors import ConfigError
from crawler.model import Reason
from crawler.spiders.failure import FetchFailed, end_failed, fail
from crawler.spiders.wire import Job
from tests.site.compare import certified, compare, crawl
from tests.site.wire import WireServer

NAMES = [
    "plain",
    "gzip",
    "post",
    "head",
    "early",
    "keep",
    "short",
    "continue",
    "nothing",
]
MIB = 1 << 20


@pytest.fixture
def server() -> Iterator[WireServer]:
    """Give a running origin with its proxy."""
    with WireServer(certified()) as running:
        yield running


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_by_a_proxy_the_record_is_what_the_origin_saw(
    server: WireServer, tmp_path: Path, scheme: str
) -> None:
    """Through a proxy requests are stored in origin-form and without its password."""
    port = server.port if scheme == "http" else server.tls_port
    proxy = f"http://us%40er:pa%3Ass@127.0.0.1:{server.proxy_port}"
    base = f"{scheme}://127.0.0.1:{port}"
    crawled = crawl(tmp_path, base, NAMES, proxy=proxy)
    rows = compare(server.log, crawled)
    assert crawled.errors == ""
    assert len(rows) >= len(NAMES)
    assert all(row.request_exact and row.response_exact for row in rows), rows
    vias = {each["via"] for each in crawled.exchanges}
    assert vias == {f"http://127.0.0.1:{server.proxy_port}"}
    assert {each["ip"] for each in crawled.exchanges} == {None}
    assert all(
        bool(x["tls"]) == (scheme == "https") for x in crawled.exchanges if x["size"]
    )
    login = b"Proxy-Authorization: Basic " + base64.b64encode(b"us@er:pa:ss")
    assert all(login in request for request in server.forwarded)
    assert "Proxy-Authorization" not in str(crawled.exchanges)


def test_the_environment_and_the_request_choose_no_proxy(
    server: WireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that only the environment names is not used."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.proxy_port}")
    crawled = crawl(tmp_path, f"http://127.0.0.1:{server.port}", ["plain"])
    assert [x["status"] for x in crawled.outcomes] == [200]
    assert server.forwarded == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433"])
def test_a_refused_address_gets_no_byte(
    server: WireServer, tmp_path: Path, scheme: str, host: str
) -> None:
    """An address the guard refuses is never connected to, however it is spelt."""
    port = server.port if scheme == "http" else server.tls_port
    crawled = crawl(tmp_path, f"{scheme}://{host}:{port}", ["plain"], refuse=True)
    assert [x["reason"] for x in crawled.outcomes] == ["private_address"]
    assert [(x["size"], x["request"]) for x in crawled.exchanges] == [(None, b"")]
    assert server.log == []


def test_a_refused_literal_is_not_asked_of_the_proxy(
    server: WireServer, tmp_path: Path
) -> None:
    """With a proxy the literal address is refused before the proxy sees it."""
    proxy = f"http://127.0.0.1:{server.proxy_port}"
    base = f"http://127.1:{server.port}"
    crawled = crawl(tmp_path, base, ["plain"], refuse=True, proxy=proxy)
    assert [x["reason"] for x in crawled.outcomes] == ["private_address"]
    assert server.forwarded == []


def test_a_refused_connection_is_an_exchange_without_bytes(tmp_path: Path) -> None:
    """Where nobody listens, an exchange with the error is recorded and raised."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}"
        crawled = crawl(tmp_path, base, ["plain"])
    assert [x["reason"] for x in crawled.outcomes] == ["connect"]
    (exchange,) = crawled.exchanges
    assert (exchange["request"], exchange["size"], exchange["ip"]) == (b"", None, None)
    assert exchange["error"].startswith("connect")


def test_failed_tls_leaves_no_request(tmp_path: Path) -> None:
    """Where the peer does not speak TLS the request never left: none is recorded."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        answering = threading.Thread(target=answer_in_clear, args=(plain,))
        answering.start()
        port = plain.getsockname()[1]
        crawled = crawl(tmp_path, f"https://127.0.0.1:{port}", ["plain"])
        answering.join(10)
    assert [x["reason"] for x in crawled.outcomes] == ["tls"]
    (exchange,) = crawled.exchanges
    assert (exchange["request"], exchange["size"]) == (b"", None)
    assert (exchange["ip"], exchange["tls"]) == ("127.0.0.1", None)


def answer_in_clear(listener: socket.socket) -> None:
    """Accept one connection and answer it without TLS."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 400 Speak up\r\n\r\n")


def test_a_stalled_handshake_leaves_no_request(
    server: WireServer, tmp_path: Path
) -> None:
    """Where the handshake never ends it is a timeout, and no request is recorded."""
    crawled = crawl(tmp_path, f"https://127.0.0.1:{server.port}", ["silence"])
    assert [x["reason"] for x in crawled.outcomes] == ["timeout"]
    assert [x["request"] for x in crawled.exchanges] == [b""]


def test_a_proxy_that_is_not_there(tmp_path: Path, server: WireServer) -> None:
    """A tunnel that cannot be opened is a failed connect, with its exchange."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{unused.getsockname()[1]}"
        base = f"https://127.0.0.1:{server.tls_port}"
        crawled = crawl(tmp_path, base, ["plain"], proxy=proxy)
    assert [x["reason"] for x in crawled.outcomes] == ["connect"]
    assert len(crawled.exchanges) == 1


def test_a_spool_that_is_gone_stops_the_response(
    server: WireServer, tmp_path: Path
) -> None:
    """A large response that cannot be spooled is recorded as cut and not handed on."""
    crawled = crawl(
        tmp_path,
        f"http://127.0.0.1:{server.port}",
        ["large?64", "plain"],
        spool=str(tmp_path / "gone"),
        max_record_bytes=8 * MIB,
    )
    broken, fine = crawled.outcomes
    assert "SpoolUnwritable" in broken["error"]
    assert fine["status"] == 200
    assert crawled.exchanges[0]["truncated"] == "unspecified"


def test_large_bodies_stay_on_disk(server: WireServer, tmp_path: Path) -> None:
    """A body of 200 MiB is captured whole in under 150 MiB, and the loop goes on."""
    crawled = crawl(
        tmp_path,
        f"http://127.0.0.1:{server.port}",
        ["large?3200"],
        max_record_bytes=300 * MIB,
        max_parse_bytes=10 * MIB,
    )
    (exchange,), (outcome,) = crawled.exchanges, crawled.outcomes
    assert exchange["size"] > 200 * MIB
    assert exchange["truncated"] is None
    assert (outcome["size"], outcome["flags"]) == (10 * MIB, ["cut"])
    assert crawled.end["peak_kib"] < 150 * 1024, crawled.end
    assert crawled.end["lag_s"] < 0.2, crawled.end


@pytest.mark.parametrize(
    ("failure", "refused", "reason"),
    [
        (CannotResolveHostError("no"), None, Reason.DNS),
        (CannotResolveHostError("no"), "10.0.0.1", Reason.PRIVATE_ADDRESS),
        (DownloadFailedError("gone"), None, Reason.DISCONNECTED),
        (ValueError("Invalid URI"), None, Reason.BAD_URL),
    ],
)
def test_what_a_failure_counts_as(
    failure: Exception, refused: str | None, reason: Reason
) -> None:
    """A failure without an exchange becomes one, and its reason is the errback's."""
    job = Job("http://a.example/", "GET", SystemClock(), 1 << 20, refused=refused)
    end_failed(job, failure)
    assert [recording.exchange().response for recording in job.recordings] == [None]
    with pytest.raises(FetchFailed) as raised:
        fail(job, failure)
    assert raised.value.reason is reason


@pytest.mark.parametrize("setting", ["socks4://u:secret@a:1", "https://u:secret@a:1"])
def test_a_proxy_we_cannot_use_is_refused_without_its_password(setting: str) -> None:
    """Another kind of proxy is a configuration error that shows no credentials."""
    with pytest.raises(ConfigError) as raised:
        proxy.proxy_of(setting)
    assert "secret" not in str(raised.value)


def test_without_a_context_nothing_is_fetched(
    server: WireServer, tmp_path: Path
) -> None:
    """A crawler that nobody gave a capture context fetches nothing."""
    base = f"http://127.0.0.1:{server.port}"
    crawled = crawl(tmp_path, base, ["plain"], contextless=True)
    assert "no capture context" in crawled.outcomes[0]["error"]
    assert server.log == []
