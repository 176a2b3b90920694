"""Listing pages as links, skips and the page that follows; the fixtures walked."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from ruamel.yaml import YAML

from crawler.config.portal import Portal
from crawler.errors import ConfigError, NotExtracted
from crawler.extract.listings.listing import extract_listing_from, seed_links
from crawler.item import Listing
from crawler.model import (
    Capture,
    HintValue,
    Kind,
    Link,
    Origin,
    Reason,
    Response,
    Skipped,
)

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8101"


# Any: configuration as YAML gives it, and keywords passed on.
def portal_of(listing: dict[str, Any], **other: Any) -> Portal:  # noqa: ANN401
    """Return a portal of one listing; items are under /a/."""
    given = {"id": "l", "from": "json", "url": f"{BASE}/list", **listing}
    return Portal.model_validate(
        {"id": "p", "items": [{"match": "^/a/"}], "listings": [given], **other}
    )


def capture_of(
    link: Link,
    payload: bytes,
    *,
    page: int = 1,
    status: int = 200,
    kind: str = "text/html; charset=utf-8",
    url: str | None = None,
    dom: tuple[bytes, ...] = (),
) -> Capture:
    """Return the capture of one response to a link."""
    main = Response(
        url=url or link.url,
        status=status,
        headers=((b"Content-Type", kind.encode()),),
        payload=payload,
        captured_at=AT,
    )
    return Capture("page", link, main, AT, page=page, dom=dom)


def read(
    portal: Portal,
    body: object,
    *,
    link: Link | None = None,
    **other: Any,  # noqa: ANN401 - as capture_of has them
) -> Listing:
    """Return the listing that a body (HTML text, or a value as JSON) gives."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    given = link or seed_links(portal)[0]
    capture = capture_of(given, text.encode(), **other)
    return extract_listing_from(capture, portal, config_digest="d", version="1")


def paths(links: Iterable[Link]) -> list[str]:
    """Return the links without the server's own address."""
    return [link.url.removeprefix(BASE) for link in links]


