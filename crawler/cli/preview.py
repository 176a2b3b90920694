"""How ``try`` shows what a page gives."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from crawler.cli import output
from crawler.frontier.rows import hint_to_json

if TYPE_CHECKING:
    from crawler.extract.apis import Api
    from crawler.item import Listing
    from crawler.jobs.preview import Preview
    from crawler.model import Link

NOTICE = "preview: nothing is archived, and the item has no provenance to keep"


def show_preview(found: Preview, *, explain: bool, as_json: bool) -> None:
    """Write an item, or a listing's links and rows, as JSON to stdout.

    Args:
        found: what the page gave.
        explain: say on stderr how each field was found, and what was left out.
        as_json: explanations go into the JSON instead.
    """
    output.say(NOTICE)
    if found.reason is not None:
        detail = f": {found.detail}" if found.detail else ""
        output.say(f"no item of {found.url}: {found.reason}{detail}")
    value = _value(found)
    if as_json:
        output.dump(_report(found, value))
        return
    if explain:
        _explain(found)
    if value is not None:
        output.dump(value)


def _value(found: Preview) -> dict[str, object] | None:
    if found.item is not None:
        made = found.item.model_dump(mode="json", exclude={"revision", "provenance"})
        return {"preview": True, **made}
    if found.listing is not None:
        return {"preview": True, **listing_json(found.listing)}
    return None


def listing_json(listing: Listing) -> dict[str, object]:
    """Return a listing as JSON-able values."""
    return {
        "rows": listing.rows,
        "links": [_link(link) for link in listing.links],
        "flashes": [
            flash.model_dump(mode="json", exclude={"revision", "provenance"})
            for flash in listing.flashes
        ],
        "skipped": [dataclasses.asdict(one) for one in listing.skipped],
        "next": listing.next and _link(listing.next),
        "ended": listing.ended,
        "paging": listing.paging and dataclasses.asdict(listing.paging),
    }


def _link(link: Link) -> dict[str, object]:
    hint = {name: one["values"] for name, one in hint_to_json(link.hint).items()}
    return {"url": link.url, "kind": link.kind.value, "hint": hint}


def _report(found: Preview, value: dict[str, object] | None) -> dict[str, object]:
    return {
        "preview": True,
        "url": found.url,
        "outcome": found.outcome.value,
        "reason": found.reason,
        "detail": found.detail,
        "item": value if found.item is not None else None,
        "listing": value if found.listing is not None else None,
        "methods": found.methods or {},
        "excluded": [{"text": x, "reason": why} for x, why in found.excluded],
        "apis": [dataclasses.asdict(api) for api in found.apis],
    }


def _explain(found: Preview) -> None:
    for name, method in (found.methods or {}).items():
        output.say(f"  {name}: {method}")
    for text, reason in found.excluded:
        output.say(f"  left out ({reason}): {text[:100]}")
    for api in found.apis:
        _explain_api(api)


def _explain_api(api: Api) -> None:
    """Say how a listing would ask for the rows that a page had from an API."""
    by = "a click or scroll" if api.acted else "the page"
    output.say(f"  {by} called {api.method} {api.url}")
    if api.body:
        output.say(f"    body: {api.body[:200]}")
    times = f", called {api.calls} times" if api.calls > 1 else ""
    output.say(f"    from: json, rows: {api.rows} ({api.count} rows{times})")
