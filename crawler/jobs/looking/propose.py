"""Propose a portal: fetch a listing and three of its items, return rules for them.

1. The listing is read without rules; the URLs of its items give the item rule's match.
2. Three of the items are fetched and read without rules, too.
3. The rules proposed are those that give the same on these pages; what no selector
   gives stays generic, and rows no selector finds are ``from: auto``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler import urls
from crawler.config.portal import Portal
from crawler.errors import NotExtracted, NothingProposed, UsageError
from crawler.extract.document.page import Page
from crawler.extract.fields.metadata import Metadata
from crawler.extract.fields.zones import zone_of
from crawler.extract.generic import GENERIC_ID, generic_portal
from crawler.extract.item import extract_item_from
from crawler.extract.propose.itemrules import propose_item_rule
from crawler.extract.propose.trial import Sample
from crawler.jobs.looking.fetch import Fetched, fetch
from crawler.jobs.looking.listed import Listed, listing_rule, read_listed
from crawler.model import Kind, Link, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.config.settings import Settings
    from crawler.extract.propose.urlpattern import Pattern
    from crawler.model import Json

WANTED = 3
"""Item pages that rules are induced from."""
SPARE = 4
"""Further ones, where some of these are none."""
_NO_BODY = 60


@dataclass(frozen=True, slots=True)
class Proposal:
    """A portal's rules as proposed, and what they were made from.

    Attributes:
        tree: the portal as it is written.
        refused: URLs that were no item pages, each with the reason.
    """

    tree: dict[str, Json]
    portal: Portal
    listed: Listed
    samples: tuple[Sample, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user says of the portal; None is to be found out."""

    url: str
    name: str
    timezone: str | None = None
    allow_private: bool = False


def propose(wish: Wish, settings: Settings, clock: Clock, spool: Path) -> Proposal:
    """Fetch what is needed with the crawl's manners and return rules for it.

    Raises:
        UsageError: the URL is none.
        NothingProposed: there is no listing, or none of its links is an item's page.
    """
    try:
        url = urls.canonical(wish.url)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    manners = settings.crawl
    if wish.allow_private:
        manners = manners.model_copy(update={"allow_private": True})
    said = {"timezone": wish.timezone} if wish.timezone else {}
    visited = generic_portal(url).model_copy(update={"crawl": manners, **said})
    gathered = _Gathered(wish, visited)
    link = Link(url, Kind.LISTING, listing=visited.listings[0].id)
    fetched = fetch(link, gathered.follow, settings, visited, clock, spool)
    if gathered.problem is not None:
        raise gathered.problem
    if gathered.listed is None:
        raise _not_fetched(fetched[0])
    if not gathered.samples:
        raise _no_items(gathered)
    return _proposed(wish, gathered.listed, gathered.samples, gathered.refused)


