from __future__ import annotations

import pytest

from crawler import http
from crawler.browser.message import Asked, Target, connect_target, read_request

TUNNEL = Target("https", "portal.example", 443, tunnelled=True)


def read(raw: bytes, tunnel: Target | None = None) -> Asked | None:
    """Read a request as the relay does."""
    head = http.parse_request_head(raw)
    assert head is not None
    return read_request(raw, head, tunnel)


@pytest.mark.parametrize(
    ("target", "url", "path"),
    [
        ("http://a.example/x?y=%20", "http://a.example/x?y=%20", "/x?y=%20"),
        ("http://a.example", "http://a.example/", "/"),
        ("http://a.example?q", "http://a.example/?q", "/?q"),
        ("http://a.example:80/", "http://a.example/", "/"),
        ("http://A.example:8080/X", "http://a.example:8080/X", "/X"),
        ("HTTP://[::1]:81/", "http://[::1]:81/", "/"),
        ("http://a.example/http://b.example/", None, "/http://b.example/"),
    ],
)
def test_absolute_targets(target: str, url: str | None, path: str) -> None:
    """A proxy's target becomes path and query; the URL is the one asked for."""
    asked = read(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert asked is not None
    assert asked.url == (url or target)
    assert asked.head == f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    assert not asked.target.tunnelled


@pytest.mark.parametrize(
    ("tunnel", "url"),
    [
        (TUNNEL, "https://portal.example/x"),
        (Target("https", "::1", 8443, tunnelled=True), "https://[::1]:8443/x"),
        (TUNNEL.without_tls(), "http://portal.example:443/x"),
    ],
)
def test_tunnelled_targets(tunnel: Target, url: str) -> None:
    """In a tunnel the CONNECT says who is asked."""
    raw = b"GET /x HTTP/1.1\r\n\r\n"
    asked = read(raw, tunnel)
    assert asked is not None
    assert (asked.url, asked.target, asked.head) == (url, tunnel, raw)


def test_only_lines_for_proxies_are_left_out() -> None:
    """Order, case, folds and repeats stay; lines called Proxy-… go, folds and all."""
    kept = b"hOst:  a \r\nX-Fold: a\r\n  proxy-b: c\r\nX-Proxy-A: 1\r\nhOst: b\r\n\r\n"
    raw = (
        b"GET http://a.example/ HTTP/1.1\r\nProxy-Connection: keep-alive\r\n"
        b"hOst:  a \r\nPROXY-Authorization: Basic\r\n c2VjcmV0\r\n"
        b"X-Fold: a\r\n  proxy-b: c\r\nX-Proxy-A: 1\r\nhOst: b\r\n\r\n"
    )
    asked = read(raw)
    assert asked is not None
    assert asked.head == b"GET / HTTP/1.1\r\n" + kept


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (b"", None),
        (b"Content-Length: 3\r\n", b"abc"),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n0\r\n\r\n"),
        (b"Content-Length: 0\r\n", b""),
        (b"Content-Length: x\r\n", None),
    ],
)
def test_where_a_body_ends(lines: bytes, body: bytes | None) -> None:
    """A request has a body only where its head says so, and it ends where it says."""
    asked = read(b"POST http://a.example/ HTTP/1.1\r\n" + lines + b"\r\n")
    assert asked is not None
    assert (asked.meter is None) == (body is None)
    if asked.meter is not None and body is not None:
        assert asked.meter.feed(body + b"GET /next") == len(body)
        assert asked.meter.done


@pytest.mark.parametrize(
    "line",
    [b"GET /x", b"GET ftp://a/", b"GET http:///x", b"GET http://a:x/", b"GET  /"],
)
def test_nobody_is_asked(line: bytes) -> None:
    """A request that names nobody outside a tunnel is none."""
    assert read(line + b" HTTP/1.1\r\n\r\n") is None


@pytest.mark.parametrize(
    ("authority", "host", "port"),
    [("a.example:443", "a.example", 443), ("[::1]:8443", "::1", 8443)],
)
def test_connect_says_whom(authority: str, host: str, port: int) -> None:
    """A CONNECT names host and port."""
    raw = f"CONNECT {authority} HTTP/1.1\r\n\r\n".encode()
    head = http.parse_request_head(raw)
    assert head is not None
    target = connect_target(head)
    assert target == Target("https", host, port, tunnelled=True)
    assert target.authority == authority


@pytest.mark.parametrize("authority", ["a.example", "a.example:", ":443", "[::1:443"])
def test_connect_to_nobody(authority: str) -> None:
    """A CONNECT without host or port is none."""
    raw = f"CONNECT {authority} HTTP/1.1\r\n\r\n".encode()
    head = http.parse_request_head(raw)
    assert head is not None
    assert connect_target(head) is None
