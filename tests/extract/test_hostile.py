"""Whatever bytes a server sends: an item or a reason, soon, and never a crash."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import NotExtracted
from crawler.extract import extract_item
from crawler.item import Item

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
URL = "http://h.example/n/1.html"
TEXT = "馆长说，屋顶的锯齿形天窗全部保留，白天几乎不用开灯。"
PAGE = (
    "<html><head><meta charset=utf-8><title>图书馆通宵开放_某网</title>"
    '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "x"}'
    "</script></head><body><nav><a href=/a>首页</a></nav><h1>图书馆通宵开放</h1>"
    "<div class=meta>2025-07-14 09:30 来源：某网</div><div class=article>"
    f"<p>{TEXT}</p><img src=/1.jpg alt=图><ul><li>{TEXT}</ul><p>{TEXT}{TEXT}</p>"
    "</div><footer>版权所有</footer></body></html>"
)
PARTS = [f"<{part}" for part in PAGE.split("<") if part]
LIMIT_S = 10
"""Of CPU time, where 2 s are promised on a machine that has nothing else to do."""


def taken(body: bytes) -> Item | None:
    """Give the item, None where there is none for a reason, within the limit."""
    began = time.process_time()
    try:
        return extract_item(body, url=URL, captured_at=AT)
    except NotExtracted:
        return None
    finally:
        assert time.process_time() - began < LIMIT_S


def test_the_page_itself_is_read() -> None:
    """What is broken below is a page with an article."""
    item = taken(PAGE.encode())
    assert item is not None
    assert item.title == "图书馆通宵开放"
    assert (item.body_text or "").count(TEXT) == 4


@given(st.integers(0, len(PAGE.encode())))
def test_truncated(end: int) -> None:
    """A page may end anywhere, inside a character, a tag or a script, too."""
    taken(PAGE.encode()[:end])


@settings(max_examples=60)
@given(st.permutations(PARTS))
def test_shuffled(parts: list[str]) -> None:
    """Tags may stand in any order and be closed by none."""
    taken("".join(parts).encode())


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["utf-8", "gb18030", "big5hkscs", "utf-16"])))
def test_mixed_encodings(encodings: list[str]) -> None:
    """Parts of a page may be in encodings of their own."""
    taken(b"".join(PAGE.encode(each, "replace") for each in encodings))


@settings(max_examples=60)
@given(st.binary(max_size=2_000), st.integers(0, len(PAGE)))
def test_any_bytes_in_a_page(noise: bytes, place: int) -> None:
    """Any bytes may stand in the midst of a page."""
    taken(PAGE[:place].encode() + noise + PAGE[place:].encode())


def test_nul_everywhere() -> None:
    """NUL characters change nothing."""
    body = PAGE.encode().replace(b"<p>", b"<p>\0\0").replace(b"</p>", b"\0</p>")
    plain, with_nul = taken(PAGE.encode()), taken(body)
    assert plain is not None
    assert with_nul is not None
    assert with_nul.body_text == plain.body_text


@pytest.mark.parametrize(
    "tag", ["div", "span", "blockquote", "ul><li", "table><tr><td", "b><p", "a href=/x"]
)
def test_nested_ten_thousand_deep(tag: str) -> None:
    """No depth of elements overflows or takes long; repeated titles neither."""
    title = "<title>图书馆通宵开放</title>"
    taken((title + f"<{tag}>" * 10_000 + TEXT * 9).encode())
    taken((title + f"<{tag}>图书馆通宵开放" * 3_000 + TEXT * 9).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"1" * 300_000,
        b"2024-01-02 10:00 " * 20_000,
        b"<" * 300_000,
        b"&amp;" * 60_000,
        b"<p>" + b" " * 300_000 + TEXT.encode(),
        b"<p>" + "（".encode() * 100_000,
        b'<script type="application/ld+json">' + b"[" * 300_000,
        b"<div " + b'a="b" ' * 50_000 + b">" + TEXT.encode(),
        (TEXT + "<br>" * 30_000).encode(),
        random.Random(1).randbytes(300_000),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_one_thing_over_and_over(body: bytes) -> None:
    """No construction takes a time that grows as the square of its length."""
    taken(body)


def test_twenty_megabytes_are_refused() -> None:
    """A page beyond the limit is refused for that reason before it is parsed."""
    body = b"<h1>x</h1>" + f"<p>{TEXT}</p>".encode() * 240_000
    assert len(body) > 20_000_000
    began = time.process_time()
    with pytest.raises(NotExtracted, match="too_large"):
        extract_item(body, url=URL, captured_at=AT)
    assert time.process_time() - began < LIMIT_S
