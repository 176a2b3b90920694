"""The contract of a frontier, run over every kind of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.config.portal import Portal
from crawler.frontier.sqlite import HINT_PAGES, Child
from crawler.model import HintValue, Kind, Link, Origin, Outcome, Reason, Work
from tests.frontier.bench import BATCH, FACTORIES, Opened, Ticks

ROOT = Path(__file__).parents[2]
RUN = "20250715120000c0a1b2c"
NOW = datetime(2025, 7, 15, 12, tzinfo=UTC)
PORTAL = Portal.model_validate(
    {
        "id": "p",
        "listings": [
            {"id": "top", "url": "https://x.example/", "from": "rows"},
            {
                "id": "urgent",
                "url": "https://x.example/now",
                "from": "rows",
                "priority": 5,
            },
            {
                "id": "late",
                "url": "https://x.example/old",
                "from": "rows",
                "priority": -150,
            },
        ],
    }
)


def item(name: str, **said: tuple[str, Origin]) -> Child:
    """Make an item page to visit, with what was said of it."""
    hint = {key: HintValue((text,), by, NOW) for key, (text, by) in said.items()}
    return Child(Link(f"https://x.example/{name}", Kind.ITEM, hint=hint), depth=1)


def listing(name: str, rule: str = "top", page: int = 1) -> Child:
    """Make a listing page to visit."""
    return Child(Link(f"https://x.example/{name}", Kind.LISTING, rule), page=page)


def names(works: list[Work]) -> list[str]:
    """Return the last part of each URL."""
    return [x.link.url.rpartition("/")[2] for x in works]


@pytest.fixture(params=sorted(FACTORIES))
def kind(request: pytest.FixtureRequest) -> str:
    """Name the kind of frontier the suite runs over."""
    return str(request.param)


@pytest.fixture
def ticks() -> Ticks:
    """Give a clock that stands."""
    return Ticks()


@pytest.fixture
def connect(kind: str, tmp_path: Path, ticks: Ticks) -> Iterator[Callable[..., Opened]]:
    """Give what opens one more connection to the same frontier."""
    with ExitStack() as stack:

        def opened(boot: str = "boot-1") -> Opened:
            made = FACTORIES[kind](tmp_path, boot, ticks)
            stack.callback(made.close)
            return made

        yield opened


@pytest.fixture
def opened(connect: Callable[..., Opened]) -> Opened:
    """Give a frontier with nothing in it."""
    return connect()


class TestContract:
    """What every frontier promises."""

    def test_a_leased_row_is_what_was_added(self, opened: Opened) -> None:
        """Link, place in the walk and run come back; it counts as given out once."""
        frontier = opened.frontier
        link = Link(
            "https://x.example/list",
            Kind.LISTING,
            "top",
            "https://x.example/",
            {"title": HintValue(("新闻", "a\ud83d"), Origin.JSON, NOW)},
            "POST",
            (("X-A", "1"), ("X-A", "2")),
            b"\x00\xff",
            "2",
        )
        assert frontier.add(RUN, [Child(link, 2, 3, 1)], PORTAL) == 1
        (work,) = frontier.lease(RUN, 5, 60)
        assert work == Work(
            work.work_id, RUN, link, 2, 3, 1, deliveries=1, fence=work.fence
        )

    def test_a_link_is_added_once_a_run(self, opened: Opened) -> None:
        """Known links are not new, not even after their end; runs do not share them."""
        frontier = opened.frontier
        assert frontier.add(RUN, [item("a"), item("b"), item("a")], PORTAL) == 2
        for work in frontier.lease(RUN, 5, 60):
            assert frontier.end(work, Outcome.CAPTURED)
        assert frontier.add(RUN, [item("a")], PORTAL) == 0
        assert frontier.lease(RUN, 5, 60) == []
        assert frontier.add("other", [item("a")], PORTAL) == 1
        assert frontier.lease(RUN, 5, 60) == []
        assert names(frontier.lease("other", 5, 60)) == ["a"]

    def test_a_leased_row_is_nobody_elses(self, connect: Callable[..., Opened]) -> None:
        """Two connections never hold the same row."""
        one, two = connect().frontier, connect().frontier
        one.add(RUN, [item(str(n)) for n in range(10)], PORTAL)
        held = one.lease(RUN, 4, 60), two.lease(RUN, 4, 60), one.lease(RUN, 4, 60)
        assert [len(x) for x in held] == [4, 4, 2]
        assert len({x.work_id for works in held for x in works}) == 10

    def test_an_end_counts_once(self, opened: Opened) -> None:
        """The first end of a lease stands, a second is refused."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a")], PORTAL)
        (work,) = frontier.lease(RUN, 1, 60)
        assert frontier.end(work, Outcome.FAILED, Reason.DNS, "no such host")
        assert not frontier.end(work, Outcome.CAPTURED)
        assert not frontier.delay(work, 1)
        assert frontier.left(RUN) == 0

    def test_a_lease_runs_out_by_ticks(self, opened: Opened, ticks: Ticks) -> None:
        """A lease holds to its last tick and not beyond."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a")], PORTAL)
        (first,) = frontier.lease(RUN, 1, 60)
        ticks.now_s += 60
        assert frontier.lease(RUN, 1, 60) == []
        ticks.now_s += 0.001
        (second,) = frontier.lease(RUN, 1, 60)
        assert second.work_id == first.work_id
        assert (second.deliveries, second.tries) == (2, 1)

    def test_a_late_end_is_refused(self, opened: Opened, ticks: Ticks) -> None:
        """Who lost the lease can neither end, delay, release nor prolong it."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a")], PORTAL)
        (late,) = frontier.lease(RUN, 1, 60)
        ticks.now_s += 61
        (held,) = frontier.lease(RUN, 1, 60)
        assert not frontier.end(late, Outcome.CAPTURED)
        assert not frontier.delay(late, 5)
        frontier.release([late])
        frontier.beat([late], 1_000)
        assert frontier.lease(RUN, 1, 60) == []
        ticks.now_s += 61
        assert len(frontier.lease(RUN, 1, 60)) == 1
        assert not frontier.end(held, Outcome.CAPTURED)

    def test_a_late_end_is_refused_before_anyone_took_over(
        self, connect: Callable[..., Opened], ticks: Ticks
    ) -> None:
        """Once a lease was found to be over it is over, leased again or not."""
        one, two = connect().frontier, connect().frontier
        one.add(RUN, [item("a"), item("b")], PORTAL)
        late, _ = one.lease(RUN, 2, 60)
        ticks.now_s += 61
        assert two.bury(RUN, 5) == []
        assert not one.end(late, Outcome.CAPTURED)
        assert two.left(RUN) == 2

    def test_a_beat_prolongs(self, opened: Opened, ticks: Ticks) -> None:
        """Who says in time that it is still at work keeps its rows."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), item("b")], PORTAL)
        kept, _ = frontier.lease(RUN, 2, 60)
        ticks.now_s += 50
        frontier.beat([kept], 60)
        ticks.now_s += 50
        assert names(frontier.lease(RUN, 2, 60)) == ["b"]
        assert frontier.end(kept, Outcome.CAPTURED)

    def test_a_new_boot_frees_leases(
        self, connect: Callable[..., Opened], ticks: Ticks
    ) -> None:
        """After a reboot no lease holds, though its clock starts low again."""
        before = connect("boot-1").frontier
        before.add(RUN, [item("a")], PORTAL)
        (lost,) = before.lease(RUN, 1, 1e6)
        ticks.now_s = 5
        after = connect("boot-2").frontier
        (work,) = after.lease(RUN, 1, 60)
        assert work.work_id == lost.work_id
        assert not before.end(lost, Outcome.CAPTURED)
        assert after.end(work, Outcome.CAPTURED)

    def test_a_new_boot_ends_delays_for_good(
        self, connect: Callable[..., Opened], ticks: Ticks
    ) -> None:
        """A delay noted by an old clock never comes back under the new one."""
        ticks.now_s = 1e6
        before = connect("boot-1").frontier
        before.add(RUN, [item("a")], PORTAL)
        assert before.delay(before.lease(RUN, 1, 60)[0], 3_600)
        ticks.now_s = 5
        after = connect("boot-2").frontier
        assert after.due_in_s(RUN) == 0
        for _ in range(2):
            works = after.lease(RUN, 1, 60)
            assert names(works) == ["a"]
            after.release(works)
        assert after.due_in_s(RUN) == 0

    def test_children_and_end_are_one(
        self, connect: Callable[..., Opened], opened: Opened
    ) -> None:
        """A crash between children and their parent's end loses both or neither."""
        frontier, seen = opened.frontier, connect().frontier
        with opened.transaction():
            frontier.add(RUN, [listing("top")], PORTAL)
        with opened.transaction():
            (parent,) = frontier.lease(RUN, 1, 60)

        class Crash(Exception):
            """Stands for whatever stops a worker."""

        with pytest.raises(Crash), opened.transaction():  # noqa: PT012 - one crash
            frontier.add(RUN, [item("a"), item("b")], PORTAL)
            assert frontier.end(parent, Outcome.CAPTURED)
            assert seen.item_count(RUN) == 0
            raise Crash
        assert (seen.left(RUN), seen.item_count(RUN)) == (1, 0)
        with opened.transaction():
            assert frontier.add(RUN, [item("a"), item("b")], PORTAL) == 2
            assert frontier.end(parent, Outcome.CAPTURED)
        assert (seen.left(RUN), seen.item_count(RUN)) == (2, 2)

    def test_given_out_too_often_is_a_dead_letter(
        self, opened: Opened, ticks: Ticks
    ) -> None:
        """A row that never ends is given out max_deliveries times, then buried."""
        frontier = opened.frontier
        frontier.add(RUN, [item("killer"), item("good")], PORTAL)
        given = 0
        for _ in range(10):
            dead = frontier.bury(RUN, 3)
            if dead:
                break
            for work in frontier.lease(RUN, 5, 60):
                if names([work]) == ["good"]:
                    frontier.end(work, Outcome.CAPTURED)
                else:
                    given += 1
            ticks.now_s += 61
        assert names(dead) == ["killer"]
        assert (given, dead[0].deliveries) == (3, 3)
        assert frontier.left(RUN) == 0
        assert frontier.bury(RUN, 3) == []

    def test_releases_and_retries_bring_no_dead_letter(self, opened: Opened) -> None:
        """Rows that were handed back, or that ended in a retry, did not get lost."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), item("b")], PORTAL)
        for _ in range(8):
            one, two = frontier.lease(RUN, 2, 60)
            frontier.release([one])
            assert frontier.delay(two, 0)
            assert frontier.bury(RUN, 3) == []

    def test_a_delay_holds_and_counts_tries(self, opened: Opened, ticks: Ticks) -> None:
        """A row comes back when it is due and knows how often it was tried."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a")], PORTAL)
        for tries in (1, 2, 3):
            (work,) = frontier.lease(RUN, 1, 60)
            assert (work.tries, work.deliveries) == (tries, 1)
            assert frontier.delay(work, 30)
            assert frontier.due_in_s(RUN) == 30
            ticks.now_s += 29
            assert frontier.lease(RUN, 1, 60) == []
            ticks.now_s += 1
            assert frontier.due_in_s(RUN) == 0

    def test_items_wait_for_listings(self, opened: Opened) -> None:
        """While a listing is due or leased it may still say something of an item."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), listing("top"), listing("two")], PORTAL)
        (first,) = frontier.lease(RUN, 1, 60)
        (second,) = frontier.lease(RUN, 5, 60)
        assert names([first, second]) == ["top", "two"]
        assert frontier.lease(RUN, 5, 60) == []
        frontier.end(first, Outcome.CAPTURED)
        assert frontier.lease(RUN, 5, 60) == []
        frontier.end(second, Outcome.CAPTURED)
        assert names(frontier.lease(RUN, 5, 60)) == ["a"]

    def test_a_delayed_listing_holds_nothing_back(
        self, opened: Opened, ticks: Ticks
    ) -> None:
        """A listing that failed does not stop the run; once due it goes first again."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), item("b"), listing("top")], PORTAL)
        (work,) = frontier.lease(RUN, 1, 60)
        assert frontier.delay(work, 30)
        assert names(frontier.lease(RUN, 1, 60)) == ["a"]
        ticks.now_s += 30
        assert names(frontier.lease(RUN, 5, 60)) == ["top"]

    def test_deep_pages_hold_nothing_back(self, opened: Opened) -> None:
        """The walk through a long archive does not starve its items."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), listing("deep", page=HINT_PAGES + 1)], PORTAL)
        assert names(frontier.lease(RUN, 5, 60)) == ["deep", "a"]
        frontier.add(RUN, [item("b"), listing("last", page=HINT_PAGES)], PORTAL)
        assert names(frontier.lease(RUN, 5, 60)) == ["last"]
        assert frontier.lease(RUN, 5, 60) == []

    def test_a_listing_of_low_priority_still_goes_first(self, opened: Opened) -> None:
        """However unimportant a listing is, its items wait for it."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), listing("old", "late")], PORTAL)
        assert names(frontier.lease(RUN, 5, 60)) == ["old"]

    def test_order_is_priority_then_age(self, opened: Opened) -> None:
        """The most urgent listing first, among equals who came first."""
        frontier = opened.frontier
        added = [listing("one"), listing("two"), listing("now", "urgent")]
        frontier.add(RUN, [*added, listing("old", "late")], PORTAL)
        assert names(frontier.lease(RUN, 2, 60)) == ["now", "one"]
        assert names(frontier.lease(RUN, 9, 60)) == ["two", "old"]
        frontier.add("items", [item(str(n)) for n in range(5)], PORTAL)
        assert names(frontier.lease("items", 9, 60)) == ["0", "1", "2", "3", "4"]

    def test_hints_merge_while_a_row_waits(self, opened: Opened) -> None:
        """The more trusted word wins, whichever listing came first."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a", title=("row", Origin.ROWS))], PORTAL)
        more = item("a", title=("feed", Origin.FEED), tags=("t", Origin.ROWS))
        assert frontier.add(RUN, [more, item("a")], PORTAL) == 0
        frontier.add(RUN, [item("a", title=("json", Origin.JSON))], PORTAL)
        (work,) = frontier.lease(RUN, 1, 60)
        said = {name: x.values[0] for name, x in work.link.hint.items()}
        assert said == {"title": "feed", "tags": "t"}

    def test_hints_are_settled_by_the_fetch(self, opened: Opened) -> None:
        """What is said of a page that is being fetched comes too late for it."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a", title=("row", Origin.ROWS))], PORTAL)
        (work,) = frontier.lease(RUN, 1, 60)
        better = item("a", title=("feed", Origin.FEED))
        frontier.add(RUN, [better], PORTAL)
        frontier.release([work])
        (work,) = frontier.lease(RUN, 1, 60)
        assert work.link.hint["title"].origin is Origin.ROWS
        frontier.delay(work, 0)
        frontier.add(RUN, [better], PORTAL)
        (work,) = frontier.lease(RUN, 1, 60)
        assert work.link.hint["title"].origin is Origin.FEED

    def test_take_back_gives_all_leases_of_a_run_back(self, opened: Opened) -> None:
        """A restart goes on at once; what the dead worker still says is refused."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a"), item("b"), item("c")], PORTAL)
        frontier.add("other", [item("a")], PORTAL)
        held, other = frontier.lease(RUN, 2, 60), frontier.lease("other", 1, 60)
        assert frontier.take_back(RUN) == 2
        assert not frontier.end(held[0], Outcome.CAPTURED)
        assert frontier.end(other[0], Outcome.CAPTURED)
        assert names(frontier.lease(RUN, 5, 60)) == ["a", "b", "c"]
        assert not frontier.end(held[0], Outcome.CAPTURED)

    def test_a_forgotten_run_is_gone(self, opened: Opened) -> None:
        """Nothing of it is left, and its row numbers do not come back."""
        frontier = opened.frontier
        frontier.add(RUN, [item("a")], PORTAL)
        (late,) = frontier.lease(RUN, 1, 60)
        frontier.forget(RUN)
        assert (frontier.left(RUN), frontier.due_in_s(RUN)) == (0, None)
        frontier.add("next", [item("b")], PORTAL)
        (work,) = frontier.lease("next", 1, 60)
        assert not frontier.end(late, Outcome.CAPTURED)
        assert frontier.end(work, Outcome.CAPTURED)

    def test_what_is_left(self, opened: Opened) -> None:
        """Waiting and leased rows are left, ended ones are not; items are counted."""
        frontier = opened.frontier
        assert (frontier.left(RUN), frontier.due_in_s(RUN)) == (0, None)
        frontier.add(RUN, [listing("top"), item("a")], PORTAL)
        (work,) = frontier.lease(RUN, 1, 60)
        assert (frontier.left(RUN), frontier.item_count(RUN)) == (2, 1)
        frontier.end(work, Outcome.CAPTURED)
        assert frontier.left(RUN) == 1
        frontier.end(frontier.lease(RUN, 1, 60)[0], Outcome.SKIPPED, Reason.ROBOTS)
        assert (frontier.left(RUN), frontier.item_count(RUN)) == (0, 1)


def start(kind: str, place: Path) -> subprocess.Popen[str]:
    """Start a worker of its own and wait until it is ready to begin."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.frontier.bench", kind, str(place), RUN],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def begin(worker: subprocess.Popen[str]) -> None:
    """Tell a worker to begin, or to go on from the rows it has just leased."""
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


