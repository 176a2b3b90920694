"""What is damaged is found, named, and mended as far as anything is left."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from crawler.archive.collection import Collection
from crawler.archive.store import LocalStore
from crawler.clock import SystemClock
from crawler.errors import Locked
from crawler.jobs.extract import Selection, Tally, comparable, diff_runs
from crawler.jobs.keeping.check import check_portal
from crawler.jobs.keeping.finding import Checked, Finding, Mended, Trouble
from crawler.jobs.keeping.repair import repair_portal
from crawler.jobs.lock import portal_lock
from crawler.warc.reader import scan
from tests.cli.program import Collected

FLIPS = 50
DERIVED = ("indexes/*/*/*/*", "items/*/*/*/*", "segments/*/*/*/*", "runs/*/*")


def check(store: Path, *, read_data: bool = True) -> list[Finding]:
    """Return what verify finds."""
    collection = Collection(LocalStore(store))
    found = check_portal(collection, "harbour", Checked(), read_data=read_data)
    return list(found)


def damage(store: Path) -> list[Finding]:
    """Return what verify calls damage, every digest compared."""
    return [finding for finding in check(store) if finding.is_damage]


def repair(store: Path, **options: Any) -> list[Mended]:  # noqa: ANN401 - passed on
    """Repair the portal; return what was done."""
    spool = store.parent / "spool" / "harbour"
    place = LocalStore(store)
    done = repair_portal(
        place, "harbour", SystemClock(), spool_directory=spool, **options
    )
    return list(done)


def files(store: Path) -> dict[str, bytes]:
    """Return every object."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def items(store: Path) -> list[dict[str, object]]:
    """Return all items without what differs from run to run."""
    collection = Collection(LocalStore(store))
    return [
        comparable(item)
        for segment in collection.segments("harbour")
        for item in collection.items(segment)
    ]


