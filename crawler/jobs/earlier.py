"""The capture that a revision was made of, read again by today's code and rules.

After an upgrade another hash says nothing of a page: only what the same code and rules
make of both captures can be compared.  It is always the capture of the stored revision
that is read, so that a spool that was lost decides as before.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.archive import layout
from crawler.archive.captures import Archive
from crawler.errors import ArchiveDamaged, NotExtracted, ObjectMissing
from crawler.extract import extract
from crawler.extract.shown import lacks_dom
from crawler.history.fold import Folded, fold, is_upgrade
from crawler.item import Listing
from crawler.log import get_log

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.archive.collection import Collection
    from crawler.archive.manifest import Segment
    from crawler.config.portal import Portal
    from crawler.item import Head, Item
    from crawler.model import Capture

KEPT_ARCHIVES = 2
log = get_log(__name__)


@dataclass(slots=True)
class Folding:
    """Folds items by one code and one set of rules, those of a run.

    Attributes:
        portal: with these rules.
        config_digest: of them.
    """

    collection: Collection
    portal: Portal
    config_digest: str
    _archives: OrderedDict[str, Archive] = field(default_factory=OrderedDict)

    def __call__(
        self, item: Item, head: Head | None, *, extracted_at: datetime
    ) -> Folded:
        """Fold an extracted item into what is known of it.

        Raises:
            StoreUnavailable: whether it is a revision cannot be told now; a rerun
                visits the page again.
        """
        upgraded = head is not None and is_upgrade(item, head)
        before = self.earlier(item.id, head) if head and upgraded else None
        return fold(item, head, extracted_at=extracted_at, before=before)

    def earlier(self, item_id: str, head: Head) -> Item | None:
        """Return what is made now of the capture of a revision.

        None: it gives no such item by these rules, or is not in the store.

        Raises:
            StoreUnavailable: it cannot be read now.
        """
        try:
            capture = self._capture(head)
            if capture is None or lacks_dom(capture, self.portal):
                return None
            made = extract(capture, self.portal, config_digest=self.config_digest)
        except NotExtracted:
            return None
        except (ArchiveDamaged, ObjectMissing, ValueError) as exc:
            log.warning("revision_not_compared", item=item_id, error=str(exc))
            return None
        items = made.flashes if isinstance(made, Listing) else (made,)
        return next((item for item in items if item.id == item_id), None)

    def _capture(self, head: Head) -> Capture | None:
        archive = self._archive(head.warc)
        page = archive.line(head.record).page
        visit = archive.visit_of(page) if page else None
        return archive.capture(visit) if visit else None

    def _archive(self, warc: str) -> Archive:
        known = self._archives.get(warc)
        if known is None:
            segments = self._segments(layout.SegmentName.parse(warc))
            limit = self.portal.crawl.max_parse
            known = Archive.of(self.collection, segments, limit)
            if not segments:
                return known  # not committed yet
            self._archives[warc] = known
            if len(self._archives) > KEPT_ARCHIVES:
                self._archives.popitem(last=False)
        return known

    def _segments(self, name: layout.SegmentName) -> list[Segment]:
        """Return a segment, and the next one: a visit may have ended in it."""
        parsed = map(
            layout.SegmentName.parse, self.collection.segment_names(name.portal)
        )
        return [
            self.collection.segment(str(one))
            for one in parsed
            if one.run_id == name.run_id
            and one.serial in (name.serial, name.serial + 1)
        ]
