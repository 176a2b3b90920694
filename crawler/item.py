"""The item envelope and what a listing gives: what extraction returns.

The envelope is published as a JSON Schema (``docs/schema/item.json``) and specified in
``docs/formats.md``.  Absent scalars are null, absent lists are empty; never "" and
never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from crawler.model import Link, Skipped

SCHEMA_VERSION = 1

Precision = Literal["second", "minute", "hour", "day"]
BlockType = Literal["paragraph", "heading", "quote", "list", "table", "image", "code"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Who published it: name as printed, its publisher and channel where known."""

    name: str | None = None
    publisher: str | None = None
    channel: str | None = None
    url: str | None = None


class Author(_Part):
    """A byline: the name alone, a profile's URL, the text it was read from."""

    name: str
    url: str | None = None
    raw: str | None = None


class Alternate(_Part):
    """Another address of the same item."""

    url: str
    kind: Literal["language", "amp", "print", "mobile"]
    language: str | None = None


class Summary(_Part):
    """A summary that is not the lead; origin tells who wrote it."""

    text: str
    origin: Literal["portal", "portal_ai", "extractive", "llm"]
    language: str | None = None


class KeyPoint(_Part):
    """One point of an AI summary; the emoji that leads it apart from its text."""

    emoji: str | None = None
    text: str


class Block(_Part):
    """One block of the body, in reading order.

    Attributes:
        text: of all but images; a list's or table's lines joined by newlines.
        level: of headings, 1 to 6.
        items: a list's entries.
        rows: a table's cells.
        url, caption: of images.
    """

    type: BlockType
    role: Literal["lead", "caption"] | None = None
    text: str | None = None
    level: int | None = None
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    url: str | None = None
    caption: str | None = None


class Image(_Part):
    """A picture of the item; position is its block's index, None for a cover apart."""

    url: str
    caption: str | None = None
    width: int | None = None
    height: int | None = None
    cover: bool = False
    position: int | None = None


class Video(_Part):
    """A video named in the item."""

    url: str
    caption: str | None = None
    position: int | None = None


class File(_Part):
    """A file the item offers."""

    url: str
    title: str | None = None
    media_type: str | None = None


class Ticker(_Part):
    """A listed security named in the item, mentions counted in title and body."""

    symbol: str
    name: str | None = None
    market: str | None = None
    mentions: int = 1


class TitledUrl(_Part):
    """A link with its text."""

    title: str | None = None
    url: str


class RecordPointer(_Part):
    """Where a record of the item's visit is; record_id is the identity."""

    record_id: str
    warc: str
    offset: int
    length: int
    payload_digest: str | None = None
    payload_record: str | None = None


class Extractor(_Part):
    """The code that made the item."""

    name: str
    version: str


class Provenance(_Part):
    """From which bytes, by which code and rules, each field was read.

    Attributes:
        records: the visit's records, the main one first; a deduplicated page's bytes
            are in its payload_record.
        fields: field name to method, such as ``css:h1``, ``hint:feed``, ``meta``.
    """

    records: tuple[RecordPointer, ...]
    dom_records: tuple[RecordPointer, ...] = ()
    target_uri: str
    captured_at: datetime
    run_id: str | None = None
    extractor: Extractor
    config_digest: str
    encoding: str | None = None
    encoding_method: str | None = None
    fields: dict[str, str] = {}
    extracted_at: datetime | None = None


class Item(_Part):
    """One item: the envelope of ``docs/formats.md``.

    Extraction leaves ``revision``, ``previous_hash`` and ``provenance.extracted_at``
    open; history and the sink fill them.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    revision: int | None = None
    kind: Literal["article", "flash", "file"]
    portal: str
    listing: str | None = None
    url: str
    canonical_url: str | None = None
    external_id: str | None = None
    alternates: tuple[Alternate, ...] = ()
    source: Source = Source()
    title: str | None = None
    subtitle: str | None = None
    authors: tuple[Author, ...] = ()
    editor: str | None = None
    published_at: datetime | None = None
    published_raw: str | None = None
    published_precision: Precision | None = None
    published_range: tuple[datetime, datetime] | None = None
    published_source: str | None = None
    modified_at: datetime | None = None
    modified_raw: str | None = None
    language: str | None = None
    languages: dict[str, str] = {}
    summary: Summary | None = None
    key_points: tuple[KeyPoint, ...] = ()
    lead: str | None = None
    blocks: tuple[Block, ...] = ()
    body_text: str | None = None
    images: tuple[Image, ...] = ()
    videos: tuple[Video, ...] = ()
    files: tuple[File, ...] = ()
    tags: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    tickers: tuple[Ticker, ...] = ()
    related: tuple[TitledUrl, ...] = ()
    links: tuple[TitledUrl, ...] = ()
    original_url: str | None = None
    paywalled: bool | None = None
    flags: tuple[str, ...] = ()
    content_hash: str | None = None
    item_hash: str | None = None
    previous_hash: str | None = None
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Paging:
    """How a listing goes on, as far as its page alone tells.

    Attributes:
        kind: ``link``, ``numbered``, ``button`` (a browser has to click), ``none``.
        url: of the following page; None of a button, of none, on the last page.
        evidence: what told.
    """

    kind: str
    url: str | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one listing page gives.

    Attributes:
        links: item pages to visit, in page order, each URL once.
        next: the following page of the walk, None at its end.
        flashes: items that are whole in their row (flash listings).
        skipped: rows that lead nowhere, each with its reason.
        rows: how many rows the rule found, skipped ones included.
        ended: why there is no next page, one word; None where there is one.
        old: URLs of links and ids of flashes from before the walk's ``since``.
        paging: how the page says that it goes on; ``from: auto`` alone looks.
    """

    links: tuple[Link, ...]
    next: Link | None = None
    flashes: tuple[Item, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    rows: int = 0
    ended: str | None = None
    old: frozenset[str] = frozenset()
    paging: Paging | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The newest revision of an item: what history knows of it.

    Attributes:
        extractor: name and version that made it, ``name/version``.
        config_digest: of the rules it was made by.
        record: id of the main record of the capture that the revision was made of.
        warc: where that is.
    """

    revision: int
    item_hash: str
    extractor: str
    config_digest: str
    record: str = ""
    warc: str = ""
