"""Listings without rules: which links are items, and what a row holds."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from crawler.config.portal import Portal
from crawler.errors import NotExtracted
from crawler.extract import extract_listing
from crawler.item import Listing

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
BASE = "http://h.example"
URL = f"{BASE}/news/"
NAV = "<nav><a href=/a/9>A long name of a section of this portal</a></nav>"


def read(html: str, url: str = URL) -> Listing:
    """Return the listing of a page."""
    return extract_listing(html.encode(), url=url, captured_at=AT)


def paths(html: str, url: str = URL) -> list[str]:
    """Return the paths of the items of a page."""
    return [link.url.removeprefix(BASE) for link in read(html, url).links]


def rows(*titles: str, mark: str = "<li><a href=/n/{n}>{title}</a></li>") -> str:
    """Return a row for each title, its links numbered from 1."""
    return "".join(mark.format(n=n, title=t) for n, t in enumerate(titles, 1))


LONG = "城市东区新大桥周三正式通车"


def test_a_short_headline_in_a_strong_group_is_one() -> None:
    """A group is taken as a whole."""
    assert paths(f"<ul>{rows(LONG, LONG + '二', '降温了')}</ul>") == [
        "/n/1",
        "/n/2",
        "/n/3",
    ]


def test_a_long_name_in_a_weak_group_is_none() -> None:
    """Sections stand alike, and most of them say little."""
    names = rows(
        "体育", "财经", "中华人民共和国新闻", mark="<p><a href=/s/{n}>{title}</a>"
    )
    page = f"<div>{names}</div><ul>{rows(LONG, LONG + '二', LONG + '三')}</ul>"
    assert paths(page) == ["/n/1", "/n/2", "/n/3"]


@pytest.mark.parametrize(
    "around",
    [
        "<nav>{}</nav>",
        "<footer>{}</footer>",
        "<aside>{}</aside>",
        "<div role=navigation>{}</div>",
        "<div class='site-menu'>{}</div>",
        "<div id=comments>{}</div>",
        "<div class='ad box'>{}</div>",
    ],
)
def test_links_outside_the_listing(around: str) -> None:
    """Navigation, footers, comments and advertisements hold no items."""
    other = rows(
        "Bridge repairs will last all summer",
        "Why the harbour is closed on Monday",
        "Ten places to see before the rain",
        mark="<p><a href=/o/{n}>{title}</a></p>",
    )
    mine = rows(*(f"{LONG}{n}" for n in "一二三四五六七八"))
    assert all(x.startswith("/n/") for x in paths(f"{around.format(other)}<ul>{mine}"))


def test_a_page_wrapped_in_a_class_of_that_name() -> None:
    """What holds most headlines is no sidebar, whatever it is called."""
    page = f"<div class='with-sidebar'><ul>{rows(LONG, LONG + '二', LONG + '三')}</ul>"
    assert len(paths(page)) == 3


def test_several_groups_of_cards() -> None:
    """A front has a lead, cards and a list, each marked up in its own way."""
    lead = "<section><h2><a href=/lead>Harbour tunnel opens a year early</a></h2>"
    cards = rows(
        "Ferry line returns after a decade",
        "Night buses run until four now",
        mark="<article><a href=/c/{n}><img src=x><h3>{title}</h3><p>teaser</p></a>",
    )
    page = (
        f"{NAV}{lead}</section>{cards}<ul>{rows(LONG, LONG + '二', LONG + '三')}</ul>"
    )
    assert paths(page) == ["/lead", "/c/1", "/c/2", "/n/1", "/n/2", "/n/3"]


def test_what_only_says_more() -> None:
    """Links for more, comment counts and the same words again are no headlines."""
    mark = (
        "<div><h3><a href=/n/{n}>{title}</a></h3><a href=/n/{n}#c>12 comments</a>"
        "<a href=/more/{n}>Read the full story of this</a>"
        "<p><a href=/brand/{n}>More from this brand here</a></p></div>"
    )
    titles = ("Ferry line returns after a decade", "Night buses run until four")
    page = rows(*titles, "Rain expected until late Friday evening", mark=mark)
    found = read(page).links
    assert [x.url for x in found] == [f"{BASE}/n/{n}" for n in (1, 2, 3)]
    assert found[0].hint["title"].values == (titles[0],)


@pytest.mark.parametrize(
    "path", ["/tag/x/", "/author/lee/", "/category/a/", "/users/7", "/login", "/about/"]
)
def test_addresses_that_are_no_items(path: str) -> None:
    """Tags, authors, sections and accounts are told by their address."""
    last = f"<li><a href={path}>A long enough text for a headline</a></li>"
    page = f"<ul>{rows(LONG, LONG + '二', LONG + '三')}{last}</ul>"
    assert paths(page) == ["/n/1", "/n/2", "/n/3"]


def test_other_sites_links() -> None:
    """They are left out, unless the listing is one of links to elsewhere."""
    away = rows(
        *(f"Another portal's story number {n} here" for n in "abc"),
        mark="<p><a href=http://other.example/{n}>{title}</a></p>",
    )
    own = rows(*(f"{LONG}{n}" for n in "一二三四"))
    assert len(paths(f"<ul>{own}</ul>{away}")) == 4
    assert len(paths(away)) == 3


def test_a_paid_row_of_another_host_is_left_out() -> None:
    """A portal's own sponsored article stays: it is an article."""
    mark = "<li><a href=http://{n}.h.example/x>{title}</a> <em>广告</em></li>"
    page = (
        f"<ul>{rows(LONG, LONG + '二', LONG + '三')}{rows(LONG + '四', mark=mark)}</ul>"
    )
    assert paths(page) == ["/n/1", "/n/2", "/n/3"]
    own = page.replace("http://1.h.example/x", "/n/4")
    assert paths(own)[-1] == "/n/4"


