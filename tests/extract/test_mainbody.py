"""Which box of a page is its article, and which beside it is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.extract import extract_item
from crawler.item import Summary

AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
URL = "http://h.example/n/1.html"
TITLE = "新大桥周三正式通车"
DIGEST = (
    "本文讲述一座新桥的通车：它连接城东与港口，全长两公里，"
    "行车只需五分钟，沿线居民期待已久，市长亲自剪彩。"
)
TEXT = "大桥全长两公里，双向六车道，通车后从城东到港口只需五分钟，沿线居民期待已久。"
LATER = "市长说，通行费的标准要到年底才会公布，在那之前所有车辆都不收费。"


def page(beside: str, inside: str = "") -> bytes:
    """Return a page with a box before the body, or at the body's begin."""
    body = f"<div class=article-content>{inside}<p>{TEXT}</p><p>{LATER}</p></div>"
    return f"<h1>{TITLE}</h1>{beside}{body}".encode()


@pytest.mark.parametrize("name", ["ai-summary", "aiSummary", "gpt_digest", "ai_tldr"])
def test_a_machine_s_summary_is_no_part_of_the_text(name: str) -> None:
    """It is the summary, neither body nor lead, before the body and within it."""
    box = f"<div class={name}><p>{DIGEST}</p></div>"
    for body in (page(box), page("", box)):
        item = extract_item(body, url=URL, captured_at=AT)
        assert item.summary == Summary(
            text=DIGEST, origin="portal_ai", language="zh-Hans"
        )
        assert item.body_text == f"{TEXT}\n\n{LATER}"
        assert item.lead is None


@pytest.mark.parametrize("name", ["summary", "lead", "standfirst", "tldr intro"])
def test_an_author_s_lead_stays(name: str) -> None:
    """A box that is only called a summary is the first paragraph of the text."""
    box = f"<div class='{name}'>{DIGEST}</div>"
    item = extract_item(page(box), url=URL, captured_at=AT)
    assert item.summary is None
    assert (item.body_text or "").startswith(DIGEST)
