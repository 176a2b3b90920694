"""Content-codings undone: one function for live, replayed, extracted pages and robots.

1. What a server calls its bytes is a claim.  Bytes that are not what the label says
   are given as they are, with a note, when they look like text, and refused else.
2. No more than ``limit`` bytes are ever made, whatever the ratio or the nesting.
3. A stream that ends early gives what could be had, marked ``cut``.
"""

from crawler.coding.content import (
    ACCEPT_ENCODING,
    MAX_CODINGS,
    Decoded,
    decode_content,
)
from crawler.coding.step import MAX_MEMBERS, looks_like_text

__all__ = [
    "ACCEPT_ENCODING",
    "MAX_CODINGS",
    "MAX_MEMBERS",
    "Decoded",
    "decode_content",
    "looks_like_text",
]
