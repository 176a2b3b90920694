"""What docs/formats.md says, against the models and against a fresh small archive."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import manifest
from crawler.archive.layout import SegmentName
from crawler.archive.pageinfo import KEPT, PAGE_INFO, PageExchange, PageInfo
from crawler.item import Extractor, Item, Provenance, RecordPointer
from crawler.model import Outcome, Reason
from crawler.warc import format as warc_format
from crawler.warc.cdxj import CdxLine, format_line
from tests.docs.page import ROOT, fences
from tests.docs.schemas import SCHEMAS, errors, made, published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from tests.docs.conftest import Reader

# Any: JSON, here and below.

PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")
CODE = re.compile(r"`([^`]+)`")
STANDARD = re.compile(
    "WARC-(Type|Record-ID|Date|Target-URI|Payload-Digest|Block-Digest|Warcinfo-ID"
    "|IP-Address|Concurrent-To|Profile|Refers-To(-Target-URI|-Date)?|Truncated"
    "|Filename)"
)
"""Fields that WARC/1.1 defines."""


def section(heading: str) -> str:
    """Return the text under a heading, up to the next one."""
    _, _, rest = PAGE.partition(f"{heading}\n")
    assert rest, heading
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text: str, header: str) -> set[str]:
    """Return the names in the first column of the table that begins with a header."""
    _, _, rest = text.partition(f"{header}\n")
    assert rest, header
    rows = rest.split("\n\n")[0].splitlines()[1:]
    return {name for row in rows for name in CODE.findall(row.split("|")[1])}


def names_in(text: str) -> set[str]:
    """Return what stands between backticks."""
    return set(CODE.findall(text))


@dataclass(frozen=True)
class Stored:
    """The objects of the demo's store, by kind, each with its key."""

    root: Path

    def of(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """Yield key and content of the objects of a kind, gzip undone."""
        for path in sorted((self.root / kind).rglob("*.*")):
            content = path.read_bytes()
            is_packed = path.suffix == ".gz"
            content = gzip.decompress(content) if is_packed else content
            yield str(path.relative_to(self.root)), content

    def records(self) -> Iterator[tuple[str, Any, bytes]]:
        """Yield file, WARC header fields and block of each record."""
        for path in sorted((self.root / "archive").rglob("*.warc.gz")):
            with path.open("rb") as file:
                for record in ArchiveIterator(file, no_record_parse=True):
                    yield path.name, record.rec_headers, record.raw_stream.read()


@pytest.fixture(scope="session")
def stored(reader: Reader) -> Stored:
    """Give what the demo stored."""
    return Stored(reader.directory / "data" / "store")


def test_manifest_keys_are_the_models() -> None:
    """The tables of manifest keys name each field of the models, and no other."""
    segment, run = section("## 5. Manifests").split("A **run manifest**")
    assert first_cells(segment, "| key | what |") == set(manifest.Segment.model_fields)
    assert first_cells(run, "| key | what |") == set(manifest.Run.model_fields)
    assert set(manifest.StoredFile.model_fields) <= names_in(segment)
    assert set(manifest.Walk.model_fields) <= names_in(run)


def test_item_fields_are_the_models() -> None:
    """The page explains each field of the envelope and of its provenance."""
    text = section("## 4. Items")
    models: tuple[type[BaseModel], ...] = (Item, RecordPointer, Extractor)
    for model in models:
        assert set(model.model_fields) <= names_in(text), model
    table = first_cells(text, "| `provenance.` | what |")
    assert table == set(Provenance.model_fields)


def test_reasons_are_the_models() -> None:
    """The page lists all outcomes and reasons, and no other."""
    text = section("### The decision log")
    before, _, listed = text.partition("Reasons are a closed set.")
    assert {x.value for x in Outcome} <= names_in(before)
    assert names_in(listed) == {x.value for x in Reason}


def test_index_keys_are_the_writers(stored: Stored) -> None:
    """The table of CDXJ keys names what the writer can write; a fresh index has it."""
    table = first_cells(section("## 3. CDXJ"), "| key | value |")
    assert table == _all_keys()
    seen: set[str] = set()
    for _, content in stored.of("indexes"):
        lines = content.splitlines()
        assert lines == sorted(lines)
        for line in lines:
            key, timestamp, rest = line.decode("ascii").split(" ", 2)
            values = json.loads(rest)
            assert ")" in key or key.startswith("urn:")
            assert re.fullmatch(r"\d{14}", timestamp)
            assert all(isinstance(x, str) for x in values.values())
            seen |= values.keys()
    assert seen <= table
    assert {"page", "record", "request", "date"} <= seen


def _all_keys() -> set[str]:
    """Return the keys of an index line in which nothing is absent."""
    at = datetime.fromisoformat("2025-07-15T06:00:00+00:00")
    texts = ("surt", "https://gazette.example/", "text/html")
    line = CdxLine(*texts, 200, "d", 1, 0, "f", at, "r", "q", "p", "o", "POST", at)
    return set(json.loads(format_line(line).split(" ", 2)[2]))


def test_warc_fields_are_explained(stored: Stored) -> None:
    """Each WARC header field in a fresh archive is the standard's or on the page."""
    text = section("## 2. WARC")
    table = first_cells(text, "| field | on | says |")
    ours = {
        warc_format.PAGE_ID,
        warc_format.PAYLOAD_DATE,
        warc_format.REQUEST_DIGEST,
        warc_format.REQUEST_METHOD,
        warc_format.REDACTED,
    }
    assert ours <= table
    seen = {name for _, head, _ in stored.records() for name, _ in head.headers}
    further = {x for x in seen if x.startswith("WARC-") and not STANDARD.fullmatch(x)}
    assert further <= names_in(text) | table
    assert {"WARC-Page-ID", "WARC-Request-Digest", "WARC-Protocol"} <= seen


def test_records_are_as_the_table_says(stored: Stored) -> None:
    """A segment has a warcinfo, its configuration, exchanges, visits, and decisions."""
    by_file: dict[str, list[tuple[str, str]]] = {}
    for file, head, _ in stored.records():
        uri = head.get_header("WARC-Target-URI") or ""
        by_file.setdefault(file, []).append((head.get_header("WARC-Type"), uri))
    assert by_file
    for records in by_file.values():
        assert records[0] == ("warcinfo", "")
        assert records[1][0] == "resource"
        assert records[1][1].startswith("urn:portalkeep:config:sha256:")
        assert records[-1][0] == "resource"
        assert records[-1][1].startswith("urn:portalkeep:run:")
        kinds = [kind for kind, uri in records if uri.startswith("http")]
        assert set(kinds) <= {"response", "revisit", "request", "metadata"}
        answers = kinds.count("response") + kinds.count("revisit")
        assert answers == kinds.count("request") == kinds.count("metadata")


def test_capture_record_is_as_shown(stored: Stored) -> None:
    """The fields of fresh capture records and their links are those on the page."""
    (example,) = [json.loads(x.text) for x in fences("docs/formats.md") if x.info]
    text = section("### The capture record").rpartition("```")[2]
    link_fields = set(example["link"]) | names_in(text)
    seen: set[str] = set()
    for _, head, block in stored.records():
        uri = head.get_header("WARC-Target-URI") or ""
        if not uri.startswith("urn:portalkeep:capture:"):
            continue
        body = json.loads(block)
        assert uri.endswith(body["page_id"])
        assert (body["format"], body["version"]) == ("portalkeep-capture", 1)
        assert set(body["link"]) <= link_fields
        for value in body["link"].get("hint", {}).values():
            assert set(value) == set(example["link"]["hint"]["title"])
        seen |= set(body)
    assert seen == set(example)


def test_page_information_is_the_models() -> None:
    """The table names each key of the page information, and the URIs beside it."""
    text = section("### The page information")
    table = first_cells(text, "| key | what |")
    assert table == set(PageInfo.model_fields)
    assert set(PageExchange.model_fields) <= names_in(text)
    uris = names_in(section("## 2. WARC"))
    assert {f"{made.prefix}<url>" for made in (*KEPT.values(), PAGE_INFO)} <= uris


def test_decisions_are_as_listed(stored: Stored) -> None:
    """The keys of fresh decisions are those on the page."""
    text = section("### The decision log")
    seen: set[str] = set()
    for _, head, block in stored.records():
        uri = head.get_header("WARC-Target-URI") or ""
        if uri.startswith("urn:portalkeep:run:"):
            for line in block.decode().splitlines():
                seen |= set(json.loads(line))
    assert {"url", "outcome", "at"} <= seen <= names_in(text)


def test_keys_are_as_listed(stored: Stored) -> None:
    """Objects have the keys of the first section, and their names their parts."""
    kinds = {line.split("/")[0] for line in fences("docs/formats.md")[0].text.split()}
    kinds = {kind for kind in kinds if kind.isalpha()}
    tops = {path.name for path in stored.root.iterdir() if path.is_dir()}
    assert tops <= kinds
    for kind in ("archive", "indexes", "items", "segments"):
        for path in (stored.root / kind).rglob("*.*"):
            portal, year, month = path.relative_to(stored.root).parts[1:4]
            name = SegmentName.parse(path.name)
            assert (portal, f"{year}{month}") == (name.portal, name.timestamp[:6])


@pytest.mark.parametrize("name", SCHEMAS)
def test_published_schema_is_the_models(name: str) -> None:
    """docs/schema/ has what the models say."""
    assert published(name) == made(name)


def test_stored_objects_keep_to_the_schemas(stored: Stored) -> None:
    """Fresh items and manifests keep to the published schemas."""
    kinds = (("items", "item"), ("segments", "segment"), ("runs", "run"))
    for kind, name in kinds:
        schema, count = published(name), 0
        for key, content in stored.of(kind):
            lines = content.splitlines() if kind == "items" else [content]
            for line in lines:
                assert list(errors(json.loads(line), schema, schema)) == [], key
                count += 1
        assert count >= 2


def test_wrong_objects_do_not_keep_to_the_schemas(stored: Stored) -> None:
    """The look at schemas sees a missing, an unknown and a wrong value."""
    schema = published("segment")
    _, content = next(stored.of("segments"))
    good = json.loads(content)
    wrongs: list[dict[str, Any]] = [
        {key: value for key, value in good.items() if key != "files"},
        good | {"more": 1},
        good | {"begun_at": "2025-07-15T06:00:00"},
        good | {"sha256": "abc"},
        good | {"counts": {"captured": "3"}},
        good | {"format": "portalkeep-run"},
    ]
    for wrong in wrongs:
        assert list(errors(wrong, schema, schema))
