"""Replay: the spider again, with the archive as its only transport.

Nothing is written to the store and nothing is fetched; a request that was never
captured is a miss, listed.  The frontier is a new one in memory, seeded by today's
configuration; each visit extracts from the hint that was archived with it.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.captures import Archive
from crawler.archive.database import transaction
from crawler.archive.ledger import Ledger
from crawler.archive.spool import Spool, open_in_memory
from crawler.archive.tape import Taken
from crawler.config.digest import config_digest
from crawler.errors import UsageError
from crawler.extract.listings.listing import seed_links
from crawler.frontier.sqlite import Child, SqliteFrontier
from crawler.history.fold import fold
from crawler.jobs.earlier import Folding
from crawler.jobs.extract import (
    Selection,
    differences,
    heads_before,
    selected,
    stored_items,
)
from crawler.jobs.run import asked_of, new_record_id
from crawler.spiders.context import CrawlContext
from crawler.spiders.engine import run_engines
from crawler.spiders.replay import Playback
from crawler.spiders.settings import REPLAY
from crawler.warc.redact import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crawler.archive.collection import Collection
    from crawler.archive.ledger import Ended, Ending
    from crawler.archive.manifest import Segment
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.item import Head, Item
    from crawler.jobs.extract import Difference
    from crawler.model import Link, Work

LEASE_S = 3600.0
SEGMENT = "replay"


@dataclass(slots=True)
class ReplayDesk:
    """Gives out work from a frontier in memory and takes it back at once.

    Attributes:
        made: items without revision, with the record each was read from.
    """

    ledger: Ledger
    made: list[tuple[str, Item]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        portal: Portal,
        run_id: str,
        clock: Clock,
        redaction: Policy,
        seeds: Iterable[Link],
    ) -> ReplayDesk:
        """Make a desk whose only work are the seeds."""
        db = open_in_memory()
        spool = Spool(db)
        frontier = SqliteFrontier(db, boot="replay", ticks=time.monotonic)
        desk = cls(Ledger(spool, frontier, portal, run_id, fold, clock, redaction))
        with transaction(db):
            desk.ledger.seed(Child(link) for link in seeds)
        return desk

    def lease(self, limit: int, *, urgent: bool) -> Future[Taken]:  # noqa: ARG002 - nothing waits here
        """Lease up to limit works."""
        ledger = self.ledger
        with transaction(ledger.spool.db):
            works = ledger.frontier.lease(ledger.run_id, limit, LEASE_S)
            left = ledger.frontier.left(ledger.run_id)
            due_in_s = None if works else ledger.frontier.due_in_s(ledger.run_id)
        return _done(Taken(tuple(works), left, due_in_s))

    def finish(self, ending: Ending) -> Future[Ended]:
        """End a work."""
        with transaction(self.ledger.spool.db):
            ended = self.ledger.apply(ending, SEGMENT)
        if ended.accepted and ending.again_s is None and ending.record is not None:
            flashes = ending.listing.flashes if ending.listing else ()
            record_id = ending.record.record_id
            self.made += [(record_id, item) for item in (*ending.items, *flashes)]
        return _done(ended)

    def release(self, works: Iterable[Work]) -> Future[None]:
        """Give works back."""
        with transaction(self.ledger.spool.db):
            self.ledger.frontier.release(works)
        return _done(None)


def _done(value: object) -> Future:  # type: ignore[type-arg]  # of whatever value is
    future: Future[object] = Future()
    future.set_result(value)
    return future


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay gave.

    Attributes:
        misses: URLs asked for and never captured.
        differences: fields in which items differ from the stored ones.
        counts: URLs by outcome, as in a run.
    """

    portal: str
    run_id: str
    items: tuple[Item, ...]
    misses: tuple[str, ...]
    differences: tuple[Difference, ...]
    counts: dict[str, int]


