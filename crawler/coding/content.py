"""Content-codings undone in the order the header says, the last one first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.coding.inflate import undo_deflate, undo_gzip
from crawler.coding.modern import undo_brotli, undo_zstd
from crawler.coding.step import Mislabelled, Step, looks_like_text
from crawler.errors import NotDecodable

if TYPE_CHECKING:
    from crawler.coding.step import Undo
    from crawler.model import Headers

ACCEPT_ENCODING = b"gzip, deflate, br"
"""What we offer; each of them is always decodable here."""

MAX_CODINGS = 5  # more in a row is no server's intent


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
    step = Step(payload)
    notes: list[str] = []
    # What lies between two codings may be a little larger than what it decodes to.
    between = limit + limit // 8 + (1 << 16)
    for left, coding in reversed(list(enumerate(codings))):
        if not step.body:
            break
        # One byte more than wanted tells a body that ends at the limit from a cut one.
        after = _undone(coding, step.body, between if left else limit + 1)
        step = Step(after.body, step.cut or after.cut)
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


def _undone(coding: str, body: bytes, limit: int) -> Step:
    try:
        return _UNDO.get(coding, _unknown)(body, limit)
    except Mislabelled as exc:
        if looks_like_text(body):
            note = f"labelled {coding!r} but plain"
            return Step(body[:limit], len(body) > limit, note)
        raise NotDecodable(
            f"content-encoding {coding!r} {exc}, and the {len(body)} bytes are no text;"
            " the capture keeps them"
        ) from exc


def _unknown(body: bytes, limit: int) -> Step:  # noqa: ARG001 - as its fellows
    raise Mislabelled("is none we know")


_UNDO: dict[str, Undo] = {
    "gzip": undo_gzip,
    "x-gzip": undo_gzip,
    "deflate": undo_deflate,
    "br": undo_brotli,
    "zstd": undo_zstd,
}
