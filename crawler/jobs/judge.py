"""Judge a run that is to be closed: all that it fell short of, in words."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from crawler.archive import findings
from crawler.archive.manifest import run_from
from crawler.errors import ArchiveDamaged, StoreUnavailable
from crawler.jobs.expectation import shortfalls, silences, thin_fields
from crawler.jobs.run import asked_of
from crawler.log import get_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.archive.manifest import Run
    from crawler.archive.store import Store
    from crawler.jobs.run import OpenRun

RUNS = 5
"""So many runs before a run say which fields its items usually have."""
FEWEST = 3
log = get_log(__name__)


def problems_of(run: OpenRun, store: Store) -> tuple[str, ...]:
    """Return in words what a run fell short of; empty where nothing."""
    outbox, portal = run.spool.outbox, run.portal
    counts, asked = outbox.counts(run.row.run_id), asked_of(run.row.config)
    newest, now = findings.newest(run.spool.db), run.clock.now()
    return (
        *shortfalls(portal, counts, outbox.walks(run.row.run_id), asked),
        *silences(portal, newest, now, asked),
        *thin_fields(portal, counts, usual_shares(run, store)),
    )


def usual_shares(run: OpenRun, store: Store) -> dict[str, float]:
    """Return which share of articles had each field in the runs before.

    The median of the last RUNS; empty where there are too few, or the store is away.
    """
    try:
        before = list(_before(run, store))
    except (StoreUnavailable, ArchiveDamaged) as exc:
        log.warning("earlier_runs_unknown", portal=run.portal.id, error=str(exc))
        return {}
    if len(before) < FEWEST:
        return {}
    shares = [_shares(one.fields) for one in before]
    return {name: median(one[name] for one in shares) for name in findings.FIELDS}


def _before(run: OpenRun, store: Store) -> Iterator[Run]:
    """Yield the newest runs of this kind that met articles, RUNS of them at most."""
    keys = [info.key for info in store.list(f"runs/{run.portal.id}/")]
    found = 0
    for key in sorted(keys, reverse=True)[: 4 * RUNS]:
        one = run_from(store.get(key), key)
        if one.job == run.row.job and one.fields.get("articles"):
            yield one
            found += 1
        if found == RUNS:
            return


def _shares(fields: Mapping[str, int]) -> dict[str, float]:
    articles = fields["articles"]
    return {name: fields.get(name, 0) / articles for name in findings.FIELDS}
