"""What is wrong with how a listing goes on, and with when its walk is to end."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.config import syntax
from crawler.config.check_rule import ANY, faults, rule_faults
from crawler.config.listing import Continuation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.check import Finding
    from crawler.config.listing import ListingRule
    from crawler.config.walking import OldestRule

_DAY = re.compile(r"\{day(?::[^{}]*)?\}")
_LEAP_DAY = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)


def check_walk(listing: ListingRule) -> Iterator[Finding]:
    """Yield what is wrong with ``next``, ``layouts`` and ``stop``."""
    if isinstance(since := listing.stop.since, str):
        yield from faults(("stop", "since"), _since_fault, since)
    yield from _next(listing)
    yield from _places(listing)
    yield from _days(listing)


def _since_fault(text: str) -> str | None:
    if syntax.day_fault(text) is None:
        return None
    return f"{text!r} is no day and no duration; write it like 2025-07-15 or 30d"


def _next(listing: ListingRule) -> Iterator[Finding]:
    rule = listing.next
    if rule is None:
        return
    # The page around the rows may be HTML although the rows are not.
    yield from rule_faults(("next", "url"), rule.url, ANY)
    for name in ("cursor", "first", "more"):
        yield from faults(("next", name), syntax.jmespath_fault, getattr(rule, name))
    if rule.oldest is not None:
        yield from rule_faults(("next", "oldest", "field"), rule.oldest.field, ANY)
        yield from _unit(rule.oldest)


def _unit(oldest: OldestRule) -> Iterator[Finding]:
    if oldest.unit in ("s", "ms"):
        return
    written = _LEAP_DAY.strftime(oldest.unit)
    try:
        read = datetime.strptime(written, oldest.unit).replace(tzinfo=UTC)
        fine = read.date() == _LEAP_DAY.date()
    except (ValueError, re.error):  # a directive given twice is the latter
        fine = False
    if not fine:
        what = (
            "is neither s nor ms nor a form that tells the day, like '%Y-%m-%d %H:%M'"
        )
        yield ("next", "oldest", "unit"), f"'unit': {oldest.unit!r} {what}"


def _places(listing: ListingRule) -> Iterator[Finding]:
    """Say so where every page would be asked for by the same request."""
    name = listing.next.place if listing.next else None
    if name in (None, "day"):
        return
    mark = f"{{{name}}}"
    wanted = re.compile(rf"\{{{name}(?::0\d)?\}}")
    if not any(wanted.search(text) for text in _asked(listing)):
        what = f"needs '{mark}' in the url of 'continue', or where the request is"
        yield ("next", str(name)), f"'next: {name}' {what} written; add it"


def _asked(listing: ListingRule) -> Iterator[str]:
    """Yield the texts of a request that placeholders may stand in."""
    later = listing.continue_ or Continuation()
    yield listing.url
    yield later.url or ""
    yield listing.body or ""
    yield later.body or ""
    yield from listing.params.values()
    yield from listing.headers.values()
    yield from later.params.values()
    yield from later.headers.values()


def _days(listing: ListingRule) -> Iterator[Finding]:
    if listing.days is None:
        if listing.from_ == "days":
            yield ("next",), "'from: days' goes on by 'day'; drop the other 'next'"
        if listing.layouts:
            what = "'layouts': are of days; add 'from: days' or 'next: {day: true}'"
            yield ("layouts",), what
        return
    yield from faults(("next", "day", "since"), syntax.day_fault, listing.days.since)
    if listing.continue_ is not None:
        what = "'continue': days have 'layouts' instead; drop it"
        yield ("continue",), what
    for at, url in enumerate((listing.url, *(x.url for x in listing.layouts))):
        own = ((url,), (listing.body,), listing.params.values())
        if url and not any(_DAY.search(text or "") for part in own for text in part):
            path = ("layouts", at - 1, "url") if at else ("url",)
            yield path, "'url': needs the day, like '{day:%Y/%m/%d}'; add it"
