"""How listing and item pages are asked for: URL, parameters, headers, body.

1. Portal's, then listing's, then ``continue``'s headers and parameters; later ones win,
   header names in any case are one.
2. ``{cursor}`` and ``{page}`` may stand in the URL, in parameters, in headers and in
   the body, and are written as each of them needs it.
3. A URL that a page names whole is asked for as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from crawler import urls
from crawler.errors import ConfigError
from crawler.model import Kind, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.config.portal import ListingRule, Portal

_PLACE = re.compile(r"\{(cursor|page)\}")


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a walk a page is; of the first page of a cursor's walk nothing is set.

    Attributes:
        cursor: the answer's token.
        page: the page's number.
    """

    cursor: str | None = None
    page: int | None = None

    @property
    def token(self) -> str | None:
        """What a listing page is told apart by, None for a walk's first page."""
        return self.cursor if self.page is None else str(self.page)

    def _value(self, name: str) -> str | None:
        if name == "cursor":
            return self.cursor
        return None if self.page is None else str(self.page)

    def lacks(self, template: str) -> bool:
        """Tell whether the template has a place that nothing is there for."""
        return any(self._value(name) is None for name in _PLACE.findall(template))

    def fill(self, template: str, write: Callable[[str], str] = str) -> str:
        """Return the template with its places filled, each value through write."""
        return _PLACE.sub(lambda found: write(self._value(found[1]) or ""), template)


def has_place(*templates: str) -> bool:
    """Tell whether any of the templates changes from page to page."""
    return any(_PLACE.search(template) for template in templates)


def first_link(portal: Portal, rule: ListingRule) -> Link:
    """Return the first page of a listing.

    Raises:
        ConfigError: its URL is none.
    """
    numbers = rule.next.page if rule.next else None
    position = Position(page=numbers.start - numbers.step if numbers else None)
    url = _address(rule, rule.url, {**portal.request.params, **rule.params}, position)
    return _listing_link(portal, rule, url, position, continued=False, token=None)


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
            f"listing {rule.id!r}: next needs {{cursor}} or {{page}} in url, params, "
            "headers or body of the listing or its continue"
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
