"""Whoever loses a spool gets no revision twice."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crawler.archive.collection import Collection
from crawler.archive.database import transaction
from crawler.archive.spool import Spool, open_database
from crawler.archive.store import LocalStore
from crawler.errors import ArchiveDamaged
from crawler.history.fold import head_of
from crawler.item import Head
from crawler.jobs.keeping.rebuild import catch_up, rebuild
from tests.cli.program import Collected
from tests.crawling import Workplace, portal
from tests.site.portal import article, listing, page, serving


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Give a new spool."""
    with closing(open_database(tmp_path / "spool")) as db:
        yield Spool(db)


def heads(spool: Spool) -> dict[str, Head]:
    """Return what the spool knows of items."""
    ids = [row[0] for row in spool.db.execute("select item_id from head")]
    return {item_id: head for item_id in ids if (head := spool.outbox.head(item_id))}


def stored(collection: Collection) -> dict[str, Head]:
    """Return the heads as the archive has them."""
    return {
        item.id: head_of(item, item.revision or 0)
        for segment in collection.segments("harbour")
        for item in collection.items(segment)
    }


def test_heads_of_a_new_spool(collection: Collection, spool: Spool) -> None:
    """A new spool learns the newest revision of each item, once."""
    assert catch_up(collection, "harbour", spool).segments == 2
    assert heads(spool) == stored(collection)
    assert sorted(head.revision for head in heads(spool).values()) == [1, 1, 2]
    assert catch_up(collection, "harbour", spool).segments == 0


def test_what_the_spool_knows_better_stays(
    collection: Collection, spool: Spool
) -> None:
    """A head of a revision that is not committed yet is not put back."""
    item_id = next(iter(stored(collection)))
    newer = Head(9, "sha256:9", "x/1", "sha256:0")
    spool.outbox.set_head(item_id, newer)
    catch_up(collection, "harbour", spool)
    assert spool.outbox.head(item_id) == newer


def test_rebuild_forgets_what_is_nowhere(collection: Collection, spool: Spool) -> None:
    """Heads without an item are dropped; items that wait for their commit count."""
    catch_up(collection, "harbour", spool)
    spool.outbox.set_head("stranger", Head(3, "sha256:3", "x/1", "sha256:0"))
    segment = list(collection.segments("harbour"))[1]
    item = next(iter(collection.items(segment)))
    waiting = item.model_copy(update={"revision": 3, "item_hash": "sha256:3"})
    with transaction(spool.db):
        spool.outbox.add_item("s", item.id, 3, waiting.model_dump_json())
    assert rebuild(collection, "harbour", spool).items == 4
    assert heads(spool) == stored(collection) | {item.id: head_of(waiting, 3)}


def test_damage_is_no_new_beginning(copied: Path, spool: Spool) -> None:
    """Where an item part cannot be read the run is refused, with what to do."""
    part = sorted(copied.glob("items/*/*/*/*"))[1]
    part.write_bytes(part.read_bytes()[:40])
    collection = Collection(LocalStore(copied))
    with pytest.raises(ArchiveDamaged, match="verify harbour --read-data --repair"):
        catch_up(collection, "harbour", spool)
    part.unlink()
    with pytest.raises(ArchiveDamaged, match="cannot be told"):
        catch_up(collection, "harbour", spool)


def test_lost_spool_makes_no_revision_twice(tmp_path: Path) -> None:
    """After the spool is gone an unchanged page gives no item, a change revision 2."""
    paths = [f"/item/{n}" for n in range(4)]
    routes = {path: page(article(f"number {path}")) for path in paths}
    routes["/latest"] = page(listing(paths))
    with serving(routes) as site:
        place = Workplace(tmp_path, [portal(site.base)])
        assert place.run("crawl").of()["run"]["items"]["new"] == 4
        shutil.rmtree(tmp_path / "spool")
        again = place.run("crawl").of()["run"]["items"]
        assert (again.get("new", 0), again["unchanged"]) == (0, 4)
        shutil.rmtree(tmp_path / "spool")
        site.routes["/item/2"] = page(article("number 2, corrected"))
        third = place.run("crawl").of()["run"]["items"]
        assert (third.get("new", 0), third["revised"]) == (0, 1)
    keys = Counter((item.id, item.revision) for item in place.items())
    assert set(keys.values()) == {1}
    assert len(keys) == 5


def test_lost_spool_and_store_away(collected: Collected, tmp_path: Path) -> None:
    """A new spool does not begin a run while it cannot know what is stored."""
    store = collected.program.directory / "data" / "store"
    assert store.is_dir()
    place = Workplace(tmp_path, [portal("http://127.0.0.1:9")])
    place.settings["store"] = {"url": str(tmp_path / "store")}
    (tmp_path / "store" / "segments").mkdir(parents=True)
    (tmp_path / "store" / "segments" / "harbour").symlink_to("harbour")  # a loop
    result = place.run("crawl").of()
    assert (result["exit_code"], result["run_id"]) == (5, None)
