"""What a page is, where no rule reads it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.config.portal import Portal
from crawler.errors import NotExtracted
from crawler.extract import extract_item
from crawler.extract.auto.pagetype import PageType, page_type
from crawler.extract.document.page import Page

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
URL = "http://h.example/n/1.html"
LINE = "大桥全长两公里，双向六车道，通车后从城东到港口只需五分钟，沿线居民期待已久。"
STORY = f"<h1>新大桥周三正式通车</h1><p>{LINE}</p><p>市长说：“{LINE}”</p>"
STATED = '<script type="application/ld+json">{"@type": "NewsArticle"}</script>'
ROWS = "".join(
    f"<li><h3><a href=/n/{n}>城市东区新大桥周三正式通车{n}</a></h3><p>{LINE}</p></li>"
    for n in "一二三四五六七八"
)

BOXES = ROWS.replace("li>", "div>")
TITLED = "<title>新大桥周三正式通车_某网</title>"
NAMED = f"<h1>某网</h1>{STORY}{STORY}".replace(STORY, STORY.partition("</h1>")[2])
BRIEF = f"<h1>新大桥周三正式通车</h1><p>{LINE}</p>"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (f"<h1>本地新闻</h1><ul>{ROWS}</ul>", "not_an_article"),
        ("<title>404</title><h1>404 Not Found</h1><p>nginx</p>", "gone"),
        ("<h1>抱歉，您访问的页面不存在</h1><a href=/>返回首页</a>", "gone"),
        ("<p>该文章已被删除</p>", "gone"),
        ("<h1>Sorry</h1><p>The page you requested could not be found.</p>", "gone"),
        ("<p>很抱歉，您要查看的内容已下线</p>", "gone"),
        ("<div id=app></div><script src=a.js></script>", "shell_page"),
        ("<div id=root><p>加载中…</p></div>", "shell_page"),
        (
            "<noscript>You need to enable JavaScript to run this app.</noscript>",
            "shell_page",
        ),
        ("<p>请启用JavaScript后继续访问</p>", "shell_page"),
        ("<h1>新大桥</h1><p>登录后即可阅读全文</p>", "paywall"),
        ("<h1>A bridge</h1><p>Subscribe now to continue reading</p>", "paywall"),
        ("<h1>A bridge</h1><p>This story is for subscribers only.</p>", "paywall"),
        ("<p>本文为付费内容，开通会员后可查看</p>", "paywall"),
        ("<title>Just a moment...</title><p>Checking your browser</p>", "blocked"),
        ("<h1>安全验证</h1><p>请完成下列验证后继续</p>", "blocked"),
        ("<p>您的访问过于频繁，请输入图片中的验证码</p>", "blocked"),
        ("<h1>Let us know you’re human (no robots allowed)</h1>", "blocked"),
    ],
)
def test_what_is_no_article_gives_no_item(page: str, reason: str) -> None:
    """Each has a reason of its own, without a portal and with one that has no rules."""
    rules = Portal.model_validate({"id": "p", "items": [{"match": ""}]})
    for portal in (None, rules):
        with pytest.raises(NotExtracted) as caught:
            extract_item(page.encode(), url=URL, captured_at=AT, portal=portal)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    "page",
    [
        STORY,
        f"<h1>短讯</h1><p>{LINE}</p>",
        f"{STORY}<aside><ul>{ROWS}</ul></aside>",
        f"{STORY}{STORY}<ul>{ROWS}</ul>",
        f"<h1>404 pages not found in the archive</h1><p>{LINE}</p>{STORY}",
        f"<h1>会员专享</h1>{STORY}{STORY}<p>登录后即可阅读全文</p>",
        f"<div id=app>{STORY}</div><noscript>Please enable JavaScript</noscript>",
        f"{STATED}<ul>{ROWS}</ul>",
    ],
)
def test_articles_stay_articles(page: str) -> None:
    """Rows beside the text, words of a notice, a login below change nothing."""
    found = page_type(Page(page, URL))
    assert found.type is PageType.ARTICLE, found
    made = extract_item(page.encode(), url=URL, captured_at=AT)
    assert made.url == URL


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (
            f"{TITLED}<div>{STORY}{STORY}</div><ul class=related>{ROWS}</ul>",
            PageType.ARTICLE,
        ),
        (f"<title>某网</title>{NAMED}<ul>{ROWS}</ul>", PageType.LISTING),
        (f"{TITLED}<div>{STORY}{STORY}{BOXES}</div>", PageType.LISTING),
        (f"<title>某网</title><ul>{ROWS}</ul>", PageType.LISTING),
    ],
)
def test_a_root_address_says_little(page: str, kind: PageType) -> None:
    """Under its title an article is one; a front page has its rows in its text."""
    root = page_type(Page(page, "http://h.example/"))
    assert root.type is kind, root
    index = page_type(Page(page, "http://h.example/index.html"))
    assert index.type is PageType.LISTING, index


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (f"<div class=article>{BRIEF}</div><ul>{ROWS}</ul>", PageType.ARTICLE),
        (f"<div class=head>{BRIEF}</div><ul>{ROWS}</ul>", PageType.LISTING),
        (f"<div class=article>{BRIEF}<ul>{ROWS}</ul></div>", PageType.LISTING),
        (
            f"<div class=article>{BRIEF}</div><h1>本地新闻</h1><ul>{ROWS}</ul>",
            PageType.LISTING,
        ),
    ],
)
def test_a_short_article_among_many_rows(page: str, kind: PageType) -> None:
    """A box that is called an article, under the only heading, without rows."""
    found = page_type(Page(f"{TITLED}{page}", URL))
    assert found.type is kind, found


def test_the_evidence_is_told() -> None:
    """Which is what ``try`` shows, and the detail of the failure."""
    found = page_type(Page(f"<ul>{ROWS}</ul>", URL))
    assert found.evidence == "8 rows, text beside them worth 0 headlines"


def test_a_portal_with_rules_is_believed() -> None:
    """A rule that names the body has seen the page: nothing is refused."""
    item = {"match": "", "body": "ul"}
    rules = Portal.model_validate({"id": "p", "items": [item]})
    page = f"<h1>本地新闻</h1><ul>{ROWS}</ul>"
    made = extract_item(page.encode(), url=URL, captured_at=AT, portal=rules)
    assert LINE in (made.body_text or "")
