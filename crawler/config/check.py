"""What is wrong with a portal beyond its types: a rule that cannot work as written.

Nothing here knows files or lines: a finding is the path of a value and one line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from crawler.config import check_item, check_listing, syntax
from crawler.config.check_rule import ANY, faults, rule_faults
from crawler.config.check_schedule import check_schedules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.portal import Portal
    from crawler.config.problem import Path
    from crawler.config.settings import Settings, StoreSettings

Finding: TypeAlias = "tuple[Path, str]"

_STORE_SCHEMES = ("s3", "file")
_BUCKET = re.compile(r"([^/@]*@)?[A-Za-z0-9][A-Za-z0-9._:-]{1,}(/[^/.][^/]*)*/?")
_ENDPOINT = re.compile(r"https?://[^/@\s]+(/[^@\s]*)?")
_PROXY = re.compile(r"(http|socks5)://[^/\s]+/?")


def check_portal(portal: Portal) -> Iterator[Finding]:
    """Yield what is wrong with a portal, in no order."""
    yield from faults(("timezone",), syntax.timezone_fault, portal.timezone)
    encoding = portal.request.encoding
    yield from faults(("request", "encoding"), syntax.encoding_fault, encoding)
    yield from faults(("scope", "exclude"), syntax.regex_fault, *portal.scope.exclude)
    yield from faults(("drop_lines",), syntax.regex_fault, *portal.drop_lines)
    yield from _proxy(portal.crawl.proxy)
    yield from _login(portal)
    yield from _parts(portal)
    yield from check_schedules(portal)
    for at, listing in enumerate(portal.listings):
        for path, what in check_listing.check_listing(listing):
            yield ("listings", at, *path), what
    for at, item in enumerate(portal.items):
        for path, what in check_item.check_item(item):
            yield ("items", at, *path), what


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the top level, its portals apart."""
    yield from _proxy(settings.crawl.proxy)
    yield from _store(settings.store)


def _store(store: StoreSettings) -> Iterator[Finding]:
    # No value is quoted: a URL may hold a password.
    scheme, separator, rest = store.url.partition("://")
    if not store.url or (separator and scheme not in _STORE_SCHEMES):
        yield ("store", "url"), "'url': is no store; write a directory or s3://bucket"
    elif separator and not rest.strip("/"):
        yield ("store", "url"), f"'url': {scheme}:// names nothing; add what it is of"
    elif scheme == "s3" and not _BUCKET.fullmatch(rest):
        what = "is no bucket and prefix; write s3://bucket/prefix, without //, . or .."
        yield ("store", "url"), f"'url': {what}"
    if store.endpoint_url is not None and not _ENDPOINT.fullmatch(store.endpoint_url):
        what = "is no service; write http://host:port, credentials stand elsewhere"
        yield ("store", "endpoint_url"), f"'endpoint_url': {what}"
    if store.kms_key is not None and store.sse != "aws:kms":
        yield ("store", "kms_key"), "'kms_key': needs 'sse: aws:kms'"


def _proxy(proxy: str | tuple[str, ...] | None) -> Iterator[Finding]:
    # The value is not quoted: it may hold a password.
    given = (proxy,) if isinstance(proxy, str) else proxy or ()
    if not all(_PROXY.fullmatch(one) for one in given):
        what = "'proxy': is no proxy; write http://host:port or socks5://host:port"
        yield ("crawl", "proxy"), what


def _login(portal: Portal) -> Iterator[Finding]:
    login = portal.login
    if login is None:
        return
    yield from faults(("login", "url"), syntax.url_fault, login.url)
    yield from faults(("login", "form"), syntax.css_fault, login.form)
    yield from faults(("login", "ok_url"), syntax.regex_fault, login.ok_url)
    yield from rule_faults(("login", "ok"), login.ok, ANY)
    yield from rule_faults(("login", "logged_out"), login.logged_out, ANY)


def _parts(portal: Portal) -> Iterator[Finding]:
    """Check that a portal has what it needs to give items."""
    if not portal.listings:
        yield (
            (),
            (
                f"portal {portal.id!r} has no listings; add one: "
                "listings: [{id: news, from: rows, url: …, rows: …, fields: {…}}]"
            ),
        )
    seen: set[str] = set()
    for at, listing in enumerate(portal.listings):
        if listing.id in seen:
            what = f"listing id {listing.id!r} is used twice; name this one otherwise"
            yield ("listings", at, "id"), what
        seen.add(listing.id)
    articles = any(listing.kind == "article" for listing in portal.listings)
    if articles and not portal.items:
        yield (
            (),
            (
                f"portal {portal.id!r} has no items, so no link would be visited; "
                "add a rule: items: [{match: ^/article/, title: h1, body: …}]"
            ),
        )
