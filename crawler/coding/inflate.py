"""The codings of zlib: gzip, deflate, and what servers call so."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from crawler.coding.step import MAX_MEMBERS, Mislabelled, Step, looks_like_text

_INPUT_BYTES = 1 << 14
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_BITS = 31
_ZLIB_BITS = 15
_RAW_BITS = -15


def undo_gzip(body: bytes, limit: int) -> Step:
    """Undo gzip, member after member, up to limit bytes.

    Raises:
        Mislabelled: it is neither gzip nor zlib.
    """
    if not body.startswith(_GZIP_MAGIC):
        if _is_zlib(body):
            step = undo_deflate(body, limit)
            return Step(step.body, step.cut, "labelled 'gzip' but zlib")
        raise Mislabelled("does not begin as gzip does")
    out = bytearray()
    at = 0
    for _ in range(MAX_MEMBERS):
        member = _inflate(body, at, _GZIP_BITS, limit - len(out))
        out += member.out
        if member.failed or not member.whole:
            note = f"gzip damaged after {len(out)} bytes" if member.failed else None
            return Step(bytes(out), cut=True, note=note)
        at = member.end
        if at >= len(body):
            return Step(bytes(out))
        if not body.startswith(_GZIP_MAGIC, at):
            rest = len(body) - at  # zero padding, or what a broken proxy added
            return Step(bytes(out), note=f"{rest} bytes after the gzip end ignored")
    return Step(bytes(out), cut=True, note=f"more than {MAX_MEMBERS} gzip members")


def undo_deflate(body: bytes, limit: int) -> Step:
    """Undo deflate, up to limit bytes: "deflate" means zlib, some servers send it raw.

    A raw stream can look like a zlib head by chance, so raw is tried after zlib failed
    at once.

    Raises:
        Mislabelled: it is neither.
    """
    for bits in (_ZLIB_BITS, _RAW_BITS) if _is_zlib(body) else (_RAW_BITS,):
        stream = _inflate(body, 0, bits, limit)
        if stream.whole:
            rest = len(body) - stream.end
            if rest and not stream.out:
                continue  # garbage that happens to say "nothing, and the end"
            note = f"{rest} bytes after the deflate end ignored" if rest else None
            return Step(stream.out, note=note)
        if stream.out and not looks_like_text(body):
            note = "deflate damaged" if stream.failed else None
            return Step(stream.out, cut=True, note=note)
    raise Mislabelled("is neither zlib nor raw deflate")


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