def test_dates_vouch_for_short_titles() -> None:
    """Names that a date stands beside are entries, without one they are a menu."""
    dated = "<div><h4><a href=/n/{n}>{title}</a></h4><span>2025-07-1{n}</span></div>"
    plain = "<div><h4><a href=/n/{n}>{title}</a></h4></div>"
    titles = ("Devblog 102", "Devblog 103", "Devblog 104", "Wipe day")
    assert len(paths(rows(*titles, mark=dated))) == 4
    with pytest.raises(NotExtracted):
        paths(rows(*titles, mark=plain))


def test_a_row_gives_date_teaser_and_image() -> None:
    """They are read around the link, up to where the next row begins."""
    mark = (
        "<li><a href=/n/{n}><img data-src=/i{n}.jpg src=blank.gif></a>"
        "<a href=/n/{n}>{title}</a><p>桥长两公里，双向六车道，过江只需五分钟。</p>"
        "<span>2025-07-1{n} 08:00</span></li>"
    )
    page = f"<ul>{rows(LONG, LONG + '二', LONG + '三', mark=mark)}</ul>"
    hint = read(page).links[1].hint
    assert {name: value.values for name, value in hint.items()} == {
        "title": (f"{LONG}二",),
        "published": ("2025-07-12 08:00",),
        "summary": ("桥长两公里，双向六车道，过江只需五分钟。",),
        "image": (f"{BASE}/i2.jpg",),
    }


def test_rules_beside_auto() -> None:
    """Items' match, skip and next of the listing hold as for any rows."""
    listing = {
        "id": "l",
        "from": "auto",
        "url": URL,
        "skip": [{"when": "contains(title, '二')", "reason": "two"}],
        "next": {"url": ".on::attr(href)"},
    }
    rules = Portal.model_validate(
        {"id": "p", "listings": [listing], "items": [{"match": "^/n/"}]}
    )
    page = (
        f"<ul>{rows(LONG, LONG + '二', LONG + '三')}<li><a href=/x>{LONG}四</a></ul>"
        "<a href=/2 rel=next>2</a><a class=on href=/on>x</a>"
    )
    found = extract_listing(page.encode(), url=URL, captured_at=AT, portal=rules)
    assert [link.url for link in found.links] == [f"{BASE}/n/1", f"{BASE}/n/3"]
    assert [skipped.reason for skipped in found.skipped] == [
        "row_rule",
        "no_rule",
    ]
    assert found.next is not None
    assert found.next.url == f"{BASE}/on"


def test_a_sitemap_is_told_by_its_root() -> None:
    """So are feeds; see ``test_extract.py``."""
    xml = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{}/n/1"
    assert paths(f"{xml.format(BASE)}</loc></url></urlset>") == ["/n/1"]


@pytest.mark.parametrize(
    "page",
    [
        "".join(f"<li><a href=/n/{n}>{LONG}{n}</a></li>" for n in range(3_000)),
        "".join(f"<a href=/n/{n}>{LONG}<span>" for n in range(2_000)),
        "<div>" * 3_000 + f"<a href=/n/1>{LONG}</a>",
        "".join(f"<a href=/p/{n}>{n}</a> " for n in range(3_000)),
        f"<a href=/n/1>{'字' * 1_000_000}</a>",
    ],
    ids=["many", "never closed", "deep", "numbers", "one long title"],
)
def test_no_page_takes_long(page: str) -> None:
    """Time is bounded by the page's length, not by its links times its depth."""
    began = time.process_time()
    try:
        read(page)
    except NotExtracted as failed:
        assert failed.reason == "bad_listing"  # noqa: PT017 - either is right
    assert time.process_time() - began < 5
