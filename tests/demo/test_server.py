from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest

from crawler.demo.server import PortalServer, make_server, running, serve_all
from crawler.demo.site import portal_ids, read_manifest, read_site
from crawler.errors import UsageError

Manifest = dict[str, Any]  # free JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request, chunking undone."""

    status: int
    headers: dict[str, str]
    body: bytes


def get(server: PortalServer, target: str, **headers: str) -> Answer:
    """Ask once on a connection of its own; header names with _ for -."""
    connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=5)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", target, headers=given)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def get_patiently(server: PortalServer, target: str) -> Answer:
    """Ask as a crawler does: with a Referer, and once more after a 503."""
    for _ in range(2):
        answer = get(server, target, Referer=f"{server.base_url}/hk/news")
        if answer.status != 503:
            break
    return answer


def plain(page: str) -> str:
    """Return a page without tags, dollar signs of ticker links and white space."""
    text = unescape(re.sub(r"<[^>]+>", "", page))
    return re.sub(r"\s+", "", text).replace("$", "")


def in_plain(text: str) -> str:
    """Return an expected text in the form in which plain() gives it."""
    return re.sub(r"\s+", "", text).replace("$", "")


@pytest.fixture
def gulangyu() -> Iterator[PortalServer]:
    """Run the server-rendered portal."""
    with running("gulangyu") as server:
        yield server


@pytest.fixture
def tidewire() -> Iterator[PortalServer]:
    """Run the finance portal."""
    with running("tidewire") as server:
        yield server


@pytest.fixture(params=["gulangyu", "tidewire"])
def portal(request: pytest.FixtureRequest) -> Iterator[PortalServer]:
    """Run each portal in turn."""
    with running(request.param) as server:
        yield server


def manifest_of(server: PortalServer) -> Manifest:
    """Return the ground truth of a running portal."""
    return read_manifest(server.site.directory.parent.name)


def test_items_are_served_as_the_manifest_says(portal: PortalServer) -> None:
    """Each item's title, source, editor, tags and block texts are on its pages."""
    for item in manifest_of(portal)["items"]:
        urls = item.get("pages", [item["url"]])
        answers = [get_patiently(portal, url) for url in urls]
        assert {answer.status for answer in answers} == {200}
        charset = portal.site.charset
        shown = plain("".join(a.body.decode(charset) for a in answers))
        texts = [item["title"], item["source"], item["editor"], *item["tags"]]
        for block in item["blocks"]:
            texts += block.get("items", [block.get("text", "")])
            texts += [cell for row in block.get("rows", []) for cell in row]
        missing = [text for text in texts if in_plain(text) not in shown]
        assert missing == [], item["url"]


def test_unwanted_texts_are_in_no_expected_block(portal: PortalServer) -> None:
    """What must not be in a body is in none of the blocks that the manifest expects."""
    for item in manifest_of(portal)["items"]:
        body = json.dumps(item["blocks"], ensure_ascii=False)
        assert [text for text in item["must_not_contain"] if text in body] == []


def test_images_are_served(portal: PortalServer) -> None:
    """Each image of the manifest is a PNG."""
    for item in manifest_of(portal)["items"]:
        for image in item["images"]:
            answer = get(portal, image)
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.body.startswith(b"\x89PNG")


def test_responses_are_deterministic() -> None:
    """Two servers of one portal answer with the same bytes, and without a Date."""
    raw = []
    for _ in range(2):
        with running("gulangyu") as server:
            address = ("127.0.0.1", server.server_address[1])
            with socket.create_connection(address, timeout=5) as connection:
                target = "/news/20250715/60228.html"
                head = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode())
                with connection.makefile("rb") as answer:
                    raw.append(answer.read())
    assert raw[0] == raw[1]
    assert b"\r\nDate:" not in raw[0]


def test_one_connection_serves_many_requests(portal: PortalServer) -> None:
    """Connections are kept alive, after chunked, compressed and 404 answers too."""
    host = urlsplit(portal.base_url).netloc
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.connect()
        used = connection.sock
        for route in portal.site.routes[:12]:
            connection.request("GET", route.path, headers={"Accept-Encoding": "gzip"})
            connection.getresponse().read()
        connection.request("GET", "/nowhere")
        assert connection.getresponse().read()
        assert connection.sock is used
    finally:
        connection.close()


def test_closing_ends_idle_connections() -> None:
    """A client's idle connection does not hold up the end of a server."""
    with make_server("tidewire") as idle:
        assert idle.hits == {}
    with running("tidewire") as server:
        address = ("127.0.0.1", server.server_address[1])
        client = socket.create_connection(address, timeout=5)
        client.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    with client:
        while client.recv(65536):
            pass


