"""Reading the data that a page's script assigns: forms met, and hostile text."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config.portal import StateRule
from crawler.errors import NotExtracted
from crawler.extract.listings.state import read_state
from crawler.model import Json

X = StateRule(name="X")

FORMS = {
    "window": 'window.X = {"a": [1, 2]};',
    "no blanks": 'window.X={"a":[1,2]}',
    "var": 'var X = {"a": [1, 2]}',
    "const": "const X={a:[1,2]}",
    "bracket": 'window["X"] = {"a": [1, 2]}',
    "bracket, single quotes": "window['X']={'a':[1,2]}",
    "other object": "e.X={a:[1,2]}",
    "property": "({Y: 1, X: {a: [1, 2]}})",
    "quoted property": '({"Y": 1, "X": {"a": [1, 2]}})',
    "several in one script": (
        "window._p={n:!0},window.X= {\"a\": [1, 2]},window.q={u: 0,f:'hk'}"
    ),
    "chained": "window.X = window.Y = {a: [1, 2]};",
    "or": "var X = X || {a: [1, 2]};",
    "parentheses": "X = ({a: [1, 2]});",
    "reset first": "window.X = {}; window.X = {a: [1, 2]}; window.X = {};",
    "compared first": "if (window.X === null || X == {}) {}; window.X = {a: [1, 2]}",
    "longer name first": "window.XY = {b: 1}; window.$X = {c: 1}; X = {a: [1, 2]}",
    "not a value first": "window.X = load(); window.X = {a: [1, 2]}",
    "trailing commas": "X={a:[1,2,],}",
    "comments": "X={a:/* { */[1, // ]\n2]}",
    "JSON.parse": 'X = JSON.parse("{\\"a\\":[1,2]}")',
    "JSON.parse, single quotes": "X = JSON.parse('{\"a\":[1,2]}')",
    "JSON.parse, hex": "X = JSON.parse('\\x7b\\x22a\\x22:[1,2]\\x7d')",
    "JSON.parse, coded": 'X=JSON.parse(decodeURIComponent("%7B%22a%22:%5B1,2%5D%7D"))',
    "JSON in a string": "var X = '{\"a\":[1,2]}';",
}


@pytest.mark.parametrize("script", FORMS.values(), ids=FORMS.keys())
def test_reads_each_form_of_assignment(script: str) -> None:
    """Each way in which pages assign state gives the same value."""
    page = f"<html><body><p>X</p><script>{script}</script></body></html>"
    assert read_state(page, X) == {"a": [1, 2]}


VALUES: dict[str, tuple[str, Json]] = {
    "negations": ("{a:!0,b:!1}", {"a": True, "b": False}),
    "plain": ("{a:true,b:false,c:null,}", {"a": True, "b": False, "c": None}),
    "nothings": ("{a:undefined,b:void 0,c:NaN,d:null}", dict.fromkeys("abcd")),
    "words in strings": ('{a:"undefined !0"}', {"a": "undefined !0"}),
    "words as keys": ("{undefined:1}", {"undefined": 1}),
    "quotes": ("{a:'it\\'s \"so\"'}", {"a": 'it\'s "so"'}),
    "template": ("{a:`x\ny`}", {"a": "x\ny"}),
    "escapes": (r"{a:'\x41\u4e2d\u{1F680}\n\/'}", {"a": "A中🚀\n/"}),
    "surrogates": (r"{a:'\ud83d\ude80'}", {"a": "🚀"}),
    "half a surrogate": (r"{a:'\ud83d.'}", {"a": "\ufffd."}),
    "brackets in strings": ("{a:'}]{',b:[\"]\"]}", {"a": "}]{", "b": ["]"]}),
    "address": ("{a:'https://x/y'}", {"a": "https://x/y"}),
    "date": (
        "{a:new Date(1752541020000),b:new Date()}",
        {"a": 1752541020000, "b": None},
    ),
    "closing tag": (r'{"a":"<\/script>"}', {"a": "</script>"}),
}


@pytest.mark.parametrize(("literal", "value"), VALUES.values(), ids=VALUES.keys())
def test_reads_javascript_as_the_values_it_means(literal: str, value: Json) -> None:
    """What JavaScript writes otherwise than JSON is read as what it stands for."""
    assert read_state(f"<script>window.X = {literal};f()</script>", X) == value


@pytest.mark.parametrize(
    "tag",
    [
        '<script id="__NEXT_DATA__" type="application/json">{"a": 1}</script>',
        "<script type='application/json' id=__NEXT_DATA__>\n {a: 1}\n</SCRIPT >",
        '<script id="__NEXT_DATA__"><!-- {"a": 1} --></script>',
    ],
)
def test_reads_a_script_by_its_id(tag: str) -> None:
    """A JSON script is found by its id alone, however the tag is written."""
    page = f'<script id="other">{{"b": 1}}</script><b id="__NEXT_DATA__"></b>{tag}'
    assert read_state(page, StateRule(script="__NEXT_DATA__")) == {"a": 1}


def test_names_what_is_there_instead() -> None:
    """A page without the variable fails by name, and says which names it has."""
    page = "<script>window._params={a:1},window['__NUXT__']=f();let y = 2</script>"
    with pytest.raises(NotExtracted) as failed:
        read_state(page, X)
    assert failed.value.reason == "bad_listing"
    assert failed.value.detail == (
        "no state under variable 'X'; names on the page: '_params', '__NUXT__', 'y'"
    )


def test_names_the_scripts_that_are_there() -> None:
    """A page without the script fails by name, and says which ids it has."""
    with pytest.raises(NotExtracted, match="script 'a'; names on the page: 'b'"):
        read_state('<script id="b">{"c": 1}</script>', StateRule(script="a"))


@pytest.mark.parametrize("script", ["{}", "[]"])
def test_keeps_an_empty_state_that_is_the_only_one(script: str) -> None:
    """A state that is there and empty is an empty value, not a missing one."""
    assert read_state(f"window.X = {script}", X) == json.loads(script)


@pytest.mark.parametrize(
    "script",
    [
        "window.X=(function(a,b){return {a:a}}(1,2));",
        "window.X = 5",
        "window.X = JSON.parse(text)",
        'window.X = JSON.parse("5")',
        "window.X = {a: [1, 2",
        "window.X",
        "",
    ],
)
def test_does_not_guess(script: str) -> None:
    """What only running the script would give is no state."""
    with pytest.raises(NotExtracted):
        read_state(script, X)


MB = 1_000_000
HOSTILE = {
    "unclosed braces": "window.X = " + "{" * 20 * MB,
    "unclosed brackets": "window.X = " + "[" * 20 * MB,
    "many unclosed": "window.X = {a:" * (20 * MB // 14),
    "one unclosed string": 'window.X = {"a": "' + "\\\"'" * (20 * MB // 3),
    "quotes": "window.X = {a:" + "'\"`" * (20 * MB // 3),
    "flat": "window.X = {a:" + "[]," * (20 * MB // 3),
    "long number": "window.X = [" + "9" * 20 * MB + "]",
    "names": "X" * 20 * MB,
    "names and blanks": "X " * 10 * MB,
    "blanks": "X" + " " * 20 * MB,
    "blanks after a quote": 'X"' + " " * 20 * MB,
    "blanks in a date": "X = {a: new Date(" + " " * 20 * MB,
    "scripts": "<script id=" * (20 * MB // 11),
    "comments": "window.X = {/*" + "/*" * 10 * MB,
    "parse calls": "X=JSON.parse('" * (20 * MB // 14),
}


@pytest.mark.parametrize("rule", [X, StateRule(script="X")], ids=["name", "script"])
@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE.keys())
def test_ends_soon_on_hostile_text(page: str, rule: StateRule) -> None:
    """20 MB made to hurt end within seconds, as a page without state."""
    started = time.process_time()
    with pytest.raises(NotExtracted):
        read_state(page, rule)
    assert time.process_time() - started < 20


def test_reads_the_fixture_with_three_assignments(shared: Path) -> None:
    """The state between two assignments that are no JSON is read whole."""
    page = (shared / "fixtures/portals/futu-like/site/hk/main.html").read_text("utf-8")
    state = read_state(page, StateRule(name="window.__INITIAL_STATE__"))
    assert isinstance(state, dict)
    assert list(state) == ["prefetch"]
    assert read_state(page, StateRule(name="_params")) == {
        "uid": 0,
        "lang": 1,
        "prefixLang": "hk",
    }


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), values, min_size=1))
def test_gives_back_what_was_written(value: dict[str, Json]) -> None:
    """Any JSON object assigned to the name comes back as it was."""
    for script in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert read_state(f"<script>var X = {script};</script>", X) == value
