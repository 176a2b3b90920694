"""How a page visit ends: everything that must become true at once.

`Ledger.apply` puts the decision, item rows, children and the end of the work itself
into the caller's transaction; the WARC records they stand on were synced before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from crawler.archive.findings import note_findings
from crawler.frontier import policy
from crawler.frontier.sqlite import Child
from crawler.log import get_log
from crawler.model import Kind, Outcome, Reason, Skipped
from crawler.warc.redact import Policy, mask_url

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from crawler.archive.spool import Spool
    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.frontier.sqlite import SqliteFrontier
    from crawler.item import Head, Item, Listing
    from crawler.model import Link, RecordRef, Work

log = get_log(__name__)


class Folded(Protocol):
    """What a fold says: what changed, the head after it, the item to keep if any."""

    @property
    def change(self) -> str:
        """``new``, ``revised`` or ``unchanged``."""
        ...

    @property
    def head(self) -> Head:
        """The newest revision from now on."""
        ...

    @property
    def item(self) -> Item | None:
        """The item with its revision, None where nothing changed."""
        ...


class Fold(Protocol):
    """Gives an item its revision (``crawler.history.fold``)."""

    def __call__(
        self, item: Item, head: Head | None, *, extracted_at: datetime
    ) -> Folded:
        """Fold an extracted item into what is known of it."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How one leased work ended.

    Attributes:
        record: the main record of the visit, None where nothing was captured.
        capture: body of the visit's capture record, None where nothing was captured.
        page_id: of the visit.
        items: extracted, without revision.
        listing: what a listing page gave.
        again_s: when set, this is no end: the work waits so many seconds and is
            tried again.
        counts_try: whether that counts as one of the work's tries.
    """

    work: Work
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    page_id: str | None = None
    record: RecordRef | None = None
    capture: dict[str, Any] | None = None  # Any: JSON
    items: tuple[Item, ...] = ()
    listing: Listing | None = None
    again_s: float | None = None
    counts_try: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """What an ending brought.

    Attributes:
        kept: items with their revision, in order.
        new_links: URLs that were new to the run.
        accepted: False where the lease was lost meanwhile; nothing was changed.
    """

    kept: tuple[Item, ...] = ()
    new_links: int = 0
    accepted: bool = True


@dataclass(slots=True)
class Ledger:
    """Applies endings to spool and frontier of one run.

    Attributes:
        fold: gives items their revision.
        redaction: what is masked in URLs of the decision log.
    """

    spool: Spool
    frontier: SqliteFrontier
    portal: Portal
    run_id: str
    fold: Fold
    clock: Clock
    redaction: Policy = field(default_factory=Policy)
    _stops: dict[str, Any] = field(init=False)  # Any: Stop by listing id

    def __post_init__(self) -> None:
        """Look the listings' stop conditions up once."""
        self._stops = {x.id: x.walk_stop for x in self.portal.listings}

    def seed(self, children: Iterable[Child]) -> int:
        """Add the links a run starts from; return how many were new."""
        return self.frontier.add(self.run_id, children, self.portal)

    def apply(self, ending: Ending, segment: str) -> Ended:
        """Make an ending true, in the caller's transaction."""
        work = ending.work
        if ending.again_s is not None:
            accepted = self.frontier.delay(
                work, ending.again_s, tries=int(ending.counts_try)
            )
            if accepted and ending.counts_try:
                self.spool.outbox.count(self.run_id, "retries")
                if ending.reason is Reason.BLOCKED:
                    self.spool.outbox.count(self.run_id, "retries:blocked")
            return Ended(accepted=accepted)
        if not self.frontier.end(work, ending.outcome, ending.reason, ending.detail):
            return Ended(accepted=False)
        self._decide(ending, segment)
        new_links = self._follow(ending, segment) if ending.listing else 0
        if ending.listing is None and ending.reason is not None:
            self._note_broken(work, ending.reason)
        flashes = ending.listing.flashes if ending.listing else ()
        kept = self._keep((*ending.items, *flashes), segment)
        now = self.clock.now()
        note_findings(self.spool.outbox, self.run_id, self.portal, ending, now)
        return Ended(kept, new_links)

    def bury(self, max_deliveries: int, segment: str) -> int:
        """End works that were given out too often; return how many."""
        dead = self.frontier.bury(self.run_id, max_deliveries)
        for work in dead:
            ending = Ending(work, Outcome.FAILED, Reason.DEAD_LETTER)
            self._decide(ending, segment)
            self._note_broken(work, Reason.DEAD_LETTER)
        return len(dead)

    def _note_broken(self, work: Work, reason: Reason) -> None:
        """Note that a walk ended because a page of it gave nothing."""
        if work.link.kind is Kind.LISTING:
            listing = work.link.listing or ""
            self.spool.outbox.note_walk(self.run_id, listing, 0, reason.value)

    def _decide(self, ending: Ending, segment: str) -> None:
        entry: dict[str, object] = {
            "url": ending.work.link.url,
            "kind": ending.work.link.kind.value,
            "outcome": ending.outcome.value,
        }
        if ending.work.link.listing:
            entry["listing"] = ending.work.link.listing
        if ending.reason is not None:
            entry["reason"] = ending.reason.value
        if ending.detail:
            entry["detail"] = ending.detail[:500]
        if ending.record is not None:
            entry["record"] = ending.record.record_id
        self._note(entry, segment)
        if ending.reason is not None and ending.outcome is not Outcome.SKIPPED:
            tell = log.warning if ending.work.link.kind is Kind.LISTING else log.info
            shown = ("url", "listing", "outcome", "reason", "detail")
            tell("page_gave_nothing", **{x: entry[x] for x in shown if x in entry})

    def _note(self, entry: dict[str, object], segment: str) -> None:
        for name in ("url", "found_on", "detail"):
            if name in entry:
                entry[name] = mask_url(str(entry[name]), self.redaction)
        entry["at"] = self.clock.now().isoformat()
        self.spool.outbox.add_decision(segment, entry)
        self.spool.outbox.count(self.run_id, str(entry["outcome"]))
        if "reason" in entry:
            name = f"{entry['outcome']}:{entry['reason']}"
            self.spool.outbox.count(self.run_id, name)

    def _skip(self, skipped: Skipped, ending: Ending, segment: str) -> None:
        entry: dict[str, object] = {
            "url": skipped.url,
            "outcome": Outcome.SKIPPED.value,
            "reason": skipped.reason.value,
            "found_on": ending.work.link.url,
        }
        if skipped.detail:
            entry["detail"] = skipped.detail[:500]
        self._note(entry, segment)

    def _follow(self, ending: Ending, segment: str) -> int:
        listing, work = ending.listing, ending.work
        if listing is None:
            return 0
        for skipped in listing.skipped:
            self._skip(skipped, ending, segment)
        depth = work.depth + 1
        children: list[Child] = []
        room = self._room(listing, work)
        new: set[str] = set()
        for link in listing.links:
            refused = policy.refuse(link.url, self.portal, depth=depth)
            fresh = not self.frontier.knows(self.run_id, link)
            if refused is None and fresh and room[link.kind] <= 0:
                refused = _no_room(link)
            if refused is not None:
                self._skip(refused, ending, segment)
                continue
            if fresh:
                room[link.kind] -= 1
                new.add(link.url)
            children.append(Child(link, depth, parent=work.work_id))
        new_links = self.frontier.add(self.run_id, children, self.portal)
        flashes = (flash.id for flash in listing.flashes)
        new |= self.frontier.meet(self.run_id, flashes)
        ended = self._walk_on(ending, new, segment)
        self.spool.outbox.note_walk(
            self.run_id, work.link.listing or "", listing.rows, ended
        )
        return new_links

    def _room(self, listing: Listing, work: Work) -> dict[Kind, int]:
        """Return how many links of each kind may still be added."""
        limit, name = self.portal.scope.max_items, work.link.listing or ""
        items = pages = 1 << 60
        if limit is not None:
            items = limit - self.frontier.item_count(self.run_id)
        if any(link.kind is Kind.LISTING for link in listing.links):
            most: int = self._stops[name].max_pages
            pages = most - self.frontier.listing_pages(self.run_id, name)
        return {Kind.ITEM: items, Kind.LISTING: pages}

    def _walk_on(self, ending: Ending, new: set[str], segment: str) -> str | None:
        listing, work = ending.listing, ending.work
        if listing is None or listing.next is None:
            return listing.ended if listing else None
        stop = self._stops.get(work.link.listing or "")
        old, rows = len(new & listing.old), listing.rows
        if stop and (
            ended := policy.walk_ends(
                work, len(new), listing.next, stop, old_links=old, rows=rows
            )
        ):
            return ended
        refused = policy.refuse(listing.next.url, self.portal, depth=work.depth)
        if refused is not None:
            self._skip(refused, ending, segment)
            return refused.reason.value
        child = Child(
            listing.next,
            work.depth,
            work.page + 1,
            0 if new else work.stale_pages + 1,
            work.work_id,
        )
        added = self.frontier.add(self.run_id, [child], self.portal)
        return None if added else "loop"

    def _keep(self, items: tuple[Item, ...], segment: str) -> tuple[Item, ...]:
        kept: list[Item] = []
        for item in items:
            folded = self.fold(
                item, self.spool.outbox.head(item.id), extracted_at=self.clock.now()
            )
            self.spool.outbox.set_head(item.id, folded.head)
            self.spool.outbox.count(self.run_id, f"items:{folded.change}")
            if folded.item is not None:
                line = folded.item.model_dump_json()
                revision = folded.head.revision
                self.spool.outbox.add_item(segment, item.id, revision, line)
                self.spool.outbox.count(self.run_id, f"items:kind:{item.kind}")
                kept.append(folded.item)
        return tuple(kept)


def _no_room(link: Link) -> Skipped:
    limit = "scope.max_items" if link.kind is Kind.ITEM else "stop.max_pages"
    return Skipped(link.url, Reason.PAGE_LIMIT, limit)
