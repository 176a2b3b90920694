"""The records of what was not fetched: files, page visits, rendered documents.

Source: WARC/1.1 sections 6.2, 6.4 and 6.6.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from crawler.warc.format import (
    JSON,
    PAGE_ID,
    WARC_FIELDS,
    Fields,
    Record,
    fields_block,
    safe_uri,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from crawler.model import Json, RecordRef


def capture_record(
    body: Mapping[str, Json],
    *,
    page_id: str,
    main: RecordRef | Record | None,
    date: datetime,
    make_id: Callable[[], str],
    warcinfo_id: str,
) -> Record:
    """Return the ``metadata`` record of one page visit, body as canonical JSON.

    Its URI is ``urn:portalkeep:capture:<page id>``, so that no reader of the index
    takes it for the page itself; main, the page's last response, is named as
    concurrent (None: the visit ended without one).
    """
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    concurrent = (("WARC-Concurrent-To", f"<{main.record_id}>"),) if main else ()
    return Record(
        "metadata",
        make_id(),
        date,
        text.encode(),
        JSON,
        f"urn:portalkeep:capture:{page_id}",
        headers=(
            ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
            (PAGE_ID, page_id),
            *concurrent,
        ),
    )


def resource_record(
    uri: str,
    content_type: str,
    content: bytes,
    *,
    date: datetime,
    make_id: Callable[[], str],
    warcinfo_id: str,
    page_id: str | None = None,
    concurrent_to: str | None = None,
) -> Record:
    """Return a ``resource`` record: what was made, not fetched.

    uri says of what kind: ``urn:dom:<url>`` a rendered document, ``urn:view:<url>`` a
    screenshot, ``urn:portalkeep:run:<id>`` a run's decisions.
    """
    fields = (
        ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
        (PAGE_ID, page_id),
        ("WARC-Concurrent-To", concurrent_to and f"<{concurrent_to}>"),
    )
    return Record(
        "resource",
        make_id(),
        date,
        content,
        content_type,
        safe_uri(uri),
        payload_digest=sha256(content),
        headers=tuple((name, value) for name, value in fields if value),
    )


def warcinfo_record(
    fields: Fields, *, record_id: str, date: datetime, filename: str
) -> Record:
    """Return the record that begins a file; fields: software, operator, … in order."""
    return Record(
        "warcinfo",
        record_id,
        date,
        fields_block(fields),
        WARC_FIELDS,
        headers=(("WARC-Filename", filename),),
    )
