"""Links as rows of the frontier and back: JSON, never pickle."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.model import HintValue, Kind, Link, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.model import Hint

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def hint_to_json(hint: Hint) -> dict[str, Any]:  # Any: JSON
    """Return a hint as JSON-able values: name to texts, origin, time seen."""
    return {
        name: {
            "values": list(value.values),
            "origin": value.origin.value,
            "seen_at": value.seen_at.isoformat(),
        }
        for name, value in sorted(hint.items())
    }


def hint_from_json(stored: Mapping[str, Any]) -> dict[str, HintValue]:  # Any: JSON
    """Return the hint that hint_to_json made the values of."""
    return {
        name: HintValue(
            tuple(value["values"]),
            Origin(value["origin"]),
            datetime.fromisoformat(value["seen_at"]),
        )
        for name, value in stored.items()
    }


def link_to_json(link: Link) -> dict[str, Any]:  # Any: JSON
    """Return a link as JSON-able values; empty parts are left out."""
    row: dict[str, Any] = {"url": link.url, "kind": link.kind.value}
    if link.method != "GET":
        row["method"] = link.method
    for name in ("listing", "found_on", "token"):
        if getattr(link, name) is not None:
            row[name] = getattr(link, name)
    if link.headers:
        row["headers"] = [list(pair) for pair in link.headers]
    if link.body:
        row["body"] = link.body.decode("latin-1")
    if link.hint:
        row["hint"] = hint_to_json(link.hint)
    return row


def link_from_json(row: Mapping[str, Any]) -> Link:  # Any: JSON
    """Return the link that link_to_json made the values of."""
    return Link(
        url=row["url"],
        kind=Kind(row["kind"]),
        listing=row.get("listing"),
        found_on=row.get("found_on"),
        hint=hint_from_json(row.get("hint", {})),
        method=row.get("method", "GET"),
        headers=tuple((name, value) for name, value in row.get("headers", ())),
        body=row.get("body", "").encode("latin-1"),
        token=row.get("token"),
    )


def dumps(value: object) -> str:
    """Return compact JSON with sorted keys, Chinese left readable.

    Half of a surrogate pair, which a page's JSON may hold, stays an escape: no
    database and no file takes it as text.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
