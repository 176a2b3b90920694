"""One crawl over everything a portal may do wrong: each URL ends with its reason."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from crawler.model import Reason
from crawler.warc.verify import verify_file
from tests.crawling import Ran, Workplace, consistent, plain, portal
from tests.site.portal import (
    Handler,
    Portal,
    article,
    endless,
    listing,
    page,
    raw,
    redirect,
    reset,
    serving,
    silent,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.warc.cdxj import CdxLine
    from tests.site.portal import Behaviour

MAX_PARSE = 2_000_000
MAX_RECORD = 60_000_000
OFF = "http://elsewhere.localhost/item/x"
LONG = "/item/long?" + "a" * 5_000
TOO_LONG = "/item/too-long?" + "a" * 9_000


def bomb(megabytes: int) -> bytes:
    """Return gzip of zeros, about a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def coded(body: bytes, coding: str) -> Behaviour:
    """Return a page under a Content-Encoding, whatever it really is."""
    return page(body, headers=[("Content-Encoding", coding)])


def set_cookie(handler: Handler) -> None:
    """Set the cookie that the next page asks for."""
    page(article("cookie set"), headers=[("Set-Cookie", "seen=yes; Path=/")])(handler)


def need_cookie(handler: Handler) -> None:
    """Show the item to who has the cookie."""
    known = "seen=yes" in handler.asked.headers.get("Cookie", "")
    (page(article("cookie seen")) if known else page("who are you", 403))(handler)


GARBAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\xff\xfe\xe6\x96\x87: \x00\x01\r\n"
    b"no colon here\r\nContent-Length: %d\r\n\r\n%s"
)
GOOD = article("behind garbage").encode()

ROUTES: dict[str, Behaviour] = {
    "/item/good": page(article("good")),
    "/item/empty": page(""),
    "/item/binary": page(bytes(range(256)) * 40, content_type="image/png"),
    "/item/unlabelled": page(bytes(range(256)) * 41, content_type=None),
    "/item/huge": page(article("huge", more="<p>filling</p>" * 3_600_000)),
    "/item/endless": endless,
    "/item/bomb": coded(bomb(1024), "gzip"),
    "/item/plain-as-gzip": coded(article("plain after all").encode(), "gzip"),
    "/item/garbage-as-br": coded(b"\x00\xff\x13garbage" * 40, "br"),
    "/item/cut-gzip": coded(gzip.compress(article("cut").encode() * 9)[:-60], "gzip"),
    "/item/header-garbage": raw(GARBAGE % (len(GOOD), GOOD)),
    "/item/no-http": raw(b"\x16\x03\x01 this is no HTTP\r\n\r\n"),
    "/item/loop-a": redirect("/item/loop-b"),
    "/item/loop-b": redirect("/item/loop-a"),
    "/item/to-itself": redirect("/item/to-itself"),
    "/item/to-good": redirect("/item/good"),
    "/item/off-scope": redirect(OFF),
    "/item/nowhere": redirect("javascript:void(0)"),
    "/item/chain-0": redirect("/item/chain-1"),
    **{f"/item/chain-{n}": redirect(f"/item/chain-{n + 1}") for n in range(1, 12)},
    "/item/faulty": page(article("faulty")),
    "/item/surrogate": page(article("half \\ud800 &#xD800; pair")),
    LONG: page(article("long address")),
    TOO_LONG: page(article("never asked for")),
    "/item/claims": page(
        article("claims", head='<link rel=canonical href="/item/good">')
    ),
    "/item/reset": reset,
    "/item/silent": silent,
    "/item/later": turns(
        page("later", 503, [("Retry-After", "0")]), page(article("later"))
    ),
    "/item/reset-once": turns(reset, page(article("at last"))),
    "/item/never": page("never", 503),
    "/item/busy": page("busy", 429),
    "/item/missing": page("missing", 404),
    "/item/teapot": page("teapot", 418),
    "/item/shut": page(article("shut")),
    "/item/cookie-1": set_cookie,
    "/item/short-length": raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + GOOD
    ),
    "/item/deep": page("<div>" * 40_000 + article("deep")),
    "/item/text": page("just a line of text", content_type="text/plain"),
    "/item/nul": page(article("nul \x00 in title")),
    "/robots.txt": page("User-agent: *\nDisallow: /item/shut\n", content_type=None),
}
NOT_LISTED = {
    "/item/loop-b",
    "/robots.txt",
    *(f"/item/chain-{n}" for n in range(1, 12)),
}
LISTED = [url for url in ROUTES if url not in NOT_LISTED]
ODD_LINKS = [
    "javascript:void(0)",
    "mailto:desk@portal.example",
    "ftp://files.localhost/item/1",
    "http://[broken/item/1",
    "/item/good#comments",
    "/item/good?utm_source=feed&utm_medium=mail",
    "/about",
    "http://elsewhere.localhost/item/1",
    "",
]

