"""Content-codings undone: one function for live, replayed, extracted pages and robots.

1. What a server calls its bytes is a claim.  Bytes that are not what the label says
   are given as they are, with a note, when they look like text, and refused else.
2. No more than ``limit`` bytes are ever made, whatever the ratio or the nesting.
3. A stream that ends early gives what could be had, marked ``cut``.
"""

from __future__ import annotations

import importlib
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import brotli

from crawler.errors import NotDecodable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from crawler.model import Headers

ACCEPT_ENCODING = b"gzip, deflate, br"
"""What we offer; each of them is always decodable here."""

MAX_CODINGS = 5  # more in a row is no server's intent
MAX_MEMBERS = 4096  # gzip members; a bomb of empty ones costs time, not bytes
_INPUT_BYTES = 1 << 14
_SAMPLE_BYTES = 1 << 12
_SHORT_BYTES = 64  # below this, chance alone makes binary look like text
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_BITS = 31
_ZLIB_BITS = 15
_RAW_BITS = -15


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body without its content-codings.

    Attributes:
        body: at most ``limit`` bytes.
        cut: whether body is less than the whole: the limit, a stream that ends early,
            or damage.
        codings: the labels, lower case, in the order they were applied.
        note: what was not as labelled, one line; None where all was.
    """

    body: bytes
    cut: bool = False
    codings: tuple[str, ...] = ()
    note: str | None = None


class _Mislabelled(Exception):
    """The bytes are not in the coding they are labelled with."""


@dataclass(frozen=True, slots=True)
class _Step:
    body: bytes
    cut: bool = False
    note: str | None = None


_Undo: TypeAlias = "Callable[[bytes, int], _Step]"


def decode_content(
    payload: bytes, content_encoding: Headers | bytes | None, limit: int
) -> Decoded:
    """Return payload with the content-codings undone, last applied first.

    content_encoding: all header lines of the response, or the value of
    Content-Encoding, or None.

    Raises:
        NotDecodable: the bytes are neither in the coding they are labelled with nor
            text, or the coding is one we have no decoder for.

    Source: RFC 9110 sections 8.4 and 8.4.1.
    """
    codings = _codings(content_encoding)
    if len(codings) > MAX_CODINGS:
        raise NotDecodable(f"{len(codings)} content-codings in a row; at most 5 are")
    step = _Step(payload)
    notes: list[str] = []
    # What lies between two codings may be a little larger than what it decodes to.
    between = limit + limit // 8 + (1 << 16)
    for left, coding in reversed(list(enumerate(codings))):
        if not step.body:
            break
        # One byte more than wanted tells a body that ends at the limit from a cut one.
        after = _undone(coding, step.body, between if left else limit + 1)
        step = _Step(after.body, step.cut or after.cut)
        notes += [after.note] if after.note else []
    cut = step.cut or len(step.body) > limit
    return Decoded(step.body[:limit], cut, codings, "; ".join(notes) or None)


def _codings(given: Headers | bytes | None) -> tuple[str, ...]:
    if given is None or isinstance(given, bytes):
        values = [given or b""]
    else:
        values = [value for name, value in given if name.lower() == b"content-encoding"]
    labels = b",".join(values).decode("latin-1").lower().split(",")
    return tuple(
        label
        for label in (each.strip(" \t\"'") for each in labels)
        if label not in {"", "identity", "none"}
    )


def _undone(coding: str, body: bytes, limit: int) -> _Step:
    try:
        return _UNDO.get(coding, _unknown)(body, limit)
    except _Mislabelled as exc:
        if looks_like_text(body):
            note = f"labelled {coding!r} but plain"
            return _Step(body[:limit], len(body) > limit, note)
        raise NotDecodable(
            f"content-encoding {coding!r} {exc}, and the {len(body)} bytes are no text;"
            " the capture keeps them"
        ) from exc


def looks_like_text(body: bytes) -> bool:
    """Tell whether body may be text in some encoding: no control bytes in its start.

    Short runs must be UTF-8 too, since few random bytes hold a control byte by chance.
    """
    sample = body[:_SAMPLE_BYTES]
    if not sample:
        return False
    if sample.startswith(_UTF16_MARKS):
        return True
    if _CONTROLS.search(sample):
        return False
    if len(sample) >= _SHORT_BYTES:
        return True
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unknown(body: bytes, limit: int) -> _Step:  # noqa: ARG001 - as its fellows
    raise _Mislabelled("is none we know")


def _gzip(body: bytes, limit: int) -> _Step:
    if not body.startswith(_GZIP_MAGIC):
        if _is_zlib(body):
            step = _deflate(body, limit)
            return _Step(step.body, step.cut, "labelled 'gzip' but zlib")
        raise _Mislabelled("does not begin as gzip does")
    out = bytearray()
    at = 0
    for _ in range(MAX_MEMBERS):
        member = _inflate(body, at, _GZIP_BITS, limit - len(out))
        out += member.out
        if member.failed or not member.whole:
            note = f"gzip damaged after {len(out)} bytes" if member.failed else None
            return _Step(bytes(out), cut=True, note=note)
        at = member.end
        if at >= len(body):
            return _Step(bytes(out))
        if not body.startswith(_GZIP_MAGIC, at):
            rest = len(body) - at  # zero padding, or what a broken proxy added
            return _Step(bytes(out), note=f"{rest} bytes after the gzip end ignored")
    return _Step(bytes(out), cut=True, note=f"more than {MAX_MEMBERS} gzip members")


def _deflate(body: bytes, limit: int) -> _Step:
    # "deflate" means zlib; some servers send it raw.  A raw stream can look like a
    # zlib head by chance, so raw is tried after zlib failed at once.
    for bits in (_ZLIB_BITS, _RAW_BITS) if _is_zlib(body) else (_RAW_BITS,):
        stream = _inflate(body, 0, bits, limit)
        if stream.whole:
            rest = len(body) - stream.end
            if rest and not stream.out:
                continue  # garbage that happens to say "nothing, and the end"
            note = f"{rest} bytes after the deflate end ignored" if rest else None
            return _Step(stream.out, note=note)
        if stream.out and not looks_like_text(body):
            note = "deflate damaged" if stream.failed else None
            return _Step(stream.out, cut=True, note=note)
    raise _Mislabelled("is neither zlib nor raw deflate")


def _is_zlib(body: bytes) -> bool:
    # Source: RFC 1950 section 2.2: method 8, and the two bytes a multiple of 31.
    head = int.from_bytes(body[:2], "big")
    return len(body) > 1 and (head >> 8) & 0x0F == 8 and head % 31 == 0  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class _Stream:
    """One zlib stream: what it gave, where it ended, whether it ended at all."""

    out: bytes
    end: int
    whole: bool
    failed: bool = False


def _inflate(body: bytes, start: int, bits: int, limit: int) -> _Stream:
    inflater = zlib.decompressobj(bits)
    out = bytearray()
    for at in range(start, len(body), _INPUT_BYTES):
        piece = body[at : at + _INPUT_BYTES]
        before = inflater.copy()
        try:
            out += inflater.decompress(piece, limit - len(out))
        except zlib.error:
            out += _until_damage(before, piece, limit - len(out))
            return _Stream(bytes(out), at, whole=False, failed=True)
        if inflater.eof:
            end = at + len(piece) - len(inflater.unused_data)
            return _Stream(bytes(out), end, whole=True)
        if len(out) >= limit:
            break
    return _Stream(bytes(out), len(body), whole=False)


def _until_damage(inflater: zlib._Decompress, piece: bytes, room: int) -> bytes:
    """Return what can be had of a piece that is damaged somewhere, byte by byte."""
    out = bytearray()
    for at in range(len(piece)):
        if len(out) >= room:
            break
        try:
            out += inflater.decompress(piece[at : at + 1], room - len(out))
        except zlib.error:
            break
    return bytes(out)


def _brotli(body: bytes, limit: int) -> _Step:
    """Undo brotli; it has no magic and no checksum, so the result is doubted.

    The last byte is held back: a stream that ends before it has bytes after its end,
    which is what garbage that reads as an empty stream looks like.
    """
    stream = brotli.Decompressor()
    out = bytearray()
    trailing = failed = False
    try:
        for piece in [*_pieces(body[:-1]), body[-1:]]:
            trailing = stream.is_finished()
            if trailing or len(out) >= limit:
                break
            out += stream.process(piece, output_buffer_limit=limit - len(out))
            while len(out) < limit and not stream.can_accept_more_data():
                out += stream.process(b"", output_buffer_limit=limit - len(out))
    except brotli.error:
        failed = True
    made = bytes(out[:limit])
    if not failed and not trailing and stream.is_finished():
        return _Step(made)
    if looks_like_text(body):
        raise _Mislabelled("is no brotli stream")
    if len(out) >= limit and not failed:
        return _Step(made, cut=True)
    if not looks_like_text(made):
        raise _Mislabelled("is no brotli stream")
    if trailing:
        return _Step(made, note="bytes after the brotli end ignored")
    return _Step(made, cut=True, note="brotli damaged" if failed else None)


def _pieces(body: bytes) -> list[bytes]:
    step = _INPUT_BYTES // 4  # an error loses the output of its piece
    return [body[at : at + step] for at in range(0, len(body), step)]


def _zstd(body: bytes, limit: int) -> _Step:
    """Undo zstd, which we never offer, where this Python can."""
    library = _zstd_library()
    if library is None:
        raise _Mislabelled("has no decoder here (never offered)")
    if not body.startswith(_ZSTD_MAGIC):
        raise _Mislabelled("does not begin as zstd does")
    out = bytearray()
    rest = body
    for _ in range(MAX_MEMBERS):
        stream = library.ZstdDecompressor()
        try:
            out += stream.decompress(rest, limit - len(out))
            while not stream.eof and not stream.needs_input and len(out) < limit:
                out += stream.decompress(b"", limit - len(out))
        except library.ZstdError:
            return _Step(bytes(out), cut=True, note="zstd damaged")
        if not stream.eof:
            return _Step(bytes(out), cut=True)
        rest = stream.unused_data
        if not rest.startswith(_ZSTD_MAGIC) or len(out) >= limit:
            break
    return _Step(bytes(out), cut=bool(rest))


def _zstd_library() -> ModuleType | None:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


_UNDO: dict[str, _Undo] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