class TestProcesses:
    """The same promises between processes."""

    ROWS = 500

    @pytest.fixture
    def filled(self, kind: str, tmp_path: Path) -> Iterator[Opened]:
        """Give a frontier with ROWS items that real processes share."""
        made = FACTORIES[kind](tmp_path, "boot-1", time.monotonic)
        with made.transaction():
            made.frontier.add(RUN, [item(str(n)) for n in range(self.ROWS)], PORTAL)
        yield made
        made.close()

    def test_two_processes_never_hold_the_same_row(
        self, kind: str, tmp_path: Path, filled: Opened
    ) -> None:
        """Two workers share the work: each row is given out once, none is left."""
        with start(kind, tmp_path) as one, start(kind, tmp_path) as two:
            begin(one)
            begin(two)
            said = [x.communicate(timeout=60)[0].split() for x in (one, two)]
        assert (one.returncode, two.returncode) == (0, 0)
        rows = [*said[0], *said[1]]
        assert len(rows) == len(set(rows)) == self.ROWS
        assert filled.frontier.left(RUN) == 0

    def test_nothing_is_lost_by_a_kill(
        self, kind: str, tmp_path: Path, filled: Opened
    ) -> None:
        """After kill -9 every row is worked, only those in flight twice."""
        with start(kind, tmp_path) as dying:
            assert dying.stdout is not None
            before = []
            for _ in range(20):
                begin(dying)
                before += dying.stdout.readline().split()
            dying.kill()
        assert dying.returncode == -signal.SIGKILL
        with filled.transaction():
            assert filled.frontier.take_back(RUN) == BATCH
        with start(kind, tmp_path) as heir:
            begin(heir)
            after = heir.communicate(timeout=60)[0].split()
        assert len({*before, *after}) == self.ROWS
        assert {*before} & {*after} == {*before[-BATCH:]}
        assert filled.frontier.left(RUN) == 0
