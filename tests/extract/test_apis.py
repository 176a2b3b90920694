"""The JSON APIs that a page called: which gave rows, and where they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crawler.extract.propose.apis import Call, apis_of
from crawler.model import Response

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://h.example"


def call(target: str, value: object, *, acted: bool = False, body: bytes = b"") -> Call:
    """Return a call that was answered with value."""
    text = value if isinstance(value, str) else json.dumps(value)
    response = Response(f"{BASE}{target}", 200, (), text.encode(), AT)
    return Call("POST" if body else "GET", response, body, acted)


@pytest.mark.parametrize(
    ("value", "rows", "count"),
    [
        ({"data": {"list": [{}, {}, {}], "ads": [{}, {}]}}, "data.list", 3),
        ([{"id": 1}, {"id": 2}], "@", 2),
        ({"of day": {"1": [{}, {}]}}, '"of day"."1"', 2),
        ('cb({"list": [{}, {}]})', "list", 2),
    ],
)
def test_the_longest_list_of_objects_are_the_rows(
    value: object, rows: str, count: int
) -> None:
    """Its path is JMESPath, as a listing's ``rows`` takes it."""
    (api,) = apis_of([call("/api", value)])
    assert (api.rows, api.count) == (rows, count)


@pytest.mark.parametrize("value", [{"list": [{}]}, {"tags": ["a", "b"]}, "no json", ""])
def test_what_has_no_rows_is_no_api(value: object) -> None:
    """One object, texts and what is no JSON are passed over."""
    assert apis_of([call("/api", value)]) == ()


def test_calls_of_one_api_are_one() -> None:
    """Pages of an API are counted; what a click called comes first, with its call."""
    two: object = {"list": [{}, {}]}
    found = apis_of(
        [
            call("/menu", two),
            call("/api?page=1", two),
            call("/api?page=2", two, acted=True),
            call("/api?page=3", two, acted=True),
            call("/graph", two, body=b'{"after": 1}'),
        ]
    )
    assert [(api.method, api.url, api.calls, api.acted) for api in found] == [
        ("GET", f"{BASE}/api?page=2", 3, True),
        ("GET", f"{BASE}/menu", 1, False),
        ("POST", f"{BASE}/graph", 1, False),
    ]
    assert found[2].body == '{"after": 1}'
