import gzip
import random
import time
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.coding import Decoded, decode_content, looks_like_text
from crawler.errors import NotDecodable

PAGE = (
    "<!doctype html><p>山海高铁开通试运行，最快两小时十分贯通两地。</p>\n".encode() * 40
)
LIMIT = 1 << 20


def raw_deflate(body: bytes) -> bytes:
    """Give body as deflate without the zlib head."""
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(body) + squeezer.flush()


ENCODERS = {
    b"gzip": gzip.compress,
    b"x-gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"br": brotli.compress,
}


@pytest.mark.parametrize("coding", [None, b"", b"identity", b"none", b"Identity"])
def test_no_coding(coding: bytes | None) -> None:
    """A body without a coding comes back as it is."""
    assert decode_content(PAGE, coding, LIMIT) == Decoded(PAGE)


@pytest.mark.parametrize("coding", list(ENCODERS))
@given(body=st.binary(max_size=3000))
@settings(max_examples=60, deadline=None)
def test_inverse(coding: bytes, body: bytes) -> None:
    """What was encoded comes back whole, whatever it is, at any limit that holds it."""
    label = coding.decode()
    encoded = ENCODERS[coding](body)
    assert decode_content(encoded, coding, len(body)) == Decoded(body, codings=(label,))


def test_headers_are_read_in_order() -> None:
    """Several codings, over several header lines, are undone from last to first."""
    twice = brotli.compress(gzip.compress(PAGE))
    headers = (
        (b"Content-Encoding", b"GZip"),
        (b"X-Other", b"deflate"),
        (b"content-encoding", b"identity, br"),
    )
    assert decode_content(twice, headers, LIMIT) == Decoded(
        PAGE, codings=("gzip", "br")
    )


def test_many_members() -> None:
    """A gzip file of several members is read to its end."""
    members = b"".join(gzip.compress(PAGE[at : at + 500]) for at in (0, 500, 1000))
    assert decode_content(members, b"gzip", LIMIT).body == PAGE[:1500]


def test_raw_deflate() -> None:
    """A deflate body without the zlib head is read too."""
    assert decode_content(raw_deflate(PAGE), b"deflate", LIMIT).body == PAGE


def test_zlib_labelled_gzip() -> None:
    """A zlib body under the label gzip is read, with a note."""
    got = decode_content(zlib.compress(PAGE), b"gzip", LIMIT)
    assert (got.body, got.cut) == (PAGE, False)
    assert got.note == "labelled 'gzip' but zlib"


@pytest.mark.parametrize("coding", list(ENCODERS))
def test_truncated_stream(coding: bytes) -> None:
    """A stream that ends early gives what could be had and says it is cut."""
    body = random.Random(3).randbytes(20_000).hex().encode()
    encoded = ENCODERS[coding](body)
    got = decode_content(encoded[: len(encoded) // 2], coding, LIMIT)
    assert got.cut
    assert len(got.body) > len(body) // 4
    assert body.startswith(got.body)


def test_last_byte_missing() -> None:
    """A gzip body without its last byte has all its text but is not called whole."""
    got = decode_content(gzip.compress(PAGE)[:-1], b"gzip", LIMIT)
    assert (got.body, got.cut) == (PAGE, True)


def test_wrong_checksum() -> None:
    """A gzip body with a wrong checksum keeps its text, is cut, and says why."""
    encoded = bytearray(gzip.compress(PAGE))
    encoded[-6] ^= 0xFF
    got = decode_content(bytes(encoded), b"gzip", LIMIT)
    assert (got.body, got.cut) == (PAGE, True)
    assert got.note == f"gzip damaged after {len(PAGE)} bytes"


def test_bytes_after_the_end() -> None:
    """Padding after the last gzip member is ignored, with a note."""
    got = decode_content(gzip.compress(PAGE) + b"\0" * 7, b"gzip", LIMIT)
    assert (got.body, got.cut) == (PAGE, False)
    assert got.note == "7 bytes after the gzip end ignored"


@pytest.mark.parametrize("coding", [*ENCODERS, b"zstd", b"utf-8", b"gzip, gzip"])
@pytest.mark.parametrize(
    "page", [PAGE, PAGE.decode().encode("gb18030"), b'{"ok": true}', b"plain"]
)
def test_plain_text_under_a_label(coding: bytes, page: bytes) -> None:
    """Text that is not in its labelled coding comes as it is, with a note."""
    got = decode_content(page, coding, LIMIT)
    assert (got.body, got.cut) == (page, False)
    assert got.note is not None
    assert "but plain" in got.note


def test_label_once_too_often() -> None:
    """A body labelled gzip twice and packed once is read, with a note."""
    got = decode_content(gzip.compress(PAGE), b"gzip, gzip", LIMIT)
    assert got.body == PAGE
    assert got.note == "labelled 'gzip' but plain"


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"zstd", b"compress"])
@pytest.mark.parametrize("seed", range(40))
def test_garbage_is_refused(coding: bytes, seed: int) -> None:
    """Random bytes under a label are refused: never an empty page, never noise."""
    chance = random.Random(seed)
    garbage = bytes([seed, *chance.randbytes(chance.randint(3, 3000))])
    with pytest.raises(NotDecodable, match="content-encoding"):
        decode_content(garbage, coding, LIMIT)


