"""Answers as they come in: where they begin, whether their connection goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.http.body import is_chunked
from crawler.http.head import final_head_offset, header_all

if TYPE_CHECKING:
    from crawler.block import Block
    from crawler.http.head import Head

_FIRST_FINAL = 200
_NOT_PERSISTENT = (b"HTTP/1.0", b"HTTP/0.9")


def keeps_alive(head: Head) -> bool:
    """Tell whether an answer with head lets its connection be used again.

    Where two headers speak of the length it does not: what comes next may belong to
    this answer.
    """
    if head.status < _FIRST_FINAL:  # a 101
        return False
    lengths = header_all(head.headers, b"content-length")
    if len(lengths) > 1 or (lengths and is_chunked(head)):
        return False
    connection = b",".join(header_all(head.headers, b"connection")).lower()
    asked = {token.strip() for token in connection.split(b",")}
    if head.version.upper() in _NOT_PERSISTENT:
        return b"keep-alive" in asked
    return b"close" not in asked


def final_offset(prefix: bytes) -> int:
    """Return where the final message begins: after interim answers and blank lines."""
    at = 0
    while True:
        rest = prefix[at:]
        blank = len(rest) - len(rest.lstrip(b"\r\n"))
        moved = blank + final_head_offset(rest[blank:])
        if not moved:
            return at
        at += moved


def is_no_status(block: Block) -> bool:
    """Tell whether what came can no longer become a status line."""
    return not b"HTTP/".startswith(block.read(5).upper())
