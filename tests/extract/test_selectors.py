import pytest
from pydantic import TypeAdapter

from crawler.config.portal import Expression, Rule
from crawler.errors import ConfigError
from crawler.extract.document.page import Page
from crawler.extract.document.selectors import (
    elements,
    first,
    located,
    raw_texts,
    texts,
)

RULE: TypeAdapter[tuple[Expression, ...]] = TypeAdapter(Rule)
URL = "http://h.example/p"
HTML = """<html><body><h1> A　 b </h1>
<p class="info">2025-07-13 22:47　来源：体育广场</p>
<div class="tags"><a href="/1" title="one">x</a> <a href="/2">y</a></div>
<p>责任编辑：李荏</p></body></html>"""
JSON = (
    '{"a": {"b": [1, 2.0, "x", null, true, {"c": "编辑：q"}], "h": "<p> a\\n b</p>"}}'
)


def found(rule: object, text: str = HTML) -> list[str]:
    """Return the texts that the rule finds."""
    page = Page(text, URL)
    return [each.text for each in texts(RULE.validate_python(rule), page.root, page)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("h1", ["A b"]),
        ("css:h1", ["A b"]),
        ("xpath://h1", ["A b"]),
        ("xpath:string(//h1)", ["A b"]),
        ("xpath:count(//a)", ["2"]),
        ("xpath:boolean(//table)", []),
        ("a::attr(href)", ["/1", "/2"]),
        ("a::attr(title)", ["one"]),
        ("xpath://a/@href", ["/1", "/2"]),
        (".tags a::text", ["x", "y"]),
        ("> body > h1", ["A b"]),
        ({"css": ".info", "re": r"来源：(\S+)"}, ["体育广场"]),
        ({"css": ".info", "re": r"^[-0-9]+ [:0-9]+"}, ["2025-07-13 22:47"]),
        ({"css": ".info", "split": r"\s"}, ["2025-07-13", "22:47", "来源：体育广场"]),
        ({"css": "a", "attr": "href", "re": r"\d"}, ["1", "2"]),
        (r"re:^责任编辑[：:]\s*(.+)$", ["李荏"]),
        ({"value": "constant"}, ["constant"]),
        ([".none", "h1", "a"], ["A b"]),
        (".none", []),
        ("json:a", []),
        ((), []),
    ],
)
def test_expressions_on_html(rule: object, expected: list[str]) -> None:
    """Each form of an expression finds its texts, in page order, as single lines."""
    assert found(rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("a.b", ["1", "2", "x", "true"]),
        ("json:a.b[5].c", ["编辑：q"]),
        ("re:编辑：(.+)", ["q"]),
        ("a.b[?contains(@, 'x')]", []),  # a type it does not take
        ("a.none", []),
        ("css:h1", []),
        ("xpath://h1", []),
    ],
)
def test_expressions_on_json(rule: object, expected: list[str]) -> None:
    """A path without a prefix is JMESPath on JSON; HTML selectors find nothing."""
    assert found(rule, JSON) == expected


@pytest.mark.parametrize(
    ("rule", "method"),
    [
        ("h1", "css:h1"),
        ("a::attr(href)", "css:a::attr(href)"),
        ("re:责任编辑：(.+)", "re:责任编辑：(.+)"),
        ([".none", "xpath://h1"], "xpath://h1"),
        ({"value": "x"}, "value"),
    ],
)
def test_method_names_the_expression_that_found_it(rule: object, method: str) -> None:
    """Provenance is told the very expression."""
    page = Page(HTML, URL)
    got = first(RULE.validate_python(rule), page.root, page)
    assert got is not None
    assert got.method == method


def test_attribute_of_the_row_itself() -> None:
    """``::attr(href)`` alone reads the row's own attribute."""
    page = Page(HTML, URL)
    row = elements(RULE.validate_python(".tags a"), page.root)[1]
    assert texts(RULE.validate_python("::attr(href)"), row, page)[0].text == "/2"


def test_rows_are_searched_by_their_own_lines() -> None:
    """A pattern alone searches the row's lines, not the page's."""
    page = Page("<ul><li>编辑：a</li><li>编辑：b</li></ul>", URL)
    rows = elements(RULE.validate_python("li"), page.root)
    rule = RULE.validate_python("re:^编辑：(.+)$")
    assert [texts(rule, row, page)[0].text for row in rows] == ["a", "b"]


def test_elements_of_json_are_objects() -> None:
    """Rows of a JSON page are the list's objects, or one object alone."""
    page = Page('{"d": {"l": [{"i": 1}, "no", {"i": 2}]}}', URL)
    assert elements(RULE.validate_python("d.l"), page.root) == [{"i": 1}, {"i": 2}]
    assert located(RULE.validate_python(["none", "d"]), page.root)[1] == "json:d"


def test_raw_texts_keep_white_space() -> None:
    """HTML inside JSON keeps its line breaks."""
    page = Page(JSON, URL)
    assert (
        raw_texts(RULE.validate_python("a.h"), page.root, page)[0].text
        == "<p> a\n b</p>"
    )


@pytest.mark.parametrize(
    ("rule", "text"),
    [("css:a[", HTML), ("xpath://a[", HTML), ("json:a[", JSON), ("re:(", HTML)],
)
def test_an_expression_that_cannot_be_compiled_is_a_config_error(
    rule: object, text: str
) -> None:
    """A broken selector is the configuration's error, named as such."""
    with pytest.raises(ConfigError):
        found(rule, text)


def test_patterns_see_bounded_text() -> None:
    """A pattern finds nothing beyond the first 100,000 characters."""
    assert found("re:needle", "<p>" + "x" * 200_000 + "needle</p>") == []
