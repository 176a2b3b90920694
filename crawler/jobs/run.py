"""The run of one portal: opened or resumed, and closed with its manifest.

1. Under the portal's lock the unfinished run of this job is resumed under its id, or
   a new one begins.
2. When all work has ended and all segments are in the store, the run manifest is
   stored, and the spool forgets the run.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler import __version__
from crawler.archive import layout, manifest
from crawler.archive.collection import Collection
from crawler.archive.database import transaction, unwritable
from crawler.archive.directory import make_directory
from crawler.archive.ledger import Ledger
from crawler.archive.recorder import Recorder
from crawler.archive.segment import Origin
from crawler.archive.spool import RunRow, Spool, open_database
from crawler.archive.store import open_store
from crawler.archive.tape import Limits, Tape
from crawler.errors import PortalkeepError
from crawler.frontier.sqlite import SqliteFrontier
from crawler.jobs.earlier import Folding
from crawler.jobs.keeping.rebuild import know_heads
from crawler.jobs.recovery import recover_run
from crawler.jobs.redaction import redaction_of
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crawler.archive.store import Store
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.config.settings import Settings

SOFTWARE = f"portalkeep/{__version__}"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
DEVIATIONS = (
    "interim (1xx) responses and bytes past the message's end are in metadata records; "
    "responses beyond the size limit are cut and marked WARC-Truncated: length"
)
log = get_log(__name__)


@dataclass(slots=True)
class OpenRun:
    """A run with its spool, frontier and ledger.

    Attributes:
        spool_directory: of the portal.
        directory: where the run's files are until they are committed.
        resumed: whether an earlier process began it.
    """

    row: RunRow
    portal: Portal
    settings: Settings
    spool: Spool
    frontier: SqliteFrontier
    ledger: Ledger
    spool_directory: Path
    directory: Path
    resumed: bool
    clock: Clock
    clock_note: str | None = None

    def recorder(
        self, rolled: Callable[[str], None], away_s: Callable[[], float] = lambda: 0.0
    ) -> Recorder:
        """Return the recorder of this run; segments go on counting where they were."""
        segments = self.spool.segments(self.row.run_id)
        serial = max((segment.serial for segment in segments), default=0)
        return Recorder(
            Tape(
                self.directory,
                self.ledger,
                self._origin(),
                limits(self.settings),
                self.clock,
                new_record_id,
                rolled,
                serial,
                redaction_of(self.portal, self.settings),
                away_s,
            )
        )

    def _origin(self) -> Origin:
        said = f"{self.row.job} of portal {self.portal.id}"
        fields = [
            ("software", SOFTWARE),
            ("format", "WARC File Format 1.1"),
            ("conformsTo", _WARC_1_1),
            ("robots", self.portal.crawl.robots),
            ("http-header-user-agent", self.portal.crawl.user_agent),
            ("isPartOf", self.row.run_id),
            ("description", self.settings.warc.description or said),
            ("portalkeep-config-digest", self.row.config_digest),
            ("portalkeep-deviations", DEVIATIONS),
        ]
        if self.settings.warc.operator:
            fields.append(("operator", self.settings.warc.operator))
        if self.clock_note:
            fields.append(("portalkeep-clock", self.clock_note))
        return Origin(
            self.row.run_id,
            self.portal.id,
            tuple(fields),
            self.row.config,
            self.row.config_digest,
            self.settings.warc.compression_level,
        )


_WARC_1_1 = (
    "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
)


def limits(settings: Settings) -> Limits:
    """Return a recorder's limits as configured."""
    return Limits(
        commit_interval_s=settings.spool.commit_interval,
        max_size=min(settings.warc.max_size, settings.spool.max_size // 4),
        max_waiting=settings.spool.max_size,
        commit_timeout_s=settings.store.commit_timeout,
        max_age_s=settings.warc.max_age,
        lease_s=settings.lease,
        max_deliveries=settings.max_deliveries,
        dedupe=settings.warc.dedupe,
        dedupe_max_age_s=settings.warc.dedupe_max_age,
    )


def new_record_id() -> str:
    """Return a new record or page id."""
    return f"urn:uuid:{uuid.uuid4()}"


def boot_id() -> str:
    """Return what names this boot of the host, "" where nothing does."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""


@unwritable()
def open_run(
    settings: Settings,
    portal: Portal,
    job: str,
    clock: Clock,
    *,
    config: dict[str, Any],  # Any: JSON
    config_digest: str,
    clock_note: str | None = None,
) -> OpenRun:
    """Resume the portal's unfinished run of this job, or begin one.

    Only the holder of the portal's lock may call this.  Committed segments that the
    spool does not know are folded in first: a lost spool gives no revision out twice.

    Raises:
        SpoolUnwritable: the spool cannot be used.
        StoreUnavailable: the spool is new and the store cannot be read.
        ArchiveDamaged: what is stored and not known cannot be read.
    """
    spool_directory = Path(settings.spool.path) / portal.id
    spool = Spool(open_database(spool_directory))
    try:
        know_heads(open_store(settings.store), portal.id, spool)
    except PortalkeepError:
        spool.db.close()
        raise
    frontier = SqliteFrontier(spool.db, boot=boot_id(), ticks=time.monotonic)
    unfinished = spool.runs(job)
    at = clock.now()
    fresh = RunRow(
        layout.new_run_id(at, job), portal.id, job, "open", at, config_digest, config
    )
    row = _resumed(spool, unfinished[0], fresh) if unfinished else _begun(spool, fresh)
    directory = spool_directory / row.run_id
    make_directory(directory, spool_directory)
    redaction = redaction_of(portal, settings)
    folding = Folding(Collection(open_store(settings.store)), portal, row.config_digest)
    ledger = Ledger(spool, frontier, portal, row.run_id, folding, clock, redaction)
    run = OpenRun(
        row,
        portal,
        settings,
        spool,
        frontier,
        ledger,
        spool_directory,
        directory,
        bool(unfinished),
        clock,
        clock_note,
    )
    recover_run(run)
    return run


def _begun(spool: Spool, row: RunRow) -> RunRow:
    with transaction(spool.db):
        spool.begin_run(row)
    return row


def restricted_to(listings: Iterable[str]) -> dict[str, Any]:  # Any: JSON
    """Return what the configuration of a run that walks only some listings says."""
    names = sorted(set(listings))
    return {"listings": names} if names else {}


def asked_of(config: Mapping[str, Any]) -> frozenset[str] | None:  # Any: JSON
    """Return the listings that a run was restricted to, None for all."""
    names = config.get("listings")
    return None if names is None else frozenset(names)


def _with_both(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return today's configuration, restricted to the listings of either at most."""
    rest = {key: value for key, value in now.items() if key != "listings"}
    first, second = asked_of(before), asked_of(now)
    both = first | second if first is not None and second is not None else ()
    return rest | restricted_to(both)


def _resumed(spool: Spool, row: RunRow, fresh: RunRow) -> RunRow:
    """Return the unfinished run; what it makes from now on names today's rules."""
    fresh = replace(fresh, config=_with_both(row.config, fresh.config))
    if row.config_digest == fresh.config_digest and row.config == fresh.config:
        return row
    log.warning("config_changed", run=row.run_id, config=fresh.config_digest)
    with transaction(spool.db):
        spool.set_run_config(row.run_id, fresh.config_digest, fresh.config)
    return replace(row, config_digest=fresh.config_digest, config=fresh.config)


def close_run(run: OpenRun, store: Store, problems: tuple[str, ...]) -> manifest.Run:
    """Store the run's manifest and forget the run; all its segments are committed.

    Raises:
        StoreUnavailable: it is not stored; the run stays, a rerun closes it.
    """
    closed = run_manifest(run, problems)
    key = layout.run_key(run.portal.id, run.row.run_id)
    store.put(key, manifest.to_bytes(closed))
    with transaction(run.spool.db):
        run.frontier.forget(run.row.run_id)
        run.spool.forget_run(run.row.run_id)
    if run.directory.exists() and not any(run.directory.iterdir()):
        run.directory.rmdir()
    return closed


def _named(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count
        for name, count in counts.items()
        if name.startswith(prefix)
    }


def run_manifest(run: OpenRun, problems: tuple[str, ...]) -> manifest.Run:
    """Return the manifest that closes a run."""
    counts = run.spool.outbox.counts(run.row.run_id)
    return manifest.Run(
        run_id=run.row.run_id,
        portal=run.portal.id,
        job=run.row.job,
        state="below_expectation" if problems else "complete",
        started_at=run.row.started_at,
        ended_at=run.clock.now(),
        software=SOFTWARE,
        config_digest=run.row.config_digest,
        config=dict(run.row.config),
        segments=tuple(x.name for x in run.spool.segments(run.row.run_id)),
        counts={
            name: count
            for name, count in counts.items()
            if not name.startswith(("items:", "fields:"))
        },
        fields=_named(counts, "fields:"),
        items=_named(counts, "items:"),
        walks=tuple(
            manifest.Walk(listing=listing, pages=pages, rows=rows, ended=ended)
            for listing, pages, rows, ended in run.spool.outbox.walks(run.row.run_id)
        ),
        problems=problems,
        clock=run.clock_note,
    )
