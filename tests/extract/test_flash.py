"""Rows that are items themselves: what they give, and what is not made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.config.portal import Portal
from crawler.extract.hashes import content_hash, item_hash, item_id
from crawler.extract.listings.listing import extract_listing_from, seed_links
from crawler.item import Item, Listing
from crawler.model import (
    Capture,
    HintValue,
    Origin,
    Reason,
    RecordRef,
    Response,
    Skipped,
)

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8101"
ROW = {
    "id": 17400210,
    "time": "1752558840",
    "title": "",
    "content": "港股午後走強，航運板塊領漲。",
    "url": "/hk/flash/17400210",
    "from": "甲報",
    "tags": ["港股", "航運"],
    "codes": ["600999.SH"],
}
FIELDS = {
    "url": "url",
    "external_id": "id",
    "title": "title",
    "body": "content",
    "published": "time",
    "source": "from",
    "tags": "tags",
    "tickers": "codes",
}


def portal_of(listing: dict[str, Any]) -> Portal:
    """Return a portal of one flash listing; articles are under /a/."""
    given: dict[str, Any] = {
        "id": "f",
        "from": "json",
        "kind": "flash",
        "url": f"{BASE}/flash",
    }
    given |= {"rows": "@", "fields": FIELDS, **listing}
    return Portal.model_validate(
        {
            "id": "p",
            "timezone": "Asia/Hong_Kong",
            "items": [{"match": "^/a/"}],
            "listings": [given],
        }
    )


def record(number: int) -> RecordRef:
    """Return where a record is."""
    return RecordRef(f"urn:uuid:{number}", "x.warc.gz", number, 10, f"{BASE}/flash", AT)


def read(rows: object, listing: dict[str, Any] | None = None) -> Listing:
    """Return the flash listing that rows (or a page) give, over two hops."""
    portal = portal_of(listing or {})
    text = rows if isinstance(rows, str) else json.dumps(rows)
    main = Response(f"{BASE}/flash", 200, (), text.encode(), AT, ref=record(2))
    capture = Capture(
        "page",
        seed_links(portal)[0],
        main,
        AT,
        hops=(record(1), record(2)),
        run_id="r",
    )
    return extract_listing_from(capture, portal, config_digest="d", version="1")


def flash_of(row: dict[str, Any], listing: dict[str, Any] | None = None) -> Item:
    """Return the one item that one row gives."""
    found = read([row], listing)
    assert (found.links, found.skipped) == ((), ())
    (item,) = found.flashes
    return item


def test_a_row_is_an_item() -> None:
    """A row's fields are the item's, the listing's records its provenance."""
    item = flash_of(ROW)
    assert item.kind == "flash"
    assert (item.portal, item.listing, item.external_id) == ("p", "f", "17400210")
    assert item.url == f"{BASE}/hk/flash/17400210"
    assert item.title is None
    assert item.body_text == "港股午後走強，航運板塊領漲。"
    assert [(x.type, x.text) for x in item.blocks] == [("paragraph", item.body_text)]
    assert item.published_at == datetime.fromisoformat("2025-07-15T13:54:00+08:00")
    assert item.published_precision == "second"
    assert (item.published_raw, item.published_source) == ("1752558840", "json")
    assert item.source.name == "甲報"
    assert item.tags == ("港股", "航運")
    assert [(x.symbol, x.market, x.name) for x in item.tickers] == [
        ("600999.SH", "SH", None)
    ]
    assert item.flags == ()


def test_an_item_names_its_records() -> None:
    """The provenance points at the answer's record first, then at its redirect."""
    provenance = flash_of(ROW).provenance
    assert [x.record_id for x in provenance.records] == ["urn:uuid:2", "urn:uuid:1"]
    assert (provenance.config_digest, provenance.extractor.version) == ("d", "1")
    assert (provenance.run_id, provenance.captured_at) == ("r", AT)
    assert provenance.fields["body"] == "json:content"
    assert "title" not in provenance.fields
    assert provenance.extracted_at is None


def test_an_item_is_hashed() -> None:
    """Both hashes are those of every other item."""
    item = flash_of(ROW)
    assert item.content_hash == content_hash(None, item.body_text)
    assert item.item_hash == item_hash(item)


def test_an_items_identity_is_its_number() -> None:
    """The portal's number decides, apart from an article of the same number."""
    one, other = flash_of(ROW), flash_of({**ROW, "content": "x", "url": "/f/2"})
    assert one.id == other.id
    assert one.item_hash != other.item_hash
    assert one.id != item_id("p", "external_id", "17400210")


def test_an_item_without_a_number_is_its_url_or_its_text() -> None:
    """Without a number the row's URL decides, without that its words."""
    by_url = flash_of({"content": "x", "url": "/f/1"})
    assert by_url.id == item_id("p", "url", f"{BASE}/f/1")
    by_text, other = flash_of({"content": "x"}), flash_of({"content": "y"})
    assert by_text.url == other.url == f"{BASE}/flash"
    assert by_text.id != other.id
    assert by_text.id == flash_of({"content": "x", "tags": ["t"]}).id