class Site:
    """A fixture portal answered from its files, as its server would."""

    def __init__(self, folder: Path) -> None:
        """Take the routes of a folder."""
        self.folder = folder
        self.routes = json.loads((folder / "routes.json").read_text("utf-8"))["routes"]
        self.manifest = json.loads((folder / "manifest.json").read_text("utf-8"))

    def answer(self, link: Link, page: int) -> Capture:
        """Return the capture of what the server says to a link."""
        parts = urlsplit(link.url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        hits = [
            route
            for route in self.routes
            if route["path"] == unquote(parts.path)
            and route.get("query", {}).items() <= query.items()
            and not any(query.get(name) for name in route.get("query_absent", []))
        ]
        if not hits:
            return capture_of(link, b"<h1>404</h1>", status=404, page=page)
        route = max(hits, key=lambda hit: len(hit.get("query", {})))
        sent = {name.lower(): value for name, value in link.headers}
        for name, needle in route.get("require_headers", {}).items():
            if needle not in sent.get(name.lower(), ""):
                return capture_of(link, b"{}", status=403, page=page)
        body = (self.folder / route["file"]).read_bytes()
        body = body.replace(b"{{BASE}}", BASE.encode())
        body = body.replace(b"{{HOST}}", BASE.removeprefix("http://").encode())
        if "X-Fixture-Gzip" in route.get("headers", {}):
            body = gzip.compress(body)
        return capture_of(link, body, kind=route["content_type"], page=page)

    def walk(self, portal: Portal, listing: str) -> list[Listing]:
        """Return a listing's pages in order, sitemaps' children among them."""
        waiting = [link for link in seed_links(portal) if link.listing == listing]
        seen: list[Listing] = []
        while waiting and len(seen) < 20:
            capture = self.answer(waiting.pop(0), page=len(seen) + 1)
            found = extract_listing_from(
                capture, portal, config_digest="d", version="1"
            )
            seen.append(found)
            waiting += [x for x in found.links if x.kind is Kind.LISTING]
            waiting += [found.next] if found.next else []
        assert not waiting
        return seen


def items_of(pages: Iterable[Listing]) -> list[str]:
    """Return the item pages that a walk found, each once, in order."""
    found = (x for page in pages for x in page.links if x.kind is Kind.ITEM)
    return list(dict.fromkeys(paths(found)))


FUTU = Portal.model_validate(
    {
        "id": "futu",
        "timezone": "Asia/Hong_Kong",
        "strip_params": ["level", "data_ticket"],
        "request": {"headers": {"Referer": f"{BASE}/"}},
        "items": [{"match": r"^/hk/post/(?P<external_id>\d+)"}],
        "listings": [
            {
                "id": "main",
                "from": "state",
                "url": f"{BASE}/hk/main",
                "state": {
                    "name": "window.__INITIAL_STATE__",
                    "rows": "prefetch.newsList.list",
                },
                "continue": {
                    "from": "json",
                    "url": f"{BASE}/news-site-api/main/get-market-list?size=50",
                    "params": {"seqMark": "{cursor}"},
                    "rows": "data.list",
                },
                "next": {
                    "cursor": "data.seqMark",
                    "first": "prefetch.newsList.seq_mark",
                    "more": "data.hasMore",
                },
                "ok": "code == `0`",
                "skip": [{"when": "type == 'activity'", "reason": "activity"}],
                "fields": {
                    "url": "url",
                    "title": "title",
                    "published": "timestamp",
                    "external_id": "newsId",
                    "source": "source",
                    "summary": "abstract",
                    "image": "pic",
                },
            },
            {
                "id": "flash",
                "kind": "flash",
                "from": "json",
                "url": f"{BASE}/news-site-api/main/get-flash-list?pageSize=30",
                "params": {"seqMark": "{cursor}"},
                "rows": "data.data.news",
                "next": {"cursor": "data.data.seqMark", "more": "data.data.hasMore"},
                "fields": {
                    "url": "detailUrl",
                    "external_id": "id",
                    "title": "title",
                    "body": "content",
                    "published": "time",
                    "tickers": "quote[]",
                },
            },
            {"id": "map", "from": "sitemap", "url": f"{BASE}/sitemap_index.xml"},
        ],
    }
)


@pytest.fixture
def futu(shared: Path) -> Site:
    """Give the portal with a state, a cursor API, flashes and sitemaps."""
    return Site(shared / "fixtures/portals/futu-like")


def test_walks_a_state_and_its_cursor_api(futu: Site) -> None:
    """State, then two JSON pages by cursor: each article once, the activity skipped."""
    pages = futu.walk(FUTU, "main")
    assert items_of(pages) == futu.manifest["listing_expected_urls"]
    assert len(pages) == futu.manifest["listing_expected_requests_max"]
    assert [page.rows for page in pages] == [4, 3, 1]
    assert [page.ended for page in pages] == [None, None, "more_false"]
    assert [page.next.token for page in pages if page.next] == [
        "1752489660",
        "1752438300",
    ]
    activity = f"{BASE}/activity/newuser?channel=1243"
    assert pages[0].skipped == (Skipped(activity, Reason.ROW_RULE, "activity"),)


def test_gives_what_the_rows_say_as_hints(futu: Site) -> None:
    """A link carries its row's fields raw, with their origin and time, and no url."""
    state, answer, _ = futu.walk(FUTU, "main")
    link = state.links[0]
    assert {name: value.values for name, value in link.hint.items()} == {
        "title": ("遠洲科技將投逾百億港元擴建數據中心，稱三年內算力翻兩番",),
        "published": ("1752541020",),
        "external_id": ("58800101",),
        "source": ("智通財經",),
        "summary": link.hint["summary"].values,
        "image": (f"{BASE}/img/58800101.png",),
    }
    assert link.hint["summary"].values[0].startswith("遠洲科技週一宣佈，未來三年將")
    assert {(x.origin, x.seen_at) for x in link.hint.values()} == {(Origin.STATE, AT)}
    assert {x.origin for x in answer.links[0].hint.values()} == {Origin.JSON}
    assert (link.listing, link.found_on) == ("main", f"{BASE}/hk/main")
    assert link.headers == (("Referer", f"{BASE}/"),)


def test_walks_the_flashes(futu: Site) -> None:
    """Of three rows two are items, and the one that names an article is its link."""
    pages = futu.walk(FUTU, "flash")
    expected = futu.manifest["flash_items"]
    merged = [x for x in expected if x["merges_into_article"]]
    whole = [x for x in expected if not x["merges_into_article"]]
    assert items_of(pages) == [x["url"] for x in merged]
    flashes = [flash for page in pages for flash in page.flashes]
    assert len(flashes) == len(whole) == 2
    for flash, wanted in zip(flashes, whole, strict=True):
        assert flash.kind == "flash"
        assert flash.external_id == wanted["external_id"]
        assert flash.url == BASE + wanted["url"]
        assert flash.title == wanted["title"]
        assert flash.body_text == wanted["body_text"]
        assert flash.published_at == datetime.fromisoformat(wanted["published_at"])
        assert flash.published_precision == "second"
        assert [ticker.symbol for ticker in flash.tickers] == wanted["tickers"]


def test_walks_the_sitemaps(futu: Site) -> None:
    """The index's children are listing pages of the same rule, a gzip file too."""
    pages = futu.walk(FUTU, "map")
    assert [x.kind for x in pages[0].links] == [Kind.LISTING, Kind.LISTING]
    assert {x.listing for x in pages[0].links} == {"map"}
    assert pages[0].rows == 2
    assert sorted(items_of(pages)) == sorted(futu.manifest["sitemap_expected_urls"])
    assert pages[1].links[0].hint["published"] == HintValue(
        ("2025-07-15T08:57:00+08:00",), Origin.SITEMAP, AT
    )


ZAKER = Portal.model_validate(
    {
        "id": "zaker",
        "timezone": "Asia/Shanghai",
        "items": [
            {"match": "^/article/(?P<external_id>[0-9a-f]{24})$"},
            {"match": r"^/wap/art_(?P<external_id>\d+)\.html$"},
        ],
        "listings": [
            {
                "id": "channel",
                "from": "state",
                "url": f"{BASE}/channel/13",
                "state": {"name": "WinPageData", "rows": "data.article"},
                "continue": {"from": "json", "rows": "data.article"},
                "next": {"url": "next_url.value"},
                "fields": {
                    "url": "url",
                    "title": "title",
                    "published": "date",
                    "source": "author_name",
                    "tags": "tag[].tag",
                },
            },
            {
                "id": "figures",
                "from": "rows",
                "url": f"{BASE}/channel/13",
                "rows": ".figure",
                "continue": {
                    "from": "json",
                    "rows": "data.article",
                    "fields": {"url": "json:url", "source": "json:author_name"},
                },
                "next": {"url": ["css:#nexturl::attr(value)", "json:next_url.value"]},
                "fields": {"source": "css:.source"},
                "skip": [{"when": "json:special_type == 'tag_ad'", "reason": "ad"}],
            },
            {
                "id": "gbk",
                "from": "rows",
                "url": f"{BASE}/wap/list_12_1.html",
                "rows": "ul.list li a",
                "next": {"url": "xpath://div[@class='page']/a[.='下一页']/@href"},
                "fields": {"title": "h3", "published": "em"},
            },
            {
                "id": "numbered",
                "from": "rows",
                "url": BASE + "/wap/list_12_{page}.html",
                "rows": "ul.list li",
                "next": {"page": {"last": 2}},
            },
        ],
    }
)


@pytest.fixture
def zaker(shared: Path) -> Site:
    """Give the portal with next URLs and GBK pages."""
    return Site(shared / "fixtures/portals/zaker-like")


@pytest.mark.parametrize("listing", ["channel", "figures"])
def test_walks_by_a_whole_url(zaker: Site, listing: str) -> None:
    """A next URL out of state or markup is followed until it is empty."""
    pages = zaker.walk(ZAKER, listing)
    assert items_of(pages) == zaker.manifest["listing_expected_urls"]["channel"]
    assert [page.ended for page in pages] == [None, "no_next"]
    off_scope, row_rule = Reason.OFF_SCOPE, Reason.ROW_RULE
    ad = "http://promo.invalid/go?id=77"
    assert (
        pages[1].skipped
        == {
            "channel": (Skipped(ad, off_scope, "promo.invalid"),),
            "figures": (Skipped(ad, row_rule, "ad"),),
        }[listing]
    )


def test_gives_several_tags(zaker: Site) -> None:
    """A field that may have many texts has them all, in order."""
    first = zaker.walk(ZAKER, "channel")[0].links[1]
    assert first.hint["tags"].values == ("腾野汽车", "召回", "电动车")
    assert first.hint["published"].values == ("07月14日",)


@pytest.mark.parametrize(
    ("listing", "ended"), [("gbk", "no_next"), ("numbered", "last_page")]
)
def test_walks_gbk_pages(zaker: Site, listing: str, ended: str) -> None:
    """Pages in GBK under a wrong name give whole titles, by link or by number."""
    pages = zaker.walk(ZAKER, listing)
    assert items_of(pages) == zaker.manifest["listing_expected_urls"]["gbk_list"]
    assert pages[-1].ended == ended
    title = pages[0].links[1].hint["title"].values[0]
    assert title.startswith("老厂房变身社区图书馆，三千㎡空间通宵开放")


@pytest.mark.parametrize("day", ["2025-07-15", "2025-07-14", "2025-07-13"])
def test_reads_a_page_of_a_day(zaker: Site, day: str) -> None:
    """A day's page, its links in markup that is none too good, gives its articles."""
    path = f"{day[:4]}/{day[5:7]}{day[8:]}"
    portal = portal_of(
        {
            "from": "rows",
            "url": f"{BASE}/scroll-news/{path}/news.shtml",
            "rows": ".dd_bt",
        },
        items=[{"match": "^/wap/art_"}],
    )
    wanted = zaker.manifest["listing_expected_urls"]["date_archive"][day]
    assert items_of(zaker.walk(portal, "l")) == wanted


FISHAI = Portal.model_validate(
    {
        "id": "fishai",
        "timezone": "Asia/Shanghai",
        "strip_params": ["from"],
        "items": [{"match": r"^/article/(?P<external_id>\d+)$"}],
        "listings": [
            {
                "id": "front",
                "from": "rows",
                "url": f"{BASE}/",
                "rows": "#list .card",
                "fields": {
                    "url": ["css:.card-title::attr(href)", "json:url"],
                    "published": ["css:time", "json:time"],
                },
                "continue": {
                    "from": "json",
                    "url": f"{BASE}/api/articles?size=2",
                    "params": {"page": "{page}"},
                    "rows": "data.list",
                    "fields": {"title": "json:title"},
                },
                "next": {"page": True},
            },
            {"id": "feed", "from": "feed", "url": f"{BASE}/feed.xml"},
        ],
    }
)


@pytest.fixture
def fishai(shared: Path) -> Site:
    """Give the portal with a load-more API and a feed."""
    return Site(shared / "fixtures/portals/fishai-like")


def test_walks_html_and_then_numbered_json(fishai: Site) -> None:
    """Cards, then JSON pages by number until one is empty; titles from both."""
    pages = fishai.walk(FISHAI, "front")
    wanted = fishai.manifest["listing_expected_urls"]["with_load_more"]
    assert items_of(pages) == wanted
    assert [page.ended for page in pages] == [None, None, "empty"]
    titles = [link.hint["title"].values[0][:6] for page in pages for link in page.links]
    assert titles == ["Meta將投", "腾野汽车召回", "端侧大模型跑", "Small "]
    assert [link.hint["published"].values[0] for link in pages[0].links] == [
        "7小时前",
        "昨天 22:10",
    ]


def test_reads_the_feed(fishai: Site) -> None:
    """A feed needs no rules; its links lose the tracking parameter."""
    (page,) = fishai.walk(FISHAI, "feed")
    assert items_of([page]) == fishai.manifest["feed_expected_urls"]
    assert page.ended == "no_next"
    assert page.links[0].hint["published"] == HintValue(
        ("Tue, 15 Jul 2025 06:52:00 +0800",), Origin.FEED, AT
    )
    assert page.links[0].hint["external_id"].values == ("fishai-like-1001",)


WALKS = [
    ("futu", "headlines", ("listing_expected_urls",), []),
    ("futu", "flash", (), ["/hk/post/58800138/tengye-recalls-31000-evs"]),
    ("futu", "sitemap", ("sitemap_expected_urls",), []),
    ("zaker", "channel", ("listing_expected_urls", "channel"), []),
    ("zaker", "gbk", ("listing_expected_urls", "gbk_list"), []),
    ("fishai", "home", ("listing_expected_urls", "with_load_more"), []),
    ("fishai", "feed", ("feed_expected_urls",), []),
]


@pytest.mark.parametrize(("portal", "listing", "where", "urls"), WALKS)
def test_walks_the_portals_as_they_are_configured(
    shared: Path, portal: str, listing: str, where: tuple[str, ...], urls: list[str]
) -> None:
    """The portal files of the tests lead to exactly the fixtures' articles."""
    text = (Path(__file__).parents[1] / f"portals/{portal}.yaml").read_text("utf-8")
    config = YAML(typ="safe").load(text.replace("${BASE}", BASE))
    site = Site(shared / f"fixtures/portals/{portal}-like")
    wanted: Any = site.manifest if where else urls  # Any: JSON of some shape
    for name in where:
        wanted = wanted[name]
    rules = Portal.model_validate(config["portals"][0])
    assert items_of(site.walk(rules, listing)) == wanted


# --- rows ---------------------------------------------------------------------------

FIELDS = {"url": "u", "title": "t"}


def test_makes_urls_absolute_and_cuts_them() -> None:
    """Every spelling of one address is one link; parameters named are cut."""
    portal = portal_of(
        {"rows": "@", "fields": FIELDS, "strip_params": "from"}, strip_params=["utm_*"]
    )
    spellings = [
        "/a/1?id=2",
        "a/1?id=2#top",
        f"{BASE}/a/1?utm_source=x&id=2&from=y",
        "//127.0.0.1:8101/a/1?id=2&utm_x",
        " HTTP://127.0.0.1:8101/a/1?id=2 ",
    ]
    found = read(portal, [{"u": url} for url in spellings])
    assert [link.url for link in found.links] == [f"{BASE}/a/1?id=2"]
    assert found.skipped == ()
    assert found.rows == len(spellings)


def test_counts_addresses_from_the_base_and_the_answering_url() -> None:
    """A redirect or a base element moves where relative addresses count from."""
    portal = portal_of({"from": "rows", "rows": "a"})
    page = '<a href="1">x</a>'
    moved = read(portal, page, url=f"{BASE}/a/b/list")
    based = read(portal, f'<base href="/a/c/">{page}')
    assert paths(moved.links) == ["/a/b/1"]
    assert paths(based.links) == ["/a/c/1"]


def test_encodes_unicode_urls_once() -> None:
    """Letters beyond ASCII are percent-encoded, what is encoded already stays so."""
    portal = portal_of({"rows": "@", "fields": FIELDS})
    rows = [
        {"u": "/a/標籤?q=中 文"},
        {"u": "/a/%E6%A8%99%E7%B1%A4?q=%E4%B8%AD%20%E6%96%87"},
    ]
    (link,) = read(portal, rows).links
    assert link.url == f"{BASE}/a/%E6%A8%99%E7%B1%A4?q=%E4%B8%AD%20%E6%96%87"


SKIPS = [
    ("javascript:void(0)", Reason.BAD_SCHEME, "javascript"),
    ("mailto:a@x.test", Reason.BAD_SCHEME, "mailto"),
    ("data:text/html,x", Reason.BAD_SCHEME, "data"),
    ("", Reason.BAD_URL, f"row without url on {BASE}/list"),
    ("  ", Reason.BAD_URL, f"row without url on {BASE}/list"),
    ("http://[x/", Reason.BAD_URL, ""),
    ("http://other.test/a/1", Reason.OFF_SCOPE, "other.test"),
    ("/a/private/1", Reason.EXCLUDED, "/private/"),
    ("/tag/x?y=1", Reason.NO_RULE, "/tag/x?y=1"),
    ("/a/" + "x" * 9000, Reason.URL_TOO_LONG, "9024 characters"),
]


@pytest.mark.parametrize(("address", "reason", "detail"), SKIPS)
def test_skips_with_a_reason(address: str, reason: Reason, detail: str) -> None:
    """A row that leads to no item page is skipped under its reason, not lost."""
    portal = portal_of(
        {"rows": "@", "fields": FIELDS}, scope={"exclude": ["/private/"]}
    )
    found = read(portal, [{"u": address, "t": "x"}, {"u": "/a/1"}])
    assert paths(found.links) == ["/a/1"]
    assert [(x.reason, x.detail) for x in found.skipped] == [(reason, detail)]
    assert len(found.skipped[0].url) <= 500


def test_takes_long_urls() -> None:
    """5,000 characters are a URL like any other."""
    portal = portal_of({"rows": "@", "fields": FIELDS})
    (link,) = read(portal, [{"u": "/a/1?x=" + "y" * 5000}]).links
    assert len(link.url) == len(f"{BASE}/a/1?x=") + 5000


def test_keeps_to_the_scope_that_is_given() -> None:
    """With hosts configured they are the scope, the listing's own need not be."""
    portal = portal_of({"rows": "@", "fields": FIELDS}, scope={"hosts": ["news.test"]})
    found = read(portal, [{"u": "http://m.news.test/a/1"}, {"u": "/a/1"}])
    assert [link.url for link in found.links] == ["http://m.news.test/a/1"]
    assert [x.reason for x in found.skipped] == [Reason.OFF_SCOPE]


def test_the_first_row_of_a_url_wins_and_others_add() -> None:
    """A second row of the same URL adds what the first did not say."""
    portal = portal_of({"rows": "@", "fields": {**FIELDS, "source": "s"}})
    (link,) = read(
        portal, [{"u": "/a/1", "t": "甲"}, {"u": "/a/1#x", "t": "乙", "s": "丙"}]
    ).links
    assert {name: x.values for name, x in link.hint.items()} == {
        "title": ("甲",),
        "source": ("丙",),
    }


def test_html_rows_need_no_fields() -> None:
    """An HTML row's address is its own or its first link's, so is its title."""
    portal = portal_of({"from": "rows", "rows": "li, a.own"})
    page = """<ul><li><b>x</b><a name=n>n</a><a href="/a/1"> 甲
      <i>乙</i></a><a href="/a/9">9</a></li>
      <li><a href="/a/2" title=" 題 "><img src=x></a></li><li>none</li></ul>
      <a class=own href=/a/3>丙</a>"""
    found = read(portal, page)
    assert [(link.url, link.hint["title"].values[0]) for link in found.links] == [
        (f"{BASE}/a/1", "甲乙"),
        (f"{BASE}/a/2", "題"),
        (f"{BASE}/a/3", "丙"),
    ]
    assert [x.reason for x in found.skipped] == [Reason.BAD_URL]


def test_skip_rules_look_at_html_rows() -> None:
    """On HTML rows a condition is an expression that finds something."""
    portal = portal_of(
        {
            "from": "rows",
            "rows": "p",
            "skip": [
                {"when": ".ad", "reason": "ad"},
                {"when": "re:推广$", "reason": "promo"},
                "xpath:self::p[@hidden]",
            ],
        }
    )
    page = """<p><a href=/a/1>x</a></p><p><a href=/a/2>x</a><i class=ad></i></p>
    <p><a href=/a/3>x</a> 推广</p><p hidden><a href=/a/4>x</a></p>"""
    found = read(portal, page)
    assert paths(found.links) == ["/a/1"]
    assert [(x.url[-4:], x.reason, x.detail) for x in found.skipped] == [
        ("/a/2", Reason.ROW_RULE, "ad"),
        ("/a/3", Reason.ROW_RULE, "promo"),
        ("/a/4", Reason.ROW_RULE, "skip_rule"),
    ]


def test_skip_rules_look_at_json_rows() -> None:
    """On JSON rows a condition is JMESPath, or a pattern in any of its texts."""
    skips = [{"when": "ad", "reason": "ad"}, {"when": "re:推广$", "reason": "promo"}]
    portal = portal_of({"rows": "@", "fields": FIELDS, "skip": [*skips, "css:.x"]})
    rows = [
        {"u": "/a/1", "ad": "0"},
        {"u": "/a/2", "ad": 1},
        {"u": "/a/3", "t": "甲 推广"},
        {"t": "推广", "u": ""},
    ]
    found = read(portal, rows)
    assert paths(found.links) == ["/a/1"]
    assert [x.detail for x in found.skipped] == ["ad", "promo", "promo"]


def test_an_image_is_seen_from_the_listing() -> None:
    """A hint's image is absolute: the item's page is no base for it."""
    portal = portal_of({"rows": "@", "fields": {**FIELDS, "image": "i"}})
    (link,) = read(portal, [{"u": "/a/1", "i": "i/1.png"}], url=f"{BASE}/x/list").links
    assert link.hint["image"].values == (f"{BASE}/x/i/1.png",)


def test_a_rule_that_finds_nothing_is_no_hint() -> None:
    """Fields without a value are absent; a title rule is not replaced by a guess."""
    portal = portal_of(
        {"from": "rows", "rows": "li", "fields": {"title": "h3", "source": ".s"}}
    )
    (link,) = read(portal, "<li><a href=/a/1>x</a><i class=s> </i></li>").links
    assert link.hint == {}


@pytest.mark.parametrize(
    ("form", "text", "hint"),
    [
        ("%d.%m.%Y", "05.07.2025", "2025-07-05"),
        ("%d/%m/%Y %H:%M", "05/07/2025 08:30", "2025-07-05T08:30:00+00:00"),
        ("%d.%m.%Y", "gestern", "gestern"),
    ],
)
def test_a_time_in_a_form_of_its_own_becomes_a_common_one(
    form: str, text: str, hint: str
) -> None:
    """Only the listing's rule knows the form, so the hint no longer needs it."""
    rule = {"path": "p", "format": form}
    portal = portal_of({"rows": "@", "fields": {**FIELDS, "published": rule}})
    (link,) = read(portal, [{"u": "/a/1", "p": text}]).links
    assert link.hint["published"].values == (hint,)


def test_unites_the_steps_of_a_rendered_page() -> None:
    """Rows that scrolled out of the document are still rows of the page."""
    portal = portal_of(
        {"from": "rows", "rows": "li", "next": {"url": "a.next::attr(href)"}}
    )
    one = "<li><a href=/a/1>甲</a></li><li><a href=/a/2>乙</a></li>"
    two = (
        "<li><a href=/a/2>乙</a></li><li><a href=/a/3>丙</a></li><a class=next href=/n>"
    )
    found = read(portal, "<p>shell</p>", dom=(one.encode(), two.encode()))
    assert paths(found.links) == ["/a/1", "/a/2", "/a/3"]
    assert found.next is not None
    assert found.next.url == f"{BASE}/n"


def test_reads_ten_thousand_rows_soon() -> None:
    """10,000 links on one page take seconds at most, HTML and JSON."""
    numbers = range(10_000)
    page = "".join(f"<li><a href=/a/{n}>標題 {n}</a><em>{n}</em></li>" for n in numbers)
    html = portal_of({"from": "rows", "rows": "li", "fields": {"published": "em"}})
    api = portal_of({"rows": "@", "fields": {**FIELDS, "published": "p"}})
    started = time.monotonic()
    found = [
        read(html, page),
        read(api, [{"u": f"/a/{n}", "t": "x", "p": n} for n in numbers]),
    ]
    assert [len(listing.links) for listing in found] == [10_000, 10_000]
    assert time.monotonic() - started < 20


# --- pages that are no listing --------------------------------------------------------


@pytest.mark.parametrize(
    ("listing", "body", "detail"),
    [
        ({"rows": "data"}, "<html>login</html>", "HTML where JSON was to come"),
        ({"rows": "data"}, {"data": []}, "listing rows 'json:data' matched nothing on"),
        ({"rows": "data"}, {}, "the layout may have changed"),
        ({"rows": "data[0].x"}, {"data": "x"}, "matched nothing"),
        (
            {"ok": "code == `0`", "rows": "d"},
            {"code": 5, "d": [{}]},
            "ok 'code == `0`'",
        ),
        ({"ok": "code", "rows": "d"}, {"d": [{}]}, "ok 'code' is not met on"),
        ({"ok": "n", "rows": "d"}, {"n": 0, "d": [{}]}, "ok 'n' is not met on"),
        (
            {"from": "rows", "rows": "a.notice"},
            "<a>x</a>",
            "rows 'css:a.notice' matched",
        ),
        (
            {"from": "state", "state": {"name": "X", "rows": "l"}},
            "<script>var Y={}</script>",
            "no state under variable 'X'; names on the page: 'Y'",
        ),
        (
            {"from": "state", "state": {"name": "X", "rows": "l"}},
            "<script>var X={l:[]}</script>",
            "listing rows 'json:l' matched nothing on",
        ),
        ({"from": "feed"}, "<html>login</html>", "no feed: its root is 'html'"),
        ({"from": "feed"}, "<rss><channel/></rss>", "rows 'feed' matched nothing"),
        ({"from": "sitemap"}, "<urlset/>", "rows 'sitemap' matched nothing"),
        (
            {"from": "feed"},
            "<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><item/></rss>",
            "the document declares entities",
        ),
    ],
)
def test_refuses_what_is_no_listing(
    listing: dict[str, Any], body: object, detail: str
) -> None:
    """A first page that is not what its rules say fails, it is not an empty one."""
    with pytest.raises(NotExtracted) as failed:
        read(portal_of(listing), body)
    assert failed.value.reason == Reason.BAD_LISTING
    assert detail in failed.value.detail
    assert len(failed.value.detail) < 400


CHALLENGE = "<title>Just a moment...</title><script>window._cf_chl_opt={}</script><p>x"


@pytest.mark.parametrize(
    "listing",
    [
        {"rows": "data"},
        {"from": "rows", "rows": "a"},
        {"from": "feed"},
        {"from": "state", "state": {"name": "X", "rows": "l"}},
    ],
)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_tells_a_challenge_from_a_changed_layout(
    listing: dict[str, Any], status: int
) -> None:
    """A challenge in the listing's place is blocked, whatever was to come."""
    with pytest.raises(NotExtracted) as failed:
        read(portal_of(listing), CHALLENGE, status=status)
    assert failed.value.reason == Reason.BLOCKED


def test_a_forbidden_listing_is_a_ban() -> None:
    """A listing is public: 403 says that it is us who are not to see it."""
    with pytest.raises(NotExtracted) as failed:
        read(portal_of({"rows": "@"}), [{}], status=403)
    assert (failed.value.reason, failed.value.detail) == ("blocked", "403")


@pytest.mark.parametrize("status", [204, 304, 401, 404, 500])
def test_refuses_other_statuses(status: int) -> None:
    """Only status 200 is a listing; the detail is the status."""
    with pytest.raises(NotExtracted) as failed:
        read(portal_of({"rows": "@"}), [{}], status=status)
    assert (failed.value.reason, failed.value.detail) == ("http_status", str(status))


def test_refuses_a_listing_that_is_not_configured() -> None:
    """A capture of a listing that the rules no longer have says so."""
    link = Link(f"{BASE}/list", Kind.LISTING, listing="gone")
    with pytest.raises(NotExtracted, match="no listing 'gone'"):
        read(portal_of({"rows": "@"}), [{}], link=link)


@pytest.mark.parametrize("body", [{"data": []}, {}])
def test_an_empty_further_page_ends_the_walk(body: object) -> None:
    """No rows on a page after the first are the walk's end, not a failure."""
    portal = portal_of(
        {"rows": "data", "next": {"page": True}, "params": {"p": "{page}"}}
    )
    assert read(portal, body, page=2) == Listing((), ended="empty")


def test_a_sitemap_of_itself_is_just_links() -> None:
    """An index that names itself gives its links; walking ends elsewhere."""
    portal = portal_of({"from": "sitemap", "url": f"{BASE}/map.xml"})
    index = """<sitemapindex><sitemap><loc>/map.xml</loc></sitemap>
    <sitemap><loc>http://other.test/map.xml</loc></sitemap></sitemapindex>"""
    found = read(portal, index)
    assert paths(found.links) == ["/map.xml"]
    assert found.links[0].kind is Kind.LISTING
    assert [x.reason for x in found.skipped] == [Reason.OFF_SCOPE]
    empty = read(portal, "<urlset/>", link=found.links[0])
    assert (empty.links, empty.ended) == ((), "empty")


def test_a_listing_without_its_rules_is_a_mistake_of_the_configuration() -> None:
    """Rows that nothing says how to find fail as configuration, by the listing's id."""
    with pytest.raises(ConfigError, match="listing 'l': from: rows wants rows:"):
        read(portal_of({"from": "rows"}), "<p>x</p>")
    with pytest.raises(ConfigError, match="listing 'l': from: state wants state:"):
        read(portal_of({"from": "state", "rows": "@"}), "<p>x</p>")
