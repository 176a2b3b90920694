"""Requests that follow a redirect."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from scrapy import Request

from crawler.model import Response
from crawler.spiders.hop import hop

AT = datetime(2025, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "target", "kept"),
    [
        ("https://a.example/1", "https://a.example/2", True),
        ("http://a.example/1", "http://a.example/2", True),
        ("http://a.example/1", "https://a.example/2", True),
        ("https://a.example/1", "http://a.example/2", False),
        ("https://a.example/1", "https://b.example/2", False),
        ("http://a.example:8000/1", "http://a.example:8001/2", False),
    ],
)
def test_headers_go_where_they_are_safe(start: str, target: str, *, kept: bool) -> None:
    """Headers follow to the same host, never to another and never out of TLS."""
    request = Request(start, headers={"Authorization": "x"}, meta={"page_id": "p"})
    response = Response(start, 302, (), b"", AT)
    assert (b"Authorization" in hop(request, response, target).headers) is kept


def test_a_303_is_followed_by_get() -> None:
    """After 303 neither the body nor the headers that describe it are sent."""
    headers = {"Content-Type": "application/json", "X-Kept": "1"}
    start = "https://a.example/1"
    request = Request(
        start, method="POST", body=b"{}", headers=headers, meta={"page_id": "p"}
    )
    after = hop(request, Response(start, 303, (), b"", AT), "https://a.example/2")
    assert (after.method, after.body) == ("GET", b"")
    assert b"Content-Type" not in after.headers
    assert b"X-Kept" in after.headers
