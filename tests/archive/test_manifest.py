"""Manifests as stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crawler.archive.manifest import (
    Run,
    Segment,
    StoredFile,
    Walk,
    run_from,
    segment_from,
    to_bytes,
)
from crawler.errors import ArchiveDamaged

AT = datetime(2025, 7, 15, 4, 5, 6, 78_999, tzinfo=UTC)
WARC = StoredFile(role="warc", key="archive/p/x.gz", bytes=9, sha256="ab", entries=3)
SEGMENT = Segment(
    name="p-1",
    portal="p",
    run_id="r",
    job="crawl",
    begun_at=AT,
    closed_at=AT + timedelta(seconds=5),
    config_digest="sha256:00",
    files=(WARC,),
    counts={"captured": 3, "skipped:robots": 1},
)
RUN = Run(
    run_id="r",
    portal="p",
    job="crawl",
    state="below_expectation",
    started_at=AT,
    ended_at=AT,
    software="portalkeep/0.1",
    config_digest="sha256:00",
    config={"id": "p", "name": None, "listings": [{"url": "新闻", "next": None}]},
    segments=("p-1",),
    counts={"captured": 3},
    items={"new": 2, "kind:article": 2},
    walks=(Walk(listing="top", pages=2, rows=40, ended="seen_pages"),),
    problems=("listing 'top' gave 0 rows",),
    clock="2025-07-15T04:05:06Z;frozen",
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def changed(manifest: Segment | Run, **fields: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return a manifest as stored with some fields set, or taken out by ``...``."""
    stored = json.loads(to_bytes(manifest))
    del stored["sha256"]
    stored.update(fields)
    kept = {name: value for name, value in stored.items() if value is not ...}
    return json.dumps(kept).encode()


def test_manifests_are_read_back() -> None:
    """What was stored is what is read, microseconds and nulls included."""
    assert segment_from(to_bytes(SEGMENT), "k") == SEGMENT
    assert run_from(to_bytes(RUN), "k") == RUN


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_any_configuration_is_kept(config: dict[str, Any]) -> None:
    """The configuration a run worked by comes back as it was, nulls included."""
    run = RUN.model_copy(update={"config": config})
    assert run_from(to_bytes(run), "k").config == config


def test_manifests_are_for_people_too() -> None:
    """Stored as indented UTF-8 JSON that says what it is, one newline at its end."""
    stored = to_bytes(RUN)
    assert stored.endswith(b"}\n")
    assert "新闻".encode() in stored
    assert json.loads(stored)["format"] == "portalkeep-run"
    assert json.loads(stored)["schema_version"] == 1
    assert to_bytes(run_from(stored, "k")) == stored


@pytest.mark.parametrize("version", [0, 2, 99, "new"])
def test_an_unknown_version_is_refused(version: int | str) -> None:
    """A manifest of a version we do not know is not read by guess."""
    stored = changed(SEGMENT, schema_version=version, added_later=1)
    with pytest.raises(ArchiveDamaged, match=r"'k' is no Segment .*schema_version"):
        segment_from(stored, "k")


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        to_bytes(SEGMENT)[:-9],
        to_bytes(RUN),
        changed(SEGMENT, name=...),
        changed(SEGMENT, surplus=1),
        changed(SEGMENT, files=[{"role": "warc"}]),
        changed(SEGMENT, format="other"),
    ],
)
def test_what_is_no_segment_manifest(stored: bytes) -> None:
    """Damage is named with its key, whatever is wrong."""
    with pytest.raises(ArchiveDamaged, match="'seg/1' is no Segment manifest: "):
        segment_from(stored, "seg/1")


def test_what_is_no_run_manifest() -> None:
    """A run has one of three ends."""
    with pytest.raises(ArchiveDamaged, match="'runs/1' is no Run manifest: state"):
        run_from(changed(RUN, state="open"), "runs/1")


def test_a_run_closed_by_repair_has_an_end_of_its_own() -> None:
    """What repair made says so."""
    rebuilt = RUN.model_copy(update={"state": "rebuilt"})
    assert run_from(to_bytes(rebuilt), "k").state == "rebuilt"


@pytest.mark.parametrize("manifest", [SEGMENT, RUN])
def test_no_byte_changes_unseen(manifest: Segment | Run) -> None:
    """Each byte of a manifest is under its digest, the digest's own included."""
    stored = to_bytes(manifest)
    read = segment_from if isinstance(manifest, Segment) else run_from
    for at in range(len(stored)):
        for mask in (0x01, 0x07, 0x20, 0x80):
            harmed = bytearray(stored)
            harmed[at] ^= mask
            with pytest.raises(ArchiveDamaged):
                read(bytes(harmed), "k")


def test_manifests_without_a_digest_are_read() -> None:
    """Those of the version before have none."""
    assert segment_from(changed(SEGMENT), "k") == SEGMENT
    assert run_from(changed(RUN), "k") == RUN


def test_a_salvaged_segment_says_what_it_stands_for() -> None:
    """The damaged one, and the records that were lost, are named."""
    salvaged = SEGMENT.model_copy(update={"replaces": "p-0", "lost": ("urn:uuid:1",)})
    assert segment_from(to_bytes(salvaged), "k") == salvaged
    assert b"lost" not in to_bytes(SEGMENT)


def test_the_files_of_a_segment() -> None:
    """A file is found by its role; one that is missing is damage."""
    assert SEGMENT.file("warc") is WARC
    with pytest.raises(ArchiveDamaged, match="'p-1' lists no cdxj"):
        SEGMENT.file("cdxj")


def test_manifests_do_not_change() -> None:
    """A manifest is a value."""
    with pytest.raises(ValidationError, match="frozen"):
        SEGMENT.name = "other"  # type: ignore[misc]  # the thing tested
