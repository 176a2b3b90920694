"""What a page showed step by step: nothing lost, nothing twice, in order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config.portal import Portal
from crawler.errors import NotExtracted
from crawler.extract import extract
from crawler.extract.article.steps import united
from crawler.extract.shown import lacks_dom
from crawler.item import Item, Listing
from crawler.model import Capture, Kind, Link, Response

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://h.example"


@pytest.mark.parametrize(
    ("steps", "whole"),
    [
        ([], ""),
        (["", "ab"], "ab"),
        (["abc", "bcd", "def"], "abcdef"),  # a window
        (["ab", "abcd", "abcd"], "abcd"),  # a list that grows
        (["abF", "cdF", "eF"], "abcdeF"),  # above something that stays
        (["Hab", "Hbc", "Hcd"], "Habcd"),  # below something that stays
        (["aab", "aabb"], "aabb"),  # what is there twice
        (["ab", "xab"], "xab"),  # news comes first
        (["ab", "ef"], "abef"),  # a gap
    ],
)
def test_steps_are_one_sequence(steps: list[str], whole: str) -> None:
    """Windows, growing lists and fixed parts give each thing in its place."""
    assert "".join(united(steps, str)) == whole


@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=60),
    st.integers(3, 12),
    st.data(),
)
def test_windows_over_different_things_give_all(
    seed: list[int], size: int, data: st.DataObject
) -> None:
    """Windows that share a thing with the one before give the list that they pass."""
    whole = [(at, value) for at, value in enumerate(seed)]
    at, steps = 0, [whole[:size]]
    while at + size < len(whole):
        at += data.draw(st.integers(1, size - 1))
        steps.append(whole[at : at + size])
    assert united(steps, lambda thing: thing) == whole


@given(st.lists(st.text("abc", max_size=12), max_size=6))
def test_nothing_of_a_step_is_lost(steps: list[str]) -> None:
    """Each step's things are there, at least as often as in that step."""
    whole = united(steps, str)
    for step in steps:
        assert all(whole.count(thing) >= step.count(thing) for thing in step)


def test_the_latest_of_a_thing_is_kept() -> None:
    """What has loaded since stands for what was there before."""
    steps = [[("a", "empty"), ("b", "empty")], [("b", "full"), ("c", "full")]]
    found = united(steps, lambda thing: thing[0])
    assert found == [("a", "empty"), ("b", "full"), ("c", "full")]


# Any: configuration as YAML gives it.
def portal_of(listing: dict[str, Any], item: dict[str, Any]) -> Portal:
    """Return a portal whose pages are shown."""
    rows = {"id": "l", "from": "rows", "url": f"{BASE}/", "rows": "li"}
    return Portal.model_validate(
        {
            "id": "p",
            "listings": [{**rows, **listing}],
            "items": [{"match": "^/a/", "title": "h1", "body": ".b", **item}],
        }
    )


def shown(kind: Kind, url: str, *documents: str, plain: str = "-") -> Capture:
    """Return a capture of a page that showed these documents."""
    main = Response(url, 200, (), plain.encode(), AT)
    link = Link(url, kind, listing="l")
    return Capture("page", link, main, AT, dom=tuple(x.encode() for x in documents))


def rows(*names: str) -> str:
    """Return a list of links."""
    return "".join(f"<li><a href='/a/{x}'>{x}</a></li>" for x in names)


def test_rows_of_all_steps_are_links_once_and_in_order() -> None:
    """A listing's windows are one list; what says ready may be in one step alone."""
    ready = "<p class=ready>"
    capture = shown(Kind.LISTING, f"{BASE}/", rows(*"abc") + ready, rows(*"bcd"))
    rules = portal_of({"render": "always", "ready": ".ready"}, {})
    found = extract(capture, rules)
    assert isinstance(found, Listing)
    assert [link.url[-1] for link in found.links] == list("abcd")
    assert found.rows == 4
    with pytest.raises(NotExtracted, match="shell_page"):
        extract(shown(Kind.LISTING, f"{BASE}/", rows("a")), rules)


def test_blocks_of_all_steps_are_an_article() -> None:
    """A body that keeps only a window is whole, with the paragraphs it repeats."""
    song = ["one", "refrain", "two", "refrain", "end"]
    windows = [song[:3], song[1:4], song[2:]]
    texts = [
        "<h1>song</h1><div class=b>" + "".join(f"<p>{x}</p>" for x in window) + "</div>"
        for window in windows
    ]
    found = extract(shown(Kind.ITEM, f"{BASE}/a/1", *texts), portal_of({}, {}))
    assert isinstance(found, Item)
    assert (found.body_text or "").split("\n\n") == song


SHELL = "<div id=app></div><script src=app.js></script>"


@pytest.mark.parametrize(
    ("render", "plain", "lacks"),
    [
        ("never", SHELL, False),
        ("auto", SHELL, True),
        ("auto", "<h1>t</h1><div class=b><p>x</p></div><script></script>", False),
        ("always", "<h1>t</h1><div class=b><p>x</p></div>", True),
    ],
)
def test_a_shell_is_told_without_ready(render: str, plain: str, *, lacks: bool) -> None:
    """Scripts with next to no text and no body are a shell; nothing is made of it."""
    rules = portal_of({}, {"render": render, "generic": False, "required": "body"})
    capture = shown(Kind.ITEM, f"{BASE}/a/1", plain=plain)
    failed = None
    try:
        extract(capture, rules)
    except NotExtracted as exc:
        failed = exc
    assert lacks_dom(capture, rules, failed) is lacks
    if plain == SHELL:
        reason = "layout_changed" if render == "never" else "shell_page"
        assert failed is not None
        assert failed.reason == reason
