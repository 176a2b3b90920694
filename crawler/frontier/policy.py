"""Decisions about URLs, without I/O: in scope or not, how urgent, when again, enough.

1. A link is checked once, when it is found: scheme, length, scope, exclusions,
   depth, private address.
2. Listings go before items, so that a link's hints are merged before it is fetched.
3. A walk over listing pages goes on while pages bring links that are new to the run.
4. A failure that may pass is tried again later, a bounded number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from crawler import urls
from crawler.addresses import private_host
from crawler.model import Kind, Origin, Reason, Skipped

if TYPE_CHECKING:
    from crawler.config.portal import Manners, Portal, Stop
    from crawler.model import Hint, HintValue, Link, Work

KEY_BYTES = 16
LISTING_PRIORITY = 100
MAX_RETRY_AFTER_S = 3_600.0
RETRYABLE = frozenset(
    {
        Reason.DNS,
        Reason.CONNECT,
        Reason.TLS,
        Reason.TIMEOUT,
        Reason.DISCONNECTED,
        Reason.TRUNCATED,
        Reason.BLOCKED,
    }
)
RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_TRUST = {origin: rank for rank, origin in enumerate(Origin)}


def key_of(link: Link) -> bytes:
    """Return the identity of a link within a run: KEY_BYTES of method, URL and body.

    Of a listing page its token counts, too: it may stand in a header alone.
    """
    digest = blake2b(digest_size=KEY_BYTES)
    digest.update(f"{link.kind}\n{link.method}\n{link.url}\n".encode())
    digest.update(link.body)
    if link.kind is Kind.LISTING and link.token is not None:
        digest.update(f"\n{link.token}".encode())
    return digest.digest()


def priority_of(link: Link, portal: Portal) -> int:
    """Return how urgent a link is; the highest goes first."""
    if link.kind is not Kind.LISTING:
        return 0
    extra = next((x.priority for x in portal.listings if x.id == link.listing), 0)
    return LISTING_PRIORITY + extra


def hosts_of(portal: Portal) -> tuple[str, ...]:
    """Return the hosts in scope: those configured, else those of the listings."""
    if portal.scope.hosts:
        return portal.scope.hosts
    return tuple({urls.host_of(x.url) for x in portal.listings})


def refuse(url: str, portal: Portal, *, depth: int = 0) -> Skipped | None:
    """Return why a URL must not be visited, None where it may be.

    Of addresses only those that the URL spells are seen here; what a name leads to is
    seen where it is looked up.
    """
    if (skipped := outside(url, portal, depth=depth)) is not None:
        return skipped
    address = None
    if not allows_private(portal):
        address = private_host(urls.hostname_of(url))
    return Skipped(url, Reason.PRIVATE_ADDRESS, address) if address else None


def outside(url: str, portal: Portal, *, depth: int = 0) -> Skipped | None:
    """Return why a URL is none of the portal's, None where it is one."""
    if urls.scheme_of(url) not in ("http", "https"):
        return Skipped(url[:500], Reason.BAD_SCHEME, urls.scheme_of(url)[:20])
    if len(url) > urls.MAX_URL_CHARACTERS:
        return Skipped(url[:500], Reason.URL_TOO_LONG, f"{len(url)} characters")
    if not urls.in_scope(url, hosts_of(portal)):
        return Skipped(url, Reason.OFF_SCOPE, urls.host_of(url))
    excluded = _first_match(portal.scope.exclude, urls.path_and_query(url))
    if excluded is not None:
        return Skipped(url, Reason.EXCLUDED, excluded)
    if portal.scope.max_depth is not None and depth > portal.scope.max_depth:
        return Skipped(url, Reason.DEPTH_LIMIT, str(depth))
    return None


def allows_private(portal: Portal) -> bool:
    """Tell whether a portal's own addresses may be private."""
    return portal.crawl.allow_private or bool(portal.allow_private)


def _first_match(patterns: tuple[str, ...], text: str) -> str | None:
    return next((x for x in patterns if _pattern(x).search(text)), None)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def merge_hints(old: Hint, new: Hint) -> dict[str, HintValue]:
    """Return both hints as one: field by field the more trusted origin wins.

    Of equal origins the older stays, so the order of pages of one listing does not
    matter once the link is known.
    """
    merged = dict(old)
    for name, value in new.items():
        known = merged.get(name)
        if known is None or _TRUST[value.origin] < _TRUST[known.origin]:
            merged[name] = value
    return merged


def walk_ends(
    work: Work,
    new_links: int,
    next_link: Link,
    stop: Stop,
    *,
    old_links: int = 0,
    rows: int = 1,
) -> str | None:
    """Return why the walk ends at this listing page, None where it goes on.

    Args:
        work: the listing page just read.
        new_links: links on it that were new to the run.
        next_link: the page that would follow.
        stop: the listing's conditions.
        old_links: how many of the new ones are from before ``since``.
        rows: how many rows there were, known ones too.
    """
    if work.page >= stop.max_pages:
        return "max_pages"
    if new_links == 0 and work.stale_pages + 1 >= stop.seen_pages:
        return "seen_pages" if rows else "empty_pages"
    if 0 < new_links == old_links:
        return "since"
    return "same_page" if key_of(next_link) == key_of(work.link) else None


@dataclass(frozen=True, slots=True)
class Again:
    """Try this URL again after delay_s seconds."""

    delay_s: float


def after_failure(
    reason: Reason,
    tries: int,
    manners: Manners,
    *,
    status: int | None = None,
    retry_after_s: float | None = None,
) -> Again | None:
    """Return when to try again, None where the failure stands.

    Args:
        reason: why there is no good response.
        tries: how often it was tried, this time included.
        manners: the portal's.
        status: of the response, if one came.
        retry_after_s: what the server asked for.
    """
    passing = reason in RETRYABLE or status in RETRYABLE_STATUS
    if not passing or tries > manners.retries:
        return None
    backoff_s = manners.retry_delay * 2 ** (tries - 1)
    asked_s = backoff_s if retry_after_s is None else retry_after_s
    return Again(min(asked_s, MAX_RETRY_AFTER_S))


def retry_after_s(value: bytes | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for, None where it says nothing.

    Source: RFC 9110 section 10.2.3 (seconds, or an HTTP date).
    """
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
