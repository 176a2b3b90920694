"""That the look at examples can fail."""

from __future__ import annotations

import pytest

from tests.docs.page import misfit
from tests.docs.test_examples import slug, unlike

OUTPUT = "gulangyu: run 20250715060000c5e5d08 complete\n\n  items: 14 new\n  stored\n"


@pytest.mark.parametrize(
    "lines",
    [
        ("gulangyu: run 20250715060000cabcdef complete", "  items: 14 new", "  stored"),
        ("gulangyu: run 20250715060000cabcdef complete", "…"),
        ("…", "  items: 14 new", "…"),
        ("…", "  items: … new", "", "  stored"),
        ("…",),
    ],
)
def test_real_output_fits(lines: tuple[str, ...]) -> None:
    """Runs may have other ids, and a page may leave lines and letters out."""
    assert misfit(lines, OUTPUT) is None


@pytest.mark.parametrize(
    "lines",
    [
        ("gulangyu: run 20250715060000cabcdef complete", "  items: 15 new", "  stored"),
        ("gulangyu: run 20250715060000cabcdef complete", "  items: 14 new"),
        ("gulangyu: run 20250715060000cabcdef complete", "  stored"),
        ("  items: 14 new", "  stored"),
        ("…", "  stored", "…", "  items: 14 new", "…"),
        ("…", "  items: 14 new"),
        (),
    ],
)
def test_other_output_does_not_fit(lines: tuple[str, ...]) -> None:
    """A wrong, missing, further or displaced line is seen."""
    assert misfit(lines, OUTPUT) is not None


def test_progress_is_passed_over() -> None:
    """What a slow machine says in between does not count."""
    output = "first: 3 visited, 1 items, 0 failed, 2 waiting…\nverifying x…\ndone\n"
    assert misfit(("done",), output) is None


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ({"a": "long…"}, []),
        ({"b": [{"c": 1}]}, []),
        ({"b": []}, []),
        ({"a": "other…"}, [".a"]),
        ({"b": [{"c": 2}]}, [".b.c"]),
        ({"d": 1}, [".d"]),
        ({"b": [{"c": 1}, {"c": 1}, {"c": 1}]}, [".b"]),
    ],
)
def test_parts_of_an_item(part: object, wrong: list[str]) -> None:
    """A field that is not there, and one with another value, are seen."""
    assert unlike(part, {"a": "longer text", "b": [{"c": 1}, {"c": 1}]}) == wrong


def test_slug() -> None:
    """Anchors are made as readers of Markdown make them."""
    assert slug("2. WARC") == "2-warc"
    assert slug("Live, replay, `extract`") == "live-replay-extract"