def test_serve_all_gives_every_portal() -> None:
    """All bundled portals run at once, each on loopback, each with robots.txt."""
    with serve_all() as urls:
        assert tuple(urls) == portal_ids() == ("gulangyu", "tidewire", "yardarm")
        for url in urls.values():
            parts = urlsplit(url)
            assert parts.hostname == "127.0.0.1"
            connection = http.client.HTTPConnection(parts.netloc, timeout=5)
            connection.request("GET", "/robots.txt")
            answer = connection.getresponse()
            assert answer.status == 200
            assert b"Disallow: /" in answer.read()
            connection.close()


def test_unknown_portal_is_refused() -> None:
    """A portal that is not bundled is named, with those that are."""
    with pytest.raises(UsageError, match="gulangyu, tidewire, yardarm"):
        read_site("../../etc")


def test_hits_count_targets(gulangyu: PortalServer) -> None:
    """Requests are counted per target, query included."""
    get(gulangyu, "/go?id=60225")
    get(gulangyu, "/robots.txt")
    get(gulangyu, "/robots.txt")
    assert gulangyu.hits == {"/go?id=60225": 1, "/robots.txt": 2}


def test_charset_is_declared_wrongly(gulangyu: PortalServer) -> None:
    """Bytes are GB18030 beyond GB2312, the page says gb2312, the header nothing."""
    answer = get(gulangyu, "/news/20250714/60191.html")
    assert answer.headers["Content-Type"] == "text/html"
    assert b"charset=gb2312" in answer.body
    assert "鷺嶼" in answer.body.decode("gb18030")
    assert "𠮷" in answer.body.decode("gb18030")
    for wrong in ("gb2312", "gbk", "utf-8"):
        with pytest.raises(UnicodeDecodeError):
            answer.body.decode(wrong)


def test_listing_walk_meets_what_the_manifest_lists(gulangyu: PortalServer) -> None:
    """The numbered pages name the manifest's URLs in order; the last has no next."""
    listing = manifest_of(gulangyu)["listings"][0]
    target: str | None = listing["pages"][0]
    pages: list[str] = []
    urls: list[str] = []
    while target and len(pages) < 9:
        text = get(gulangyu, target).body.decode("gb18030")
        pages.append(target)
        urls += re.findall(r'<li[^>]*><a href="([^"]+)"', text)
        following = re.search(r'href="([^"]+)">下一页', text)
        target = following[1] if following else None
    assert pages == listing["pages"]
    assert urls == listing["urls"]


def test_listed_urls_end_as_the_manifest_says(gulangyu: PortalServer) -> None:
    """Every listed URL is an item, a redirect to one, a skip or a failure."""
    truth = manifest_of(gulangyu)
    ends = {item.get("via", item["url"]) for item in truth["items"]}
    ends |= {end["url"] for end in truth["skips"] + truth["failures"]}
    assert set(truth["listings"][0]["urls"]) == ends
    for failure in truth["failures"]:
        assert get(gulangyu, failure["url"]).status == failure["status"]
    gone = get(gulangyu, "/news/20250714/60203.html").body.decode("gb18030")
    assert "该文章已被删除" in gone


def test_redirect_leads_to_the_article(gulangyu: PortalServer) -> None:
    """The redirecting listing link answers 302 with the article's path."""
    moved = [item for item in manifest_of(gulangyu)["items"] if "via" in item]
    assert len(moved) == 1
    answer = get(gulangyu, moved[0]["via"])
    assert (answer.status, answer.headers["Location"]) == (302, moved[0]["url"])


def test_lazy_images_hide_their_address(gulangyu: PortalServer) -> None:
    """An article's image shows a placeholder; its address is in data-original."""
    page = get(gulangyu, "/news/20250715/60231.html").body.decode("gb18030")
    assert 'src="/img/px.png" data-original="/img/ride-1.png"' in page


def test_gzip_only_where_accepted(gulangyu: PortalServer) -> None:
    """A page is compressed when the client accepts it, and the same when not."""
    target = "/news/20250715/60231.html"
    bare = get(gulangyu, target)
    packed = get(gulangyu, target, Accept_Encoding="br, gzip")
    refused = get(gulangyu, target, Accept_Encoding="gzip;q=0")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == bare.body == refused.body
    assert "Content-Encoding" not in bare.headers
    assert bare.headers["Vary"] == "Accept-Encoding"


def test_chunked_pages_come_whole(gulangyu: PortalServer) -> None:
    """A chunked page has no length and ends where its HTML ends."""
    answer = get(gulangyu, "/news/20250713/60180.html")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers
    assert answer.body.endswith(b"</html>\n")


def test_state_is_script_not_json(tidewire: PortalServer) -> None:
    """The first rows are one of several assignments, and JSON cannot read them."""
    page = get(tidewire, "/hk/news").body.decode()
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script
    assert script[1].count("window.") == 3
    assert '__INITIAL_STATE__={page:{name:"news",ready:!0}' in script[1]


