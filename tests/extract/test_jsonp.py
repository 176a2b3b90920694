"""What a JSONP answer hands to its callback."""

from __future__ import annotations

import time

import pytest

from crawler.errors import NotExtracted
from crawler.extract.listings.jsonp import read_jsonp


@pytest.mark.parametrize(
    "text",
    [
        'cb({"a": [1]})',
        '\ufeff \n cb.of.mine({"a": [1]});',
        "/**/typeof cb === 'function' && cb({\"a\": [1]});",
        "/*<script>location.href='//x';</script>*/\ntry{cb({a:[1,],});}catch(e){};",
        "// said\nwindow.feeds['a.b'].back( /* x */ {a: [1]} ) // done",
        "var data = {'a': [1]};",
        "window.cb&&window.cb({a:[1]})",
        'cb(JSON.parse("{\\"a\\": [1]}"))',
        '{"a": [1]}',
        '({"a": [1]})',
    ],
)
def test_reads_what_is_handed_over(text: str) -> None:
    """Names with dots, marks, comments, guards and what follows are passed over."""
    assert read_jsonp(text) == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>not found</html>", "HTML where JSONP"),
        ("cb(fail())", "no JSONP where JSONP"),
        ("cb({'a': [1]", "no JSONP where JSONP"),
        ("", "no JSONP"),
    ],
)
def test_says_what_came_instead(text: str, said: str) -> None:
    """A page, a call without data, an answer that was cut."""
    with pytest.raises(NotExtracted, match=said):
        read_jsonp(text)


@pytest.mark.parametrize(
    "text",
    ["a" * 500_000, "/*" * 250_000, "a&&" * 150_000, "x[" * 200_000, "(" * 300_000],
)
def test_hostile_text_costs_no_time(text: str) -> None:
    """Nothing is tried again from each of its letters."""
    begun_s = time.process_time()
    with pytest.raises(NotExtracted):
        read_jsonp(text)
    assert time.process_time() - begun_s < 2
