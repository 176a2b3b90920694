"""What is wrong with a portal's schedules beyond their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config import syntax
from crawler.config.check_rule import faults
from crawler.config.problem import MASK
from crawler.config.schedule import Timetable, cron_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.check import Finding
    from crawler.config.portal import Portal
    from crawler.config.schedule import ScheduleRule


def check_schedules(portal: Portal) -> Iterator[Finding]:
    """Yield what is wrong with a portal's own schedule and its listings'."""
    if portal.schedule is not None:
        for path, what in _check(portal.schedule):
            yield ("schedule", *path), what
        if portal.listings and all(x.schedule for x in portal.listings):
            what = "'schedule': each listing has its own; take this one out"
            yield ("schedule",), what
    for at, listing in enumerate(portal.listings):
        if listing.schedule is not None:
            for path, what in _check(listing.schedule):
                yield ("listings", at, "schedule", *path), what


def _check(rule: ScheduleRule) -> Iterator[Finding]:
    fault = cron_fault(rule.cron)
    if fault is not None:
        yield ("cron",), f"'cron': {fault}"
    elif rule.jitter and rule.jitter >= Timetable(rule.cron, "UTC").shortest_s():
        yield ("jitter",), "'jitter': reaches the next start; make it shorter"
    if rule.timezone is not None:
        yield from faults(("timezone",), syntax.timezone_fault, rule.timezone)
    if rule.ping is not None and MASK not in rule.ping and syntax.url_fault(rule.ping):
        # The value is not quoted: it is a secret.
        what = "is no http address; set the variable to one in full"
        yield ("ping",), f"'ping': {what}"
