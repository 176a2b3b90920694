"""The time of the oldest row of a page, as the request for the next page has it.

1. The last row counts: one that is pinned above the others may be years older.  Where
   the rows run the other way it is the first.
2. What is sent is the time itself, so that rows of the same time are not lost; pages
   overlap, and what is known is passed over.
3. A page with nothing older than what was asked for is stepped over by one unit; one
   with nothing but newer rows says that nobody looks at the parameter.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawler.extract.document.condition import reason_to_skip
from crawler.extract.document.selectors import first

if TYPE_CHECKING:
    from crawler.config.portal import ListingRule, OldestRule
    from crawler.extract.document.selectors import Node
    from crawler.extract.listings.rows import Rows

CURSOR_IGNORED = "cursor_ignored"
EMPTY = "empty"
NO_CURSOR = "no_cursor"

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of local times, as they are written
_MAX = 10**15
_SURE = 2  # so few rows may run either way by chance


def next_oldest(
    rows: Rows, rule: ListingRule, wanted: OldestRule, token: str | None
) -> tuple[str | None, str | None]:
    """Return the time to ask for next, or None and why there is none.

    token: what this page was asked for by, None for the first.
    """
    counted = counted_rows(rows, rule)
    times = _times(counted, rows, wanted)
    sent = None if token is None else _number(token, wanted.unit)
    if not times:
        return None, NO_CURSOR if counted else EMPTY
    if sent is not None and min(times) > sent:
        return None, CURSOR_IGNORED
    step = _step(wanted.unit)
    older = (time + wanted.overlap * step for time in (_last(times), min(times)))
    moved = (time for time in older if sent is None or time < sent)
    default = times[-1] if sent is None else sent - step
    return _written(next(moved, default), wanted.unit), None


def _last(times: list[int]) -> int:
    ascending = len(times) > _SURE and times == sorted(times)
    return times[0] if ascending else times[-1]


def counted_rows(rows: Rows, rule: ListingRule) -> list[Node]:
    """Return the rows that are not to be skipped: what is pinned or paid for is."""
    page = rows.page
    return [x for x in rows.nodes if reason_to_skip(x, rule.skip, page) is None]


def _times(counted: list[Node], rows: Rows, wanted: OldestRule) -> list[int]:
    """Return the rows' times in units, in page order."""
    texts = (first(wanted.field, node, rows.page) for node in counted)
    times = (_number(text.text, wanted.unit) for text in texts if text)
    return [time for time in times if time is not None]


def _number(text: str, unit: str) -> int | None:
    """Return a time as a number, None for what is none."""
    try:
        if unit in ("s", "ms"):
            time = int(float(text))
        else:
            local = datetime.strptime(text, unit)  # noqa: DTZ007 - sent as it was read
            time = int((local.replace(tzinfo=None) - _EPOCH).total_seconds())
    except (ValueError, OverflowError):
        return None
    return time if abs(time) < _MAX else None


def _step(unit: str) -> int:
    """Return how much the smallest unit that is written counts."""
    if unit in ("s", "ms") or any(x in unit for x in ("%S", "%T", "%X", "%c")):
        return 1
    return 60 if "%M" in unit or "%R" in unit else 86_400


def _written(time: int, unit: str) -> str:
    if unit in ("s", "ms"):
        return str(time)
    return (_EPOCH + timedelta(seconds=time)).strftime(unit)
