"""The pattern of item URLs, induced from a listing's links."""

from __future__ import annotations

import pytest

from crawler.extract.propose.urlpattern import fits, induce_pattern

LONG = "一条有二十来个字的新闻标题写在这里"
BASE = "http://harbour.example"


@pytest.mark.parametrize(
    ("paths", "match", "others"),
    [
        (
            ["/news/20250715/60231.html", "/news/20250714/60228.html"],
            r"^/news/\d{8}/(?P<external_id>\d+)\.html$",
            ["/about.html", "/news/"],
        ),
        (
            ["/article/68757bd41bc8e0d96f000012", "/article/68757c018e9f09412b07a1ce"],
            r"^/article/(?P<external_id>[0-9a-f]{24})$",
            ["/tag/ferry"],
        ),
        (
            ["/wap/art_50121.html", "/wap/art_50118.html"],
            r"^/wap/art_(?P<external_id>\d+)\.html$",
            ["/wap/list_12_2.html"],
        ),
        (
            ["/a.php?id=12&c=3", "/a.php?id=13&c=3", "/a.php?id=14&c=3"],
            r"^/a\.php\?(?:.*&)?id=(?P<external_id>\d+)(?:&|$)",
            ["/a.php?c=3"],
        ),
        (
            ["/2025/07/14/ferry-is-back", "/2025/07/15/lighthouse-opens/"],
            r"^/\d{4}/\d{2}/\d{2}/[^/]+/?$",
            ["/2025/"],
        ),
        (
            ["/sport/2025/a-b-c-d", "/world/2025/x-y-z-w"],
            r"^/[^/]+/\d{4}/[^/]+$",
            ["/sport/"],
        ),
        (["/news/ferry", "/news/tower", "/news/tide"], r"^/news/[^/]+$", ["/login"]),
        (["/story/77421"], r"^/story/(?P<external_id>\d+)$", ["/hk/news"]),
    ],
)
def test_pattern(paths: list[str], match: str, others: list[str]) -> None:
    """It matches the items and nothing else there, and names their number."""
    links = [(BASE + path, LONG) for path in paths]
    navigation = [(BASE + path, "导航") for path in others]
    pattern = induce_pattern([*navigation, *links])
    assert pattern is not None
    assert pattern.match == match
    assert sorted(pattern.urls) == sorted(url for url, _ in links)
    assert all(fits(pattern, url) for url, _ in links)
    assert not any(fits(pattern, url) for url, _ in navigation)


def test_parameters_that_tell_nothing_are_stripped() -> None:
    """Where the paths tell items apart, every parameter is tracking."""
    links = [(f"{BASE}/post/{n}001/slug-{n}?level=1&t=ab", LONG) for n in (1, 2, 3)]
    pattern = induce_pattern(links)
    assert pattern is not None
    assert pattern.strip_params == ("level", "t")
    assert pattern.match == r"^/post/(?P<external_id>\d+)/slug-\d+$"


def test_no_links_no_pattern() -> None:
    """Nothing is made up."""
    assert induce_pattern([]) is None