def test_cursor_walk(tidewire: PortalServer) -> None:
    """Three API pages follow the state, each repeats a row, the last says no more."""
    cursor, seen = "k1", [7742, 7739, 7735]
    sizes: list[int] = []
    more = True
    while more and len(sizes) < 9:
        target = f"/api/list?cursor={cursor}"
        answer = json.loads(get_patiently(tidewire, target).body)["data"]
        assert answer["rows"][0]["id"] == seen[-1]
        seen += [row["id"] for row in answer["rows"][1:]]
        sizes.append(len(answer["rows"]))
        cursor, more = answer["cursor"], answer["has_more"]
    assert sizes == [3, 3, 2]
    listed = manifest_of(tidewire)["listings"][0]["urls"]
    assert [int(url.rpartition("/")[2]) for url in listed] == seen


def test_api_wants_a_referer(tidewire: PortalServer) -> None:
    """Without a Referer of the portal's own the list API answers 403."""
    assert get(tidewire, "/api/list?cursor=k1").status == 403
    other = get(tidewire, "/api/list?cursor=k1", Referer="http://other.invalid/")
    assert other.status == 403
    assert get_patiently(tidewire, "/api/list?cursor=k1").status == 200


def test_flash_rows(tidewire: PortalServer) -> None:
    """Flash rows have text times; the one with a link is the manifest's merged one."""
    rows = []
    for target in manifest_of(tidewire)["listings"][1]["pages"]:
        rows += json.loads(get(tidewire, target).body)["result"]["items"]
    assert all(isinstance(row["ts"], str) for row in rows)
    truth = manifest_of(tidewire)
    own = [row["id"] for row in rows if not row["link"]]
    assert own == [flash["external_id"] for flash in truth["flashes"]]
    merged = [row["id"] for row in rows if row["link"]]
    ends = [skip["external_id"] for skip in truth["skips"] if "into" in skip]
    assert merged == ends == ["f88019"]


def test_503_comes_once(tidewire: PortalServer) -> None:
    """The flaky story answers 503 with Retry-After: 0, then 200."""
    target = manifest_of(tidewire)["retried"][0]["url"]
    first = get(tidewire, target)
    assert (first.status, first.headers["Retry-After"]) == (503, "0")
    assert get(tidewire, target).status == 200


def test_feed_has_absolute_times(tidewire: PortalServer) -> None:
    """The feed names the newest three stories with absolute times and full URLs."""
    feed = get(tidewire, "/feed.xml").body.decode()
    listed = manifest_of(tidewire)["listings"][2]["urls"]
    urls = [tidewire.base_url + url + "?src=rss" for url in listed]
    assert re.findall(r"<link>([^<]+)</link>", feed)[1:] == urls
    assert "<pubDate>Tue, 15 Jul 2025 13:20:00 +0800</pubDate>" in feed


def test_tracking_parameters_change_nothing(tidewire: PortalServer) -> None:
    """A story with tracking parameters is the same page."""
    tracked = get(tidewire, "/story/7742?src=top&level=1")
    assert tracked.body == get(tidewire, "/story/7742").body


def test_one_page_claims_anothers_address(tidewire: PortalServer) -> None:
    """The manifest's canonical claim is on the page and is another item's URL."""
    items = manifest_of(tidewire)["items"]
    claims = [item for item in items if "canonical_claim" in item]
    assert len(claims) == 1
    page = get(tidewire, claims[0]["url"]).body.decode()
    claimed = claims[0]["canonical_claim"]
    assert f'rel="canonical" href="{tidewire.base_url}{claimed}"' in page
    assert claimed in {item["url"] for item in items}


def test_unchanged_pages_answer_304(tidewire: PortalServer) -> None:
    """A page with an ETag is not sent again to who has it."""
    first = get(tidewire, "/hk/news")
    again = get(tidewire, "/hk/news", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_shells_say_nothing_and_their_script_does() -> None:
    """The script portal's pages are shells; its JSON is what the manifest expects."""
    with running("yardarm") as server:
        (listing,) = manifest_of(server)["listings"]
        listed: list[str] = []
        for number in (1, 2, 3):
            rows = json.loads(get(server, f"/api/rows?page={number}").body)
            listed += [row["path"] for row in rows["rows"]]
            assert rows["more"] == (number < 3)
        assert listed == listing["urls"]
        for item in manifest_of(server)["items"]:
            assert item["title"] not in get(server, item["url"]).body.decode()
            told = json.loads(get(server, f"/api{item['url']}").body)
            texts = [x["text"] for x in item["blocks"] if x["type"] == "paragraph"]
            assert (told["title"], told["paragraphs"]) == (item["title"], texts)
            for image in item["images"]:
                assert get(server, image).body.startswith(b"\x89PNG")
