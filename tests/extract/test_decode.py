import codecs
import gzip
import json
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.document.decode import Text, decode

HANS = "三千㎡空间通宵开放，馆长朱镕珊说，屋顶的锯齿形天窗全部保留，白天几乎不用开灯。"
HANT = (
    "遠洲科技週一宣佈，未來三年將投入逾百億港元擴建南灣數據中心園區，首期機房明年啓用。"
)
RUSSIAN = "Министерство сообщило, что движение поездов восстановлено в полном объёме."
GREEK = "Η κυβέρνηση ανακοίνωσε νέα μέτρα για την ενέργεια και τις μεταφορές στη χώρα."
GERMAN = "Die Straße über den Fluß bleibt für Fußgänger geöffnet, sagte Jörg Müller."
POLISH = "Wójt ogłosił, że świetlica będzie czynna także w niedzielę i święta."
JAPANESE = (
    "この列車は六月に運転を始め、二つの町を四十分で結びます。切符はやや高いです。"
)
KOREAN = "이 열차는 유월에 운행을 시작하여 두 도시를 사십 분 만에 연결합니다."
THAI = "รถไฟสายนี้จะเริ่มให้บริการในเดือนมิถุนายนและเชื่อมสองเมือง"


def page(text: str, charset: str | None) -> str:
    """Give a small page that declares charset."""
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<title>t</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "found"),
    [
        (HANS, "utf-8", "gb2312", "utf-8"),
        (HANS, "gb18030", "gb2312", "gb18030"),
        (HANS, "gb18030", "GBK", "gb18030"),
        (HANS, "gb18030", None, "gb18030"),
        (HANS, "gb18030", "utf-8", "gb18030"),
        (HANS, "gb18030", "iso-8859-1", "gb18030"),
        (HANS, "gb18030", "big5", "gb18030"),
        (HANT, "big5hkscs", "big5", "big5hkscs"),
        (HANT, "big5hkscs", None, "big5hkscs"),
        (HANT, "big5hkscs", "utf-8", "big5hkscs"),
        (HANT, "big5hkscs", "gb2312", "big5hkscs"),
        (RUSSIAN, "cp1251", "windows-1251", "cp1251"),
        (RUSSIAN, "koi8_r", "koi8-r", "koi8-r"),
        (RUSSIAN, "cp1251", None, "cp1251"),
        (RUSSIAN, "koi8_r", None, "koi8_r"),
        (GREEK, "iso8859-7", "iso-8859-7", "iso8859-7"),
        (GREEK, "cp1253", None, "cp1253"),
        (GERMAN, "cp1252", "iso-8859-1", "cp1252"),
        (GERMAN, "cp1252", "utf-8", "cp1252"),
        (GERMAN, "cp1252", None, "cp1252"),
        (POLISH, "iso8859-2", "iso-8859-2", "iso8859-2"),
        (JAPANESE, "cp932", "shift_jis", "cp932"),
        (JAPANESE, "cp932", None, "cp932"),
        (JAPANESE, "euc_jp", "euc-jp", "euc_jp"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp", "iso2022_jp"),
        (KOREAN, "cp949", "euc-kr", "cp949"),
        (KOREAN, "cp949", None, "cp949"),
        (THAI, "cp874", "tis-620", "cp874"),
        (HANS, "hz", "hz-gb-2312", "hz"),
    ],
)
def test_encodings(text: str, encoding: str, declared: str | None, found: str) -> None:
    """A page's text is read in the encoding it is in, declared or not, or wrongly."""
    if encoding == "hz":
        text = text.replace("㎡", "").replace("镕", "")
    whole = page(text, declared)
    got = decode(whole.encode(encoding), content_type="text/html")
    assert (got.text, got.encoding) == (whole, found)


@pytest.mark.parametrize("text", ["贵州茅台", "短讯", "标题：测试", "晴", "蚂蚁"])
def test_few_characters_are_read_as_declared(text: str) -> None:
    """Text too short to be judged is what its page declares, not what also decodes."""
    whole = page(text, "gbk")
    got = decode(whole.encode("gb18030"), content_type=None)
    assert got == Text(whole, "gb18030", "meta")


def test_header_before_meta() -> None:
    """The header's label is believed before the page's; the method says which."""
    body = page(RUSSIAN, "koi8-r").encode("cp1251")
    got = decode(body, content_type='text/html; charset="windows-1251"')
    assert (got.encoding, got.method) == ("cp1251", "http")
    assert decode(
        page(RUSSIAN, "windows-1251").encode("cp1251"), content_type=None
    ) == (Text(page(RUSSIAN, "windows-1251"), "cp1251", "meta"))


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_byte_order_mark(mark: bytes, encoding: str) -> None:
    """A byte order mark decides, and is no part of the text."""
    body = mark + page(HANS, "gb2312").encode(encoding)
    got = decode(body, content_type="text/html; charset=big5")
    assert got == Text(page(HANS, "gb2312"), encoding, "bom")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_mark(encoding: str) -> None:
    """UTF-16 without a mark is told by the zero bytes of its markup."""
    got = decode(page(HANS, "utf-16").encode(encoding), content_type=None)
    assert got == Text(page(HANS, "utf-16"), encoding, "utf-16")


def test_configured_encoding_is_obeyed() -> None:
    """What the configuration states is used, wrong or not; nonsense is not."""
    body = HANS.encode("gb18030")
    assert decode(body, content_type=None, override="gbk").method == "config"
    assert decode(body, content_type=None, override="cp1251").encoding == "cp1251"
    assert decode(body, content_type=None, override="no-such").encoding == "gb18030"


