"""Object keys of a collection."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.layout import (
    SegmentName,
    file_name,
    new_run_id,
    run_key,
    warc_key,
)
from crawler.archive.store import check_key

AT = datetime(2025, 7, 15, 4, 5, 6, 78_999, tzinfo=UTC)
RUN = "20250715040506c0a1b2c"
NAME = SegmentName("demo-news", "20250715040506078", RUN, 0, 1)
TEXT = f"demo-news-20250715040506078-{RUN}-0-00001"

segments = st.builds(
    SegmentName.begin,
    portal=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True),
    at=st.datetimes(datetime(1990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bound
    run_id=st.from_regex(r"[0-9]{14}[a-z][0-9a-f]{6}", fullmatch=True),
    serial=st.integers(1, 2_000_000),
    worker=st.integers(0, 5_000),
)


def test_the_parts_of_a_name() -> None:
    """A name says portal, milliseconds of its begin, run, worker and serial."""
    assert SegmentName.begin("demo-news", AT, RUN, 1) == NAME
    assert str(NAME) == TEXT
    assert file_name(NAME, "warc") == f"{TEXT}.warc.gz"


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("warc", f"archive/demo-news/2025/07/{TEXT}.warc.gz"),
        ("cdxj", f"indexes/demo-news/2025/07/{TEXT}.cdxj.gz"),
        ("items", f"items/demo-news/2025/07/{TEXT}.jsonl.gz"),
        ("segment", f"segments/demo-news/2025/07/{TEXT}.json"),
    ],
)
def test_keys(role: str, expected: str) -> None:
    """Each file of a segment has its place by portal, year and month."""
    assert NAME.key(role) == expected


def test_run_key() -> None:
    """A run's manifest is found by portal and run id."""
    assert run_key("demo-news", RUN) == f"runs/demo-news/{RUN}.json"


@given(segments, st.sampled_from(["warc", "cdxj", "items", "segment"]))
def test_names_and_keys_are_read_back(name: SegmentName, role: str) -> None:
    """Every name, whatever its portal is called, is read from its file and its key."""
    assert SegmentName.parse(str(name)) == name
    assert SegmentName.parse(file_name(name, role)) == name
    assert SegmentName.parse(check_key(name.key(role))) == name
    assert warc_key(file_name(name, "warc")) == name.key("warc")


def test_a_portal_named_like_a_segment_is_no_trouble() -> None:
    """The last fitting parts are the name's, the rest is the portal."""
    nested = SegmentName(TEXT, NAME.timestamp, RUN, 3, 2)
    assert SegmentName.parse(str(nested)) == nested


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=5))
def test_names_sort_by_time(milliseconds: list[int]) -> None:
    """Segments of one portal sort by their begin."""
    starts = [datetime.fromtimestamp(x / 1_000, UTC) for x in sorted(milliseconds)]
    names = [str(SegmentName.begin("p", at, RUN, 1)) for at in starts]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.warc.gz",
        TEXT.upper(),
        TEXT.removesuffix("1"),
        f"{TEXT}\n",
        f"x y{TEXT}",
        TEXT.replace("2025", "２０２５"),
        TEXT.replace("demo-news-", ""),
    ],
)
def test_what_is_no_segment_name(text: str) -> None:
    """Files of others are told apart."""
    with pytest.raises(ValueError, match="no segment name"):
        SegmentName.parse(text)


def test_run_ids_sort_by_start_and_differ() -> None:
    """A run id begins with its start and job and is not given twice."""
    ids = {new_run_id(AT, "crawl") for _ in range(20)}
    assert len(ids) > 15
    assert all(x.startswith("20250715040506c") and len(x) == 21 for x in ids)
    name = SegmentName.begin("p", AT, ids.pop(), 1)
    assert SegmentName.parse(str(name)) == name
