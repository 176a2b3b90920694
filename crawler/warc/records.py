"""The records that exchanges and page visits are archived as.

One exchange gives, in this order and concurrent to each other:

1. its ``response``, or a ``revisit`` where the payload is known (not without bytes);
2. its ``request`` (not where none was sent);
3. a ``metadata`` record of what blocks cannot hold: times, interim answers, bytes
   past the message's end, the proxy, the failure.

Source: WARC/1.1 sections 6.3 to 6.7; WARC-Protocol, WARC-Cipher-Suite: proposals of
the IIPC in common use.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crawler import http
from crawler.block import Block
from crawler.exchange import Truncated
from crawler.http import is_whole, payload_chunks, read_head
from crawler.warc import dedup
from crawler.warc.format import (
    HTTP_REQUEST,
    HTTP_RESPONSE,
    NOT_MODIFIED,
    PAGE_ID,
    PAYLOAD_DATE,
    REDACTED,
    REQUEST_DIGEST,
    REQUEST_METHOD,
    SAME_PAYLOAD,
    WARC_FIELDS,
    Fields,
    Record,
    fields_block,
    format_date,
    safe_uri,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from crawler.exchange import Exchange
    from crawler.http import Head
    from crawler.model import RecordRef

_STATUS_NOT_MODIFIED = 304


def exchange_records(  # noqa: PLR0913 - all that is known of one exchange
    exchange: Exchange,
    *,
    page_id: str,
    make_id: Callable[[], str],
    warcinfo_id: str,
    original: Callable[[str, str], RecordRef | None] = lambda _digest, _url: None,
    first_at: Callable[[str], datetime | None] = lambda _digest: None,
    validated: RecordRef | None = None,
    resource_type: str | None = None,
    redacted: tuple[str, ...] = (),
    request_digest: str | None = None,
) -> tuple[Record, ...]:
    """Return the records of one exchange, the one to be read first.

    Args:
        exchange: as it is to be stored, that is after redaction.
        page_id: of the page visit the exchange belongs to.
        make_id: gives a new ``urn:uuid:…`` each time.
        warcinfo_id: of the file the records go to.
        original: tells for (payload digest, url) which record holds that payload.
        first_at: tells for a payload digest when the payload was there first, None
            where it is new.
        validated: the record whose validators the request carried: what a 304 means.
        resource_type: what a browser fetched it as: document, script, image, …
        redacted: names of what was masked (`crawler.warc.redact`).
        request_digest: see `crawler.warc.cdxj.request_digest`.
    """
    common = _present(
        ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
        (PAGE_ID, page_id),
        ("WARC-Resource-Type", resource_type),
        (REDACTED, ", ".join(redacted)),
    )
    method = None if exchange.method == "GET" else exchange.method
    asked = _present((REQUEST_METHOD, method), (REQUEST_DIGEST, request_digest))
    maker = _Maker(exchange, common, make_id, original, first_at)
    response = maker.response(asked, validated)
    request = maker.request(response)
    metadata = maker.metadata(response or request)
    return tuple(record for record in (response, request, metadata) if record)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the records of one exchange; what they have in common is said once."""

    exchange: Exchange
    common: Fields
    make_id: Callable[[], str]
    original: Callable[[str, str], RecordRef | None]
    first_at: Callable[[str], datetime | None]

    def response(self, asked: Fields, validated: RecordRef | None) -> Record | None:
        """Return the response or revisit; None where no byte of it came."""
        block = self.exchange.response
        if block is None or not block.size:
            return None
        head = read_head(block)
        record = self._record(
            "response", HTTP_RESPONSE, block, self._wire(head) + asked
        )
        if head is None:
            return _truncated(record, self.exchange.truncated or Truncated.UNSPECIFIED)
        if head.status == _STATUS_NOT_MODIFIED and validated is not None:
            return _revisit(record, head, validated, NOT_MODIFIED)
        digest, size = _payload_digest(block, head)
        whole = is_whole(block, head, self.exchange.method)
        reason = self.exchange.truncated or (None if whole else Truncated.UNSPECIFIED)
        record = replace(record, payload_digest=digest, head=head)
        found = self.original(digest, self.exchange.url)
        if known := dedup.decide(digest, size, found, whole=reason is None):
            revisit = _revisit(record, head, known, SAME_PAYLOAD)
            return _truncated(revisit, Truncated.LENGTH)
        dated = self._dated(record, head, digest) if size else record
        return dated if reason is None else _truncated(dated, reason)

    def _dated(self, record: Record, head: Head, digest: str) -> Record:
        """Say since when the payload is there, where that is before this record."""
        age = http.age_of(head.headers)
        first = self.first_at(digest) or (record.date - age if age else None)
        return record if first is None else _first(record, first)

    def request(self, response: Record | None) -> Record | None:
        """Return the request; None where nothing was sent."""
        sent = self.exchange.request
        if not sent:
            return None
        return self._record("request", HTTP_REQUEST, sent, self._beside(response))

    def metadata(self, main: Record | None) -> Record:
        """Return what the other records' blocks cannot hold, as warc-fields."""
        exchange = self.exchange
        fields = _present(
            ("fetchTimeMs", _number(exchange.elapsed_ms)),
            ("firstByteMs", _number(exchange.first_byte_ms)),
            ("interim", base64.b64encode(exchange.interim).decode()),
            ("excess", base64.b64encode(exchange.excess).decode()),
            ("via", exchange.via),
            ("error", exchange.error),
        )
        body = fields_block(fields)
        return self._record("metadata", WARC_FIELDS, body, self._beside(main))

    def _record(
        self, kind: str, content_type: str, block: bytes | Block, fields: Fields
    ) -> Record:
        return Record(
            kind,
            self.make_id(),
            self.exchange.started_at,
            block,
            content_type,
            safe_uri(self.exchange.url),
            headers=self.common + fields,
        )

    def _beside(self, main: Record | None) -> Fields:
        """Say with which record this one goes; the first of all names the peer."""
        return _concurrent_to(main) or _present(("WARC-IP-Address", self.exchange.ip))

    def _wire(self, head: Head | None) -> Fields:
        version = head.version.decode("ascii").lower() if head else "http/1.1"
        tls = self.exchange.tls
        return _present(
            ("WARC-IP-Address", self.exchange.ip),
            ("WARC-Protocol", version),
            ("WARC-Protocol", tls.version if tls else None),
            ("WARC-Cipher-Suite", tls.cipher if tls else None),
        )


