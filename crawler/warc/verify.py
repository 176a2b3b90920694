"""Whether a file is what its records say: members, digests and references."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from crawler.http import payload_chunks, read_head
from crawler.warc.format import WARC_FIELDS
from crawler.warc.salvage import spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crawler.warc.member import ParsedRecord
    from crawler.warc.salvage import Span

_WITH_PAYLOAD = ("response", "resource")


class Fault(StrEnum):
    """What can be wrong with a file."""

    DAMAGED = "damaged"  # bytes that are no whole member with one whole record
    BLOCK_DIGEST = "block_digest"
    PAYLOAD_DIGEST = "payload_digest"
    DUPLICATE_ID = "duplicate_id"
    CONCURRENT_MISSING = "concurrent_missing"
    REVISIT_DIFFERS = "revisit_differs"  # from the original in the same file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, where, and with which record.

    Attributes:
        offset, length: of the member or the damaged span.
        record_id: None for damage.
    """

    fault: Fault
    offset: int
    length: int
    record_id: str | None
    message: str


def verify_file(path: Path, *, read_data: bool) -> Iterator[Problem]:
    """Yield what is wrong with a file; nothing where it is good.

    Every member is inflated to its trailer in any case; read_data checks block and
    payload digests too.  References out of the file are legal and not looked at, but
    the records of one exchange are written together and must be here.
    """
    seen = _Seen()
    for span in spans(path):
        if span.record is None:
            message = span.fault
            yield Problem(Fault.DAMAGED, span.offset, span.length, None, message)
            continue
        yield from seen.take(span, span.record)
        if read_data:
            for fault, message in _digest_faults(span.record):
                yield _problem(fault, span, span.record, message)
    yield from seen.dangling()


@dataclass(slots=True)
class _Seen:
    """Ids and references of the records read so far.

    Attributes:
        digests: record_id to payload digest.
        references: what to say if the target is not there (digest None) or has
            another digest; its record_id; the digest it should have.
    """

    digests: dict[str, str | None] = field(default_factory=dict)
    references: list[tuple[Problem, str, str | None]] = field(default_factory=list)

    def take(self, span: Span, record: ParsedRecord) -> Iterator[Problem]:
        """Note the record; yield a problem if its id was there before."""
        digest = record.header("WARC-Payload-Digest")
        if record.record_id in self.digests:
            message = "the record's id was used before in this file"
            yield _problem(Fault.DUPLICATE_ID, span, record, message)
        self.digests[record.record_id] = digest
        for target in _written_together(record):
            message = f"concurrent record {target!r} is not in the file"
            problem = _problem(Fault.CONCURRENT_MISSING, span, record, message)
            self.references.append((problem, target, None))
        target = record.header("WARC-Refers-To") or ""
        if record.type == "revisit" and digest:
            message = f"its payload digest is not that of {target!r}"
            problem = _problem(Fault.REVISIT_DIFFERS, span, record, message)
            self.references.append((problem, target, digest))

    def dangling(self) -> Iterator[Problem]:
        """Yield the problems of references, once all records are known."""
        for problem, target, digest in self.references:
            if digest is None:
                wrong = target not in self.digests
            else:
                wrong = self.digests.get(target, digest) != digest
            if wrong:
                yield problem


def _written_together(record: ParsedRecord) -> tuple[str, ...]:
    """Return the records that were appended at once with this one.

    What is said of a whole page visit may come after the file was rolled.
    """
    of_exchange = record.type == "request" or (
        record.type == "metadata" and record.header("Content-Type") == WARC_FIELDS
    )
    return record.header_all("WARC-Concurrent-To") if of_exchange else ()


def _problem(fault: Fault, span: Span, record: ParsedRecord, message: str) -> Problem:
    return Problem(fault, span.offset, span.length, record.record_id, message)


def _digest_faults(record: ParsedRecord) -> Iterator[tuple[Fault, str]]:
    block = record.header("WARC-Block-Digest")
    if block and not _matches(block, record.block.chunks()):
        yield Fault.BLOCK_DIGEST, f"the block's digest is not {block!r}"
    if record.type not in _WITH_PAYLOAD:
        return
    payload = record.header("WARC-Payload-Digest")
    if payload and not _matches(payload, _payload(record)):
        yield Fault.PAYLOAD_DIGEST, f"the payload's digest is not {payload!r}"


def _payload(record: ParsedRecord) -> Iterator[bytes]:
    head = read_head(record.block) if record.type == "response" else None
    return payload_chunks(record.block, head) if head else record.block.chunks()


def _matches(stated: str, pieces: Iterable[bytes]) -> bool:
    """Tell whether pieces have the digest stated, in hex or base32."""
    algorithm, _, value = stated.partition(":")
    try:
        digest = hashlib.new(algorithm.replace("-", ""), usedforsecurity=False)
    except ValueError:
        return False  # what cannot be checked is not said to be good
    for piece in pieces:
        digest.update(piece)
    base32 = base64.b32encode(digest.digest()).decode()
    return value.lower() == digest.hexdigest() or value.upper() == base32
