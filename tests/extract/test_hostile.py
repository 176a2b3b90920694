"""Whatever bytes a server sends: an item or a reason, soon, and never a crash."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

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
LARGE = Path(__file__).with_name("large_page.py")
LIMIT_S = 10
"""Of CPU time, where 2 s are promised on a machine that has nothing else to do.

No example has a deadline beside it: that would be of wall time, which others take."""


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


@settings(deadline=None)
@given(st.integers(0, len(PAGE.encode())))
def test_truncated(end: int) -> None:
    """A page may end anywhere, inside a character, a tag or a script, too."""
    taken(PAGE.encode()[:end])


@settings(max_examples=60, deadline=None)
@given(st.permutations(PARTS))
def test_shuffled(parts: list[str]) -> None:
    """Tags may stand in any order and be closed by none."""
    taken("".join(parts).encode())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["utf-8", "gb18030", "big5hkscs", "utf-16"])))
def test_mixed_encodings(encodings: list[str]) -> None:
    """Parts of a page may be in encodings of their own."""
    taken(b"".join(PAGE.encode(each, "replace") for each in encodings))


@settings(max_examples=60, deadline=None)
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


@pytest.mark.parametrize("tag", ["div", "span", "h1", "blockquote", "section"])
def test_text_below_all_levels_is_kept(tag: str) -> None:
    """The parser stops at 2,048 levels; the text below them is in the item."""
    head = "<title>图书馆通宵开放</title>"
    item = taken((head + f"<{tag}>" * 3_000 + f"<p>{TEXT}</p><p>{TEXT}").encode())
    assert item is not None
    assert item.title == "图书馆通宵开放"
    assert (item.body_text or "").count(TEXT) == 2


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<h1>图书馆通宵开放" * 3_000, "图书馆通宵开放"),
        ("<h1>" * 3_000 + "图书馆通宵开放", "图书馆通宵开放"),
        (f"<div>{TEXT * 40}</div>", TEXT),
        ("<div>" + "1" * 5_000, "1" * 300),
    ],
    ids=["h1 in h1", "below all levels", "one line", "no sentence"],
)
def test_any_text_gives_a_title(page: str, title: str) -> None:
    """A page without a heading or a title has a first sentence."""
    item = taken(page.encode())
    assert item is not None
    assert item.title == title


TWO_MB, TEN_MB = 2_000_000, 9_900_000
LONG_S, LARGE_S, LARGE_MB = 10, 30, 700
"""Promised are 2 s to 2 MB; of 10 MB, where `crawl.max_parse` ends, 4 s and 400 MB."""
BRIEF = "白天几乎不用开灯，夜里也是。"
OVER_AND_OVER = {
    "paragraphs": f"<p>{TEXT}</p>",
    "sentences": "<p>The mayor said, on Monday, that the bridge would open soon.</p>",
    "empty": "<p> </p>",
    "metas": "<meta name=a content=b>",
    "times": "<p class=date>2024-01-02 10:00</p>",
}


@pytest.mark.parametrize("part", OVER_AND_OVER.values(), ids=OVER_AND_OVER)
def test_two_megabytes(part: str) -> None:
    """However many parts a page has, it takes about as long as 40,000 do."""
    began = time.process_time()
    body = f"<h1>图书馆通宵开放</h1>{part * (TWO_MB // len(part.encode()))}"
    assert taken(f"{body}<p>{TEXT}</p>".encode()) is not None
    assert time.process_time() - began < LONG_S


def test_as_many_images_as_there_may_be() -> None:
    """Each is compared with all before it, at no cost that grows as their square."""
    body = "".join(f"<p><img src=/{at}.jpg>{TEXT}</p>" for at in range(12_000))
    item = taken(f"<h1>图书馆通宵开放</h1>{body}".encode())
    assert item is not None
    assert len(item.images) == 12_000


def test_what_is_cut_is_told() -> None:
    """The first elements of a page are its item; drawings before them do not count."""
    body = f"<p>{BRIEF}</p>" * 41_000
    item = taken(f"<h1>图书馆通宵开放</h1>{body}".encode())
    assert item is not None
    assert "page_cut" in item.flags
    assert 39_000 < (item.body_text or "").count(BRIEF) < 40_000
    drawn = f"<svg>{'<path d=a></path>' * 41_000}</svg><h1>图书馆</h1><p>{TEXT}</p>"
    item = taken(drawn.encode())
    assert item is not None
    assert "page_cut" not in item.flags
    assert item.body_text == TEXT


@pytest.mark.parametrize("kind", ["sentences", "empty"])
def test_ten_megabytes(kind: str) -> None:
    """In a process of its own, so that the peak of memory is the page's."""
    given = json.dumps([OVER_AND_OVER[kind], TEN_MB])
    done = subprocess.run(
        [sys.executable, LARGE, given], capture_output=True, timeout=120, check=True
    )
    taken_s, added_mb = json.loads(done.stdout)
    assert taken_s < LARGE_S
    assert added_mb < LARGE_MB


def test_twenty_megabytes_are_refused() -> None:
    """A page beyond the limit is refused for that reason before it is parsed."""
    body = b"<h1>x</h1>" + f"<p>{TEXT}</p>".encode() * 240_000
    assert len(body) > 20_000_000
    began = time.process_time()
    with pytest.raises(NotExtracted, match="too_large"):
        extract_item(body, url=URL, captured_at=AT)
    assert time.process_time() - began < LIMIT_S
