"""A server with every way of listing, and the traps that such lists set.

``ROUTES`` is the table for `tests.site.portal`; each list is under a path of its own,
and leads to items of its name: ``/item/m4-7``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.site.portal import Behaviour, Handler, article, json_page, listing, page

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
TODAY = NOON.date()
Row = dict[str, Any]


def row(name: str, number: int, **more: Any) -> Row:  # noqa: ANN401 - JSON
    """Return a row as the APIs have it."""
    return {"url": f"/item/{name}-{number}", "title": f"{name} {number}", **more}


def links(name: str, *numbers: int) -> list[str]:
    """Return the addresses of items."""
    return [f"/item/{name}-{number}" for number in numbers]


def query(handler: Handler) -> dict[str, str]:
    """Return the parameters that were asked for."""
    return dict(parse_qsl(handler.asked.target.partition("?")[2]))


def answering(answer: Callable[[dict[str, str]], Any]) -> Behaviour:
    """Return what answers parameters with JSON."""
    return lambda handler: json_page(answer(query(handler)))(handler)


# M1: server rows, numbered


def repeating(handler: Handler) -> None:
    """Repeat the last of two pages for every later number."""
    number = min(int(query(handler)["p"]), 2)
    page(listing(links("endless", number)))(handler)


# M2: state in the page

STATE = (
    "<script>window._lang={newFormat:!0},window.__INITIAL_STATE__= {feed:{list:["
    "{url:'/item/m2-1', title:\"m2 \\u0031\","
    " at:new Date(1784106000000), hot:undefined,},"
    "{url:'/item/m2-2', title:'m2 2',},],next:'/m2/more?after=2'}},"
    "window._params={uid: 0,}</script>"
)
FLAT: list[Any] = [
    ["ShallowReactive", 1],
    {"data": 2, "self": 1},
    ["Reactive", 3],
    {"news": 4, "none": -1},
    [5, 8],
    {"url": 6, "title": 7},
    "/item/nuxt-1",
    "nuxt 1",
    {"url": 9, "title": 7},
    "/item/nuxt-2",
]
NUXT_2 = "<script>window.__NUXT__=(function(a,b){return {data:[a]}}(1,2))</script>"

# M3 to M6: APIs

OFFSET = [row("m4", number) for number in range(1, 6)]
PINNED = row("m4", 0, top=True)
TIMES = {1: 900, 2: 800, 3: 800, 4: 800, 5: 700, 6: 600}
OLD_PIN = row("m6", 99, ctime=5, top=1)


def by_page(asked: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Give two rows a page, none on the third."""
    number = int(asked["page"])
    rows = [row("m3", 2 * number - 1), row("m3", 2 * number)] if number < 3 else []
    return {"code": 0, "result": {"data": rows}}


