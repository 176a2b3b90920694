"""A run made whole again after its process ended in the middle.

Segments that a crash left open are cut to what was committed, and closed; files of
stored segments go; leases are given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.archive import layout
from crawler.archive.database import transaction
from crawler.errors import ArchiveDamaged
from crawler.log import get_log
from crawler.warc.writer import OPEN, recover

if TYPE_CHECKING:
    from crawler.archive.spool import SegmentRow
    from crawler.jobs.run import OpenRun

log = get_log(__name__)


def recover_run(run: OpenRun) -> None:
    """Close what a crash left open; give leases back; bury what fails each time."""
    for segment in run.spool.segments(run.row.run_id, "open"):
        _recover_segment(run, segment)
    for segment in run.spool.segments(run.row.run_id, "committed"):
        for role in ("warc", "cdxj", "items"):
            name = layout.SegmentName.parse(segment.name)
            (run.directory / layout.file_name(name, role)).unlink(missing_ok=True)
    with transaction(run.spool.db):
        taken = run.frontier.take_back(run.row.run_id)
        run.ledger.bury(run.settings.max_deliveries, "")
    if run.resumed:
        log.info("run_resumed", run=run.row.run_id, leases_taken_back=taken)


def _recover_segment(run: OpenRun, segment: SegmentRow) -> None:
    name = layout.SegmentName.parse(segment.name)
    path = run.directory / layout.file_name(name, "warc")
    opened = path.with_name(path.name + OPEN)
    if segment.synced_bytes == 0:
        opened.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        with transaction(run.spool.db):
            run.spool.outbox.orphan_decisions(segment.name)
            run.spool.drop_segment(segment.name)
        return
    if path.exists():  # closed, but its last record is not in the spool
        path.rename(opened)
    if not opened.exists():
        message = f"the spool's {opened.name!r} is gone; its records are lost"
        raise ArchiveDamaged(message)
    recover(opened, segment.synced_bytes)
    with transaction(run.spool.db):
        run.spool.outbox.orphan_decisions(segment.name)
        run.spool.roll_segment(segment.name, run.clock.now())
