"""A portal crawled again: known payloads are not stored twice, time stands still."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler.archive import layout
from crawler.archive.collection import Collection
from crawler.archive.spool import Spool, open_database
from crawler.archive.store import LocalStore
from crawler.clock import SystemClock
from crawler.jobs.keeping.check import check_portal
from crawler.jobs.keeping.finding import Checked, Finding
from crawler.jobs.keeping.rebuild import catch_up
from crawler.jobs.keeping.repair import repair_portal
from crawler.warc.cdxj import REVISIT, CdxLine
from crawler.warc.reader import scan
from tests.cli.program import Collected
from tests.crawling import RULE, Workplace, plain, portal
from tests.site.portal import Portal, article, listing, page, serving

DAY = "2025-07-{:02}T06:00:00+00:00;frozen"
AGO = '<p class="time">7小时前</p>'
DATED = {**RULE, "published": ".time"}
LONG = "<!-- " + "x" * 600 + " -->"
KEPT_BYTES = 2100
"""What a page that did not change may take in the archive."""
PATHS = tuple(f"/item/{number}" for number in range(1, 7))


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A place to crawl from."""
    return Workplace(tmp_path)


def fill(site: Portal, paths: Iterable[str] = PATHS, more: str = AGO) -> None:
    """Publish articles and the listing of them; each page is larger than a revisit."""
    paths = tuple(paths)
    for path in paths:
        site.routes[path] = page(article(f"number {path}", more=more + LONG))
    site.routes["/latest"] = page(listing(paths) + LONG)


def crawl(place: Workplace, day: int) -> dict[str, Any]:
    """Crawl on a day of the month; return the run."""
    run: dict[str, Any] = place.run("crawl", clock=DAY.format(day)).of()["run"]
    return run


def answers(place: Workplace, run_id: object) -> list[CdxLine]:
    """Return the index lines of a run's listing and items."""
    collection = place.collection
    return [
        line
        for segment in collection.segments("harbour", str(run_id))
        for line in collection.lines(segment)
        if line.status == 200
    ]


def damage(collection: Collection) -> list[Finding]:
    """Return what is wrong with a collection."""
    found = check_portal(collection, "harbour", Checked(), read_data=True)
    return [finding for finding in found if finding.is_damage]


def originals(spool: Spool) -> list[tuple[str, str]]:
    """Return what a spool knows of payloads."""
    return spool.originals.rows()


def sizes(path: Path) -> dict[str, int]:
    """Return the bytes that each page visit takes in a WARC."""
    taken: dict[str, int] = defaultdict(int)
    for _, length, record in scan(path):
        page_id = record.header("WARC-Page-ID")
        if page_id is not None:
            taken[page_id] += length
    return taken


def mend(place: Workplace) -> None:
    """Repair a place's archive."""
    spool = place.directory / "spool" / "harbour"
    store = place.collection.store
    list(repair_portal(store, "harbour", SystemClock(), spool_directory=spool))


def test_unchanged_portal_is_not_stored_again(place: Workplace) -> None:
    """A day later nothing is written but revisits; every mode reads through them.

    An item of that day whose payload is an older one's can be made again as well.
    """
    with serving({}) as site:
        place.portals = [portal(site.base, items=[DATED])]
        fill(site)
        first = crawl(place, 1)
        site.routes["/item/copy"] = site.routes["/item/1"]
        site.routes["/latest"] = page(listing((*PATHS, "/item/copy")) + LONG)
        second = crawl(place, 2)
    before = {line.digest: line for line in answers(place, first["run_id"])}
    lines = [x for x in answers(place, second["run_id"]) if "/item/" in x.url]
    assert len(lines) == len(PATHS) + 1
    for line in lines:
        assert line.mime == REVISIT
        assert line.ref == before[line.digest].record
    assert second["items"] == {"kind:article": 1, "new": 1, "unchanged": len(PATHS)}
    taken = sizes(next(x for x in place.warcs() if x.name == lines[0].filename))
    again = [x for x in lines if not x.url.endswith("copy")]
    assert max(taken[x.page or ""] for x in again) <= KEPT_BYTES
    (copy,) = place.items(run_id=str(second["run_id"]))
    assert str(copy.published_at) == "2025-06-30 23:00:00+00:00"
    assert damage(place.collection) == []
    for job in ("extract", "replay"):
        made = place.run(job, run_id=second["run_id"]).answer
        assert len(made["items"]) == 1
        assert (made["misses"], made["differences"]) == ([], [])
    stored = plain(place.items())
    (segment,) = place.collection.segments("harbour", str(second["run_id"]))
    for role in ("cdxj", "items"):
        (place.directory / "store" / segment.file(role).key).unlink()
    mend(place)
    assert plain(place.items()) == stored
    assert damage(place.collection) == []


def test_unchanged_page_stays_at_its_time(place: Workplace) -> None:
    """Seven hours ago counts from the first capture, however often it was stored.

    Where the newest that holds a payload is gone, an older one stands for it.
    """
    place.settings["warc"] = {"dedupe_max_age": "36h"}
    with serving({}) as site:
        place.portals = [portal(site.base, items=[DATED])]
        fill(site)
        runs = [crawl(place, day) for day in (1, 3)]
        shutil.rmtree(place.directory / "spool")
        runs.append(crawl(place, 4))
    kinds = [{x.mime == REVISIT for x in answers(place, run["run_id"])} for run in runs]
    assert kinds == [{False}, {False}, {True}]
    (at,) = {item.published_at for item in place.items()}
    assert str(at) == "2025-06-30 23:00:00+00:00"
    assert [run["items"].get("unchanged", 0) for run in runs] == [0, 6, 6]
    with closing(open_database(place.directory / "spool" / "harbour")) as db:
        known = originals(Spool(db))
    with closing(open_database(place.directory / "new")) as db:
        catch_up(place.collection, "harbour", Spool(db))
        assert originals(Spool(db)) == known
        for key in place.collection.segments("harbour", str(runs[1]["run_id"])):
            place.collection.store.delete(
                layout.SegmentName.parse(key.name).key("segment")
            )
        catch_up(place.collection, "harbour", Spool(db))
        fewer = originals(Spool(db))
    with closing(open_database(place.directory / "newer")) as db:
        catch_up(place.collection, "harbour", Spool(db))
        assert originals(Spool(db)) == fewer
    assert [digest for digest, _ in fewer] == [digest for digest, _ in known]
    assert fewer != known


