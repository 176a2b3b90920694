"""How each field of an item came about, and what else there was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.config.portal import Portal
from crawler.errors import LayoutChanged
from crawler.extract import extract_explained
from crawler.extract.explain import Field, explain_item, facts_of
from crawler.model import Capture, HintValue, Kind, Link, Origin, Response

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
URL = "http://harbour.example/post/7"
PAGE = """<html><head><title>渡轮复航 - 港务网</title>
<meta property=og:title content=渡轮复航了><meta property=og:type content=article>
</head><body><h1>渡轮复航</h1><p class=when>今年夏天</p><p class=at>2025-07-14 09:30</p>
<div class=b><p>港务局宣布，停航两周的渡轮周一复航，运客三千。</p>
<p>首班六点开出，末班晚上十点，票价照旧。</p></div></body></html>"""


def portal(**rule: object) -> Portal:
    """Return a portal with one item rule."""
    common = {"match": "^/post/", "title": ["h2.no", "h1"], "body": ".b"}
    given = {"id": "harbour", "items": [{**common, **rule}]}
    return Portal.model_validate({**given, "timezone": "Asia/Shanghai"})


def capture() -> Capture:
    """Return the page with a title from its listing."""
    hint = {"title": HintValue(("渡轮复航…",), Origin.ROWS, AT)}
    link = Link(URL, Kind.ITEM, hint=hint)
    return Capture("p", link, Response(URL, 200, (), PAGE.encode(), AT), AT)


def explained(rules: Portal) -> dict[str, Field]:
    """Return the fields by name, as `try` explains them."""
    made = extract_explained(capture(), rules)
    fields = explain_item(capture(), rules, made.item, made.methods or {})
    return {field.name: field for field in fields}


def verdicts(field: Field) -> dict[str, str]:
    """Return the verdict of each way."""
    return {one.way: one.verdict for one in field.candidates}


def test_rules_hint_and_head_are_told_in_order_of_trust() -> None:
    """What was taken is marked; before it what found nothing, after it the rest."""
    title = explained(portal())["title"]
    assert (title.value, title.method) == ("渡轮复航", "css:h1")
    assert [one.way for one in title.candidates][:4] == [
        "css:h2.no",
        "css:h1",
        "hint:rows",
        "meta:og:title",
    ]
    assert title.candidates[0].verdict == "found nothing"
    assert verdicts(title)["css:h1"] == "chosen"
    assert verdicts(title)["hint:rows"] == "not needed"
    assert title.candidates[3].text == "渡轮复航了"


def test_text_that_is_no_time_is_told() -> None:
    """A rule that finds a text no time can be read from is named with the text."""
    published = explained(portal(published=[".when", ".at"]))["published"]
    assert verdicts(published)["css:.when"] == "no time can be read"


def test_field_that_is_generic_names_its_way() -> None:
    """Without a rule what was taken is a candidate of its own."""
    published = explained(portal())["published"]
    assert published.method is not None
    assert verdicts(published)[published.method] == "chosen"


def test_page_without_an_item_is_explained_too() -> None:
    """Where a required field is missing, it is seen which expression found nothing."""
    rules = portal(editor=".by", required=["title", "editor"])
    with pytest.raises(LayoutChanged):
        extract_explained(capture(), rules)
    fields = explain_item(capture(), rules, None, {})
    editor = next(field for field in fields if field.name == "editor")
    assert (editor.value, verdicts(editor)["css:.by"]) == (None, "found nothing")


def test_facts_of_a_page() -> None:
    """Encoding, size, the rule that reads it, what its head says, its type."""
    facts = facts_of(capture(), portal())
    assert facts is not None
    assert (facts.encoding, facts.og_type, facts.rule) == (
        "utf-8",
        "article",
        "^/post/",
    )
    assert facts.type == "article"
    assert facts.lines == 5
