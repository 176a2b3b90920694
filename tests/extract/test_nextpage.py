"""The page that follows a listing page, found without rules."""

from __future__ import annotations

import pytest

from crawler.extract.auto.nextpage import read_paging
from crawler.extract.document.page import Page
from crawler.item import Paging

BASE = "http://h.example"
URL = f"{BASE}/news/"
ON = f"{BASE}/news/page/2"


def read(html: str, url: str = URL) -> Paging:
    """Return how a page says that it goes on."""
    return read_paging(Page(html, url))


@pytest.mark.parametrize(
    "text",
    [
        *("下一页", "下页", "后页", "下一頁", "次へ", "次のページ", "다음", "下一页 >"),
        *("Next", "next »", "Next page", "Weiter", "Nächste Seite", "Suivant", "Далее"),
        *("Siguiente", "Successiva", "Próxima", "Volgende", "Następna", "Older posts"),
        *("Ältere Beiträge", "Sonraki", "Следующая", "Go to next page", "التالي"),
    ],
)
def test_words(text: str) -> None:
    """A link that says so in words leads on."""
    assert read(f"<a href=/news/page/2>{text}</a>").url == ON


@pytest.mark.parametrize(
    "link",
    [
        "<link rel=next href=/news/page/2>",
        "<a rel='nofollow next' href=/news/page/2>x</a>",
        "<a href=/news/page/2>&gt;</a>",
        "<a href=/news/page/2>»</a>",
        "<a href=/news/page/2>→</a>",
        "<a href=/news/page/2 aria-label='Next page'><i></i></a>",
        "<a href=/news/page/2 title=下一页><svg></svg></a>",
        "<a href=/news/page/2><img src=r.png alt=Next></a>",
        "<a href=/news/page/2 class='btn btn-next'></a>",
        "<li class=next><a href=/news/page/2><i></i></a></li>",
        "<a href=/news/page/2>More articles...</a>",
    ],
)
def test_signs(link: str) -> None:
    """Relations, arrows, labels of icons and classes say it, too."""
    assert read(link).url == ON


@pytest.mark.parametrize(
    "pager",
    [
        "<b>1</b> <a href=/news/page/2>2</a> <a href=/news/page/3>3</a>",
        "<a href=/news/ class=active>1</a><a href=/news/page/2>2</a>",
        "<li class=current><a>1</a></li><li><a href=/news/page/2>2</a></li>",
        "<a href='#' aria-current=page>1</a><a href=/news/page/2>2</a>",
        "<a href=/news/page/2>2</a> <a href=/news/page/3>3</a> … <a href=/news/page/9>",
        "<a href='javascript:void(0)'>1</a><a href=/news/page/2>[2]</a>",
        "<strong>第1页</strong><a href=/news/page/2>第2页</a>",
    ],
)
def test_numbers_without_a_word(pager: str) -> None:
    """The number after the one shown leads on."""
    found = read(f"<div>{pager}</div>")
    assert (found.kind, found.url) == ("numbered", ON)


def test_numbers_in_the_middle_of_a_walk() -> None:
    """Pages before the one shown do not follow it, whatever points at them."""
    page = (
        "<a class=prev href=/l?p=3>«</a><a href=/l?p=1>1</a> … <a href=/l?p=3>3</a>"
        "<span>4</span><a href=/l?p=5>5</a> <a href=/l?p=9>»»</a>"
    )
    assert read(page, f"{BASE}/l?p=4").url == f"{BASE}/l?p=5"
    last = "<a href=/l?p=1>1</a><a href=/l?p=2>2</a><em>3</em><a href=/l?p=2>></a>"
    assert read(last, f"{BASE}/l?p=3") == Paging(
        "numbered", None, "the last number is shown"
    )


@pytest.mark.parametrize(
    "page",
    [
        "<a href='javascript:void(0)'>下一页</a>",
        "<a href='#'>Next</a>",
        "<a href=/news/>Next</a>",
        "<a href=http://other.example/page/2>Next</a>",
        "<a href=/story/next-week>The week ahead: what comes next</a>",
        "<a href=/a class='slick-next slider'></a>",
        "<a href=/a>&gt;</a>",
        "<p>as shown<a href=/a#1>1</a>, <a href=/a#2>2</a></p>",
        "<tr>" + "".join(f"<td><a href=/d/{n}>{n}</a></td>" for n in range(1, 32)),
        "<td>1<td>2<td>3<td><a href=/d/4>4</a><td><a href=/d/5>5</a><td>6<td>7",
        "<a href=/x/1>12</a> <a href=/x/2>7</a> comments",
    ],
)
def test_none(page: str) -> None:
    """Scripts, other hosts, carousels, footnotes, calendars are no next page."""
    assert read(page) == Paging("none")


@pytest.mark.parametrize(
    "button",
    [
        "<button>Load more</button>",
        "<a href='javascript:;'>加载更多</a>",
        "<div>查看更多</div>",
        "<input type=button value='Show more stories'>",
    ],
)
def test_button(button: str) -> None:
    """What a script acts on is told apart: a browser has to click."""
    assert read(button).kind == "button"
    assert read(button).url is None
