"""How ``try`` shows what a page gives."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from pydantic import BaseModel

from crawler.cli import output
from crawler.extract.explain import CHOSEN
from crawler.frontier.rows import hint_to_json

if TYPE_CHECKING:
    from crawler.extract.explain import Field, PageFacts
    from crawler.extract.propose.apis import Api
    from crawler.item import Listing
    from crawler.jobs.looking.preview import Preview
    from crawler.model import Link

_SHOWN = 60
_MOST_REASONS = 10
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
        "fields": [_field_json(field) for field in found.fields],
        "page": dataclasses.asdict(found.facts) if found.facts else None,
        "excluded": [{"text": x, "reason": why} for x, why in found.excluded],
        "apis": [dataclasses.asdict(api) for api in found.apis],
    }


def _field_json(field: Field) -> dict[str, object]:
    """Return how a field came about; its value is the item's."""
    tried = [dataclasses.asdict(one) for one in field.candidates]
    return {"name": field.name, "method": field.method, "candidates": tried}


def _explain(found: Preview) -> None:
    if found.facts is not None:
        output.say(_facts_text(found.facts))
    for field in found.fields:
        _explain_field(field)
    if found.listing is not None:
        _explain_listing(found.listing)
    for text, reason in found.excluded:
        output.say(f"  left out ({reason}): {text[:100]}")
    for api in found.apis:
        _explain_api(api)


def _facts_text(facts: PageFacts) -> str:
    says = [
        f"{facts.encoding or 'no encoding'} ({facts.encoding_method})",
        f"{facts.characters} characters in {facts.lines} lines",
        f"og:type {facts.og_type}" if facts.og_type else "",
        f"JSON-LD {facts.article}" if facts.article else "",
        f"without rules: {facts.type} ({facts.evidence})" if facts.type else "",
        f"read by the item rule {facts.rule!r}" if facts.rule is not None else "",
    ]
    return "page: " + "; ".join(filter(None, says))


def _explain_field(field: Field) -> None:
    """Say how a field was found and its value, then what else there was."""
    others = [one for one in field.candidates if one.verdict != CHOSEN]
    if field.method is None and not others:
        return
    value = f" = {text}" if (text := _brief(field.value)) else ""
    output.say(f"  {field.name}: {field.method or 'nothing'}{value}")
    for one in others:
        said = f" = {_brief(one.text)}" if one.text else ""
        output.say(f"    {one.verdict}: {one.way}{said}")


def _brief(value: object) -> str:
    if isinstance(value, BaseModel):
        value = getattr(value, "name", None) or getattr(value, "text", None)
    if isinstance(value, tuple):
        value = ", ".join(map(_brief, value))
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)})"


def _explain_listing(listing: Listing) -> None:
    output.say(
        f"rows: {listing.rows}, of them {len(listing.links)} links, "
        f"{len(listing.flashes)} flash items, {len(listing.skipped)} skipped"
    )
    reasons = Counter((one.reason.value, one.detail) for one in listing.skipped)
    for (reason, detail), count in reasons.most_common(_MOST_REASONS):
        output.say(f"  skipped {count}: {reason} {detail}".rstrip())
    names = Counter(name for link in listing.links for name in link.hint)
    hints = ", ".join(f"{name} {count}" for name, count in names.items())
    output.say(f"  links that have a hint: {hints or 'none'}")
    then = listing.next.url if listing.next else f"none ({listing.ended})"
    output.say(f"  next: {then}")
    if listing.paging is not None:
        output.say(f"  paging: {listing.paging.kind}, {listing.paging.evidence}")


def _explain_api(api: Api) -> None:
    """Say how a listing would ask for the rows that a page had from an API."""
    by = "a click or scroll" if api.acted else "the page"
    output.say(f"  {by} called {api.method} {api.url}")
    if api.body:
        output.say(f"    body: {api.body[:200]}")
    times = f", called {api.calls} times" if api.calls > 1 else ""
    output.say(f"    from: json, rows: {api.rows} ({api.count} rows{times})")
