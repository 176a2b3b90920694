"""Trim the pieces of a body that no rule named: what is before and between its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.article.beside import is_byline, is_call, is_caption, is_signature
from crawler.extract.document.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.extract.article.blocks import Piece

_TITLE_WITHIN = 20
_HEAD, _TAIL = 4, 4
"""Text pieces among which bylines and signatures are looked for."""
_MAX_CAPTION = 120
_MAX_JUDGED = 2_000
"""Pieces that are looked at line by line; no article seen has half of them."""
_LOOKED_AT = frozenset({"paragraph", "heading", "quote", "list", "table"})

Left = list[tuple[str, str]]


def trimmed(pieces: list[Piece], title: str | None) -> tuple[list[Piece], Left]:
    """Return the pieces of the text, and the lines left out, each with the reason."""
    start = _after_title(pieces, title)
    left: Left = [
        (piece.text, "before_title") for piece in pieces[:start] if piece.text
    ]
    kept: list[Piece] = []
    for piece, reason in _judged(pieces[start:]):
        if reason:
            left.append((piece.text, reason))
        else:
            kept.append(piece)
    return kept, left


def _after_title(pieces: list[Piece], title: str | None) -> int:
    """Return where the title's own heading is, the first piece where it is not."""
    wanted = squeeze(title or "")
    for at, piece in enumerate(pieces[:_TITLE_WITHIN]):
        if piece.type == "heading" and wanted and squeeze(piece.text) == wanted:
            return at
    return 0


def _judged(pieces: list[Piece]) -> Iterator[tuple[Piece, str | None]]:
    """Yield each piece with the reason why it is no text, None where it is."""
    captions = set(_captions(pieces))
    texts = [piece for piece in pieces if piece.text]
    head = {id(piece) for piece in texts[:_HEAD]}
    tail = {id(piece) for piece in texts[-_TAIL:]}
    for at, piece in enumerate(pieces):
        if at >= _MAX_JUDGED or piece.type not in _LOOKED_AT or not piece.text:
            yield piece, None
            continue
        text = squeeze(piece.text)
        reasons = {
            "caption": text in captions or is_caption(piece.text),
            "call": is_call(piece.text),
            "byline": id(piece) in head and is_byline(piece.text),
            "signature": id(piece) in tail and is_signature(piece.text),
        }
        yield piece, next((name for name, holds in reasons.items() if holds), None)


def _captions(pieces: Iterable[Piece]) -> Iterator[str]:
    for piece in pieces:
        caption = squeeze(piece.image.caption or "") if piece.image else ""
        if 0 < len(caption) <= _MAX_CAPTION:
            yield caption
