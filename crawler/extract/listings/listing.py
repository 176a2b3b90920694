"""A listing page as links, flash items and the page that follows: pure.

1. Each row ends as a link, a flash item, or a skip with its reason; one URL is one
   link, and rows that name it again add to its hint.
2. A row whose URL matches an item rule is a link, in a flash listing too; any other row
   of a flash listing is whole in itself.
3. A page without rows fails on a walk's first page and ends the walk after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler import urls
from crawler.errors import NotExtracted
from crawler.extract.dates.grammar import read_date
from crawler.extract.document.condition import reason_to_skip
from crawler.extract.document.page import Page
from crawler.extract.document.rules import rule_for
from crawler.extract.guards import check_answer, check_challenge
from crawler.extract.listings.age import old_rows
from crawler.extract.listings.emptiness import empty, may_be_missing, nothing
from crawler.extract.listings.flash import FLASH_FIELDS, FlashContext, read_flash
from crawler.extract.listings.paging import NOT_FOUND, following, is_further
from crawler.extract.listings.request import first_link, item_headers, whole_link
from crawler.extract.listings.rows import (
    anchor_of,
    applies_to,
    found_in,
    read_rows,
    title_of_anchor,
    way_of,
)
from crawler.frontier.policy import merge_hints, outside
from crawler.item import Item, Listing
from crawler.model import HintValue, Kind, Link, Reason, Skipped

if TYPE_CHECKING:
    from datetime import date, datetime

    from crawler.config.portal import ListingRule, Portal
    from crawler.extract.document.selectors import Found, Node
    from crawler.extract.listings.rows import Rows
    from crawler.model import Capture

_OK = 200
_FORBIDDEN = 403
_NOT_THERE = (404, 410)
_SHOWN = 500


def extract_listing_from(
    capture: Capture, portal: Portal, *, config_digest: str, version: str
) -> Listing:
    """Return what a captured listing page gives.

    config_digest, version: for the provenance of flash items.

    Raises:
        NotExtracted: http_status, blocked, bad_listing (not what the rules say, ``ok``
            not met, no rows on a first page), no_rule (the portal has no such listing),
            or what makes a page unreadable.
        ConfigError: a rule cannot be evaluated.
    """
    rule = next((x for x in portal.listings if x.id == capture.link.listing), None)
    if rule is None:
        raise NotExtracted(Reason.NO_RULE, f"no listing {capture.link.listing!r}")
    if capture.main.status in _NOT_THERE and may_be_missing(capture, rule):
        return nothing(capture, portal, rule, NOT_FOUND)
    if capture.main.status == _FORBIDDEN:  # to everybody else it is shown
        raise NotExtracted(Reason.BLOCKED, str(capture.main.status))
    check_answer(capture.main, portal.crawl.max_parse)
    if capture.main.status != _OK:
        raise NotExtracted(Reason.HTTP_STATUS, str(capture.main.status))
    rows = _rows_of(capture, portal, rule)
    count = len(rows.nodes) + len(rows.children)
    if count == 0:
        return empty(rows, capture, portal, rule)
    sorter = _Sorter(
        rows,
        capture,
        portal,
        rule,
        FlashContext(
            capture, portal, rule, rows.page, rows.origin, config_digest, version
        ),
    )
    found = sorter.sort()
    then, ended = following(rows, capture, portal, rule)
    if then is not None:
        then = replace(then, found_on=capture.link.url)
    zone, at = ZoneInfo(portal.timezone), capture.main.captured_at
    old = old_rows(found, rule.stop, at=at, zone=zone)
    return replace(
        found, next=then, ended=ended, rows=count, old=old, paging=rows.paging
    )


def seed_links(portal: Portal, at: datetime | None = None) -> tuple[Link, ...]:
    """Return the first page of each listing, in the order of the configuration.

    at: when the run began; walks by day begin with that day.

    Raises:
        ConfigError: a listing's URL is none, or it wants a time and there is none.
    """
    return tuple(first_link(portal, rule, at) for rule in portal.listings)


def _rows_of(capture: Capture, portal: Portal, rule: ListingRule) -> Rows:
    """Return the rows; a challenge in the listing's place is told apart."""
    way = way_of(rule, further=is_further(capture), token=capture.link.token)
    try:
        return read_rows(capture, portal, rule, way)
    except NotExtracted as failed:
        if failed.reason == Reason.BAD_LISTING:
            page = Page.from_response(capture.main, limit=portal.crawl.max_parse)
            if not page.is_json:
                check_challenge(page)
        raise