def replay(
    collection: Collection,
    portal: Portal,
    selection: Selection,
    clock: Clock,
    *,
    redaction: Policy | None = None,
    progress: Callable[[Ending, Ended], None] | None = None,
) -> Replayed:
    """Run a portal's spider over one stored run, the newest unless one is selected.

    redaction: what the run masked (`crawler.jobs.redaction`), None for credentials
    alone.

    Raises:
        UsageError: nothing is selected.
        ArchiveDamaged: a record is not there or not whole.
    """
    if selection == Selection():
        selection = Selection(run_id=_newest(collection, portal))
    segments = selected(collection, portal, selection)
    archive = Archive.of(collection, segments, portal.crawl.max_parse)
    policy = redaction or Policy()
    playback = Playback.of(archive, policy)
    run_id = segments[-1].run_id
    quick = _at_once(_as_limited(collection, portal, run_id))
    seeds = _seeds(collection, quick, segments)
    desk = ReplayDesk.of(quick, run_id, clock, policy, seeds)
    context = CrawlContext(
        portal=quick,
        run_id=run_id,
        config_digest=config_digest(portal),
        clock=clock,
        desk=desk,
        tape=None,
        spool_dir=Path(),
        max_record_bytes=portal.crawl.max_parse,
        make_id=new_record_id,
        visits=playback,
        redaction=policy,
        progress=progress,
    )
    run_engines([context], REPLAY)
    if context.failure is not None:
        raise context.failure
    stored = stored_items(collection, portal, selection)
    heads = heads_before(collection, portal, segments[0])
    folding = Folding(collection, portal, config_digest(portal))
    items = _folded(_in_stored_order(archive, desk.made), heads, folding, clock)
    return Replayed(
        portal.id,
        run_id,
        items,
        tuple(dict.fromkeys(playback.misses)),
        tuple(_compared(stored, items)),
        _outcomes(desk.ledger.spool.outbox.counts(run_id)),
    )


def _at_once(portal: Portal) -> Portal:
    """Return a portal without its delays: nobody is asked for anything."""
    quick = portal.crawl.model_copy(update={"delay": 0.0, "retry_delay": 0.0})
    return portal.model_copy(update={"crawl": quick})


def _as_limited(collection: Collection, portal: Portal, run_id: str) -> Portal:
    """Return a portal with the limit on items that the run had, by its manifest."""
    run = collection.run(portal.id, run_id)
    stored = run.config.get("portal") if run else None
    if not isinstance(stored, dict):
        return portal
    limit = stored.get("scope", {}).get("max_items")
    scope = portal.scope.model_copy(update={"max_items": limit})
    return portal.model_copy(update={"scope": scope})


def _seeds(
    collection: Collection, portal: Portal, segments: Sequence[Segment]
) -> tuple[Link, ...]:
    """Return the links that the run of these segments started from."""
    first = collection.run(portal.id, segments[0].run_id)
    began_at = first.started_at if first else segments[0].begun_at  # unfinished
    asked = _asked(collection, portal, segments[-1].run_id)
    seeds = seed_links(portal, began_at)
    return tuple(x for x in seeds if asked is None or x.listing in asked)


def _asked(
    collection: Collection, portal: Portal, run_id: str
) -> frozenset[str] | None:
    """Return the listings that a run was restricted to, None for all."""
    run = collection.run(portal.id, run_id)
    return asked_of(run.config) if run else None


def _in_stored_order(archive: Archive, made: list[tuple[str, Item]]) -> list[Item]:
    """Return items in the order the run made theirs.

    Visits end in another order here, and the order decides which of two versions of
    an item is the first revision.
    """
    ranks = {
        record_id: rank
        for rank, visit in enumerate(archive.visits())
        for record_id in visit.body["hops"][-1:]
    }
    made = sorted(made, key=lambda one: ranks.get(one[0], len(ranks)))
    return [item for _, item in made]


def _folded(
    items: Iterable[Item], heads: dict[str, Head], folding: Folding, clock: Clock
) -> tuple[Item, ...]:
    """Give items their revisions after heads; leave out those that change nothing."""
    kept: list[Item] = []
    for item in items:
        folded = folding(item, heads.get(item.id), extracted_at=clock.now())
        heads[item.id] = folded.head
        if folded.item is not None:
            kept.append(folded.item)
    return tuple(kept)


def _outcomes(counts: dict[str, int]) -> dict[str, int]:
    """Return the counters of URLs; those of items know nothing of earlier runs."""
    of_items = ("items:", "fields:")
    return {name: n for name, n in counts.items() if not name.startswith(of_items)}


def _newest(collection: Collection, portal: Portal) -> str:
    run_ids = collection.run_ids(portal.id)
    if not run_ids:
        message = (
            f"portal {portal.id!r} has no committed run; `crawl {portal.id}` first"
        )
        raise UsageError(message)
    return run_ids[-1]


def _compared(
    stored: dict[tuple[str, int | None], Item], items: Iterable[Item]
) -> Iterable[Difference]:
    made = {(item.id, item.revision): item for item in items}
    for key in stored.keys() | made.keys():
        yield from differences(stored, made.get(key), key)