def each(store: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return all files that patterns find."""
    return [path for pattern in patterns for path in sorted(store.glob(pattern))]


def test_each_flipped_byte_is_found(copied: Path) -> None:
    """One byte changed anywhere, in data or manifests, is found with every digest."""
    rng = random.Random(20250715)  # seeded: the same places each time
    objects = [path for path in sorted(copied.rglob("*")) if path.is_file()]
    for _ in range(FLIPS):
        path = rng.choice(objects)
        good = path.read_bytes()
        at, mask = rng.randrange(len(good)), rng.randrange(1, 256)
        path.write_bytes(good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :])
        found = damage(copied)
        path.write_bytes(good)
        key = path.relative_to(copied).as_posix()
        assert any(finding.where.startswith(key) for finding in found), (key, at, mask)
        assert all(finding.advice for finding in found)
    assert damage(copied) == []


def test_each_missing_object_is_named(copied: Path) -> None:
    """Whatever object is taken away, verify says which, or which it belongs to."""
    for path in [x for x in sorted(copied.rglob("*")) if x.is_file()]:
        content = path.read_bytes()
        path.unlink()
        found = check(copied, read_data=False)
        path.write_bytes(content)
        name = path.name.partition(".")[0]
        assert any(name in f"{finding.where} {finding.what}" for finding in found), name


@pytest.mark.parametrize("how", ["gone", "torn", "flipped"])
@pytest.mark.parametrize("pattern", DERIVED)
def test_what_is_derived_is_made_again(copied: Path, pattern: str, how: str) -> None:
    """Indexes, items and manifests come back; verify is clean and no item differs."""
    before, wanted = files(copied), items(copied)
    for path in each(copied, (pattern,)):
        content = path.read_bytes()
        if how == "gone":
            path.unlink()
        elif how == "torn":
            path.write_bytes(content[: len(content) // 2])
        else:
            changed = bytes([content[-9] ^ 0x55])
            path.write_bytes(content[:-9] + changed + content[-8:])
    assert check(copied)
    done = repair(copied)
    assert all(one.done for one in done)
    assert check(copied) == []
    assert items(copied) == wanted
    if pattern in ("indexes/*/*/*/*", "segments/*/*/*/*"):
        assert files(copied) == before
    assert repair(copied) == []


def test_all_derived_at_once(copied: Path) -> None:
    """With nothing but WARCs and the lists of runs the archive is whole again."""
    wanted = items(copied)
    for path in each(copied, DERIVED[:3]):
        path.unlink()
    assert all(one.done for one in repair(copied))
    assert check(copied) == []
    assert items(copied) == wanted


def test_a_dry_run_changes_nothing(copied: Path) -> None:
    """It tells the same and touches no object."""
    for path in each(copied, ("indexes/*/*/*/*", "runs/*/*")):
        path.unlink()
    warc = each(copied, ("archive/*/*/*/*",))[0]
    warc.write_bytes(warc.read_bytes()[:-300])
    before = files(copied)
    assert len(repair(copied, dry_run=True)) > 3
    assert files(copied) == before


def harmed(store: Path, at: float) -> tuple[Path, bytes]:
    """Damage the first WARC somewhere within; return it and what it was."""
    warc = each(store, ("archive/*/*/*/*",))[0]
    good = warc.read_bytes()
    spot = int(len(good) * at)
    warc.write_bytes(good[:spot] + bytes(64) + good[spot + 64 :])
    return warc, good


@pytest.mark.parametrize("at", [0.0, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_damaged_warc_is_salvaged(copied: Path, at: float) -> None:
    """Its good records become a new segment; what was lost is noted, none deleted."""
    warc, good = harmed(copied, at)
    bad, wanted = warc.read_bytes(), items(copied)
    done = repair(copied)
    assert any("records saved" in one.what for one in done)
    assert damage(copied) == []
    assert warc.read_bytes() == bad
    found = Collection(LocalStore(copied))
    (new,) = [x for x in found.segments("harbour") if x.replaces]
    assert new.replaces == warc.name.partition(".")[0]
    saved = [x.record.record_id for x in scan(copied / new.file("warc").key)]
    whole = warc.with_name("good.gz")
    whole.write_bytes(good)
    lost = [x.record.record_id for x in scan(whole) if x.record.record_id not in saved]
    whole.unlink()
    assert 0 < len(lost) <= 3
    assert set(new.lost) <= set(lost)
    assert [row["title"] for row in items(copied)] == [row["title"] for row in wanted]
    assert (copied / "damaged" / "harbour" / f"{new.replaces}.json").is_file()
    assert repair(copied) == []


def test_items_point_into_the_salvaged_warc(copied: Path) -> None:
    """Pointers to records that moved lead to where they are now."""
    harmed(copied, 0.99)
    repair(copied)
    collection = Collection(LocalStore(copied))
    for segment in collection.segments("harbour"):
        for item in collection.items(segment):
            for pointer in item.provenance.records:
                record = collection.record(pointer.warc, pointer.offset, pointer.length)
                assert record.record_id == pointer.record_id


def test_a_salvaged_warc_may_be_damaged_again(copied: Path) -> None:
    """The third in line stands for both before it; all of it is kept."""
    harmed(copied, 0.5)
    repair(copied)
    before = len(items(copied))
    (second,) = [
        x for x in Collection(LocalStore(copied)).segments("harbour") if x.replaces
    ]
    warc = copied / second.file("warc").key
    warc.write_bytes(warc.read_bytes()[:-200])
    repair(copied)
    assert damage(copied) == []
    (third,) = [
        x for x in Collection(LocalStore(copied)).segments("harbour") if x.replaces
    ]
    assert third.replaces == second.name
    assert set(second.lost) <= set(third.lost)
    assert len(each(copied, ("damaged/*/*",))) == 2
    assert len(items(copied)) == before
    assert not any(x.trouble is Trouble.ORPHAN for x in check(copied))
    assert repair(copied) == []


def test_warc_and_items_damaged_together(copied: Path) -> None:
    """Items are extracted of the records that were saved."""
    wanted = items(copied)
    harmed(copied, 0.99)
    for path in each(copied, DERIVED[:3]):
        path.unlink()
    assert all(one.done for one in repair(copied))
    assert damage(copied) == []
    titles = [row["title"] for row in items(copied)]
    assert titles == [row["title"] for row in wanted]


def test_salvaged_archives_can_be_extracted(copied: Path, collected: Collected) -> None:
    """After records were lost the rest of the captures is still read."""
    from crawler.config.load import load

    harmed(copied, 0.5)
    repair(copied)
    (portal,) = load(collected.program.config, environment={}).settings.portals
    collection, tally = Collection(LocalStore(copied)), Tally()
    list(diff_runs(collection, portal, Selection(), SystemClock(), tally))
    assert tally.items >= 2


def test_a_lost_warc_cannot_be_made(copied: Path) -> None:
    """What nothing is left of is said to be lost, and all else is mended."""
    warc = each(copied, ("archive/*/*/*/*",))[0]
    warc.unlink()
    each(copied, ("indexes/*/*/*/*",))[1].unlink()
    done = repair(copied)
    assert [one.where for one in done if not one.done] == [
        warc.relative_to(copied).as_posix()
    ]
    assert any("made again" in one.what for one in done)
    assert {x.where for x in damage(copied) if x.trouble is Trouble.OBJECT} == {
        warc.relative_to(copied).as_posix()
    }


def test_items_of_other_code_are_not_made_up(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items that another version made are not made by this one under their name."""
    monkeypatch.setattr("crawler.jobs.keeping.repair_items.SOFTWARE", "portalkeep/99")
    part = each(copied, ("items/*/*/*/*",))[0]
    part.unlink()
    (one,) = repair(copied)
    assert not one.done
    assert "this is portalkeep/99" in one.what
    assert not part.exists()


def test_a_warc_whose_spool_was_lost_is_taken_in(
    copied: Path, collected: Collected
) -> None:
    """Stored, but never committed, and known to nobody: it is committed now."""
    wanted, first = items(copied), collected.runs[0]
    for path in copied.rglob(f"*{first}*"):
        if path.is_file() and "archive" not in path.parts:
            path.unlink()
    assert repair(copied, open_runs=[first]) == []
    assert all(one.done for one in repair(copied))
    assert check(copied) == []
    assert items(copied) == wanted


def test_an_open_run_is_not_closed(copied: Path, collected: Collected) -> None:
    """A run that the spool knows keeps its end; one nobody knows is closed."""
    for path in each(copied, ("runs/*/*",)):
        path.unlink()
    repair(copied, open_runs=[collected.runs[1]])
    assert [path.stem for path in each(copied, ("runs/*/*",))] == [collected.runs[0]]
    (finding,) = check(copied)
    assert (finding.trouble, finding.is_damage) == (Trouble.UNCLOSED, False)


def test_a_run_made_again_says_so(copied: Path, collected: Collected) -> None:
    """Counts come from the decision logs; what is not known any more is said."""
    before = Collection(LocalStore(copied)).run("harbour", collected.runs[1])
    assert before is not None
    (copied / "runs" / "harbour" / f"{before.run_id}.json").unlink()
    repair(copied)
    after = Collection(LocalStore(copied)).run("harbour", before.run_id)
    assert after is not None
    assert after.state == "rebuilt"
    assert after.problems
    assert after.counts == before.counts
    assert after.segments == before.segments
    assert after.config == before.config
    assert after.items == {k: v for k, v in before.items.items() if k != "unchanged"}


def test_repair_waits_for_no_job(copied: Path) -> None:
    """While a crawl of the portal runs, nothing is mended."""
    spool = copied.parent / "spool" / "harbour"
    with portal_lock(spool, "crawl"), pytest.raises(Locked):
        repair(copied)


def test_one_run_alone(copied: Path, collected: Collected) -> None:
    """With a run, only its segments are mended."""
    for path in each(copied, ("indexes/*/*/*/*",)):
        path.unlink()
    (one,) = repair(copied, run_id=collected.runs[1])
    assert collected.runs[1] in one.where


def test_an_interrupted_repair_is_finished(copied: Path) -> None:
    """Stopped before the old manifest was moved, the next one moves it."""
    harmed(copied, 0.5)
    old = each(copied, ("segments/*/*/*/*",))[0]
    content = old.read_bytes()
    repair(copied)
    old.write_bytes(content)
    assert any(x.trouble is Trouble.MANIFEST for x in damage(copied))
    assert len(repair(copied)) == 1
    assert damage(copied) == []
    assert not old.exists()