FAILED: dict[str, Reason] = {
    "loop-a": Reason.REDIRECT_LOOP,
    "to-itself": Reason.REDIRECT_LOOP,
    "chain-0": Reason.REDIRECT_LIMIT,
    "faulty": Reason.CALLBACK,
    "reset": Reason.DISCONNECTED,
    "silent": Reason.TIMEOUT,
    "never": Reason.HTTP_STATUS,
    "busy": Reason.HTTP_STATUS,
    "no-http": Reason.BAD_RESPONSE,
    "short-length": Reason.TRUNCATED,
}
SKIPPED: dict[str, Reason] = {"off-scope": Reason.OFF_SCOPE, "shut": Reason.ROBOTS}
NO_ITEM: dict[str, Reason] = {
    "empty": Reason.NOT_A_PAGE,
    "binary": Reason.NOT_A_PAGE,
    "unlabelled": Reason.NOT_A_PAGE,
    "huge": Reason.TOO_LARGE,
    "endless": Reason.TOO_LARGE,
    "bomb": Reason.TOO_LARGE,
    "garbage-as-br": Reason.NOT_DECODABLE,
    "cut-gzip": Reason.TRUNCATED,
    "nowhere": Reason.HTTP_STATUS,
    "missing": Reason.HTTP_STATUS,
    "teapot": Reason.HTTP_STATUS,
}
ITEMS = [
    *("good", "plain-as-gzip", "header-garbage", "to-good", LONG, "claims"),
    *("later", "reset-once", "cookie-1", "cookie-2", "surrogate", "nul"),
    *("deep", "text"),
]


def routes() -> dict[str, Behaviour]:
    """Return the portal's table."""
    return {
        **ROUTES,
        "/latest": page(listing([*LISTED, *ODD_LINKS], then="/latest?p=2")),
        "/latest?p=2": page(listing(["/item/cookie-2"])),
        "/item/cookie-2": need_cookie,
    }


