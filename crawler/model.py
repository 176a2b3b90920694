"""The nouns every room shares: frozen values, no behaviour beyond reading them.

``Work`` is leased, its fetch gives exchanges (``crawler.exchange``), these leave
``RecordRef``s, the visit becomes a ``Capture``, of which a ``Listing`` or an ``Item``
(``crawler.item``) is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Header lines as on the wire: names and values in bytes, order and repeats kept."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What ``json.loads`` returns."""


class Kind(StrEnum):
    """What a URL is visited for."""

    LISTING = "listing"
    ITEM = "item"


class Outcome(StrEnum):
    """How a URL ended; every URL of a run ends as exactly one of these."""

    CAPTURED = "captured"
    REVISITED = "revisited"
    SKIPPED = "skipped"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a URL was skipped, failed, or gave no item; closed, counted by value."""

    # skipped: never fetched
    OFF_SCOPE = "off_scope"
    EXCLUDED = "excluded"
    NO_RULE = "no_rule"
    ROBOTS = "robots"
    ROW_RULE = "row_rule"  # a listing's skip rule; its own reason is the detail
    ALREADY_SEEN = "already_seen"
    DEPTH_LIMIT = "depth_limit"
    PAGE_LIMIT = "page_limit"
    URL_TOO_LONG = "url_too_long"
    BAD_URL = "bad_url"
    BAD_SCHEME = "bad_scheme"
    PRIVATE_ADDRESS = "private_address"
    MERGED = "merged"  # a flash row that is an article of its own
    # captured, but no item
    GONE = "gone"
    BLOCKED = "blocked"
    SHELL_PAGE = "shell_page"
    NOT_AN_ARTICLE = "not_an_article"  # a listing, told by the page alone
    PAYWALL = "paywall"  # a notice in an article's place
    LAYOUT_CHANGED = "layout_changed"
    NOT_A_PAGE = "not_a_page"  # no text to read: binary, empty
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    NOT_DECODABLE = "not_decodable"
    BAD_LISTING = "bad_listing"  # JSON that is none, `ok` not met, no rows rule matched
    HTTP_STATUS = "http_status"  # the detail is the status
    REDIRECT_LOOP = "redirect_loop"
    REDIRECT_LIMIT = "redirect_limit"
    NOT_RENDERED = "not_rendered"  # the browser gave no document; the detail says why
    # failed: no whole response
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    HOST_DOWN = "host_down"  # it rested too often in a row
    BAD_RESPONSE = "bad_response"
    LOGGED_OUT = "logged_out"  # a page for strangers, after a new login too
    CALLBACK = "callback"  # our own code or a page object failed on this page
    DEAD_LETTER = "dead_letter"  # given out too often without an end
    LOST_OUTCOME = "lost_outcome"  # a bug of ours: ended without an outcome
    ARCHIVE_MISS = "archive_miss"  # replay only


class Origin(StrEnum):
    """Where a hint was read, in falling order of trust."""

    FEED = "feed"
    JSON = "json"
    STATE = "state"
    SITEMAP = "sitemap"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Where a record is; record_id is the identity, the place a hint.

    Attributes:
        record_id: ``urn:uuid:…`` without the angle brackets.
        warc: file name of the segment's WARC, without directories.
        offset, length: of the gzip member, bytes.
        payload_digest: ``sha256:<hex>``, None for records without payload.
        payload_record: for a revisit, the record_id that holds the bytes.
        payload_at: when the payload was captured first, less its Age then; None where
            this record is the first and had no Age.
        captured_at: the WARC-Date as written.
    """

    record_id: str
    warc: str
    offset: int
    length: int
    target_uri: str
    captured_at: datetime
    payload_digest: str | None = None
    payload_record: str | None = None
    payload_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HintValue:
    """What a listing, feed or API said of a link, raw.

    Attributes:
        values: the texts found, in order; one for single fields.
        origin: where it was read.
        seen_at: capture time of that page; relative times count from it.
    """

    values: tuple[str, ...]
    origin: Origin
    seen_at: datetime


Hint: TypeAlias = "Mapping[str, HintValue]"
"""Field name of a listing's ``fields`` to what was said; at most one value each."""


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that a page led to, with what that page said of it.

    Attributes:
        url: absolute, tracking parameters cut.
        kind: what it is to be visited for.
        listing: id of the listing rule that found it, or that it is a page of.
        headers, body: of the request; (name, value) in order, the body of a POST.
        token: the cursor or page this listing page stands for; loops show in it.
    """

    url: str
    kind: Kind
    listing: str | None = None
    found_on: str | None = None
    hint: Hint = field(default_factory=dict)
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A URL that a page led to and that will not be visited, with the reason."""

    url: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the frontier, leased: a URL to visit and all that is known of it.

    Attributes:
        work_id: row number, unique in its spool.
        depth: links followed from a seed to here.
        page: for listings, 1 for the first page of the walk.
        stale_pages: for listings, pages in a row before this one without a new link.
        deliveries: how often it was leased, this time included.
        fence: changes with each lease; an end with an old fence is refused.
        tries: fetches that were to be tried again, and this one.
    """

    work_id: int
    run_id: str
    link: Link
    depth: int = 0
    page: int = 1
    stale_pages: int = 0
    deliveries: int = 1
    fence: int = 0
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Response:
    """One response as extraction reads it; the same live and from the archive.

    Attributes:
        url: the URL that answered.
        headers: of the final response, in order.
        payload: the body after transfer-decoding, content-coding kept.
        cut: whether payload is less than the whole body, be it by max_parse_bytes.
        captured_at: WARC-Date of the record.
        ref: the record, None where nothing is archived (`try`).
    """

    url: str
    status: int
    headers: Headers
    payload: bytes
    captured_at: datetime
    cut: bool = False
    ref: RecordRef | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """One page visit as archived: what extraction takes, live and replayed alike.

    Attributes:
        page_id: ties the visit's records (WARC-Page-ID).
        link: what was visited and the merged hint at that moment.
        main: the final response of the redirect chain.
        hops: every record of that chain in order, main's last.
        further: pages 2… of an article, in order.
        dom: rendered documents, one a harvest step, UTF-8; empty when not rendered.
        dom_refs: their records.
        dom_ended: why there is no further step, None where there was but one to be.
        first_at: capture time of the first record with main's payload, less its Age;
            relative dates count from it.
        run_id: None in `try`.
        page: of the walk, see Work.
    """

    page_id: str
    link: Link
    main: Response
    first_at: datetime
    hops: tuple[RecordRef, ...] = ()
    further: tuple[Response, ...] = ()
    dom: tuple[bytes, ...] = ()
    dom_refs: tuple[RecordRef, ...] = ()
    dom_ended: str | None = None
    run_id: str | None = None
    page: int = 1