def _revisit(record: Record, head: Head, original: RecordRef, profile: str) -> Record:
    block = record.block
    kept = block.read(head.size) if isinstance(block, Block) else block[: head.size]
    fields = (
        ("WARC-Profile", profile),
        ("WARC-Refers-To", f"<{original.record_id}>"),
        ("WARC-Refers-To-Target-URI", safe_uri(original.target_uri)),
        ("WARC-Refers-To-Date", format_date(original.captured_at)),
    )
    revisit = replace(
        record,
        type="revisit",
        block=kept,
        payload_digest=original.payload_digest,
        original=original,
        headers=record.headers + fields,
    )
    at = original.payload_at
    return revisit if at is None else _first(revisit, at)


def _first(record: Record, at: datetime) -> Record:
    field = (PAYLOAD_DATE, format_date(at))
    return replace(record, payload_at=at, headers=(*record.headers, field))


def _truncated(record: Record, reason: Truncated) -> Record:
    field = ("WARC-Truncated", reason.value)
    return replace(record, headers=(*record.headers, field))


def _payload_digest(block: Block, head: Head) -> tuple[str, int]:
    """Return the payload's digest and size, transfer-decoded, content-coding kept."""
    digest, size = hashlib.sha256(), 0
    for piece in payload_chunks(block, head):
        digest.update(piece)
        size += len(piece)
    return f"sha256:{digest.hexdigest()}", size


def _concurrent_to(record: Record | None) -> Fields:
    return (("WARC-Concurrent-To", f"<{record.record_id}>"),) if record else ()


def _present(*fields: tuple[str, str | None]) -> Fields:
    return tuple((name, value) for name, value in fields if value)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
