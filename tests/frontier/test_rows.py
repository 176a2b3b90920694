"""Links as rows and back."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier.rows import (
    dumps,
    hint_from_json,
    hint_to_json,
    link_from_json,
    link_to_json,
)
from crawler.model import HintValue, Kind, Link, Origin

# Text as Python reads it from a page; two half surrogates in a row become one whole
# character in JSON, so that halves have a test of their own.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(string.ascii_lowercase, min_size=1, max_size=8)
values = st.builds(
    HintValue,
    st.lists(texts, max_size=3).map(tuple),
    st.sampled_from(Origin),
    st.datetimes(timezones=st.just(UTC)),
)
hints = st.dictionaries(names, values, max_size=3)
links = st.builds(
    Link,
    url=texts,
    kind=st.sampled_from(Kind),
    listing=st.none() | texts,
    found_on=st.none() | texts,
    hint=hints,
    method=st.sampled_from(["GET", "POST"]),
    headers=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    body=st.binary(max_size=20),
    token=st.none() | texts,
)


@given(links)
def test_a_link_survives_its_row(link: Link) -> None:
    """What was put into a row is what is read from it, byte for byte."""
    assert link_from_json(json.loads(dumps(link_to_json(link)))) == link


@given(hints)
def test_a_hint_survives_its_row(hint: dict[str, HintValue]) -> None:
    """Every origin, text and time of a hint is kept."""
    assert hint_from_json(json.loads(dumps(hint_to_json(hint)))) == hint


def test_empty_parts_are_left_out() -> None:
    """A plain link is a short row."""
    row = link_to_json(Link("https://x.example/", Kind.ITEM))
    assert row == {"url": "https://x.example/", "kind": "item"}


def test_rows_are_compact_sorted_and_readable() -> None:
    """The same value is the same text, Chinese as written."""
    assert dumps({"b": [1, "新闻"], "a": None}) == '{"a":null,"b":[1,"新闻"]}'


@given(st.text(max_size=20))
def test_rows_are_text_that_can_be_stored(text: str) -> None:
    """Half a surrogate pair from a page's JSON does not stop a row."""
    assert json.loads(dumps([text]).encode().decode()) is not None


def test_a_half_surrogate_is_kept() -> None:
    """One half alone comes back as it was."""
    half = HintValue(("a\ud83d",), Origin.JSON, datetime(2025, 7, 15, tzinfo=UTC))
    link = Link("https://x.example/", Kind.ITEM, hint={"title": half})
    stored = dumps(link_to_json(link)).encode()
    assert link_from_json(json.loads(stored)) == link
