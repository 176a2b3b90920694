"""Reading feeds: each format, what real ones get wrong, and hostile ones."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from crawler.errors import NotExtracted
from crawler.extract.document.page import Page
from crawler.extract.listings.feed import read_feed

RSS = """<?xml version="1.0" encoding="GBK"?>
<?xml-stylesheet href="x.xsl"?>
<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss.dtd">
<!-- <item> -->
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>頻道</title><link>https://x.test/</link>
<atom:link rel="self" href="https://x.test/feed"/>
<item><title><![CDATA[甲 & 乙 <b>丙</b>&nbsp;丁]]></title>
 <link>https://x.test/1?a=1&b=2&amp;c=3</link>
 <guid isPermaLink="false">n-1</guid><pubDate>Tue, 15 Jul 2025 06:52:00 +0800</pubDate>
 <description>&lt;p&gt;一&lt;/p&gt;&lt;p&gt;二 &amp;amp; 三&lt;/p&gt;</description>
 <dc:creator>王小明</dc:creator><author>a@x.test (李四)</author>
 <author>b@x.test</author>
 <category>財經</category><category>港股 通</category><category>財經</category>
 <source url="https://y.test/">乙報</source>
 <media:title>別的標題</media:title><media:thumbnail url="https://x.test/1.jpg"/></item>
<item><title>戊&hellip;&unknown;</title><guid>https://x.test/2</guid></item>
<item><title>己 < 庚</title></item>
</channel></rss>"""


def test_reads_rss() -> None:
    """An RSS entry gives all it says, as text for readers, and nothing else."""
    rows = read_feed(RSS)
    assert rows[0] == {
        "url": "https://x.test/1?a=1&b=2&c=3",
        "title": "甲 & 乙 丙 丁",
        "published": "Tue, 15 Jul 2025 06:52:00 +0800",
        "summary": "一 二 & 三",
        "external_id": "n-1",
        "author": ["王小明", "李四"],
        "source": "乙報",
        "tags": ["財經", "港股 通"],
        "image": "https://x.test/1.jpg",
    }


def test_takes_a_permanent_guid_for_the_address() -> None:
    """An entry without a link is found at its guid, and unknown entities are text."""
    assert read_feed(RSS)[1] == {
        "url": "https://x.test/2",
        "title": "戊…&unknown;",
        "external_id": "https://x.test/2",
    }


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://x.test/a/">
<title>F</title><id>f</id>
<entry xml:base="b/"><title type="html">A &amp;amp; &lt;i&gt;B&lt;/i&gt;</title>
 <link rel="edit" href="e"/><link rel="alternate" type="application/json" href="j"/>
 <link type="text/html" href="../c?x=1#top"/>
 <id>urn:1</id><published>2025-07-15T06:52:00Z</published>
 <updated>2025-07-15T07:00:00Z</updated>
 <author><name>王</name><email>w@x.test</email></author><author><name>李</name></author>
 <category term="t1" label="标签"/><category term="t2"/>
 <summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>S1</p><p>S2</p></div>
 </summary><source><id>s</id><title>源</title></source></entry>
<entry><title>a &lt;b&gt; c</title><link href="d"/></entry></feed>"""


def test_reads_atom() -> None:
    """An Atom entry is read by its types and its base, the page link before others."""
    first, second = read_feed(ATOM)
    assert first == {
        "url": "https://x.test/a/c?x=1#top",
        "title": "A & B",
        "published": "2025-07-15T06:52:00Z",
        "updated": "2025-07-15T07:00:00Z",
        "summary": "S1 S2",
        "external_id": "urn:1",
        "author": ["王", "李"],
        "source": "源",
        "tags": ["标签", "t2"],
    }
    assert second == {"url": "https://x.test/a/d", "title": "a <b> c"}


RDF = """<!DOCTYPE rdf:RDF [<!ENTITY % HTMLlat1 PUBLIC "-//W3C//X" "http://127.0.0.1:9/e">
%HTMLlat1;]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://x.test/"><title>F</title>
 <items><rdf:Seq><rdf:li resource="https://x.test/1"/></rdf:Seq></items></channel>
<item rdf:about="https://x.test/1"><title>A</title><link>https://x.test/1?r</link>
 <dc:date>2025-07-15T06:52:00+08:00</dc:date><dc:creator>W</dc:creator>
 <dc:subject>T</dc:subject></item>
<item rdf:about="https://x.test/2"><title>B&eacute;</title></item></rdf:RDF>"""


def test_reads_rdf() -> None:
    """RSS 1.0 has its entries beside the channel and names them by rdf:about."""
    assert read_feed(RDF) == [
        {
            "url": "https://x.test/1?r",
            "title": "A",
            "published": "2025-07-15T06:52:00+08:00",
            "author": ["W"],
            "external_id": "https://x.test/1",
            "tags": ["T"],
        },
        {
            "url": "https://x.test/2",
            "title": "Bé",
            "external_id": "https://x.test/2",
        },
    ]


