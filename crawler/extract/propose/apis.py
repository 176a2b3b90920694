"""The JSON APIs that a page called, as a listing could ask for them: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from crawler.errors import NotExtracted
from crawler.extract.document.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.model import Json, Response

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST = 8
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a page made on its own, with its answer.

    Attributes:
        acted: whether a click or a step down the page made it ask.
    """

    method: str
    response: Response
    body: bytes = b""
    acted: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """Where a page has rows from.

    Attributes:
        url, body: of the first call.
        rows: JMESPath to the rows in its answer.
        count: of them; calls: how often it was called.
        acted: whether a click or a step down the page called it.
    """

    method: str
    url: str
    body: str
    rows: str
    count: int
    calls: int
    acted: bool


def apis_of(calls: Iterable[Call]) -> tuple[Api, ...]:
    """Return the APIs that gave rows; those that an act called first."""
    found: dict[tuple[str, str, str], Api] = {}
    for call in calls:
        longest = _longest_in(call.response)
        if longest is None:
            continue
        path, count = longest
        url = call.response.url
        key = (call.method, url.partition("?")[0], path)
        known = found.get(key)
        if known is not None and (known.acted or not call.acted):
            found[key] = _again(known)
            continue
        body = call.body.decode("utf-8", "replace")
        number = known.calls + 1 if known else 1
        found[key] = Api(call.method, url, body, path, count, number, call.acted)
    return tuple(sorted(found.values(), key=lambda api: not api.acted))


def _again(api: Api) -> Api:
    fields = (api.method, api.url, api.body, api.rows, api.count)
    return Api(*fields, api.calls + 1, api.acted)


def _longest_in(response: Response) -> tuple[str, int] | None:
    """Return path and length of the longest list of objects in a JSON answer."""
    try:
        page = Page.from_response(response)
        lists = list(_lists(page.json, "", 0))
    except NotExtracted:
        return None
    return max(lists, key=lambda one: one[1], default=None)


def _lists(value: Json, path: str, depth: int) -> Iterator[tuple[str, int]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            step = name if _PLAIN.fullmatch(name) else f'"{name}"'
            yield from _lists(inner, f"{path}.{step}" if path else step, depth + 1)
    elif _are_rows(value):
        yield path or "@", len(value)


def _are_rows(value: Json) -> TypeGuard[list[Json]]:
    if not isinstance(value, list) or len(value) < _FEWEST:
        return False
    return all(isinstance(each, dict) for each in value)
