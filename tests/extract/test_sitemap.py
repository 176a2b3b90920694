"""Reading sitemaps: pages, news, indexes, compressed ones, and what is none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crawler.errors import NotExtracted
from crawler.extract.listings.sitemap import Sitemap, gunzipped, read_sitemap

SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
URLSET = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {SPACE} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"
 xmlns:xhtml="http://www.w3.org/1999/xhtml">
<url><loc>
  https://x.test/1?a=1&amp;b=2
 </loc><lastmod>2025-06-12</lastmod><priority>0.5</priority>
 <image:image><image:loc>https://x.test/1.png</image:loc>
  <image:title>圖</image:title></image:image>
 <xhtml:link rel="alternate" hreflang="en" href="https://x.test/en/1"/>
 <news:news><news:publication><news:name>甲報</news:name>
  <news:language>zh</news:language></news:publication>
  <news:publication_date>2025-07-15T08:57:00+08:00</news:publication_date>
  <news:title>標題 &amp; 二</news:title><news:keywords>港股, 科技，AI </news:keywords>
 </news:news></url>
<url><loc>/2</loc></url><!-- --><url/></urlset>"""


def test_reads_pages_and_their_news() -> None:
    """A page gives its address, its times and what the news part says, no more."""
    assert read_sitemap(URLSET) == Sitemap(
        (
            {
                "url": "https://x.test/1?a=1&b=2",
                "updated": "2025-06-12",
                "published": "2025-07-15T08:57:00+08:00",
                "title": "標題 & 二",
                "source": "甲報",
                "tags": ["港股", "科技", "AI"],
            },
            {"url": "/2"},
            {},
        )
    )


def test_reads_an_index() -> None:
    """An index has no pages but further sitemaps, itself among them if it says so."""
    text = f"""<sitemapindex {SPACE}><sitemap><loc>https://x.test/a.xml.gz</loc>
    <lastmod>2025-06-12</lastmod></sitemap><sitemap><loc>/index.xml</loc></sitemap>
    <sitemap/></sitemapindex>"""
    children = ("https://x.test/a.xml.gz", "/index.xml")
    assert read_sitemap(text) == Sitemap((), children)


def test_reads_a_feed_and_a_list_of_lines() -> None:
    """The two other forms of the protocol give pages too."""
    feed = "<rss><channel><item><link>https://x.test/1</link></item></channel></rss>"
    lines = "\ufeffhttps://x.test/1\r\n# no\nhttps://x.test/2\n"
    assert read_sitemap(feed).rows == ({"url": "https://x.test/1"},)
    assert read_sitemap(lines).rows == (
        {"url": "https://x.test/1"},
        {"url": "https://x.test/2"},
    )


def test_an_empty_sitemap_is_one() -> None:
    """A sitemap without pages is empty, not broken."""
    assert read_sitemap(f"<urlset {SPACE}/>") == Sitemap(())


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("<html>", "no sitemap: its root is 'html'"),
        ("not found", "no sitemap: 'not found'"),
        ("<", "no XML: '<'"),
        ('<!DOCTYPE u [<!ENTITY a "b">]><urlset/>', "the document declares entities"),
    ],
)
def test_says_what_it_met_instead(text: str, detail: str) -> None:
    """What is no sitemap fails as a bad listing that says what came."""
    with pytest.raises(NotExtracted) as failed:
        read_sitemap(text)
    assert (failed.value.reason, failed.value.detail) == ("bad_listing", detail)


def test_opens_gzip_by_its_magic() -> None:
    """A gzip file is opened whatever it is called, other bytes stay as they are."""
    assert gunzipped(gzip.compress(b"<urlset/>"), 1000) == b"<urlset/>"
    assert gunzipped(b"<urlset/>", 1000) == b"<urlset/>"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(b"0" * 10_000_000), "too_large"),
        (gzip.compress(URLSET.encode())[:200], "truncated"),
    ],
)
def test_opens_no_more_than_the_limit(body: bytes, reason: str) -> None:
    """A gzip file beyond the limit or cut short is refused under its reason."""
    with pytest.raises(NotExtracted) as failed:
        gunzipped(body, 100_000)
    assert failed.value.reason == reason


def test_reads_the_fixtures(shared: Path) -> None:
    """The fixture's index names two sitemaps; one has news with times and titles."""
    site = shared / "fixtures/portals/futu-like/site"
    index = read_sitemap((site / "sitemap_index.xml").read_text("utf-8"))
    news = read_sitemap((site / "sitemap-news.xml").read_text("utf-8"))
    assert index == Sitemap(
        (), ("{{BASE}}/sitemap-news.xml", "{{BASE}}/sitemap-2025-06.xml.gz")
    )
    assert len(news.rows) == 4
    assert news.rows[0] == {
        "url": "{{BASE}}/hk/post/58800101/yuanzhou-to-invest-over-hk-10b",
        "published": "2025-07-15T08:57:00+08:00",
        "title": "遠洲科技將投逾百億港元擴建數據中心，稱三年內算力翻兩番",
        "source": "futu-like",
    }
