"""Which page of a listing follows this one, and why none does.

The answer alone decides here; how long a walk may go on without anything new is the
frontier's policy.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from crawler.config.portal import Expression
from crawler.extract.document.condition import is_met, search
from crawler.extract.document.selectors import first
from crawler.extract.listings.oldest import NO_CURSOR, counted_rows, next_oldest
from crawler.extract.listings.position import Position
from crawler.extract.listings.request import day_link, templated_link, whole_link

if TYPE_CHECKING:
    from crawler.config.portal import (
        ListingRule,
        NextRule,
        OffsetRule,
        OldestRule,
        PageNumbers,
        Portal,
        Rule,
    )
    from crawler.extract.listings.rows import Rows
    from crawler.model import Capture, Json, Link

NO_NEXT = "no_next"
NEEDS_CLICK = "needs_click"
MORE_FALSE = "more_false"
CURSOR_REPEATED = "cursor_repeated"
LAST_PAGE = "last_page"
SHORT_PAGE = "short_page"
SINCE = "since"
NOT_FOUND = "not_found"

_FOR_HTML = ("css:", "xpath:", "re:")


def is_further(capture: Capture) -> bool:
    """Tell whether this is a page after a walk's first."""
    return follows(capture.link, capture.page)


def follows(link: Link, page: int) -> bool:
    """Tell whether a link, so far into its walk, leads to a page after the first."""
    return page > 1 or link.token is not None


def following(
    rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    """Return the next page of the walk, or None and the word for why there is none.

    Raises:
        ConfigError: the listing's ``next`` cannot be followed.
    """
    wanted = rule.next
    if rule.days is not None:
        return day_before(capture, portal, rule)
    if wanted is None:
        return _as_told(rows, capture, portal, rule)
    if wanted.is_on_page:  # a browser went on until it could no more
        return None, capture.dom_ended or NO_NEXT
    if wanted.more is not None and is_met(wanted.more, rows.document) is False:
        return None, MORE_FALSE
    return _beyond(wanted, rows, capture, portal, rule)


def _beyond(
    wanted: NextRule, rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    if wanted.page is not None:
        return _numbered(wanted.page, capture, portal, rule)
    if wanted.offset is not None:
        return _by_offset(wanted.offset, rows, capture, portal, rule)
    if wanted.oldest is not None:
        return _by_oldest(wanted.oldest, rows, capture, portal, rule)
    if wanted.cursor is not None:
        return _by_cursor(wanted, rows, capture, portal, rule)
    return _by_url(wanted.url, rows, capture, portal, rule)


def day_before(
    capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    """Return the page of the day before this one, None before ``since``."""
    days, token = rule.days, capture.link.token
    if days is None or token is None:
        return None, NO_NEXT
    day = date.fromisoformat(token) - timedelta(days=1)
    if days.since is not None and day.isoformat() < days.since:
        return None, SINCE
    return day_link(portal, rule, day), None


def _as_told(
    rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    """Return the page that the page itself names; ``from: auto`` alone looks for it."""
    paging = rows.paging
    if paging is None or paging.url in (None, capture.link.url):
        button = paging is not None and paging.kind == "button"
        return None, NEEDS_CLICK if button else NO_NEXT
    return whole_link(portal, rule, paging.url or ""), None


def _numbered(
    numbers: PageNumbers, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    token = capture.link.token
    if token is not None and token.lstrip("-").isdecimal():
        number = int(token) + numbers.step
    else:
        number = numbers.start + (capture.page - 1) * numbers.step
    if numbers.last is not None and (number - numbers.last) * numbers.step > 0:
        return None, LAST_PAGE
    return templated_link(portal, rule, Position(page=number)), None


def _by_offset(
    wanted: OffsetRule, rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    """Return the page behind the rows that came, however many were asked for.

    Rows to skip are not counted: one that stands on every page is in no order, and
    pages that overlap lose nothing.
    """
    token = capture.link.token
    before = int(token) if token and token.isdecimal() else wanted.start
    if wanted.size is not None and len(rows.nodes) < wanted.size:
        return None, SHORT_PAGE
    came = len(counted_rows(rows, rule)) or len(rows.nodes)
    position = Position(offset=before + came)
    return templated_link(portal, rule, position), None


def _by_oldest(
    wanted: OldestRule, rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    time, ended = next_oldest(rows, rule, wanted, capture.link.token)
    if time is None:
        return None, ended
    return templated_link(portal, rule, Position(oldest=time)), None


def _by_cursor(
    wanted: NextRule, rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    path = wanted.cursor or ""
    if wanted.first is not None and not is_further(capture):
        path = wanted.first
    cursor = _cursor_at(path, rows)
    if not cursor:
        return None, NO_CURSOR
    if cursor == capture.link.token:
        return None, CURSOR_REPEATED
    return templated_link(portal, rule, Position(cursor=cursor)), None


def _cursor_at(path: str, rows: Rows) -> str:
    """Return the cursor as text: JMESPath in the document, or a selector on HTML."""
    if path.startswith(_FOR_HTML):
        found = first((Expression.model_validate(path),), rows.page.tree, rows.page)
        return found.text if found else ""
    return _as_text(search(path, rows.document))


def _as_text(value: Json) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # Half a surrogate pair, as JSON may hold, is no character a URL could carry.
    return str(value).encode("utf-8", "replace").decode().strip()


def _by_url(
    wanted: Rule, rows: Rows, capture: Capture, portal: Portal, rule: ListingRule
) -> tuple[Link | None, str | None]:
    address = _address_at(wanted, rows)
    url = rows.page.absolute(address) if address else None
    if url is None or url in (capture.link.url, capture.main.url):
        return None, NO_NEXT
    return whole_link(portal, rule, url), None


def _address_at(wanted: Rule, rows: Rows) -> str | None:
    """Return what the rule finds in the document, else on the page itself."""
    if rows.document is not None:
        found = first(wanted, rows.document, rows.page)
        if found or rows.page.is_json:
            return found.text if found else None
        wanted = tuple(x for x in wanted if x.css is not None or x.xpath is not None)
    found = first(wanted, rows.page.tree, rows.page)
    return found.text if found else None
