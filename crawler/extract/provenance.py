"""The pointer from an item to the very records it was read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.item import Extractor, Provenance, RecordPointer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crawler.extract.document.page import Page
    from crawler.model import Capture, RecordRef

EXTRACTOR = "portalkeep"


def provenance_of(
    capture: Capture,
    page: Page | None,
    methods: Mapping[str, str],
    *,
    config_digest: str,
    version: str,
) -> Provenance:
    """Return the provenance of what was read from a capture.

    records: the main one first, then the rest of its redirect chain, then further
    pages.  ``extracted_at`` stays open: extraction has no clock.
    """
    main = capture.main.ref
    refs = [ref for ref in (main, *capture.hops) if ref is not None]
    refs += [each.ref for each in capture.further if each.ref is not None]
    return Provenance(
        records=_pointers(refs),
        dom_records=_pointers(capture.dom_refs),
        target_uri=main.target_uri if main else capture.main.url,
        captured_at=capture.main.captured_at,
        run_id=capture.run_id,
        extractor=Extractor(name=EXTRACTOR, version=version),
        config_digest=config_digest,
        encoding=(page.encoding or None) if page else None,
        encoding_method=(page.encoding_method or None) if page else None,
        fields=dict(methods),
    )


def _pointers(refs: Iterable[RecordRef]) -> tuple[RecordPointer, ...]:
    unique = {ref.record_id: ref for ref in refs}
    return tuple(
        RecordPointer(
            record_id=ref.record_id,
            warc=ref.warc,
            offset=ref.offset,
            length=ref.length,
            payload_digest=ref.payload_digest,
            payload_record=ref.payload_record,
        )
        for ref in unique.values()
    )
