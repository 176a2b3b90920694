"""How hosts are doing, shared by all processes of this machine: turns, delays, rests.

1. Every request reserves its turn: the earliest free moment, one delay after the turn
   before it, whichever process or job kind took that.
2. 429, 503 and their like double a host's delay, up to MAX_SLOWDOWN times; what the
   server asked to wait for is waited for; each good answer takes a tenth off again.
3. FAILURES_TO_REST failures in a row send a host to rest: nothing is asked of it for a
   while, then one request tries; each rest in a row is twice as long.  After
   RESTS_TO_GIVE_UP of them its requests fail at once while it rests.

Times are ticks of the host machine's monotonic clock together with its boot id, so a
jump of the wall clock moves nothing.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.errors import SpoolUnwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FILE = "hosts.sqlite"
MAX_SLOWDOWN = 64.0
MIN_SLOWED_DELAY_S = 0.2
RECOVERY = 0.9
FAILURES_TO_REST = 5
RESTS_TO_GIVE_UP = 3
LONGEST_REST_S = 3_600.0

SCHEMA = """
create table if not exists host(
  name text primary key, boot text not null,
  next_at real not null default 0, slowdown real not null default 1,
  rest_until real not null default 0, failures integer not null default 0,
  rests integer not null default 0) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request may go.

    Attributes:
        wait_s: from now.
        resting: nothing may go before wait_s is over; the turn is not reserved.
        given_up: it rested too often in a row; do not wait for it.
        span: ticks from the turn to the one after it, None where it is not reserved.
    """

    wait_s: float
    resting: bool = False
    given_up: bool = False
    span: tuple[float, float] | None = None


class Hosts:
    """The table of hosts; statements of a few microseconds, each its own transaction.

    Args:
        db: a connection in autocommit mode, to a file or to memory.
        boot: the machine's boot id.
        ticks: seconds of a clock that never goes back and that all processes share.
    """

    def __init__(
        self, db: sqlite3.Connection, *, boot: str, ticks: Callable[[], float]
    ) -> None:
        """Use the connection; the table is made where it is missing."""
        self._db = db
        self._boot = boot
        self._ticks = ticks
        db.executescript(SCHEMA)

    def reserve(self, host: str, delay_s: float, patience_s: float = math.inf) -> Turn:
        """Take the host's next turn.

        Args:
            host: name, and port where it is not the default one.
            delay_s: between two turns of a host that is well.
            patience_s: a turn that is farther away is told, but not taken.
        """
        now = self._ticks()
        self._db.execute("begin immediate")
        try:
            next_at, slowdown, rest_until, rests = self._row(host)
            if rest_until > now:
                given_up = rests > RESTS_TO_GIVE_UP
                return Turn(rest_until - now, resting=True, given_up=given_up)
            turn_at = max(next_at, now)
            if turn_at - now > patience_s:
                return Turn(turn_at - now)
            following = turn_at + slowed(delay_s, slowdown)
            self._db.execute(
                "update host set next_at=? where name=?", (following, host)
            )
            return Turn(turn_at - now, span=(turn_at, following))
        finally:
            self._db.execute("commit")

    def give_back(self, host: str, turns: Iterable[Turn]) -> None:
        """Give back turns that were not used, those behind which others wait excepted.

        turns: of this host, in any order.
        """
        spans = sorted((turn.span for turn in turns if turn.span), reverse=True)
        for turn_at, following in spans:
            self._db.execute(
                "update host set next_at=? where name=? and next_at=?",
                (turn_at, host, following),
            )

    def _row(self, host: str) -> tuple[float, float, float, int]:
        """Return what is known of a host since this boot."""
        self._db.execute(
            "insert into host(name, boot) values(?1, ?2) on conflict(name) do update"
            " set boot=?2, next_at=0, rest_until=0, failures=0, rests=0 where boot<>?2",
            (host, self._boot),
        )
        row = self._db.execute(
            "select next_at, slowdown, rest_until, rests from host where name=?",
            (host,),
        ).fetchone()
        return float(row[0]), float(row[1]), float(row[2]), int(row[3])

    def well(self, host: str) -> None:
        """Note a good answer: failures are forgotten, the delay comes down."""
        self._db.execute(
            "update host set failures=0, rests=0,"
            " slowdown=max(1.0, slowdown*?) where name=?"
            " and (failures>0 or rests>0 or slowdown>1.0)",
            (RECOVERY, host),
        )

    def slow_down(self, host: str, asked_s: float | None) -> None:
        """Note that a host asked for less: double its delay, wait what it asked for.

        A host that asks for no wait at all (``Retry-After: 0``) is taken at its word.
        """
        if asked_s == 0:
            return
        self._row(host)
        until = self._ticks() + (asked_s or 0.0)
        self._db.execute(
            "update host set slowdown=min(?, slowdown*2), next_at=max(next_at, ?)"
            " where name=?",
            (MAX_SLOWDOWN, until, host),
        )

    def failed(self, host: str, first_rest_s: float) -> float | None:
        """Note that a host gave no answer; return the rest it is sent to, in seconds.

        None: it is not sent to rest (yet).
        """
        self._row(host)
        failures, rests, rest_until = self._db.execute(
            "update host set failures=failures+1 where name=?"
            " returning failures, rests, rest_until",
            (host,),
        ).fetchone()
        now = self._ticks()
        if failures < FAILURES_TO_REST or rest_until > now:
            return None
        rest_s = min(LONGEST_REST_S, first_rest_s * 2.0 ** min(rests, 20))
        self._db.execute(
            "update host set rest_until=?, rests=rests+1, failures=? where name=?",
            (now + rest_s, FAILURES_TO_REST - 1, host),
        )
        return float(rest_s)

    def states(self) -> list[tuple[str, float, float]]:
        """Return hosts that are not well: name, slowdown, seconds of rest left."""
        now = self._ticks()
        rows = self._db.execute(
            "select name, slowdown, max(0, rest_until-?) from host"
            " where boot=? and (slowdown>1.0 or rest_until>?) order by name",
            (now, self._boot, now),
        )
        return [(str(name), float(slow), float(rest)) for name, slow, rest in rows]


def slowed(delay_s: float, slowdown: float) -> float:
    """Return the delay of a host that was slowed down; even without a delay, one."""
    if slowdown <= 1.0:
        return delay_s
    return max(delay_s, MIN_SLOWED_DELAY_S) * slowdown


def open_hosts(directory: Path) -> sqlite3.Connection:
    """Open the machine's table of hosts in the spool's directory.

    It is not synced: after a power cut hosts are thought well again.

    Raises:
        SpoolUnwritable: it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            directory / FILE, isolation_level=None, timeout=30, check_same_thread=False
        )
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=off")
    except (OSError, sqlite3.Error) as exc:
        message = f"the spool {str(directory)!r} cannot be written: {exc}"
        raise SpoolUnwritable(message) from exc
    return db
