from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from crawler.config.portal import (
    Expression,
    NextRule,
    PageNumbers,
    RowsRule,
    Rule,
    SkipRule,
    SourceRule,
    SummaryRule,
    TickerRule,
)

RULE: TypeAdapter[tuple[Expression, ...]] = TypeAdapter(Rule)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (".title", Expression(path=".title")),
        ("css: h1", Expression(css="h1")),
        ("css:a::attr(href)", Expression(css="a", attr="href")),
        ("a ::attr( href )", Expression(path="a", attr="href")),
        ("a::text", Expression(path="a")),
        ("::attr(href)", Expression(attr="href")),
        ("::text", Expression(css=":scope")),
        ("xpath://a/@href", Expression(xpath="//a/@href")),
        ("json:a.b", Expression(json_path="a.b")),
        ("re:^x: (.+)$", Expression(re="^x: (.+)$")),
        ({"css": "a::attr(x)", "re": "y"}, Expression(css="a", attr="x", re="y")),
        ({"json": "a"}, Expression(json_path="a")),
        ({"value": "x"}, Expression(value="x")),
    ],
)
def test_expression_is_read(written: object, meant: Expression) -> None:
    """Text and mapping say the same steps."""
    assert RULE.validate_python(written) == (meant,)


@pytest.mark.parametrize("wrong", [{}, {"split": ","}, {"css": "a", "value": "b"}, 3])
def test_expression_selects_by_one_thing(wrong: object) -> None:
    """An expression selects by exactly one thing."""
    with pytest.raises(ValidationError):
        RULE.validate_python(wrong)


def test_rule_is_one_or_several() -> None:
    """One expression may stand for a list of one, nothing for none."""
    assert RULE.validate_python(None) == ()
    assert len(RULE.validate_python(["a", {"re": "b"}])) == 2


def test_shorthands_stand_for_mappings() -> None:
    """Each shorthand is the mapping it is short for."""
    assert SkipRule.model_validate("x").when == "x"
    assert PageNumbers.model_validate(3).start == 3
    assert NextRule.model_validate({"page": True}).page == PageNumbers()
    assert TickerRule.model_validate("a").css == "a"
    assert TickerRule.model_validate(False).text is False
    rows = RowsRule.model_validate("li a")
    assert rows.rows == (Expression(path="li a"),)
    by = {"css": ".x", "re": "(y)"}
    assert SourceRule.model_validate(by).name == (Expression(css=".x", re="(y)"),)
    ai = SummaryRule.model_validate({"css": ".x", "origin": "portal_ai"})
    assert (ai.rule, ai.origin) == ((Expression(css=".x"),), "portal_ai")
