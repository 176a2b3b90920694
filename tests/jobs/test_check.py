from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.archive.collection import Collection
from crawler.archive.manifest import segment_from, to_bytes
from crawler.archive.store import LocalStore
from crawler.errors import UsageError
from crawler.jobs.keeping.check import check_file, check_portal, stored_portals
from crawler.jobs.keeping.finding import Checked, Finding, Trouble
from tests.cli.program import Collected


class Elsewhere:
    """The same objects, behind the contract alone."""

    def __init__(self, root: Path) -> None:
        inner = LocalStore(root)
        self.get, self.head, self.list = inner.get, inner.head, inner.list


def found(
    store: object, *, run_id: str | None = None, read_data: bool = True
) -> tuple[list[Finding], Checked]:
    """Check the portal; return the findings and how much was looked at."""
    checked = Checked()
    place = LocalStore(store) if isinstance(store, Path) else store
    findings = check_portal(
        Collection(place),  # type: ignore[arg-type]  # read only is enough
        "harbour",
        checked,
        run_id=run_id,
        read_data=read_data,
    )
    return list(findings), checked


def only(store: Path, pattern: str) -> Path:
    """Return the first file that a pattern finds."""
    return min(store.glob(pattern))


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Change the text of a gzip file, its size aside as it comes."""
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(change(text).encode(), mtime=0))


def remanifest(store: Path, key: str) -> None:
    """Make the manifest that lists an object say its present size."""
    for path in store.glob("segments/*/*/*/*.json"):
        segment = segment_from(path.read_bytes(), path.name)
        size = (store / key).stat().st_size
        files = tuple(
            one.model_copy(update={"bytes": size}) if one.key == key else one
            for one in segment.files
        )
        path.write_bytes(to_bytes(segment.model_copy(update={"files": files})))


def change(store: Path, pattern: str, how: Callable[[str], str]) -> str:
    """Change an object's text and let its manifest's size follow; return its key."""
    path = only(store, pattern)
    rewrite(path, how)
    key = path.relative_to(store).as_posix()
    remanifest(store, key)
    return key


def test_good_collection_has_no_findings(collected: Collected) -> None:
    """What a crawl stored is found whole, and all of it is looked at."""
    findings, checked = found(collected.store)
    assert findings == []
    assert (checked.runs, checked.segments, checked.items) == (2, 2, 4)
    assert checked.records > 20
    assert checked.pointers >= 4


def test_store_without_paths_is_checked_the_same(collected: Collected) -> None:
    """A store that gives bytes only is checked by copies, with the same result."""
    findings, checked = found(Elsewhere(collected.store))
    assert findings == []
    assert checked == found(collected.store)[1]


def test_one_run_alone(collected: Collected) -> None:
    """With a run, only its segments and manifest are looked at."""
    findings, checked = found(collected.store, run_id=collected.runs[1])
    assert findings == []
    assert (checked.runs, checked.segments, checked.items) == (1, 1, 1)


@pytest.mark.parametrize("role", ["archive", "indexes", "items"])
def test_missing_object_is_named(copied: Path, role: str) -> None:
    """An object that a manifest lists and the store has not is named by its key."""
    gone = only(copied, f"{role}/*/*/*/*")
    gone.unlink()
    findings, _ = found(copied)
    key = gone.relative_to(copied).as_posix()
    assert [x.what for x in findings if x.where == key] == ["the object is missing"]
    assert all(x.is_damage for x in findings)


def test_other_size_is_told_without_reading_data(copied: Path) -> None:
    """A cut object shows by its size alone."""
    cut = only(copied, "items/*/*/*/*")
    cut.write_bytes(cut.read_bytes()[:-3])
    findings, _ = found(copied, read_data=False)
    assert findings[0].trouble is Trouble.OBJECT
    assert "its manifest says" in findings[0].what


def test_flipped_byte_in_a_warc_is_found_with_its_offset(copied: Path) -> None:
    """One bit of a WARC is found: digest, member and index line, each with a place."""
    warc = only(copied, "archive/*/*/*/*")
    content = bytearray(warc.read_bytes())
    content[len(content) // 2] ^= 0x10
    warc.write_bytes(content)
    key = warc.relative_to(copied).as_posix()
    quick, _ = found(copied, read_data=False)
    assert any(x.trouble is Trouble.RECORD for x in quick)
    assert any(x.where.startswith(f"{key}:") for x in quick)
    whole, _ = found(copied)
    assert f"{key}" in {x.where for x in whole if x.trouble is Trouble.OBJECT}


def test_index_line_that_is_missing_is_named(copied: Path) -> None:
    """A record without its line, and the count, are both told."""
    key = change(copied, "indexes/*/*/*/*", lambda text: text.partition("\n")[2])
    findings, _ = found(copied, read_data=False)
    assert {x.where for x in findings} == {key}
    assert any("a record has no such line" in x.what for x in findings)


def test_index_line_with_another_offset_is_named(copied: Path) -> None:
    """A line that leads to another place than its record's fits no record."""
    change(
        copied,
        "indexes/*/*/*/*",
        lambda text: text.replace('"offset":"', '"offset":"1', 1),
    )
    whats = [x.what for x in found(copied, read_data=False)[0]]
    assert any(x.startswith("a line fits no record") for x in whats)
    assert any(x.startswith("a record has no such line") for x in whats)


