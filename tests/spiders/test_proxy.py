from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.proxy import Proxies, proxy_of
from tests.site.compare import certified, compare, crawl
from tests.site.socks import socks
from tests.site.wire import WireServer

NAMES = ["plain", "gzip", "post", "keep", "continue"]


@pytest.fixture
def server() -> Iterator[WireServer]:
    """Give a running origin."""
    with WireServer(certified()) as running:
        yield running


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", [None, (b"us@er", b"pa:ss")])
def test_by_socks_the_record_is_what_the_origin_saw(
    server: WireServer, tmp_path: Path, scheme: str, login: tuple[bytes, bytes] | None
) -> None:
    """Through SOCKS5 names go to the proxy, records are exact, log-ins are nowhere."""
    port = server.port if scheme == "http" else server.tls_port
    with socks(login) as proxy:
        user = "us%40er:pa%3Ass@" if login else ""
        crawled = crawl(
            tmp_path,
            f"{scheme}://origin.invalid:{port}",
            NAMES,
            proxy=f"socks5://{user}127.0.0.1:{proxy.port}",
            refuse=True,
        )
        told = proxy.told
    rows = compare(server.log, crawled)
    assert crawled.errors == ""
    assert len(rows) >= len(NAMES)
    assert all(row.request_exact and row.response_exact for row in rows), rows
    assert set(told.wanted) == {("origin.invalid", port)}
    assert set(told.logins) == {login}
    assert {x["via"] for x in crawled.exchanges} == {f"socks5://127.0.0.1:{proxy.port}"}
    assert "pa:ss" not in str(crawled.exchanges)


@pytest.mark.parametrize(
    ("login", "refusal", "said"),
    [(None, 2, "not allowed"), ((b"a", b"b"), 0, "log-in"), (None, 99, "reply 99")],
)
def test_a_refusal_is_a_failed_connect(
    tmp_path: Path, login: tuple[bytes, bytes] | None, refusal: int, said: str
) -> None:
    """What the proxy will not do is a failed connect that says why."""
    with socks(login, refusal) as proxy:
        address = f"socks5://127.0.0.1:{proxy.port}"
        crawled = crawl(tmp_path, "http://127.0.0.1:9", ["plain"], proxy=address)
    assert [x["reason"] for x in crawled.outcomes] == ["connect"]
    assert said in crawled.exchanges[0]["error"]


def test_a_refused_literal_is_not_asked_of_socks(tmp_path: Path) -> None:
    """An address the guard refuses never gets to the proxy."""
    with socks() as proxy:
        address = f"socks5://127.0.0.1:{proxy.port}"
        crawled = crawl(
            tmp_path, "http://127.1:9", ["plain"], proxy=address, refuse=True
        )
    assert [x["reason"] for x in crawled.outcomes] == ["private_address"]
    assert proxy.told.wanted == []


def test_hosts_get_the_proxies_of_a_pool_in_turn_and_keep_them() -> None:
    """Two hosts get two proxies, the third the first again, and each its own always."""
    proxies = Proxies.of(("http://a:1", "socks5://u:p@[::1]"))
    first, second, third = (proxies.choose(host) for host in ("x", "y", "z"))
    assert first == third == proxy_of("http://a:1")
    assert second is not None
    assert second.address == "socks5://[::1]:1080"
    assert second.socks is not None
    assert second.socks.login == (b"u", b"p")
    assert proxies.choose("y") is second
    assert Proxies.of(None).choose("x") is None