@dataclass(slots=True)
class _Sorter:
    """Puts the rows of one page where they belong, in page order."""

    rows: Rows
    capture: Capture
    portal: Portal
    rule: ListingRule
    flash: FlashContext
    links: dict[str, Link] = field(default_factory=dict)
    flashes: dict[str, Item] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    def sort(self) -> Listing:
        zone = ZoneInfo(self.portal.timezone)
        on = self.capture.main.captured_at.astimezone(zone).date()
        for child in self.rows.children:
            self._add_child(child)
        headers = item_headers(self.portal)
        for node in self.rows.nodes:
            self._add_row(node, on, headers)
        return Listing(
            tuple(self.links.values()),
            flashes=tuple(self.flashes.values()),
            skipped=tuple(self.skipped),
        )

    def _add_child(self, address: str) -> None:
        found = self._resolved(address, strip=())
        if isinstance(found, Skipped):
            self.skipped.append(found)
        elif found not in self.links:
            link = whole_link(self.portal, self.rule, found)
            self.links[found] = replace(link, found_on=self.capture.link.url)

    def _add_row(
        self, node: Node, on: date, headers: tuple[tuple[str, str], ...]
    ) -> None:
        address = self._address_of(node)
        found = self._resolved(
            address, (*self.portal.strip_params, *self.rule.strip_params)
        )
        reason = reason_to_skip(node, self.rule.skip, self.rows.page)
        if reason is not None:
            url = found.url if isinstance(found, Skipped) else found
            self.skipped.append(Skipped(url, Reason.ROW_RULE, reason))
        elif isinstance(found, str) and rule_for(self.portal, found, on):
            self._add_link(found, node, headers)
        elif self.rule.kind == "flash" and _is_whole(found):
            url = found if isinstance(found, str) else self.capture.main.url
            item = read_flash(node, url, self.rows.fields, self.flash)
            self._add_flash(item, url)
        elif isinstance(found, Skipped):
            self.skipped.append(found)
        else:
            detail = urls.path_and_query(found)[:_SHOWN]
            self.skipped.append(Skipped(found, Reason.NO_RULE, detail))

    def _add_link(
        self, url: str, node: Node, headers: tuple[tuple[str, str], ...]
    ) -> None:
        hint = self._hint_of(node)
        known = self.links.get(url)
        if known is not None:
            self.links[url] = replace(known, hint=merge_hints(known.hint, hint))
            return
        self.links[url] = Link(
            url,
            Kind.ITEM,
            listing=self.rule.id,
            found_on=self.capture.link.url,
            hint=hint,
            headers=headers,
        )

    def _add_flash(self, item: Item | None, url: str) -> None:
        if item is None:
            self.skipped.append(
                Skipped(url, Reason.NOT_A_PAGE, "flash row without text")
            )
        else:
            self.flashes.setdefault(item.id, item)

    def _address_of(self, node: Node) -> str:
        """Return the row's URL as printed, "" where it has none."""
        rule = self.rows.fields.get("url", ())
        if not applies_to(rule, node):
            anchor = anchor_of(node)
            return str(anchor.get("href")) if anchor is not None else ""
        found = found_in(node, rule, self.rows.page, name="url")
        return found[0].text if found else ""

    def _hint_of(self, node: Node) -> dict[str, HintValue]:
        found = {
            name: tuple(
                map(self._plain, found_in(node, rule, self.rows.page, name=name))
            )
            for name, rule in self.rows.fields.items()
            if name != "url" and name not in FLASH_FIELDS
        }
        # The item's page is no base for what the listing's says.
        images = found.get("image", ())
        found["image"] = tuple(self.rows.page.absolute(x) or x for x in images)
        anchor = anchor_of(node) if "title" not in found else None
        if anchor is not None and (title := title_of_anchor(anchor)):
            found["title"] = (title,)
        seen_at = self.capture.main.captured_at
        return {
            name: HintValue(values, self.rows.origin, seen_at)
            for name, values in found.items()
            if values
        }

    def _plain(self, found: Found) -> str:
        """Return the text; a time in a form of its own is put into the common one."""
        if found.format is None:
            return found.text
        zone = ZoneInfo(self.portal.timezone)
        at = self.capture.main.captured_at
        moment = read_date(found.text, at=at, zone=zone, format=found.format)
        if moment is None:
            return found.text
        is_day = moment.precision == "day"
        return (moment.at.date() if is_day else moment.at).isoformat()

    def _resolved(self, address: str, strip: tuple[str, ...]) -> str | Skipped:
        """Return the URL in one spelling, or why it is none that may be visited."""
        shown = address.strip()[:_SHOWN]
        if not shown:
            return Skipped(
                "", Reason.BAD_URL, f"row without url on {self.capture.main.url}"
            )
        if urls.scheme_of(address) not in ("", "http", "https"):
            return Skipped(shown, Reason.BAD_SCHEME, urls.scheme_of(address)[:20])
        url = self.rows.page.absolute(address)
        if url is None:
            return Skipped(shown, Reason.BAD_URL)
        url = urls.strip_params(url, strip)
        return outside(url, self.portal) or url


def _is_whole(found: str | Skipped) -> bool:
    """Tell whether a flash row is an item though its URL is no item page's.

    Rows without a usable URL are; what leads out of scope is an advertisement's.
    """
    return isinstance(found, str) or found.reason in (Reason.BAD_URL, Reason.BAD_SCHEME)
