from datetime import UTC, datetime

import pytest

from crawler.config.portal import Portal
from crawler.errors import NotExtracted
from crawler.extract import extract, extract_item, extract_listing
from crawler.item import Item, Listing
from crawler.model import Capture, Kind, Link, Response

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
URL = "http://h.example/list/"
PAGE = """<nav><a href=/about>这是一个很长的导航链接文字</a></nav>
<ul><li><a href=/n/1>大桥周三正式通车试运行</a><li><a href=/n/2>新图书馆通宵开放首日</a>
<li><a href=/more>更多</a></ul>
<p><a href=/n/3>New bridge opens to traffic on Wednesday</a></p>
<p><a href=/x>Read more</a></p>
<a href=http://other.example/y>这一行链接到别的网站去了</a><a href=?p=2>下一页</a>"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><item><title>t</title>
<link>http://h.example/n/1</link></item></channel></rss>"""


def test_generic_listing_takes_headlines() -> None:
    """Without a portal the items of a listing and the page after it are found."""
    found = extract_listing(PAGE.encode(), url=URL, captured_at=AT)
    assert [link.url for link in found.links] == [
        "http://h.example/n/1",
        "http://h.example/n/2",
        "http://h.example/n/3",
    ]
    assert found.next is not None
    assert found.next.url == f"{URL}?p=2"
    assert not found.skipped


def test_generic_listing_knows_feeds() -> None:
    """A feed is told by its root element."""
    found = extract_listing(FEED.encode(), url=URL, captured_at=AT)
    assert [link.url for link in found.links] == ["http://h.example/n/1"]


def test_extract_gives_what_the_link_was_visited_for() -> None:
    """A listing's capture gives a listing, an item page's an item."""
    listing = {"id": "l", "from": "rows", "url": URL, "rows": "li a"}
    rules = Portal.model_validate(
        {"id": "p", "listings": [listing], "items": [{"match": "^/n/"}]}
    )
    headers = ((b"Content-Type", b"text/html; charset=utf-8"),)
    listed = Response(URL, 200, headers, PAGE.encode(), AT)
    link = Link(URL, Kind.LISTING, listing="l")
    found = extract(Capture("1", link, listed, AT), rules)
    assert isinstance(found, Listing)
    assert len(found.links) == 2
    read = Response("http://h.example/n/1", 200, headers, b"<h1>Title</h1><p>x", AT)
    made = extract(Capture("2", found.links[0], read, AT), rules)
    assert isinstance(made, Item)
    assert made.title == "大桥周三正式通车试运行"  # as the listing said
    assert made.provenance.config_digest.startswith("sha256:")


def test_portal_without_listing() -> None:
    """A portal without listings gives a reason."""
    rules = Portal.model_validate({"id": "p"})
    with pytest.raises(NotExtracted):
        extract_listing(PAGE.encode(), url=URL, captured_at=AT, portal=rules)


def test_item_by_a_portal() -> None:
    """A portal's rules read the bytes of one page."""
    rules = Portal.model_validate({"id": "p", "items": [{"match": "", "title": "h2"}]})
    made = extract_item(
        "<h1>a</h1><h2>老厂房变身社区图书馆，空间通宵开放</h2>".encode("gb18030"),
        url=URL,
        captured_at=AT,
        content_type="text/html; charset=gbk",
        portal=rules,
    )
    assert (made.title, made.portal) == ("老厂房变身社区图书馆，空间通宵开放", "p")
