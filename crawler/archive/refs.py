"""Record references as JSON values and back: for the spool and for request meta."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crawler.model import RecordRef


def ref_to_json(ref: RecordRef) -> dict[str, Any]:  # Any: JSON
    """Return a reference as JSON-able values."""
    return {
        "record_id": ref.record_id,
        "warc": ref.warc,
        "offset": ref.offset,
        "length": ref.length,
        "target_uri": ref.target_uri,
        "captured_at": ref.captured_at.isoformat(),
        "payload_digest": ref.payload_digest,
        "payload_record": ref.payload_record,
        "payload_at": ref.payload_at.isoformat() if ref.payload_at else None,
    }


def ref_from_json(row: dict[str, Any]) -> RecordRef:  # Any: JSON
    """Return the reference that ref_to_json made the values of."""
    times = {
        name: datetime.fromisoformat(row[name]) if row.get(name) else None
        for name in ("captured_at", "payload_at")
    }
    return RecordRef(**{**row, **times})