def test_lost_store_is_not_referred_to(collected: Collected, tmp_path: Path) -> None:
    """Where the archive was taken away, nothing is known of its payloads."""
    store = LocalStore(collected.program.directory / "data" / "store")
    with closing(open_database(tmp_path)) as db:
        spool = Spool(db)
        catch_up(Collection(store), "harbour", spool)
        assert originals(spool)
        catch_up(Collection(LocalStore(tmp_path / "empty")), "harbour", spool)
        assert originals(spool) == []


def test_upgrade_makes_no_false_revision(place: Workplace) -> None:
    """After new rules only what changed is a revision, the spool lost or not.

    Nor is one what changed on a page beside what is read.
    """
    more = "<p class=editor>editor: Li</p>"
    with serving({}) as site:
        place.portals = [portal(site.base, items=[RULE])]
        fill(site, more=more)
        crawl(place, 1)
        place.portals = [portal(site.base, items=[{**RULE, "editor": ".editor"}])]
        site.routes["/item/2"] = page(article("number 2, corrected", more=more))
        second = crawl(place, 2)
        place.portals = [portal(site.base, items=[{**RULE, "editor": "re:: (Li)"}])]
        shutil.rmtree(place.directory / "spool")
        site.routes["/item/3"] = page(article("number 3, corrected", more=more))
        nonce = "<meta name=nonce content=4f1a>"
        site.routes["/item/4"] = page(
            article("number /item/4", more=more + LONG, head=nonce)
        )
        third = crawl(place, 3)
    assert (second["items"]["revised"], second["items"]["unchanged"]) == (1, 5)
    assert (third["items"]["revised"], third["items"]["unchanged"]) == (1, 5)
    revised = [item for item in place.items() if item.revision == 2]
    assert [item.title for item in revised] == [
        "number 2, corrected",
        "number 3, corrected",
    ]
    assert all(item.editor for item in revised)
    for job in ("extract", "replay"):
        made = place.run(job, run_id=third["run_id"]).answer
        assert (len(made["items"]), made["differences"]) == (1, [])


def test_upgrade_while_the_store_is_away_waits_for_it(place: Workplace) -> None:
    """What cannot be compared makes no revision; a rerun visits the pages again."""
    more = "<p class=editor>editor: Li</p>"
    stored = place.directory / "store" / "segments" / "harbour"
    with serving({}) as site:
        place.portals = [portal(site.base, items=[RULE])]
        fill(site, more=more)
        crawl(place, 1)
        place.portals = [portal(site.base, items=[{**RULE, "editor": ".editor"}])]
        site.routes["/item/2"] = page(article("number 2, corrected", more=more))
        kept = stored.rename(stored.with_name("kept"))
        stored.symlink_to("harbour")  # a loop
        away = place.run("crawl", clock=DAY.format(2)).of()
        stored.unlink()
        kept.rename(stored)
        second = crawl(place, 2)
    assert away["exit_code"] == 5
    assert second["run_id"] == away["run_id"]
    assert (second["items"]["revised"], second["items"]["unchanged"]) == (1, 5)
    made = place.run("extract", run_id=second["run_id"]).answer
    assert (len(made["items"]), made["differences"]) == (1, [])


def test_salvage_ends_what_it_lost(place: Workplace) -> None:
    """A payload that was lost with a damaged segment is written again, once."""
    with serving({}) as site:
        place.portals = [portal(site.base, items=[DATED])]
        fill(site)
        first, second = crawl(place, 1), crawl(place, 2)
        lost = answers(place, first["run_id"])[-1]
        (warc,) = [x for x in place.warcs() if x.name == lost.filename]
        content = bytearray(warc.read_bytes())
        content[lost.offset + 40] ^= 0xFF
        warc.write_bytes(content)
        mend(place)
        third = crawl(place, 3)
    mimes = {line.url: line.mime for line in answers(place, third["run_id"])}
    assert mimes.pop(lost.url) == "text/html"
    assert set(mimes.values()) == {REVISIT}
    assert damage(place.collection) == []
    again = place.run("extract", run_id=second["run_id"]).answer
    assert again["differences"] == []


def test_spool_that_knows_payloads_by_run_is_renewed(tmp_path: Path) -> None:
    """A spool of an earlier version reads the archive's indexes once more."""
    db = open_database(tmp_path)
    db.executescript(
        "create table payload(run_id text, digest text, ref text);"
        "alter table head drop column record; alter table head drop column warc;"
        "insert into folded values('harbour-1');"
    )
    db.close()
    db = open_database(tmp_path)
    assert db.execute("select count(*) from folded").fetchone() == (0,)
    assert Spool(db).outbox.head("nothing") is None
    db.execute("insert into folded values('harbour-2')")
    db.close()
    db = open_database(tmp_path)
    assert db.execute("select segment from folded").fetchall() == [("harbour-2",)]
    db.close()
