from datetime import UTC, datetime

import pytest

from crawler.extract import extract_item
from crawler.item import Item

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
URL = "http://h.example/n/1"
TEXT = "<p>The bridge opens on Wednesday, the city said, and all may cross it.</p>" * 4
HAN = "<p>市政府表示，大桥将于周三通车，届时市民可以免费试乘，直到周日为止。</p>" * 4


def english(around: str, head: str = "") -> Item:
    """Extract an English page without rules."""
    title = "<title>Bridge opens on Wednesday</title>"
    page = f"{head}{title}<h1>Bridge opens on Wednesday</h1>{around}<article>{TEXT}"
    return extract_item(page.encode(), url=URL, captured_at=AT)


def chinese(around: str, head: str = "", after: str = "") -> Item:
    """Extract a Chinese page without rules."""
    page = f"{head}<title>大桥周三通车</title><h1>大桥周三通车</h1>{around}"
    page += f"<article>{HAN}</article>{after}"
    return extract_item(page.encode(), url=URL, captured_at=AT)


def names(item: Item) -> list[str]:
    """Return the authors' names."""
    return [author.name for author in item.authors]


WESTERN = {
    "<p class=byline>By <a href=/a>Ann Lee</a> and <a href=/b>Bo Ek</a></p>": [
        "Ann Lee",
        "Bo Ek",
    ],
    "<span class=author>by Ann Lee | Staff writer</span>": ["Ann Lee"],
    "<a rel=author href=/author/al>Ann Lee</a>": ["Ann Lee"],
    "<div itemprop=author><span itemprop=name>Ann Lee</span> 3 posts</div>": [
        "Ann Lee"
    ],
    "<p>By Ann Lee, July 14, 2025</p>": ["Ann Lee"],
    "<p>Von Änne Groß und Bo Ek</p>": ["Änne Groß", "Bo Ek"],
    "<p>Accueil | Par Anne de la Tour | 14 juillet 2025</p>": ["Anne de la Tour"],
    "<p>By the end of the week all may cross</p>": [],
    "<p class=author>Written By</p>": [],
    "<p class=author>team@h.example</p>": [],
    "<div class=comments><b class=author>Ann Lee</b></div>": [],
    "<figure><i class=author>Ann Lee</i></figure>": [],
}


@pytest.mark.parametrize(("around", "expected"), WESTERN.items())
def test_marked_and_printed_bylines(around: str, expected: list[str]) -> None:
    """Names come without labels, dates and roles; no-names are refused."""
    assert names(english(around)) == expected


CHINESE = {
    "<p>2025-07-14 09:30<span>来源：某某报</span><span>作者：李明</span></p>": ["李明"],
    "<p>执笔/明叔、王小二&李四光</p>": ["明叔", "王小二", "李四光"],
    "<p>采写：某报见习记者 林小沛</p>": ["林小沛"],
    "<p>某报讯（记者陈智 整合）大桥将于周三通车。</p>": ["陈智"],
    "<p>作者：网络整理</p>": [],
    "<b class=author-name>某某视界网</b>": [],
    "<b class=author>李明</b>": ["李明"],
}


@pytest.mark.parametrize(("around", "expected"), CHINESE.items())
def test_chinese_bylines(around: str, expected: list[str]) -> None:
    """Labels name people; a class names accounts, too, which are none."""
    assert names(chinese(around)) == expected


def test_byline_after_the_last_sentence() -> None:
    """A bracket of names that ends the text is its byline."""
    assert names(chinese("", after="<p>大桥通车了。（文/图 刘小东 易小楠）</p>")) == [
        "刘小东",
        "易小楠",
    ]


def test_json_ld_names_by_reference() -> None:
    """An author named elsewhere in the graph is found, a nested list flattened."""
    head = (
        '<script type="application/ld+json">//<![CDATA[\n{"@graph":[{"@type":"Article",'
        '"author":[[{"@id":"#a"}],{"@type":"Person","name":"Bo Ek"}]},'
        '{"@type":"Person","@id":"#a","name":"Ann Lee"}]}\n//]]></script>'
    )
    assert names(english("", head)) == ["Ann Lee", "Bo Ek"]


def test_the_site_is_author_only_where_it_is_declared_alone() -> None:
    """A desk signs where JSON-LD says so and no byline names anybody."""
    head = (
        '<script type="application/ld+json">{"@type":"Article","author":{"name":'
        '"The Paper"},"publisher":{"name":"The Paper"}}</script>'
    )
    assert names(english("", head)) == ["The Paper"]
    assert names(english("<p class=byline>By Ann Lee</p>", head)) == ["Ann Lee"]


SOURCES = {
    "<p>2025-07-14 09:30 来源：<a>某某日报</a><a>举报</a></p>": "某某日报",
    "<p>原创 某某都市报 2025-07-14 09:30</p>": "某某都市报",
    "<p>某通社</p><p>2025-07-14 09:30</p>": "某通社",
    "<b class=author-name>某某视界</b><p>发布时间：07-1409:30</p>": "某某视界",
}


@pytest.mark.parametrize(("around", "expected"), SOURCES.items())
def test_source_beside_the_time(around: str, expected: str) -> None:
    """A label, the place before the time or an account names the source."""
    assert chinese(around).source.name == expected


def test_editor_in_an_element_of_its_own() -> None:
    """A label glued to what stands before is found; the staff number goes."""
    around = "<p><b>本文来源：某某日报</b><b>责任编辑：史小磊_NB11331</b></p>"
    made = chinese("", after=around)
    assert made.editor == "史小磊"
    assert made.authors == ()
