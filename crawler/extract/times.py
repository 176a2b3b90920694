"""Choose an item's time among all that page, hints and URL say.

1. In order of trust: the rule on the page, feed, state, JSON, the page's head, its
   visible text, sitemap, the listing's rows, the URL.
2. The first absolute time wins; only where there is none, the first relative one.
3. Where that gives no more than a day (or an hour), a finer time within it is taken
   instead, even a relative one: "3小时前" beside a listing's "07月15日".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.extract.bylines import near
from crawler.extract.dates import read_date
from crawler.model import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.extract.dates import Moment
    from crawler.extract.fields import Sources
    from crawler.extract.selectors import Found
    from crawler.item import Precision

_FINENESS: dict[Precision, int] = {"day": 0, "hour": 1, "minute": 2, "second": 3}
_COARSE = frozenset({"day", "hour"})
_PUBLISHED_METAS = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "publishdate",
    "pubdate",
    "publish_time",
    "dc.date.issued",
    "parsely-pub-date",
)
_MODIFIED_METAS = ("article:modified_time", "og:updated_time", "datemodified")
_URL_DAY = re.compile(r"/(20\d\d)[-/_]?([01]\d)[-/_]?([0-3]\d)(?=[/_.-]|\d{0,3}\D|$)")
_LABELLED = re.compile(
    r"(?:发[布佈表]|發[布佈表]|更新|刊登|[时時][间間]|日期|published|posted|date)",
    re.IGNORECASE,
)
_FULL_DAY = re.compile(r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}")
_FULL_TIME = re.compile(_FULL_DAY.pattern + r"\s?日?\s*\d{1,2}:\d{2}")
_MAX_LINES = 400
_LINE_CHARACTERS = 120
_SENTENCE = re.compile(r"[。！？!?]$")
_SKEW = timedelta(days=1)
_BESIDE_CHARACTERS = 16  # a source's name and its label


@dataclass(frozen=True, slots=True)
class Timed:
    """A time with where it was read.

    Attributes:
        source: ``page``, ``feed``, ``state``, ``json``, ``sitemap``, ``rows``,
            ``meta``, ``relative`` or ``url``.
    """

    moment: Moment
    source: str
    method: str


def read_published(sources: Sources, title: str | None) -> Timed | None:
    """Return when the item was published, None where nothing says so."""
    return choose(_published(sources, title))


def read_modified(sources: Sources) -> Timed | None:
    """Return when the item was changed last, None where nothing says so."""
    return choose(_modified(sources))


def choose(candidates: Iterable[Timed]) -> Timed | None:
    """Return the time to believe of candidates in falling order of trust."""
    timed = list(candidates)
    absolute = (each for each in timed if not each.moment.relative)
    best = next(absolute, None) or next(iter(timed), None)
    if best is None:
        return None
    if best.moment.precision in _COARSE:
        best = next((each for each in timed if _refines(each, best)), best)
    return _named(best)


def _refines(other: Timed, best: Timed) -> bool:
    start, end = best.moment.range
    finer = _FINENESS[other.moment.precision] > _FINENESS[best.moment.precision]
    return finer and start <= other.moment.at < end


def _named(timed: Timed) -> Timed:
    if not timed.moment.relative:
        return timed
    return Timed(timed.moment, "relative", timed.method)


def _published(sources: Sources, title: str | None) -> Iterator[Timed]:
    yield from _by_rule(sources, sources.all_by_rule(sources.rule.published))
    for origin in (Origin.FEED, Origin.STATE, Origin.JSON):
        yield from _hinted(sources, origin)
    if sources.rule.generic:
        metas = [
            each for name in _PUBLISHED_METAS if (each := sources.meta_first(name))
        ]
        yield from _read(sources, [*metas, *sources.said("datePublished")], "meta")
        if not sources.rule.published:
            yield from _visible(sources, title)
    for origin in (Origin.SITEMAP, Origin.ROWS):
        yield from _hinted(sources, origin)
    yield from _in_url(sources)


def _modified(sources: Sources) -> Iterator[Timed]:
    yield from _by_rule(sources, sources.all_by_rule(sources.rule.modified))
    metas = [each for name in _MODIFIED_METAS if (each := sources.meta_first(name))]
    yield from _read(sources, [*sources.said("dateModified"), *metas], "meta")


def _by_rule(sources: Sources, found: list[Found]) -> Iterator[Timed]:
    """Yield the first of what a rule found that is a time; what is none is no error."""
    yield from list(_read(sources, found, "page"))[:1]


def _read(sources: Sources, found: Iterable[Found], source: str) -> Iterator[Timed]:
    zone = ZoneInfo(sources.portal.timezone)
    for each in found:
        moment = read_date(each.text, at=sources.at, zone=zone, format=each.format)
        if moment is not None:
            yield Timed(moment, source, each.method)


def _hinted(sources: Sources, origin: Origin) -> Iterator[Timed]:
    value = sources.hint.get("published")
    if value is None or value.origin is not origin:
        return
    zone = ZoneInfo(sources.portal.timezone)
    for text in value.values:
        moment = read_date(text, at=value.seen_at, zone=zone)
        if moment is not None:
            yield Timed(moment, origin.value, f"hint:{origin.value}")


def _visible(sources: Sources, title: str | None) -> Iterator[Timed]:
    """Yield the time of a short line: around the title's, else with day and clock.

    Body years are no dates: sentences are passed over, and so is what is to come.
    """
    zone = ZoneInfo(sources.portal.timezone)
    far = (line for line in sources.lines[:_MAX_LINES] if _FULL_TIME.search(line))
    for line in (*near(sources.lines, title), *far):
        if len(line) > _LINE_CHARACTERS or _SENTENCE.search(line):
            continue
        if title and title in line:
            continue
        moment = read_date(line, at=sources.at, zone=zone)
        if moment is None or moment.at > sources.at + _SKEW:
            continue
        if _tells_itself(moment, line) or _LABELLED.search(line):
            yield Timed(moment, "page", "generic:line")
            return


def _tells_itself(moment: Moment, line: str) -> bool:
    """Tell whether the line is a time and little else, or holds a whole day."""
    beside = len(line) - len(moment.raw)
    return beside <= _BESIDE_CHARACTERS or bool(_FULL_DAY.search(line))


def _in_url(sources: Sources) -> Iterator[Timed]:
    if given := sources.groups.get("published"):
        text = given
    elif found := _URL_DAY.search(sources.url):
        text = "-".join(found.groups())
    else:
        return
    zone = ZoneInfo(sources.portal.timezone)
    moment = read_date(text, at=sources.at, zone=zone)
    if moment is not None:
        yield Timed(moment, "url", "url")
