from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.block import Block
from crawler.exchange import Exchange
from crawler.model import RecordRef
from crawler.spiders import pagelog
from crawler.spiders.pagelog import PageLog, title_of

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)


def exchange(
    path: str = "/a",
    destination: str | None = None,
    *,
    method: str = "GET",
    response: bytes | None = None,
    after_s: int = 0,
) -> Exchange:
    """Return an exchange with a request that says what it is for."""
    said = f"sec-fetch-dest: {destination}\r\n" if destination else ""
    return Exchange(
        f"https://harbour.example{path}",
        method,
        f"{method} {path} HTTP/1.1\r\nHost: harbour.example\r\n{said}\r\n".encode(),
        None if response is None else Block(response),
        AT + timedelta(seconds=after_s),
    )


def ref(name: str, url: str) -> RecordRef:
    """Return a reference to a record."""
    return RecordRef(f"urn:uuid:{name}", "w.warc.gz", 0, 1, url, AT)


@pytest.mark.parametrize(
    ("destination", "kind"),
    [
        ("document", "document"),
        ("iframe", "document"),
        ("style", "stylesheet"),
        ("image", "image"),
        ("video", "media"),
        ("serviceworker", "script"),
        ("empty", "fetch"),
        ("paintworklet", "paintworklet"),
        (None, None),
    ],
)
def test_the_request_says_what_it_is_for(
    destination: str | None, kind: str | None
) -> None:
    """Where the browser's driver told nothing, the headers do."""
    assert PageLog().type_of(exchange(destination=destination)) == kind


def test_the_browser_knows_better() -> None:
    """What the driver tells of a request is more exact than its headers."""
    log = PageLog()
    log.hear("GET", "https://harbour.example/a#there", "xhr")
    assert log.type_of(exchange(destination="empty")) == "xhr"
    assert log.type_of(exchange("/b", "empty")) == "fetch"
    assert log.type_of(exchange("/b", "empty", method="OPTIONS")) == "preflight"


def test_exchanges_are_in_the_order_they_began() -> None:
    """They are noted as they end; one without an answer is among them."""
    log = PageLog()
    page = b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=x\r\n\r\nbody"
    second, first = exchange("/second", after_s=1), exchange(response=page)
    log.add(second, ref("2", second.url))
    log.add(first, ref("1", "https://harbour.example/*"))
    rows = log.exchanges()
    assert [x.record_id for x in rows] == ["urn:uuid:1", "urn:uuid:2"]
    assert [x.url for x in rows] == ["https://harbour.example/*", second.url]
    assert [(x.status, x.mime) for x in rows] == [(200, "text/html"), (None, None)]


def test_a_page_may_not_ask_for_ever() -> None:
    """Beyond so many requests or bytes it gets nothing, and its information says so."""
    log = PageLog()
    assert all(log.admits() for _ in range(pagelog.MAX_REQUESTS))
    assert not log.admits()
    assert tuple(log.limits) == ("requests",)
    log = PageLog(bytes=pagelog.MAX_BYTES - 1)
    assert log.admits()
    log.add(exchange(response=b"two bytes more"), ref("1", "https://harbour.example/a"))
    assert not log.admits()
    assert tuple(log.limits) == ("bytes",)


@pytest.mark.parametrize(
    ("document", "title"),
    [
        (b"<html><head><title>A &amp; B\n c</title>", "A & B c"),
        (b"<TITLE lang=en>x</TITLE><svg><title>y</title>", "x"),
        (b"<title></title>", None),
        (b"<p>none", None),
        (b"<title>" + b"x" * 5000 + b"</title>", "x" * 1000),
    ],
)
def test_titles(document: bytes, title: str | None) -> None:
    """The first title of the document, on one line, without markup."""
    assert title_of(document) == title
