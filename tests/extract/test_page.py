import gzip
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import NotExtracted
from crawler.extract.document.page import Page
from crawler.extract.document.text import as_printed, visible_lines, visible_text
from crawler.model import Headers, Response

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
HTML = ((b"Content-Type", b"text/html"),)


def response(
    body: bytes, *, cut: bool = False, headers: Headers = HTML, status: int = 200
) -> Response:
    """Make a response as the archive gives it."""
    return Response("http://h.example/a/b", status, headers, body, AT, cut=cut)


def page(text: str, url: str = "http://h.example/a/b") -> Page:
    """Make a page of decoded text."""
    return Page(text, url)


def test_gbk_without_charset_header_is_decoded_from_the_bytes() -> None:
    """A GBK page that its header does not name is read as Chinese text."""
    body = "<meta charset=gb2312><p>老厂房变身社区图书馆，朱镕珊说囧事</p>".encode(
        "gb18030"
    )
    read = Page.from_response(response(body))
    assert "朱镕珊" in read.text
    assert read.encoding.startswith("gb")


def test_gzip_is_undone() -> None:
    """A content-coding is undone before the text is decoded."""
    headers = (*HTML, (b"Content-Encoding", b"gzip"))
    read = Page.from_response(response(gzip.compress(b"<p>hello"), headers=headers))
    assert read.lines == ("hello",)


def test_dom_is_utf8_whatever_it_declares() -> None:
    """A rendered document is UTF-8 even where its meta element says gb2312."""
    read = Page.from_dom("<meta charset=gb2312><p>图书馆".encode(), "http://h.example/")
    assert read.lines == ("图书馆",)
    assert read.encoding == "utf-8"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_a_page"),
        (b" \n\t", "not_a_page"),
        (b"\x00" * 50, "not_a_page"),
        (b"%PDF-1.7 stuff", "not_a_page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_a_page"),
        (bytes(range(1, 32)) * 40, "not_a_page"),
    ],
)
def test_what_is_no_text_is_no_page(body: bytes, reason: str) -> None:
    """Empty and binary bodies are refused with a reason."""
    with pytest.raises(NotExtracted) as caught:
        Page.from_response(response(body))
    assert caught.value.reason == reason


def test_cut_below_the_limit_is_truncated() -> None:
    """A body that stopped before the limit is truncated."""
    with pytest.raises(NotExtracted) as caught:
        Page.from_response(response(b"<p>abc", cut=True), limit=1000)
    assert caught.value.reason == "truncated"


def test_cut_at_the_limit_is_too_large() -> None:
    """A body that was cut at the limit is too large."""
    with pytest.raises(NotExtracted) as caught:
        Page.from_response(response(b"x" * 1000, cut=True), limit=1000)
    assert caught.value.reason == "too_large"


def test_a_bomb_is_too_large() -> None:
    """A small gzip body that decodes past the limit is too large."""
    headers = (*HTML, (b"Content-Encoding", b"gzip"))
    bomb = gzip.compress(b"x" * 1_000_000)
    with pytest.raises(NotExtracted) as caught:
        Page.from_response(response(bomb, headers=headers), limit=10_000)
    assert caught.value.reason == "too_large"


def test_nul_characters_inside_a_page_are_cut() -> None:
    """Stray NUL characters do not end the page."""
    assert page("<p>a\x00b</p><p>c</p>").lines == ("ab", "c")


def test_xml_declaration_does_not_stop_the_parser() -> None:
    """XHTML with an encoding declaration is parsed as the text it is."""
    text = '<?xml version="1.0" encoding="gbk"?><html><body><p>你好</p></body></html>'
    assert page(text).lines == ("你好",)


def test_ten_thousand_nested_elements_are_parsed() -> None:
    """Deep nesting neither recurses nor loses the text around it."""
    text = "<p>before</p>" + "<div>" * 10_000 + "deep" + "</div>" * 10_000
    assert page(text).lines[0] == "before"


def test_five_megabytes_are_read_in_two_seconds() -> None:
    """A large page is parsed and turned into lines within two seconds."""
    text = "<div>" + "<p>一二三四五六七八九十<b>粗体</b>文字</p>" * 100_000 + "</div>"
    assert len(text.encode()) > 5_000_000
    begun = time.process_time()
    assert len(page(text).lines) == 100_000
    assert time.process_time() - begun < 2


def test_base_url_honours_base_href() -> None:
    """Relative addresses count from an http base element."""
    read = page('<base href="/x/"><a href="y">')
    assert read.absolute("y") == "http://h.example/x/y"


def test_base_url_ignores_other_schemes() -> None:
    """A base element of another scheme is ignored."""
    read = page('<base href="javascript:alert(1)">')
    assert read.absolute("y") == "http://h.example/a/y"


def test_absolute_refuses_what_cannot_be_fetched() -> None:
    """Addresses that are no http URL are None."""
    read = page("<p>x")
    assert [
        read.absolute(each) for each in ("", "mailto:a@b", "data:,x", "http://[")
    ] == [None] * 4


def test_json_is_parsed_once() -> None:
    """The same parsed value is given each time."""
    read = page('\ufeff{"a": [1]}')
    assert read.is_json
    assert read.json == {"a": [1]}
    assert read.json is read.json


@pytest.mark.parametrize(
    "text",
    [
        'data_callback([{"a": 1}]);',
        '/**/jQuery_1([{"a": 1}]);',
        "/**/ typeof cb === 'function' && cb([{\"a\": 1}]);",
    ],
)
def test_jsonp_call_is_cut_off(text: str) -> None:
    """JSON inside a call is read, also where servers guard the call."""
    assert page(text).json == [{"a": 1}]


@pytest.mark.parametrize(
    "text", ["<html><p>login", "not json", '{"a": ', "[" * 100_000]
)
def test_what_is_no_json_is_a_bad_listing(text: str) -> None:
    """HTML or damage where JSON was to come is a reason, not an error of ours."""
    with pytest.raises(NotExtracted) as caught:
        _ = page(text).json
    assert caught.value.reason == "bad_listing"


def test_lines_end_at_blocks_only() -> None:
    """Inline elements end no line and invent no blank between characters."""
    text = "<p>中<b>文</b><span>字</span></p>a<br>b<div>c\n d</div><script>x</script>"
    assert page(text).lines == ("中文字", "a", "b", "c d")


def test_hidden_elements_are_not_read() -> None:
    """What its own markup hides is no text of the page."""
    text = '<p hidden>a</p><p style="display: none">b</p><template>c</template><p>d</p>'
    assert page(text).lines == ("d",)


def test_source_breaks_between_wide_characters_are_no_blanks() -> None:
    """A line break of the source inside Chinese text is nothing."""
    assert as_printed("　　第一\n    行 \u200b") == "第一行"


def test_visible_text_of_an_unseen_element_is_its_own() -> None:
    """A selected title is read although heads are not."""
    read = page("<head><title> A\n b </title></head><body>x")
    assert visible_text(read.tree.find(".//title")) == "A b"
    assert visible_lines(read.tree) == ["x"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_page_or_a_reason(body: bytes) -> None:
    """No bytes make the page raise anything but NotExtracted."""
    try:
        read = Page.from_response(response(body))
    except NotExtracted:
        return
    _ = (read.lines, read.base_url, read.tree)