@dataclass(slots=True)
class _Gathered:
    """What was fetched so far, and what is to be fetched next."""

    wish: Wish
    portal: Portal
    listed: Listed | None = None
    waiting: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    problem: NothingProposed | None = None

    def follow(self, fetched: Fetched) -> Iterable[Link]:
        """Return the links to fetch after a visit."""
        if fetched.link.kind is Kind.LISTING:
            return self._first(fetched)
        try:
            self.samples.append(_sample(fetched, self.portal))
        except NotExtracted as exc:
            self.refused.append((fetched.link.url, str(exc)))
            return self._next(1)
        return ()

    def _first(self, fetched: Fetched) -> Iterable[Link]:
        if fetched.capture is None:
            return ()
        try:
            self.listed = read_listed(fetched.capture, self.portal)
        except NotExtracted as exc:
            self.problem = _no_listing(fetched.link.url, exc)
            return ()
        found = list(dict.fromkeys(self.listed.pattern.urls))
        spread = [found[at * len(found) // WANTED] for at in range(WANTED)]
        rest = [url for url in found if url not in spread]
        self.waiting = [*dict.fromkeys(spread), *rest][: WANTED + SPARE]
        return self._next(WANTED)

    def _next(self, count: int) -> list[Link]:
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return [Link(url, Kind.ITEM) for url in taken]


def _sample(fetched: Fetched, portal: Portal) -> Sample:
    """Return an item page that was fetched.

    Raises:
        NotExtracted: it is none.
    """
    capture, ending = fetched.capture, fetched.ending
    if capture is None:
        raise NotExtracted(ending.reason or Reason.NOT_A_PAGE, ending.detail)
    made = extract_item_from(capture, portal, config_digest="")
    if not made.item.title or len(made.item.body_text or "") < _NO_BODY:
        raise NotExtracted(Reason.NOT_A_PAGE, "no title, or hardly a text")
    return Sample(capture, Page.from_response(capture.main), made)


def _proposed(
    wish: Wish, listed: Listed, samples: list[Sample], refused: list[tuple[str, str]]
) -> Proposal:
    zone, zone_name = _zone(wish, samples)
    tree = _head(wish, zone_name, listed.pattern)
    bare = Portal.model_validate({**tree, "items": [{"match": listed.pattern.match}]})
    listing = listing_rule(listed, bare, zone)
    match = listed.pattern.match
    item = propose_item_rule(samples, bare, match, zone)
    tree |= {"listings": [listing], "items": [item]}
    portal = Portal.model_validate(tree)
    return Proposal(tree, portal, listed, tuple(samples), tuple(refused))


def _head(wish: Wish, zone: str, pattern: Pattern) -> dict[str, Json]:
    tree: dict[str, Json] = {"id": wish.name, "timezone": zone}
    if wish.allow_private:
        tree["allow_private"] = True
    if pattern.strip_params:
        tree["strip_params"] = [*pattern.strip_params]
    hosts = {urls.host_of(url) for url in (wish.url, *pattern.urls)}
    if len(hosts) > 1:
        tree["scope"] = {"hosts": [*sorted(hosts)]}
    return tree


def _zone(wish: Wish, samples: list[Sample]) -> tuple[tzinfo, str]:
    """Return the zone that most pages seem to keep, and its name as it is written."""
    if wish.timezone is not None:
        return ZoneInfo(wish.timezone), wish.timezone
    generic = Portal(id=GENERIC_ID)
    zones: dict[str, list[tzinfo]] = {}
    for sample in samples:
        zone = zone_of(sample.page, generic, Metadata(sample.page))
        zones.setdefault(str(zone), []).append(zone)
    name = max(zones, key=lambda one: len(zones[one]))
    return zones[name][0], _as_written(name)


def _as_written(zone: str) -> str:
    """Return a zone's name; a mere offset as the database names it, sign turned."""
    hours, is_offset = zone.removeprefix("UTC"), zone.startswith("UTC")
    if not is_offset or not hours:
        return zone
    sign = "-" if hours[0] == "+" else "+"
    return f"Etc/GMT{sign}{int(hours[1:3])}"


def _not_fetched(fetched: Fetched) -> NothingProposed:
    ending = fetched.ending
    reason = ending.reason.value if ending.reason else ending.outcome.value
    hint = ""
    if ending.reason is Reason.PRIVATE_ADDRESS:
        hint = "; a private address needs --allow-private"
    elif ending.reason is Reason.ROBOTS:
        hint = "; its robots.txt does not allow it"
    detail = f" {ending.detail}" if ending.detail else ""
    message = f"{fetched.link.url!r} cannot be fetched: {reason}{detail}{hint}"
    return NothingProposed(message)


def _no_listing(url: str, why: NotExtracted) -> NothingProposed:
    message = (
        f"{url!r} gives no listing: {why}; name a page, a feed or a JSON answer that "
        "lists articles"
    )
    return NothingProposed(message)


def _no_items(gathered: _Gathered) -> NothingProposed:
    listed = gathered.listed
    match = listed.pattern.match if listed else ""
    tried = "; ".join(f"{url!r}: {why}" for url, why in gathered.refused)
    message = f"none of the links {match!r} leads to an article: {tried}"
    return NothingProposed(message)
