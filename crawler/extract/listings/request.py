"""How listing and item pages are asked for: URL, parameters, headers, body.

1. Portal's, then listing's, then ``continue``'s headers and parameters; later ones win,
   header names in any case are one.
2. ``{page}``, ``{offset}``, ``{cursor}``, ``{oldest}`` and ``{day:%Y/%m/%d}`` may
   stand in the URL, in parameters, in headers and in the body, and are written as each
   of them needs it.
3. A URL that a page names whole is asked for as it is.
4. What ``sign`` makes of query and body comes last.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from crawler import urls
from crawler.config.signing import load_signer
from crawler.errors import ConfigError
from crawler.extract.listings.position import Position, has_place
from crawler.model import Kind, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from crawler.config.portal import DayLayout, ListingRule, Portal


def first_link(portal: Portal, rule: ListingRule, at: datetime | None = None) -> Link:
    """Return the first page of a listing.

    at: when the run began; a walk by day begins with that day.

    Raises:
        ConfigError: its URL is none, or it wants a time and there is none.
    """
    if rule.days is not None:
        return day_link(portal, rule, today_in(portal, at))
    position = _first_position(rule)
    url = _address(rule, rule.url, {**portal.request.params, **rule.params}, position)
    return _listing_link(portal, rule, url, position, continued=False, token=None)


def today_in(portal: Portal, at: datetime | None) -> date:
    """Return the portal's day at this time.

    Raises:
        ConfigError: there is no time.
    """
    if at is None:
        raise ConfigError("a walk by day wants to know the day it begins with")
    return at.astimezone(ZoneInfo(portal.timezone)).date()


def day_link(portal: Portal, rule: ListingRule, day: date) -> Link:
    """Return the page of a day, by the layout of that day.

    Raises:
        ConfigError: the URL is none.
    """
    position = Position(day=day)
    layout = layout_of(rule, day)
    template = (layout.url if layout else None) or rule.url
    url = _address(rule, template, {**portal.request.params, **rule.params}, position)
    token = position.token
    return _listing_link(portal, rule, url, position, continued=False, token=token)


def layout_of(rule: ListingRule, day: date) -> DayLayout | None:
    """Return the layout of a day past, None where the listing's own is meant."""
    later = [x for x in rule.layouts if day.isoformat() < x.until]
    return min(later, key=lambda layout: layout.until, default=None)


def _first_position(rule: ListingRule) -> Position:
    if rule.next is not None and rule.next.page is not None:
        return Position(page=rule.next.page.start - rule.next.page.step)
    if rule.next is not None and rule.next.offset is not None:
        return Position(offset=rule.next.offset.start)
    return Position()


def templated_link(portal: Portal, rule: ListingRule, position: Position) -> Link:
    """Return the page of a listing's walk at this position.

    Raises:
        ConfigError: the URL is none, or nothing in the request names the position, so
            that every page would be the same.
    """
    further = rule.continue_
    template = (further.url if further else None) or rule.url
    params = {**portal.request.params, **rule.params}
    params |= further.params if further else {}
    headers = {**rule.headers, **(further.headers if further else {})}
    _, body = _sent(rule, continued=True)
    places = (template, body, *params.values(), *headers.values())
    if not has_place(*places):
        raise ConfigError(
            f"listing {rule.id!r}: next needs {{page}}, {{cursor}} or the like in "
            "url, params, headers or body of the listing or its continue"
        )
    url = _address(rule, template, params, position)
    token = position.token
    return _listing_link(portal, rule, url, position, continued=True, token=token)


def whole_link(portal: Portal, rule: ListingRule, url: str) -> Link:
    """Return the listing page at a URL that a page or sitemap index named whole."""
    return _listing_link(portal, rule, url, Position(), continued=True, token=None)


def item_headers(portal: Portal) -> tuple[tuple[str, str], ...]:
    """Return the headers that an item page is asked for with."""
    return _headers([portal.request.headers], portal.request.cookies)


def _listing_link(
    portal: Portal,
    rule: ListingRule,
    url: str,
    position: Position,
    *,
    continued: bool,
    token: str | None,
) -> Link:
    further = rule.continue_.headers if rule.continue_ and continued else {}
    method, template = _sent(rule, continued=continued)
    body = position.fill(template, _writer_of(template))
    own = (_filled(named, position) for named in (rule.headers, further))
    headers = _headers(
        [_body_type(template), portal.request.headers, *own],
        {**portal.request.cookies, **rule.cookies},
    )
    if rule.sign is not None:
        url = signed(rule, url, body)
    return Link(
        url,
        Kind.LISTING,
        listing=rule.id,
        method=method,
        headers=headers,
        body=body.encode(),
        token=token,
    )


def _sent(rule: ListingRule, *, continued: bool) -> tuple[str, str]:
    """Return the method and body of the first page or of a further one."""
    further = rule.continue_ if continued else None
    method = (further.method if further else None) or rule.method
    own = further.body if further and further.body is not None else rule.body
    return method, (own or "") if method == "POST" else ""


def _address(
    rule: ListingRule, template: str, params: Mapping[str, str], position: Position
) -> str:
    filled = _filled(params, position)
    url = position.fill(template, lambda value: quote(value, safe=""))
    try:
        return urls.canonical(_with_params(url, filled))
    except ValueError as exc:
        raise ConfigError(
            f"listing {rule.id!r}: {url[:200]!r} is no http or https URL"
        ) from exc


def _filled(named: Mapping[str, str], position: Position) -> dict[str, str]:
    """Return named texts with their places filled, without those that lack a value."""
    return {
        name: position.fill(value)
        for name, value in named.items()
        if not position.lacks(value)
    }


def signed(rule: ListingRule, url: str, body: str) -> str:
    """Return url with what the listing's ``sign`` makes of its query and the body.

    Raises:
        ConfigError: there is no such function, or it fails.
    """
    name = rule.sign or ""
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    try:
        made = load_signer(name)(query, body)
        added = {str(key): str(value) for key, value in dict(made).items()}
    except Exception as exc:  # the function is the portal's own
        raise ConfigError(f"listing {rule.id!r}: sign {name!r}: {exc}"[:300]) from exc
    return urls.canonical(_with_params(url, added))


def _with_params(url: str, params: Mapping[str, str]) -> str:
    """Return url with params in its query; those it has under these names go."""
    if not params:
        return url
    parts = urlsplit(url)
    kept = [
        part
        for part in parts.query.split("&")
        if part and unquote_plus(part.partition("=")[0]) not in params
    ]
    added = [f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in params.items()]
    return urlunsplit(parts._replace(query="&".join(kept + added)))


def _headers(
    levels: list[Mapping[str, str]], cookies: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    merged: dict[str, tuple[str, str]] = {}
    for level in levels:
        for name, value in level.items():
            merged[name.lower()] = (name, value)
    if cookies:
        pairs = [f"{name}={value}" for name, value in cookies.items()]
        written = [merged["cookie"][1]] if "cookie" in merged else []
        merged["cookie"] = ("Cookie", "; ".join(written + pairs))
    return tuple(merged.values())


def _body_type(body: str) -> dict[str, str]:
    if not body:
        return {}
    form = "application/x-www-form-urlencoded"
    return {"Content-Type": "application/json" if _is_json(body) else form}


def _is_json(body: str) -> bool:
    return body.lstrip()[:1] in ("{", "[")


def _writer_of(body: str) -> Callable[[str], str]:
    """Return how a value is written inside a body: within JSON's quotes, or a form."""
    if _is_json(body):
        return lambda value: json.dumps(value)[1:-1]
    return lambda value: quote(value, safe="")