@pytest.mark.parametrize("label", ["rot13", "hex", "unicode_escape", "x-none", "idna"])
def test_labels_that_are_no_encoding(label: str) -> None:
    """A label that names no text encoding is passed over."""
    got = decode(page(HANS, label).encode("gb18030"), content_type=None)
    assert got.encoding == "gb18030"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5hkscs"])
@pytest.mark.parametrize("cut", range(1, 4))
def test_cut_tail(encoding: str, cut: int) -> None:
    """A sequence cut at the end is dropped and does not change the encoding."""
    text = HANT.replace("啓", "啟") * 3
    got = decode(text.encode(encoding)[:-cut], content_type=None)
    assert got.encoding == encoding
    assert text.startswith(got.text)
    assert len(got.text) >= len(text) - 2


def test_broken_bytes_in_utf8() -> None:
    """A UTF-8 page with some broken characters stays UTF-8, even when mislabelled."""
    broken = b"\xe9\x95".join([HANS.encode()] * 9)
    for charset in ("gb2312", "iso-8859-1", "utf-8"):
        got = decode(broken, content_type=f"text/html; charset={charset}")
        assert got.encoding == "utf-8"
        assert got.text.count("\ufffd") == 8


def test_nul_bytes_survive() -> None:
    """NUL bytes are kept and change nothing."""
    text = f"\0{HANS}\0\0{HANS}"
    assert decode(text.encode(), content_type=None).text == text
    assert decode(text.encode("gb18030"), content_type=None).text == text


def test_ascii_and_empty() -> None:
    """ASCII is UTF-8 whatever it declares; nothing is nothing."""
    got = decode(b"plain", content_type="text/html; charset=gbk")
    assert got == Text("plain", "utf-8", "utf-8")
    assert decode(b"", content_type=None).text == ""


@given(body=st.binary(max_size=300), label=st.text(max_size=12))
@settings(max_examples=300)
def test_any_bytes(body: bytes, label: str) -> None:
    """Any bytes under any label give some text; nothing is raised."""
    assert isinstance(decode(body, content_type=f"a/b; charset={label}").text, str)


@given(text=st.text())
def test_utf8_inverse(text: str) -> None:
    """What was encoded as UTF-8 comes back, but for a mark at its start."""
    got = decode(b"<p>" + text.encode("utf-8", "replace"), content_type=None)
    assert got.text == "<p>" + text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(("encoding", "limit_s"), [("utf-8", 0.002), ("gb18030", 0.03)])
def test_speed(encoding: str, limit_s: float) -> None:
    """A page of 100 kB is decoded at once: the best of five tries is within limits."""
    body = page(HANS * 1000, "gb2312").encode(encoding)[:100_000]
    best = min(clocked(body) for _ in range(5))
    assert best < limit_s


def clocked(body: bytes) -> float:
    """Give how long decoding body takes, seconds."""
    started = time.perf_counter()
    decode(body, content_type=None)
    return time.perf_counter() - started


def test_one_long_line_without_markup() -> None:
    """A megabyte without a blank or a tag takes no longer than any other."""
    assert clocked(b"\xff" + b"a" * 1_000_000) < 0.5
    assert clocked(HANS.encode("gb18030") * 20_000) < 0.5


# --- the matrix: real pages, re-encoded, declared rightly and wrongly ------------

FORMS = [
    ("utf-8", "gb2312"),
    ("gbk", "gb2312"),
    ("gbk", None),
    ("gbk", "utf-8"),
    ("gbk", "iso-8859-1"),
    ("big5", "big5"),
    ("big5", None),
    ("big5", "utf-8"),
    ("big5", "gb2312"),
]
META = re.compile(r"<meta[^>]*charset[^>]*>", re.IGNORECASE)
HEAD = re.compile(r"<head[^>]*>|^", re.IGNORECASE)
TAG = re.compile(r"<[^>]+>")


def chinese_pages(shared: Path, language: str) -> Iterator[tuple[str, str]]:
    """Yield pages in a script and their reference texts."""
    folder = shared / "corpus"
    for line in (folder / "index.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["corpus"] == "daniel-zh" and entry["language"] == language:
            page_file = folder / "daniel-zh" / f"{entry['id']}.html.gz"
            truth = json.loads(page_file.with_name(f"{entry['id']}.json").read_text())
            text = gzip.decompress(page_file.read_bytes()).decode("utf-8", "replace")
            yield text, truth["truth"]["text"]


def shingles(text: str) -> set[str]:
    """Give the runs of four characters in text, blanks aside."""
    solid = re.sub(r"\s+", "", text)
    return {solid[at : at + 4] for at in range(len(solid) - 3)}


def is_read(html: str, truth: str, encoding: str, declared: str | None) -> bool:
    """Tell whether html, re-encoded and declared so, gives nine tenths of truth."""
    meta = f'<meta charset="{declared}">' if declared else ""
    whole = HEAD.sub(lambda head: head[0] + meta, META.sub("", html), count=1)
    body = whole.encode(encoding, "xmlcharrefreplace")
    text = unescape(TAG.sub("", decode(body, content_type="text/html").text))
    wanted = shingles(truth)
    return len(wanted & shingles(text)) >= 0.9 * len(wanted)


def test_matrix(shared: Path) -> None:
    """Of thirty real pages in nine forms, at most one of 270 is not read right."""
    right = 0
    for encoding, declared in FORMS:
        language = "zh-Hant" if encoding == "big5" else "zh-Hans"
        pages = list(chinese_pages(shared, language))[:30]
        assert len(pages) == 30
        right += sum(is_read(*each, encoding, declared) for each in pages)
    assert right >= 269
