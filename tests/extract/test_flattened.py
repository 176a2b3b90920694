"""State that a page keeps flat."""

from __future__ import annotations

import pytest

from crawler.config.portal import StateRule
from crawler.errors import NotExtracted
from crawler.extract.listings.flattened import unflattened
from crawler.extract.listings.state import read_state
from crawler.model import Json


@pytest.mark.parametrize(
    ("flat", "expected"),
    [
        ([{"a": 1, "b": 2}, "x", [1, 3], 7], {"a": "x", "b": ["x", 7]}),
        (
            [["Reactive", 1], {"at": 2}, ["Date", "2026-07-15T00:00:00Z"]],
            {"at": "2026-07-15T00:00:00Z"},
        ),
        ([["Set", 1, 1], 5], [5, 5]),
        ([["Map", 1, 2], "k", 3], {"k": 3}),
        ([["null", "k", 1], 4], {"k": 4}),
        ([{"a": -1, "b": 99, "c": True}], {"a": None, "b": None, "c": None}),
        ([{"self": 0}], {"self": None}),
        ([["Secret", 1], 2], None),
        ([], []),
        ({"plain": 1}, {"plain": 1}),
    ],
)
def test_puts_values_in_their_places(flat: Json, expected: Json) -> None:
    """Numbers name places; kinds are told by a text; circles end."""
    assert unflattened(flat) == expected


def test_depth_and_shared_values_are_bounded() -> None:
    """A value within itself a thousand times, and one that doubles at each level."""
    deep: list[Json] = [[place + 1] for place in range(1000)]
    assert unflattened([*deep, "end"])
    doubling: list[Json] = [[place + 1, place + 1] for place in range(150)]
    assert unflattened([*doubling, "end"])


@pytest.mark.parametrize(
    "value", ["(function(a,b){return {x:a}}(1,2))", "(() => ({x:1}))()", "function(){}"]
)
def test_a_function_for_a_state_is_said(value: str) -> None:
    """The message names what to do instead."""
    page = f"<script>window.__NUXT__={value};</script>"
    with pytest.raises(NotExtracted, match="render: always"):
        read_state(page, StateRule(name="__NUXT__"))