def by_offset(asked: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Give two rows of three asked for, and on top of every page a pinned one."""
    offset = int(asked["offset"])
    return {"list": [PINNED, *OFFSET[offset : offset + 2]]}


def by_cursor(asked: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Say for ever that there is more, with the last cursor again."""
    at = {"": 1, "a": 2, "b": 3}[asked.get("seq", "")]
    return {
        "rows": [row("m5", at)],
        "seq": {1: "a", 2: "b", 3: "b"}[at],
        "more": True,
    }


def in_a_circle(asked: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Give cursors that lead back: a, b, c, a."""
    at = {"": 0, "a": 1, "b": 2, "c": 3}[asked.get("seq", "")]
    return {"rows": [row("circle", at)], "seq": "abca"[at]}


def by_time(asked: dict[str, str], *, inclusive: bool) -> Any:  # noqa: ANN401 - JSON
    """Give three rows not after (or before) a time, and an old one that is pinned."""
    sent = int(asked.get("last_time", 10_000))
    limit = sent if inclusive else sent - 1
    name = "m6" if inclusive else "m6x"
    rows = [row(name, n, ctime=t) for n, t in TIMES.items() if t <= limit][:3]
    return {"data": [OLD_PIN, *rows] if inclusive else rows}


def heedless(_: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Give the same new rows and pages whatever time is asked for."""
    return {"data": [row("heedless", n, ctime=900 - n) for n in (1, 2)]}


def signature(query: dict[str, str], body: str) -> dict[str, str]:
    """Sign a request as the portal's own script does."""
    text = "&".join(f"{name}={query[name]}" for name in sorted(query)) + body
    inner = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return {"sign": hashlib.md5(inner.encode(), usedforsecurity=False).hexdigest()}


def signed(handler: Handler) -> None:
    """Answer requests that are signed, else say so with status 200."""
    asked = query(handler)
    sign = asked.pop("sign", "")
    if signature(asked, "")["sign"] != sign:
        json_page({"errno": 10_012})(handler)
    else:
        json_page(by_time(asked, inclusive=True))(handler)


# M7, scripts


def script(number: int, callback: str) -> Behaviour:
    """Return what calls back with rows in GBK, without saying that it is."""
    title = f"国内新闻第{number}条：各地发布年度报告"
    rows = f"[{{url:'/item/m7-{number}',title:'{title}',}},]"
    text = f"/* feed */ {callback}({rows});// end"
    return page(text.encode("gbk"), content_type="application/javascript")


# M8, forms that are posted


def posted(handler: Handler) -> None:
    """Give a page by its number in the body; with 200 say that the third is none."""
    asked = json.loads(handler.asked.body or b"{}")
    number = int(asked.get("pageidx", 0))
    fine = number in (1, 2) and asked["channel"] == 7
    items = [row("m8", number)] if fine else []
    json_page({"code": 0 if fine else 1, "Items": items})(handler)


# M10, M11: feeds and sitemaps

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><item><title>rss 1</title>
<link>/item/rss-1</link><pubDate>Wed, 15 Jul 2026 08:30:10 GMT</pubDate></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>atom 1</title>
<link href="/item/atom-1"/><published>2026-07-15T08:30:11Z</published>
<updated>2026-07-15T09:30:12Z</updated></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<item rdf:about="/item/rdf-1"><title>rdf 1</title><link>/item/rdf-1</link>
<dc:date>2026-07-15T08:30:13Z</dc:date></item></rdf:RDF>"""
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "items": [
        {
            "id": "1",
            "url": "/item/jsonfeed-1",
            "title": "jsonfeed 1",
            "date_published": "2026-07-15T08:30:14Z",
        }
    ],
}
_GROWING = (
    f'<!ENTITY {x} "{entity * 100}">'
    for x, entity in zip("bcde", ("&a;", "&b;", "&c;", "&d;"), strict=True)
)
BOMB = (
    f'<!DOCTYPE rss [<!ENTITY a "{"ha" * 50}">{"".join(_GROWING)}]>'
    "<rss><channel><item><title>&e;</title><link>/item/bomb-1</link></item>"
    "</channel></rss>"
)
"""A feed of less than 3 kB whose one title would have 10 GB."""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>/m11/index.xml</loc></sitemap><sitemap><loc>/m11/pages.xml.gz</loc>
</sitemap><sitemap><loc>/m11/news.xml</loc></sitemap></sitemapindex>"""
PAGES = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url>
<loc>/item/m11-1</loc><lastmod>2026-07-14T07:00:05Z</lastmod></url><url>
<loc>/item/m11-2</loc><lastmod>2026-07-13T07:00:06Z</lastmod></url></urlset>"""
NEWS = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>/item/m11-3</loc>
<news:news><news:publication_date>2026-07-15T06:00:07Z</news:publication_date>
<news:title>m11 3</news:title></news:news></url></urlset>"""


def nesting(handler: Handler) -> None:
    """Name one more sitemap in every sitemap."""
    number = int(query(handler).get("n", 0)) + 1
    page(
        f"<sitemapindex><sitemap><loc>/nest.xml?n={number}</loc></sitemap>"
        "</sitemapindex>",
        content_type="text/xml",
    )(handler)


# M12: a page a day

CHANGE_ON = date(2026, 7, 13)
QUIET = (date(2026, 7, 14), date(2026, 7, 11))


def day_pages() -> dict[str, Behaviour]:
    """Return six days: two of an older layout, one empty, one not there."""
    routes: dict[str, Behaviour] = {}
    for back in range(6):
        day = TODAY - timedelta(days=back)
        then = links("m12", day.day)
        if day >= CHANGE_ON:
            path = f"/m12/{day:%Y/%m%d}/news.shtml"
            routes[path] = page(listing(() if day in QUIET else then))
        elif day not in QUIET:
            old = f"<div class=old><a href={then[0]}>old {day.day}</a></div>"
            routes[f"/m12/html/{day:%Y-%m/%d}/node_01.htm"] = page(old)
    return routes


def item(handler: Handler) -> None:
    """Give an item page that says nothing of when it was written; no other page."""
    folder, _, name = handler.asked.target.rpartition("/")
    page(article(name) if folder == "/item" else "", 200 if folder == "/item" else 404)(
        handler
    )


XML = "text/xml; charset=utf-8"
ROUTES: dict[str, Behaviour] = {
    **{f"/m1/{n}.html": page(listing(links("m1", 2 * n, 2 * n + 1))) for n in (1, 2)},
    "/endless": repeating,
    "/ignored": page(listing(links("ignored", 1, 2))),
    "/m2": page(STATE),
    "/m2/more": json_page({"list": [row("m2", 3)], "next": None}),
    "/nuxt": page(
        f"<script type=application/json id=__NUXT_DATA__>{json.dumps(FLAT)}</script>"
    ),
    "/nuxt2": page(NUXT_2),
    "/m3": answering(by_page),
    "/m4": answering(by_offset),
    "/m5": answering(by_cursor),
    "/circle": answering(in_a_circle),
    "/m6": signed,
    "/m6x": answering(lambda asked: by_time(asked, inclusive=False)),
    "/heedless": answering(heedless),
    "/m7/cm_01.js": script(1, "data_callback"),
    "/m7/cm_02.js": script(2, "window.news['list'].back"),
    "/m8": posted,
    "/html": page("<p>not what was asked for</p>"),
    "/rss.xml": page(RSS, content_type=XML),
    "/atom.xml": page(ATOM, content_type=XML),
    "/rdf.xml": page(RDF, content_type=XML),
    "/feed.json": json_page(JSON_FEED),
    "/bomb.xml": page(BOMB, content_type=XML),
    "/m11/index.xml": page(INDEX, content_type=XML),
    "/m11/pages.xml.gz": page(
        gzip.compress(PAGES.encode(), mtime=0), content_type="application/x-gzip"
    ),
    "/m11/news.xml": page(NEWS, content_type=XML),
    "/nest.xml": nesting,
    **day_pages(),
    "*": item,
}