class Site:
    """The one crawl that the tests look at."""

    def __init__(self, served: Portal, place: Workplace, ran: Ran) -> None:
        self.served = served
        self.place = place
        self.ran = ran
        self.endings = place.endings()

    def ending(self, name: str) -> tuple[str, str | None, str]:
        """Return how an item URL ended."""
        path = name if name.startswith("/") else f"/item/{name}"
        return self.endings[f"{self.served.base}{path}"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Crawl the portal once."""
    with serving(routes()) as served:
        place = Workplace(
            tmp_path_factory.mktemp("bad"),
            [
                portal(
                    served.base,
                    strip_params=["utm_*"],
                    crawl={
                        "max_parse": MAX_PARSE,
                        "timeout": "3s",
                        "retries": 1,
                        "max_redirects": 5,
                        "concurrency": 16,
                    },
                )
            ],
            {"warc": {"max_record": MAX_RECORD}},
        )
        yield Site(served, place, place.run("crawl", faulty="/item/faulty"))


@pytest.mark.parametrize("name", FAILED)
def test_failed(site: Site, name: str) -> None:
    """What gave no good response is a failure with its reason."""
    assert site.ending(name)[:2] == ("failed", FAILED[name])


@pytest.mark.parametrize("name", SKIPPED)
def test_skipped(site: Site, name: str) -> None:
    """What may not be visited is skipped with its reason."""
    assert site.ending(name)[:2] == ("skipped", SKIPPED[name])


@pytest.mark.parametrize("name", NO_ITEM)
def test_captured_without_an_item(site: Site, name: str) -> None:
    """What is no item page is kept and gives no item, with a reason."""
    assert site.ending(name)[:2] == ("captured", NO_ITEM[name])


@pytest.mark.parametrize("name", ITEMS, ids=lambda name: name[:20])
def test_item(site: Site, name: str) -> None:
    """What can be read is an item in spite of it all."""
    assert site.ending(name)[:2] in (("captured", None), ("revisited", None))


def test_every_url_ends_once_and_counts_add_up(site: Site) -> None:
    """Manifest, segment manifests and decision log agree, and nothing is left."""
    result = site.ran.of()
    assert result["exit_code"] == 0, result
    consistent(site.place, result)
    listed = {f"{site.served.base}{url}" for url in LISTED if url != TOO_LONG}
    assert listed <= site.endings.keys()


def test_links_that_lead_nowhere_are_skipped_each_with_a_reason(site: Site) -> None:
    """Schemes, broken, long, foreign and empty links are counted; none is fetched."""
    rows = site.place.decisions()
    found = {row["url"]: row.get("reason") for row in rows if "kind" not in row}
    assert found["javascript:void(0)"] == Reason.BAD_SCHEME
    assert found["mailto:desk@portal.example"] == Reason.BAD_SCHEME
    assert found["ftp://files.localhost/item/1"] == Reason.BAD_SCHEME
    assert found["http://[broken/item/1"] == Reason.BAD_URL
    assert found[""] == Reason.BAD_URL
    assert found[f"{site.served.base}/about"] == Reason.NO_RULE
    assert found["http://elsewhere.localhost/item/1"] == Reason.OFF_SCOPE
    assert Reason.URL_TOO_LONG in found.values()
    assert site.served.hits["/about"] == site.served.hits[TOO_LONG] == 0


def test_fragments_and_tracking_parameters_are_one_url(site: Site) -> None:
    """A link with a fragment or tracking parameters is the link without them."""
    asked = [target for target in site.served.hits if target.startswith("/item/good")]
    assert asked == ["/item/good"]
    assert site.served.hits["/item/good"] == 2  # once as the end of a redirect


def test_whole_record_of_a_page_too_large_to_read(site: Site) -> None:
    """A page beyond max_parse is archived whole all the same."""
    (line,) = _lines(site, "/item/huge")
    record = site.place.record_of(line.filename, line.offset, line.length)
    assert record.block.size > 50_000_000
    assert record.header("WARC-Truncated") is None


def test_endless_page_is_cut_once_and_marked(site: Site) -> None:
    """A page without an end is cut at max_record, and not asked for again."""
    (line,) = _lines(site, "/item/endless")
    record = site.place.record_of(line.filename, line.offset, line.length)
    assert record.header("WARC-Truncated") == "length"
    assert record.block.size == MAX_RECORD
    assert site.served.hits["/item/endless"] == 1


def test_warcs_are_whole(site: Site) -> None:
    """Every record of it all reads back with its digests."""
    for path in site.place.warcs():
        assert list(verify_file(path, read_data=True)) == []


def test_replay_and_extract_agree_with_it(site: Site) -> None:
    """Nothing of this makes a mode differ from another."""
    stored = plain(site.place.items())
    place = site.place
    place.portals[0]["crawl"]["retry_delay"] = "30s"  # nobody waits in a replay
    for job in ("replay", "extract"):
        answer = place.run(job, faulty="/item/faulty", ports=[]).answer
        assert answer["differences"] == []
        made = {(row["id"], row["revision"]) for row in answer["items"]}
        assert made == set(stored)


def _lines(site: Site, path: str) -> list[CdxLine]:
    url = f"{site.served.base}{path}"
    collection = site.place.collection
    return [
        line
        for segment in site.place.segments()
        for line in collection.lines(segment)
        if line.url == url and line.status is not None
    ]
