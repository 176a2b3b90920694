"""When a portal or listing is crawled: the vocabulary, and the starts it comes to.

Rules for local times that a change of the clocks skips or repeats, those of Debian's
cron:

1. Where neither minute nor hour begins with ``*``, a start at a skipped time is at the
   end of the gap, and one at a repeated time is at the first of both, once.
2. All other starts go by real time: none in the gap, each time of a repeated hour.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, model_validator

from crawler.config.rule import Model
from crawler.config.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = 5
MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_DAY, _MONTH = 2, 3
_ANY_DAY = datetime(2025, 1, 1, tzinfo=UTC)
_BACK = tuple(timedelta(hours=x) for x in (2, 48, 62 * 24, 2 * 366 * 24, 9 * 366 * 24))
"""How far back the newest start is looked for: few of a cron are in the first of these
that holds one, and none that ever fires has none in the last."""


class ScheduleRule(Model):
    """When a crawl starts; ``schedule: '30 6 * * *'`` is its ``cron`` alone.

    Attributes:
        cron: five fields as in crontab(5), or ``@hourly``, ``@daily``, ``@weekly``,
            ``@monthly``, ``@yearly``.
        timezone: of the cron; not set, the portal's.
        jitter: a start is later by up to this, always the same for one planned time.
        overlap: what becomes of a start while the portal is being crawled: ``skip``
            it, or ``queue`` the newest.
        catch_up: whether the newest start that was missed is made up for.
        max_runtime: the crawl is stopped then, and resumed by the next.
        ping: told of start, end and exit code, as healthchecks.io takes it.
    """

    shorthand = (str,)

    cron: str
    timezone: str | None = None
    jitter: Duration = 0.0
    overlap: Literal["skip", "queue"] = "skip"
    catch_up: Literal["once", "none"] = "once"
    max_runtime: Duration | None = Field(default=None, gt=0)
    ping: str | None = Field(default=None, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _cron_alone(cls, given: object) -> object:
        return {"cron": given} if isinstance(given, str) else given


@dataclass(frozen=True, slots=True)
class Timetable:
    """The planned starts of a cron in a time zone; all moments are UTC."""

    cron: str
    timezone: str

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the starts after a moment, rising."""
        last = moment
        local = moment.astimezone(ZoneInfo(self.timezone))
        for found in CronSim(_written_out(self.cron), local):
            at = found.astimezone(UTC)
            if at > last:  # in a repeated hour the first of both may be over
                yield at
                last = at

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last start in (after, until], None where there is none."""
        for back in _BACK:
            begin = max(after, until - back)
            passed = takewhile(lambda at: at <= until, self.after(begin))
            if found := deque(passed, maxlen=1):
                return found[0]
            if begin == after:
                break
        return None

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many starts are in (after, until), limit at most."""
        between = takewhile(lambda at: at < until, self.after(after))
        return sum(1 for _ in islice(between, limit))

    def shortest_s(self) -> float:
        """Return the seconds between two of its starts that are close together."""
        starts = list(islice(self.after(_ANY_DAY), 50))
        gaps = (b - a for a, b in pairwise(starts))
        return min((gap.total_seconds() for gap in gaps), default=float("inf"))


def cron_fault(text: str) -> str | None:
    """Tell why a cron cannot be used, None where it can."""
    fields = _written_out(text).split()
    if len(fields) != FIELDS:
        what = "minute, hour, day of month, month, day of week"
        return f"{text!r} is no cron; write its five fields: {what}"
    try:
        starts = CronSim(" ".join(fields), _ANY_DAY)
    except (CronSimError, ValueError) as exc:
        if _reads([*fields[:_MONTH], "*", *fields[_MONTH + 1 :]]) and _reads(
            [*fields[:_DAY], "*", *fields[_DAY + 1 :]]
        ):
            return _never(text)
        return f"{text!r} is no cron: {str(exc)[:80].lower()}"
    return None if next(starts, None) is not None else _never(text)


def _never(text: str) -> str:
    return f"{text!r} never fires; no month has such a day"


def _reads(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), _ANY_DAY)
    except (CronSimError, ValueError):
        return False
    return True


def _written_out(cron: str) -> str:
    return MACROS.get(cron.strip().lower(), cron)