@pytest.mark.parametrize("address", ["", None, "javascript:void(0)", "http://["])
def test_a_row_needs_no_url(address: str | None) -> None:
    """A row that leads nowhere is an item still, at the listing's URL."""
    assert flash_of({**ROW, "url": address}).url == f"{BASE}/flash"


def test_a_row_that_names_an_article_is_its_link() -> None:
    """A row whose URL matches an item rule is a link with a hint and nothing else."""
    found = read([{**ROW, "title": "甲", "url": "/a/1"}])
    assert (found.flashes, found.skipped) == ((), ())
    (link,) = found.links
    assert link.url == f"{BASE}/a/1"
    assert sorted(link.hint) == ["external_id", "published", "source", "tags", "title"]
    assert link.hint["published"] == HintValue(("1752558840",), Origin.JSON, AT)


def test_a_row_that_leads_out_of_scope_is_skipped() -> None:
    """Advertisements among the flashes are no items."""
    found = read([{**ROW, "url": "http://ad.test/x"}])
    skip = Skipped("http://ad.test/x", Reason.OFF_SCOPE, "ad.test")
    assert (found.flashes, found.skipped) == ((), (skip,))


def test_a_row_without_words_is_skipped() -> None:
    """Neither title nor text is no item, and counted."""
    found = read([{"id": 1, "url": "/f/1", "content": " "}])
    assert found.flashes == ()
    assert [x.reason for x in found.skipped] == [Reason.NOT_A_PAGE]


def test_a_row_twice_is_one_item() -> None:
    """The first row of one number wins."""
    found = read([ROW, {**ROW, "content": "x"}])
    assert [x.body_text for x in found.flashes] == [ROW["content"]]
    assert found.rows == 2


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            "<p>一</p><p>二<br>三 &amp; 四</p><script>x</script>",
            ["一", "二", "三 & 四"],
        ),
        ("一\r\n\n 二 ", ["一", "二"]),
        ("a < b, c > d", ["a < b, c > d"]),
        ("AT&amp;T", ["AT&T"]),
        ("x\ud800", ["x\ufffd"]),
    ],
)
def test_reads_html_that_apis_put_into_a_field(content: str, lines: list[str]) -> None:
    """A body of HTML gives its lines, one of text its own."""
    item = flash_of({**ROW, "content": content})
    assert [block.text for block in item.blocks] == lines
    assert item.body_text == "\n\n".join(lines)
    assert item.model_dump_json()


def test_counts_relative_times_from_the_first_capture() -> None:
    """A relative time of a row has the precision it says."""
    item = flash_of({**ROW, "time": "5分钟前"})
    assert item.published_at == datetime(2025, 7, 15, 5, 55, tzinfo=UTC)
    assert item.published_precision == "minute"


@pytest.mark.parametrize(
    ("codes", "rule", "tickers"),
    [
        (["09871.HK", "BTC.CC"], "codes", [("09871.HK", None), ("BTC.CC", None)]),
        (
            [{"code": "09871.HK", "name": "騰野汽車"}, {"code": "1.HK", "name": "1"}],
            "codes",
            [("09871.HK", "騰野汽車"), ("1.HK", None)],
        ),
        ([{"code": "09871.HK"}], "codes[].code", [("09871.HK", None)]),
        (["騰野", "", None, 5, {"x": 1}], "codes", []),
        (None, "codes", []),
    ],
)
def test_reads_tickers_as_texts_or_objects(
    codes: object, rule: str, tickers: list[tuple[str, str | None]]
) -> None:
    """Symbols come as texts or as objects; what is no symbol is none."""
    fields = {**FIELDS, "tickers": rule}
    item = flash_of({**ROW, "codes": codes}, {"fields": fields})
    assert [(x.symbol, x.name) for x in item.tickers] == tickers


def test_reads_tickers_of_the_text_too() -> None:
    """What the text names stands after the row's own, without its marks."""
    content = "$Meta Platforms (META.US)$ 與騰野（09871.HK）走高，META.US 再升"
    item = flash_of({**ROW, "content": content, "codes": ["09871.HK", "1.HK"]})
    assert item.body_text == content.replace("$", "")
    assert [(x.symbol, x.name, x.mentions) for x in item.tickers] == [
        ("09871.HK", "與騰野", 1),
        ("1.HK", None, 0),
        ("META.US", "Meta Platforms", 2),
    ]


def test_tells_the_language_of_each_part() -> None:
    """The body's language is the item's; what cannot be told is the portal's."""
    item = flash_of(
        {**ROW, "from": "财联社", "title": "Container rates fall for a fifth week"}
    )
    assert item.language == "zh-Hant"
    assert item.languages == {
        "title": "en",
        "body": "zh-Hant",
        "tags": "zh-Hant",
        "source": "zh-Hans",
    }


def test_reads_flashes_from_html() -> None:
    """HTML rows without a link are flash items too."""
    page = "<ul><li><i>13:54</i><b>快訊一則</b></li><li><i>13:50</i><b>二</b></li></ul>"
    listing = {
        "from": "rows",
        "rows": "li",
        "fields": {"published": "i", "body": "b"},
    }
    items = read(page, listing).flashes
    assert [x.body_text for x in items] == ["快訊一則", "二"]
    assert items[0].published_at == datetime(2025, 7, 15, 5, 54, tzinfo=UTC)
    assert items[0].published_source == "rows"
