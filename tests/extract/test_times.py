from datetime import UTC, datetime

import pytest

from crawler.extract import extract_item
from crawler.item import Item

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
HAN = (
    "<p>市政府表示，大桥将于2026年3月1日通车，届时市民可以免费试乘，直到周日。</p>" * 3
)


def made(around: str = "", head: str = "", url: str = "http://h.example/n/1") -> Item:
    """Extract a Chinese page without rules."""
    page = f"{head}<title>大桥明年通车</title><h1>大桥明年通车</h1>{around}"
    page += f"<article>{HAN}</article>"
    return extract_item(page.encode(), url=url, captured_at=AT)


def when(item: Item) -> str | None:
    """Return the time as text."""
    return item.published_at.isoformat() if item.published_at else None


LD = '<script type="application/ld+json">{%s}</script>'
CASES = {
    "naive is local": ("<p>2025-07-14 09:30</p>", "", "2025-07-14T09:30:00+08:00"),
    "glued": ("<p>发布时间：25-07-1409:30</p>", "", "2025-07-14T09:30:00+08:00"),
    "assigned in a script": (
        "<p>昨天</p><script>var a=1;\nvar ct = '1752456600';</script>",
        "",
        "2025-07-14T09:30:00+08:00",
    ),
    "another's in a script's data": (
        "<p>3小时前</p><script>x={'publishTime':'2025-07-01 09:30'}</script>",
        "",
        "2025-07-15T11:00:00+08:00",
    ),
    "year from the change": (
        "<p>发布时间：09-3009:30 某地</p>",
        '<meta itemprop=dateUpdate content="2019-09-30 09:30:13">',
        "2019-09-30T09:30:13+08:00",
    ),
    "clock in the text, day in the head": (
        "<p>2025-07-14 09:30</p>",
        '<meta name=pubdate content="2025-07-14">',
        "2025-07-14T09:30:00+08:00",
    ),
    "microdata": (
        "<i itemprop=datePublished content='2025-07-14T01:30:07Z'>Monday</i>",
        "",
        "2025-07-14T01:30:07+00:00",
    ),
    "a comment's": (
        (
            "<div class=comment><time datetime='2025-07-15T01:30:07Z'></time></div>"
            "<p>2025-07-14 09:30</p>"
        ),
        "",
        "2025-07-14T09:30:00+08:00",
    ),
    "any name in the head": (
        "",
        '<meta property="vr:published-time" content="14.07.2025 09:30">',
        "2025-07-14T09:30:00+08:00",
    ),
    "JSON-LD of no article": (
        "",
        LD % '"@type":"HowTo","datePublished":"2025-07-14T09:30:07+02:00"',
        "2025-07-14T09:30:07+02:00",
    ),
    "offset written elsewhere": (
        "<p>2025-07-14 09:30</p>",
        LD % '"@type":"Article","dateModified":"2025-07-15T09:30:07+09:00"',
        "2025-07-14T09:30:00+09:00",
    ),
    "in a byline": (
        "<p>Accueil | Par Anne Tour | 14 juillet 2025 à 9h30</p>",
        "",
        "2025-07-14T09:30:00+08:00",
    ),
    "the body's": ("", "", None),
    "what is to come": ("<p>2025-09-14 09:30</p>", "", None),
    "a copyright": ("<p>© 2025-01-01 某某网</p>", "", None),
}


@pytest.mark.parametrize(
    ("around", "head", "expected"), CASES.values(), ids=CASES.keys()
)
def test_time_of_a_page_without_rules(
    around: str, head: str, expected: str | None
) -> None:
    """The most trusted absolute time counts, as exact as the page shows it."""
    assert when(made(around, head)) == expected


ZONES = {
    "http://h.example.de/1": "2025-07-14T09:30:00+02:00",
    "http://h.example.jp/1": "2025-07-14T09:30:00+09:00",
    "http://h.example.com/1": "2025-07-14T09:30:00+08:00",
}


@pytest.mark.parametrize(("url", "expected"), ZONES.items())
def test_zone_by_host_then_by_language(url: str, expected: str) -> None:
    """Without a portal a local time is of the host's country, else the text's."""
    assert when(made("<p>2025-07-14 09:30</p>", url=url)) == expected
