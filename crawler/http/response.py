"""Responses in blocks: the payload of a stored message, and what extraction reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.http.body import (
    LINE_BYTES,
    BodyMeter,
    Dechunker,
    Framing,
    framing,
    is_chunked,
)
from crawler.http.head import HEAD_BYTES, parse_head
from crawler.model import Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from crawler.block import Block
    from crawler.http.head import Head
    from crawler.model import RecordRef

_SIZE_BEGUN = re.compile(rb"[ \t]*[0-9A-Fa-f]{0,16}[ \t]*(?:;.*)?", re.DOTALL)


def read_head(block: Block) -> Head | None:
    """Read the head of the response that block holds; None where there is none."""
    return parse_head(block.read(HEAD_BYTES))


def message_end(block: Block, head: Head, method: str) -> int | None:
    """Return where in block the message ends; what follows is excess.

    None: only the close can tell, or the end has not come.
    """
    meter = BodyMeter(head, method)
    end = head.size
    for piece in () if meter.done else block.chunks(head.size):
        end += meter.feed(piece)
        if meter.done:
            break
    return end if meter.done else None


def is_whole(block: Block, head: Head, method: str) -> bool:
    """Tell whether a finished block holds all of its message, as far as it can tell.

    A body that ends at the close is whole by definition, and so is one that was
    stored de-chunked under a head that still says chunked.
    """
    kind = framing(head, method)
    if kind is Framing.CLOSE or (kind is Framing.CHUNKS and _is_plain(block, head)):
        return True
    return message_end(block, head, method) is not None


def payload_chunks(block: Block, head: Head) -> Iterator[bytes]:
    """Yield the payload: chunked framing taken off, content-coding kept.

    Where the head says chunked and the bytes are not (archives of other makers, that
    stored the body de-chunked), the bytes are believed.  A body whose framing breaks
    later ends there.
    """
    if not is_chunked(head) or _is_plain(block, head):
        yield from block.chunks(head.size)
        return
    dechunker = Dechunker()
    for piece in block.chunks(head.size):
        if payload_piece := dechunker.feed(piece):
            yield payload_piece
        if dechunker.done or dechunker.failed:
            return


def _is_plain(block: Block, head: Head) -> bool:
    """Tell whether a body called chunked cannot be: no size at its very beginning."""
    line = block.read(LINE_BYTES, start=head.size).partition(b"\n")[0]
    return bool(line) and not _SIZE_BEGUN.fullmatch(line.removesuffix(b"\r"))


def payload(block: Block, head: Head, limit: int) -> tuple[bytes, bool]:
    """Return at most limit bytes of the payload, and whether more were there."""
    pieces: list[bytes] = []
    size = 0
    for piece in payload_chunks(block, head):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            return b"".join(pieces)[:limit], True
    return b"".join(pieces), False


def response_from_block(
    url: str,
    block: Block,
    captured_at: datetime,
    *,
    method: str,
    limit: int,
    ref: RecordRef | None = None,
    truncated: bool = False,
) -> Response | None:
    """Make what extraction reads of a response; live and replayed alike.

    ``cut`` is set where truncated is, where the message is not whole, and where its
    payload is longer than limit.  None: the block has no status line or no whole head.
    """
    if (head := read_head(block)) is None:
        return None
    body, longer = payload(block, head, limit)
    cut = longer or truncated or not is_whole(block, head, method)
    return Response(url, head.status, head.headers, body, captured_at, cut, ref)
