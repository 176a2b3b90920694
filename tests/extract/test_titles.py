import pytest

from crawler.extract.document.page import Page
from crawler.extract.fields.metadata import Metadata
from crawler.extract.fields.titles import generic_title

HEADLINE = "大桥周三通车 市民免费试乘"
CASES = {
    "heading within the title": (
        f"<title>{HEADLINE}_要闻_某某网</title><h1>某某网</h1><h2>{HEADLINE}</h2>",
        HEADLINE,
    ),
    "printed in no heading": (
        f"<title>{HEADLINE} | 地方 | 某某网</title><b>首页</b><p>{HEADLINE}</p>",
        HEADLINE,
    ),
    "site first": (
        "<title>某某新闻：大桥周三通车并试运行</title><b>大桥周三通车并试运行</b>",
        "大桥周三通车并试运行",
    ),
    "a dash of its own": (
        (
            "<title>Bridge opens - and nobody came | The Paper</title>"
            "<h1>Bridge opens - and nobody came</h1>"
        ),
        "Bridge opens - and nobody came",
    ),
    "recommended headline": (
        (
            "<title>Bridge opens on Wednesday - The Paper</title><h1>Related</h1>"
            "<p>Bridge opens on Wednesday</p><h2>Ten other bridges you must see</h2>"
        ),
        "Bridge opens on Wednesday",
    ),
    "declared and printed": (
        (
            '<script type="application/ld+json">{"@type":"NewsArticle",'
            '"headline":"New bridge opens to all"}</script>'
            "<title>Bridge: all to know</title><h1>Bridge: all to know</h1>"
            "<h2>New bridge opens to all</h2>"
        ),
        "New bridge opens to all",
    ),
    "kicker in the heading": (
        (
            "<title>Bridge opens on Wednesday</title>"
            "<h1><span>City</span> Bridge opens on Wednesday</h1>"
        ),
        "Bridge opens on Wednesday",
    ),
    "longer than the title": (
        (
            "<title>Bridge opens on Wednesday | Paper</title>"
            "<h1>Bridge opens on Wednesday: all you must know</h1>"
        ),
        "Bridge opens on Wednesday: all you must know",
    ),
    "nothing printed": (
        (
            '<meta property="og:site_name" content="The Paper">'
            "<title>Bridge opens on Wednesday | The Paper</title><p>Text.</p>"
        ),
        "Bridge opens on Wednesday",
    ),
    "section at the end": (
        "<title>大桥周三通车 - 本地要闻</title><a href=/l>本地要闻</a><p>正文。</p>",
        "大桥周三通车",
    ),
    "another heading altogether": (
        "<title>Paper</title><h1>Bridge opens on Wednesday to all</h1>",
        "Bridge opens on Wednesday to all",
    ),
    "text alone": ("<p>Some line</p>", "Some line"),
    "title in a drawing": (
        "<title>Bridge opens now</title><svg><title>close</title></svg><p>x</p>",
        "Bridge opens now",
    ),
}


@pytest.mark.parametrize(("html", "expected"), CASES.values(), ids=CASES.keys())
def test_title_is_what_is_printed_and_claimed(html: str, expected: str) -> None:
    """The site's name goes by what the page prints, not by splitting."""
    page = Page(html, "http://h.example/n/1")
    found = generic_title(page, Metadata(page))
    assert found is not None
    assert found.text == expected


def test_no_text_no_title() -> None:
    """A page without any text has no title."""
    page = Page("<html><body><img src=a.png></body></html>", "http://h.example/")
    assert generic_title(page, Metadata(page)) is None