def test_reads_json_feed() -> None:
    """A JSON Feed gives the same names."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {
                "id": "1",
                "url": "https://x.test/1",
                "title": "甲",
                "date_published": "2025-07-15T06:52:00+08:00",
                "authors": [{"name": "王"}, {"url": "https://x.test/w"}],
                "tags": ["t", 5],
            },
            "no item",
            {"id": 2, "external_url": "https://y.test/2", "author": {"name": "李"}},
        ],
    }
    assert read_feed("\ufeff " + json.dumps(feed)) == [
        {
            "url": "https://x.test/1",
            "title": "甲",
            "published": "2025-07-15T06:52:00+08:00",
            "author": ["王"],
            "external_id": "1",
            "tags": ["t"],
        },
        {"url": "https://y.test/2", "external_id": 2, "author": ["李"]},
    ]


def test_reads_the_fixture(shared: Path) -> None:
    """The fixture's feed gives both its entries with their absolute times."""
    path = shared / "fixtures/portals/fishai-like/site/feed.xml"
    rows = read_feed(path.read_text("utf-8"))
    assert [
        (row["url"], row["published"]) for row in rows if isinstance(row, dict)
    ] == [
        ("{{BASE}}/article/1001?from=rss", "Tue, 15 Jul 2025 06:52:00 +0800"),
        ("{{BASE}}/article/1002?from=rss", "Mon, 14 Jul 2025 22:10:00 +0800"),
    ]


def entry(inside: str) -> str:
    """Return a feed of one entry."""
    return f"<rss><channel><item><link>/1</link>{inside}</item></channel></rss>"


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("<title>A \x0b\x1f\ufffeB</title>", "A B"),
        ("<title>A<br>B</title>", "A B"),
        ("<title>A</title", "A"),
        ("<title>A<![CDATA[ & B</title>", "A"),
        ("<TITLE>A</TITLE>", "A"),
        ("<x:title>A</x:title>", "A"),
        ("<title>&#x4e2d;&#25991;</title>", "中文"),
        ("<title>AT&amp;T &lt; B</title>", "AT&T < B"),
        ("<title> </title>", None),
    ],
)
def test_recovers_from_broken_xml(inside: str, title: str | None) -> None:
    """What real feeds get wrong costs at most the text it stands in."""
    row = read_feed(entry(inside))[0]
    assert isinstance(row, dict)
    assert row["url"] == "/1"
    assert row.get("title") == title


BOMB = "<!DOCTYPE rss [" + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB + "]>" + entry("<title>&l9;</title>"),
        '<!DOCTYPE rss [<!ENTITY x "]>">]>' + entry("&x;"),
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + entry("&x;"),
        "<!DOCTYPE rss [ <!ENTITY\nx 'y'>]>" + entry("<title>&x;</title>"),
    ],
)
def test_refuses_entities(text: str) -> None:
    """A feed that declares entities is refused before anything can grow or be read."""
    with pytest.raises(NotExtracted, match="declares entities"):
        read_feed(text)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("<html><body>sorry</body></html>", "no feed: its root is 'html'"),
        ("<urlset/>", "no feed: its root is 'urlset'"),
        ("sorry", "no XML: 'sorry'"),
        ("", "no XML: ''"),
        ("<!-- -->", "no XML: '<!-- -->'"),
        ('{"items": []}', "no feed: JSON, but no JSON Feed"),
        ('{"items": ', "no feed: JSON that is none"),
        ('{"a":' * 100_000, "no feed: JSON that is none"),
    ],
)
def test_says_what_it_met_instead(text: str, detail: str) -> None:
    """What is no feed fails as a bad listing that says what came."""
    with pytest.raises(NotExtracted) as failed:
        read_feed(text)
    assert (failed.value.reason, failed.value.detail) == ("bad_listing", detail)


MB = 1_000_000
HOSTILE = {
    "sections": "<rss>" + "<![CDATA[" * (10 * MB // 9),
    "brackets": "<rss><![CDATA[" + "]" * 10 * MB,
    "doctypes": "<!DOCTYPE x [>" * (10 * MB // 14) + entry(""),
    "comments": "<!-- <!DOCTYPE [" * (10 * MB // 16),
    "ampersands": "<rss><item><title>" + "&a" * 5 * MB,
    "deep": "<rss>" + "<item>" * (10 * MB // 6),
    "tags": entry("<title>" + "&lt;a" * 2 * MB + "</title>"),
    "one text": entry("<title>" + "x" * 20 * MB + "</title>"),
    "mail": entry("<author>" + "@" * 10 * MB + " x</author>"),
    "authors": entry("".join(f"<author>A{x}</author>" for x in range(100_000))),
    "attributes": entry("<title " + "a='1' " * MB + ">x</title>"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_ends_soon_on_hostile_text(text: str) -> None:
    """10 MB made to hurt end within seconds, as rows or as no feed."""
    started = time.process_time()
    try:
        rows = read_feed(text)
    except NotExtracted:
        rows = []
    assert time.process_time() - started < 20
    assert len(rows) <= 300


@pytest.mark.parametrize(
    ("declared", "codec", "content_type"),
    [
        ("GBK", "gbk", None),
        ("gb2312", "gb18030", "text/xml"),
        ("gb2312", "utf-8", "text/xml; charset=utf-8"),
        ("utf-8", "gb18030", "application/rss+xml"),
        ("utf-16", "utf-16", None),
    ],
)
def test_the_declared_encoding_may_be_wrong(
    declared: str, codec: str, content_type: str | None
) -> None:
    """A feed is decoded by what its bytes are, whatever its declaration says."""
    title = "老厂房变身社区图书馆，三千㎡空间通宵开放"
    feed = f'<?xml version="1.0" encoding="{declared}"?>' + entry(
        f"<title>{title}</title>"
    )
    page = Page.from_bytes(
        feed.encode(codec), "http://x.test/", content_type=content_type
    )
    assert read_feed(page.text) == [{"url": "/1", "title": title}]
