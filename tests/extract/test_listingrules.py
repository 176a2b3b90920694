"""Rules for a listing's rows, proposed of HTML, JSON and a script's state."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from crawler.extract.document.page import Page
from crawler.extract.propose.listingrules import Seen, html_rows, json_rows, next_rule

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://harbour.example"
ROWS = [
    {
        "id": n,
        "headline": f"第{n}条港务新闻的标题",
        "cover": f"/img/{n}.jpg",
        "link": f"/post/{n}",
        "ctime": 1752541020 + n,
        "tags": [{"name": "港务", "url": "/tag/1"}],
    }
    for n in range(3)
]
FIELDS = {"url": "link", "title": "headline", "published": "ctime", "external_id": "id"}


def seen(text: str) -> Seen:
    """Return a listing page."""
    return Seen(Page(text, f"{BASE}/news/", encoding="utf-8", method=""), AT, UTC)


def test_rows_fields_and_time_of_html() -> None:
    """Row, link, heading and time by the classes they have."""
    rows = "".join(
        f"<div class='card x{n}9f8e7'><a class=pic href=/post/{n}><img></a>"
        f"<a href=/post/{n}><h3>第{n}条港务新闻的标题</h3></a>"
        f"<i>07-1{n} 08:20</i></div>"
        for n in range(3)
    )
    page = seen(f"<nav><a href=/a>甲</a></nav><div>{rows}</div>")
    rule = html_rows(page, [f"{BASE}/post/{n}" for n in range(3)])
    assert rule is not None
    assert rule["rows"] == ".card"
    fields = rule["fields"]
    assert isinstance(fields, dict)
    assert (fields["title"], fields["published"]) == ("h3", "i")


def test_rows_of_a_json_answer() -> None:
    """The list whose objects have addresses and headlines, each key by its name."""
    text = json.dumps({"code": 0, "data": {"hot": ["a"], "list": ROWS}})
    found = json_rows(seen(text))
    assert found is not None
    rule, rows = found
    assert rule == {"from": "json", "rows": "data.list"}
    assert rows.fields == FIELDS


def test_rows_of_a_state() -> None:
    """A script's variable that holds rows is found by trying those there are."""
    state = json.dumps({"feed": {"list": ROWS}})
    text = f"<script>window.__A={{b:1}};window.__STATE__={state}</script><div id=app>"
    found = json_rows(seen(text))
    assert found is not None
    assert found[0]["state"] == {"name": "__STATE__", "rows": "feed.list"}


def test_no_rows_no_rule() -> None:
    """Neither a page without links nor JSON without addresses has rows."""
    assert html_rows(seen("<p>text</p>"), [f"{BASE}/post/1"]) is None
    assert json_rows(seen(json.dumps({"list": [{"name": "甲乙丙丁", "n": 1}]}))) is None


def test_next_by_rel_word_or_class() -> None:
    """What says "next" is taken, in that order."""
    url = f"{BASE}/news/2"
    for link, rule in (
        ("<a rel=next href=/news/2>&gt;</a>", "a[rel=next]::attr(href)"),
        ("<a href=/news/2>下一页</a>", "xpath://a[normalize-space(.)='下一页']/@href"),
        ("<a class=nextbtn href=/news/2>&gt;</a>", ".nextbtn::attr(href)"),
        ("<a href=/news/2>2</a>", None),
    ):
        assert next_rule(seen(link).page, url) == rule
