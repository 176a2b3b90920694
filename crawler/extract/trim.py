"""Trim the pieces of a body that no rule named: what is before and after its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.text import squeeze

if TYPE_CHECKING:
    from crawler.extract.blocks import Piece

_TITLE_WITHIN = 20


def trimmed(
    pieces: list[Piece], title: str | None
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """Return the pieces of the text, and the lines left out, each with the reason."""
    start = _after_title(pieces, title)
    before = [(piece.text, "before_title") for piece in pieces[:start] if piece.text]
    return pieces[start:], before


def _after_title(pieces: list[Piece], title: str | None) -> int:
    """Return where the title's own heading is, the first piece where it is not."""
    wanted = squeeze(title or "")
    for at, piece in enumerate(pieces[:_TITLE_WITHIN]):
        if piece.type == "heading" and wanted and squeeze(piece.text) == wanted:
            return at
    return 0