def test_item_that_points_elsewhere_is_named(copied: Path) -> None:
    """A provenance pointer to another place, or to no record, is damage."""
    key = change(
        copied,
        "items/*/*/*/*",
        lambda text: text.replace('"offset":', '"offset":9', 1),
    )
    findings, _ = found(copied, read_data=False)
    assert [x.where for x in findings] == [f"{key}:1"]
    assert "another place or digest" in findings[0].what


def test_item_whose_record_is_nowhere_is_named(copied: Path) -> None:
    """A provenance pointer to a record that is not stored is damage."""
    change(
        copied,
        "items/*/*/*/*",
        lambda text: text.replace("urn:uuid:", "urn:uuid:0", 1),
    )
    findings, _ = found(copied, read_data=False)
    assert "which is not stored" in findings[0].what


def test_line_that_is_no_item_is_named(copied: Path) -> None:
    """An item part with a line that is no item names the field."""
    change(
        copied,
        "items/*/*/*/*",
        lambda text: text.replace('"kind":"article"', '"kind":"poem"', 1),
    )
    findings, _ = found(copied, read_data=False)
    assert "kind" in findings[0].what


def test_manifest_that_cannot_be_read_is_named(copied: Path) -> None:
    """A damaged manifest is told, and its files are not called strangers."""
    broken = only(copied, "segments/*/*/*/*")
    broken.write_text("{}", "utf-8")
    findings, _ = found(copied)
    assert [x.trouble for x in findings] == [Trouble.MANIFEST]


def test_run_that_lists_a_lost_segment_is_named(copied: Path) -> None:
    """A run's manifest is compared with the segments that are there, both ways."""
    only(copied, "segments/*/*/*/*").unlink()
    findings, _ = found(copied)
    troubles = {x.trouble for x in findings}
    assert Trouble.RUN in troubles
    assert sum(x.trouble is Trouble.ORPHAN for x in findings) == 3


def test_stranger_in_the_store_is_no_damage(copied: Path) -> None:
    """An object without a manifest is named; an interrupted commit leaves such."""
    stranger = only(copied, "archive/*/*/*/*").with_name("stranger.warc.gz")
    stranger.write_bytes(b"x")
    findings, _ = found(copied)
    assert [x.trouble for x in findings] == [Trouble.ORPHAN]
    assert not findings[0].is_damage
    assert str(findings[0]).count(": ") >= 2


def test_stored_portals(collected: Collected) -> None:
    """Every portal with an object is found, whatever is configured."""
    assert stored_portals(Collection(LocalStore(collected.store))) == ["harbour"]


def test_warc_file_by_path(copied: Path) -> None:
    """A plain file is checked by its path: good, damaged, and not there."""
    warc = only(copied, "archive/*/*/*/*")
    checked = Checked()
    assert list(check_file(warc, read_data=True, checked=checked)) == []
    assert checked.files == 1
    warc.write_bytes(warc.read_bytes()[:-20])
    findings = list(check_file(warc, read_data=False, checked=checked))
    assert findings[0].where.startswith(f"{warc}:")
    with pytest.raises(UsageError, match="cannot be read"):
        list(check_file(copied / "none.warc.gz", read_data=False, checked=checked))