@pytest.mark.parametrize(
    "garbage", [b"\x06\x81\x02", b"\x3b\x06", b"\x06" + b"\xf0" * 9]
)
def test_garbage_that_reads_as_an_empty_page(garbage: bytes) -> None:
    """Bytes that brotli takes for "nothing" and a rest are refused, no empty page."""
    with pytest.raises(NotDecodable):
        decode_content(garbage, b"br", LIMIT)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br"])
def test_bomb(coding: bytes) -> None:
    """A body that grows a thousandfold stops at the limit, soon."""
    bomb = ENCODERS[coding](b"\0" * 60_000_000)
    started = time.monotonic()
    got = decode_content(bomb, coding, 100_000)
    assert (len(got.body), got.cut) == (100_000, True)
    assert time.monotonic() - started < 2


def test_nested_bomb() -> None:
    """A bomb in a bomb stops at the limit too."""
    bomb = gzip.compress(gzip.compress(gzip.compress(b"\0" * 50_000_000)))
    got = decode_content(bomb, b"gzip, gzip, gzip", 5000)
    assert (len(got.body), got.cut) == (5000, True)


def test_bomb_of_empty_members() -> None:
    """Millions of empty gzip members end at a bound, not after minutes."""
    started = time.monotonic()
    got = decode_content(gzip.compress(b"") * 100_000, b"gzip", LIMIT)
    assert (got.body, got.cut) == (b"", True)
    assert time.monotonic() - started < 5


def test_too_many_codings() -> None:
    """Six codings in a row are refused before any is undone."""
    with pytest.raises(NotDecodable, match="6 content-codings"):
        decode_content(PAGE, b"gzip," * 6, LIMIT)


@pytest.mark.parametrize("coding", [None, *ENCODERS])
def test_limit(coding: bytes | None) -> None:
    """A body one byte over the limit is cut there; one at the limit is whole."""
    encoded = ENCODERS[coding](PAGE) if coding else PAGE
    over = decode_content(encoded, coding, len(PAGE) - 1)
    assert (over.body, over.cut) == (PAGE[:-1], True)
    assert not decode_content(encoded, coding, len(PAGE)).cut


def test_empty_payload() -> None:
    """An empty body is empty under any label: a 304 or HEAD may carry one."""
    assert decode_content(b"", b"gzip", LIMIT) == Decoded(b"", codings=("gzip",))


def test_zstd_where_there_is_a_decoder() -> None:
    """A zstd body, never asked for, is read where this Python can."""
    zstd = pytest.importorskip("backports.zstd")
    packed = zstd.compress(PAGE)
    assert decode_content(packed + packed, b"zstd", LIMIT).body == PAGE * 2
    assert decode_content(packed, b"zstd", 100) == Decoded(
        PAGE[:100], cut=True, codings=("zstd",)
    )
    assert decode_content(packed[:-9], b"zstd", LIMIT).cut


@given(payload=st.binary(max_size=400), coding=st.sampled_from(list(ENCODERS)))
@settings(max_examples=300, deadline=None)
def test_any_bytes(payload: bytes, coding: bytes) -> None:
    """Any bytes give at most limit bytes or are refused; nothing else happens."""
    try:
        got = decode_content(payload, coding, 50)
    except NotDecodable:
        assert not looks_like_text(payload)
    else:
        assert len(got.body) <= 50
