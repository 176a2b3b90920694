from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.archive.collection import Collection
from crawler.errors import UsageError
from crawler.jobs.looking import show
from tests.cli.program import Collected, pages

SAME = ("/news/1", "/news/2")


def test_captures_of_a_url_come_oldest_first(
    collection: Collection, collected: Collected
) -> None:
    """Both days' captures of a URL are found, the oldest first."""
    found = show.captures_of(collection, ["harbour"], f"{collected.base}/news/3")
    assert [one.run_id for one in found] == list(collected.runs)
    assert [one.line.status for one in found] == [200, 200]


def test_nearest_in_time(collection: Collection, collected: Collected) -> None:
    """The capture nearest to a time is taken, without one the newest."""
    found = show.captures_of(collection, ["harbour"], f"{collected.base}/news/3")
    assert show.nearest_at(found, None) is found[1]
    assert show.nearest_at(found, datetime(2025, 7, 15, 12, tzinfo=UTC)) is found[0]
    assert show.nearest_at(found, datetime(2025, 7, 15, 22, tzinfo=UTC)) is found[1]


def test_missing_url_names_the_nearest(
    collection: Collection, collected: Collected
) -> None:
    """A URL that was never captured is a usage error with the nearest stored ones."""
    with pytest.raises(UsageError, match=r"nearest stored: .*/news/3"):
        show.captures_of(collection, ["harbour"], f"{collected.base}/news/33")


def test_empty_store_says_so(collection: Collection) -> None:
    """Where nothing is stored, nothing is near."""
    with pytest.raises(UsageError, match="in nowhere"):
        show.captures_of(collection, ["nowhere"], "https://a.example/")


def test_revisit_gives_its_originals_payload(
    collection: Collection, collected: Collected
) -> None:
    """One of two equal pages is stored as a revisit, and both give the bytes."""
    mimes = set()
    for path in SAME:
        one = show.captures_of(collection, ["harbour"], collected.base + path)[0]
        mimes.add(one.line.mime)
        payload = show.payload_of(collection, one, raw=False)
        assert payload == pages()[path].encode()
        assert show.head_bytes(collection, one).startswith(b"HTTP/1.1 200 OK\r\n")
    assert mimes == {"text/html", "warc/revisit"}


def test_record_is_given_whole(collection: Collection, collected: Collected) -> None:
    """A record is the WARC header, the head as it came, and the payload."""
    one = show.captures_of(collection, ["harbour"], f"{collected.base}/news/3")[1]
    record = show.record_text(collection, one)
    assert record.startswith(b"WARC/1.1\r\n")
    assert show.head_bytes(collection, one) in record
    assert show.payload_of(collection, one, raw=True) in record


def test_nearest_urls_prefers_the_host() -> None:
    """URLs of the same host come first; ours are never offered."""
    stored = [
        "https://a.example/news/1",
        "https://b.example/news/12",
        "urn:portalkeep:capture:1",
    ]
    assert show.nearest_urls("https://b.example/news/1", stored) == [stored[1]]
    assert show.nearest_urls("https://c.example/news/1", stored)[0] in stored[:2]
    assert show.nearest_urls("https://b.example/zzzzzzzzzzzzzzzzzzzzzz", stored)
