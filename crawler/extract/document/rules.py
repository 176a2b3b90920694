"""Which item rule reads a URL, on which day, and what the URL itself says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler import urls
from crawler.errors import ConfigError, NotExtracted
from crawler.extract.document.compiled import pattern
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config.portal import ItemRule, Portal
    from crawler.model import Capture


@dataclass(frozen=True, slots=True)
class Matched:
    """The item rule that reads a URL, and the named groups of its ``match``."""

    rule: ItemRule
    groups: Mapping[str, str]


def rule_for(portal: Portal, url: str, captured_on: date) -> Matched | None:
    """Return the first rule whose ``match`` is found in the URL's path and query.

    A rule with ``until`` reads captures made before that day only.

    Raises:
        ConfigError: ``match`` is no regular expression, or ``until`` no day.
    """
    target = urls.path_and_query(url)
    for rule in portal.items:
        if rule.until is not None and captured_on >= _day(rule.until):
            continue
        found = pattern(rule.match).search(target)
        if found is not None:
            groups = {name: text for name, text in found.groupdict().items() if text}
            return Matched(rule, groups)
    return None


def rule_of(capture: Capture, portal: Portal) -> Matched:
    """Return the rule for the URL that answered, else for the one that was asked.

    Raises:
        NotExtracted: no rule matches (no_rule).
    """
    zone = ZoneInfo(portal.timezone)
    captured_on = capture.main.captured_at.astimezone(zone).date()
    for url in (capture.main.url, capture.link.url):
        matched = rule_for(portal, own_url(portal, url), captured_on)
        if matched is not None:
            return matched
    path = urls.path_and_query(capture.main.url)
    raise NotExtracted(Reason.NO_RULE, path[:200])


def own_url(portal: Portal, url: str) -> str:
    """Return url in canonical spelling without the portal's tracking parameters."""
    spelt = urls.absolute(url, "") or url
    return urls.strip_params(spelt, portal.strip_params)


def hosts_of(portal: Portal) -> tuple[str, ...]:
    """Return the hosts of the portal's scope; without one, its listings' hosts."""
    if portal.scope.hosts:
        return portal.scope.hosts
    return tuple(host for rule in portal.listings if (host := urls.host_of(rule.url)))


def is_in_scope(portal: Portal, url: str, page_url: str) -> bool:
    """Tell whether url is on the portal's hosts, or at least on the page's own."""
    hosts = (*hosts_of(portal), f"={urls.host_of(page_url)}")
    return urls.in_scope(url, hosts)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f"until {text!r} is no day; write it as 2025-01-31") from exc
