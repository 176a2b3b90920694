"""Whether a payload is written again or only said to be the same as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.model import RecordRef

MINIMUM_BYTES = 512
"""Smaller payloads are always written.

A revisit's own fields (profile, Refers-To, its URI and date) take some 300 bytes, half
of that compressed: below this size it saves nothing, and ties two records together.
"""


def decide(
    digest: str, payload_bytes: int, original: RecordRef | None, *, whole: bool
) -> RecordRef | None:
    """Return the record a revisit should refer to; None: write the payload.

    An original that is a revisit itself is refused, so that chains never arise; so is
    one whose digest is not digest.  A payload that is not whole is always written.
    """
    if original is None or not whole or payload_bytes < MINIMUM_BYTES:
        return None
    if original.payload_record is not None or original.payload_digest != digest:
        return None
    return original
