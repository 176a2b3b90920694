"""What of a portal's requests is secret: its names, for masking, and its values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.config.portal import Portal

_JSON_MEMBER = re.compile(r'"([^"\\]+)"\s*:\s*"((?:[^"\\]|\\.)*+)"')
_SHORTEST = 4
"""A shorter text is found everywhere by chance."""


@dataclass(frozen=True, slots=True)
class SecretNames:
    """Under which names a portal's requests carry secrets.

    Attributes:
        fields: parameters of URLs, forms and JSON bodies.
        headers: in lower case.
        cookies: whether a cookie is one.
    """

    fields: frozenset[str]
    headers: frozenset[str]
    cookies: bool


def secret_names(portal: Portal, secrets: Iterable[str]) -> SecretNames:
    """Return the names that ``redact_fields`` gives and those that carry a secret.

    With a login those are its fields, and every cookie; with a session that somebody
    began elsewhere, every cookie, too.
    """
    listed = frozenset(portal.request.redact_fields)
    known = written_forms(secret for secret in secrets if len(secret) >= _SHORTEST)
    login = frozenset(portal.login.fields if portal.login else ())
    held = {(kind, n) for kind, n, value in _sent(portal) if _holds(value, known)}
    return SecretNames(
        fields=listed | login | {name for kind, name in held if kind == "field"},
        headers=frozenset(
            {name.lower() for name in listed}
            | {name.lower() for kind, name in held if kind == "header"}
        ),
        cookies=bool(login)
        or _has_session(portal)
        or any(kind == "cookie" for kind, _ in held),
    )


def listed_secrets(portal: Portal) -> frozenset[str]:
    """Return the values that the configuration gives to ``redact_fields``."""
    listed = {name.lower() for name in portal.request.redact_fields}
    return frozenset(
        value for _, name, value in _sent(portal) if value and name.lower() in listed
    )


def written_forms(secrets: Iterable[str]) -> frozenset[str]:
    """Return secrets as they are and as URLs, forms and JSON have them."""
    return frozenset(
        form
        for secret in secrets
        for form in (
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
        )
    )


def _has_session(portal: Portal) -> bool:
    rules = [each.browser for each in portal.listings]
    rules += [each.browser for each in portal.items]
    return any(rule.storage_state is not None for rule in rules)


def _holds(value: str, secrets: frozenset[str]) -> bool:
    return any(secret in value for secret in secrets)


def _sent(portal: Portal) -> Iterator[tuple[str, str, str]]:
    """Yield kind (field, header, cookie), name and value of all that is sent along."""
    yield from _named("header", portal.request.headers)
    yield from _named("field", portal.request.params)
    yield from _named("cookie", portal.request.cookies)
    for listing in portal.listings:
        yield from _named("header", listing.headers)
        yield from _named("field", listing.params)
        yield from _named("cookie", listing.cookies)
        yield from _in_query(urlsplit(listing.url).query)
        yield from _in_body(listing.body or "")
        if listing.continue_ is not None:
            yield from _named("header", listing.continue_.headers)
            yield from _named("field", listing.continue_.params)
            yield from _in_query(urlsplit(listing.continue_.url or "").query)
            yield from _in_body(listing.continue_.body or "")


def _named(kind: str, named: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, value in named.items():
        yield kind, name, value


def _in_query(query: str) -> Iterator[tuple[str, str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True):
        yield "field", name, value


def _in_body(body: str) -> Iterator[tuple[str, str, str]]:
    if body.lstrip()[:1] not in ("{", "["):
        yield from _in_query(body)
        return
    # Not parsed: a template such as {"page": {page}} is no JSON yet.
    for name, value in _JSON_MEMBER.findall(body):
        yield "field", name, value
