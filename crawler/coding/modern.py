"""The codings after zlib: brotli, which we offer, and zstd, which we never do."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import brotli

from crawler.coding.step import MAX_MEMBERS, Mislabelled, Step, looks_like_text

if TYPE_CHECKING:
    from types import ModuleType

_PIECE_BYTES = 1 << 12  # an error loses the output of its piece
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def undo_brotli(body: bytes, limit: int) -> Step:
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
        return Step(made)
    if looks_like_text(body):
        raise Mislabelled("is no brotli stream")
    if len(out) >= limit and not failed:
        return Step(made, cut=True)
    if not looks_like_text(made):
        raise Mislabelled("is no brotli stream")
    if trailing:
        return Step(made, note="bytes after the brotli end ignored")
    return Step(made, cut=True, note="brotli damaged" if failed else None)


def _pieces(body: bytes) -> list[bytes]:
    starts = range(0, len(body), _PIECE_BYTES)
    return [body[at : at + _PIECE_BYTES] for at in starts]


def undo_zstd(body: bytes, limit: int) -> Step:
    """Undo zstd, which we never offer, where this Python can."""
    library = _zstd_library()
    if library is None:
        raise Mislabelled("has no decoder here (never offered)")
    if not body.startswith(_ZSTD_MAGIC):
        raise Mislabelled("does not begin as zstd does")
    out = bytearray()
    rest = body
    for _ in range(MAX_MEMBERS):
        stream = library.ZstdDecompressor()
        try:
            out += stream.decompress(rest, limit - len(out))
            while not stream.eof and not stream.needs_input and len(out) < limit:
                out += stream.decompress(b"", limit - len(out))
        except library.ZstdError:
            return Step(bytes(out), cut=True, note="zstd damaged")
        if not stream.eof:
            return Step(bytes(out), cut=True)
        rest = stream.unused_data
        if not rest.startswith(_ZSTD_MAGIC) or len(out) >= limit:
            break
    return Step(bytes(out), cut=bool(rest))


def _zstd_library() -> ModuleType | None:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
