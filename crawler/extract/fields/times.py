"""Choose an item's time among all that page, hints and URL say.

1. In order of trust: the rule on the page, feed, state, JSON, the page's head, what
   its markup marks, its visible text, sitemap, the listing's rows, the URL.
2. The first absolute time wins; only where there is none, the first relative one.
3. Where that gives no more than a day (or an hour), a finer time within it is taken
   instead, even a relative one: "3小时前" beside a listing's "07月15日".
4. A day without a year (09-30 22:46) takes it from any time of that day on the page:
   old pages are captured late, too.
5. Years in the body are no dates, and what is to come is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.extract.dates.grammar import read_date
from crawler.extract.fields.datelines import times_in
from crawler.extract.fields.marked import assigned_times, keyed_times, marked_times
from crawler.model import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crawler.extract.dates.grammar import Moment
    from crawler.extract.document.selectors import Found
    from crawler.extract.fields.lookup import Sources
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
_OTHER_METAS = re.compile(
    r"(?<!un)publi(?:sh|cation)|pub_?(?:date|time)|issued|releas|(?:^|[.:_-])created"
    r"|create_?(?:d|at|time)|(?:^|[.:_-])date(?:$|time)|posted"
)
_NO_METAS = re.compile(r"publisher|author|image|modif|updat|expir|video|copyright")
_MODIFIED_METAS = ("article:modified_time", "og:updated_time", "datemodified")
_CHANGED_METAS = re.compile(r"modif|updat")
_URL_DAY = re.compile(r"/(20\d\d)[-/_]?([01]\d)[-/_]?([0-3]\d)(?=[/_.-]|\d{0,3}\D|$)")
_SKEW = timedelta(days=1)
_SURE_RANK = 1


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
    return choose(_published(sources, title), lambda: _weak(sources))


def read_modified(sources: Sources) -> Timed | None:
    """Return when the item was changed last, None where nothing says so."""
    return choose(_modified(sources))


def choose(
    candidates: Iterable[Timed], weak: Callable[[], Iterable[Timed]] = tuple
) -> Timed | None:
    """Return the time to believe of candidates in falling order of trust.

    weak: makes times that are never chosen but for one of the candidates: finer
        within it, or with the year that it lacks; only asked where one lacks that.
    """
    timed: list[Timed] = []
    best: Timed | None = None
    for each in candidates:
        timed.append(each)
        if best is None or (best.moment.relative and not each.moment.relative):
            best = each
        if _is_enough(best.moment):
            break  # what comes after is less trusted and says no more
    if best is None:
        return None
    if best.moment.yearless:
        yearless = best
        dated = (each for each in (*timed, *weak()) if _dates(each, yearless))
        best = next(dated, yearless)
    if best.moment.precision in _COARSE:
        best = next((each for each in timed if _refines(each, best)), None) or next(
            (each for each in weak() if _refines(each, best)), best
        )
    return _named(best)


def _is_enough(moment: Moment) -> bool:
    return not (moment.relative or moment.yearless or moment.precision in _COARSE)


def _refines(other: Timed, best: Timed) -> bool:
    start, end = best.moment.range
    finer = _FINENESS[other.moment.precision] > _FINENESS[best.moment.precision]
    return finer and start <= other.moment.at < end


def _dates(other: Timed, best: Timed) -> bool:
    """Tell whether other is of the same day of the year, and names the year."""
    if other.moment.yearless or other.moment.relative:
        return False
    at, day = best.moment.at, other.moment.at.astimezone(best.moment.at.tzinfo)
    exact = other.moment.precision not in _COARSE
    near = abs((day.replace(year=2000) - at.replace(year=2000)).days) == 0
    return near if exact else (day.month, day.day) == (at.month, at.day)


def _named(timed: Timed) -> Timed:
    if not timed.moment.relative:
        return timed
    return Timed(timed.moment, "relative", timed.method)


def _published(sources: Sources, title: str | None) -> Iterator[Timed]:
    yield from _by_rule(sources, sources.all_by_rule(sources.rule.published))
    for origin in (Origin.FEED, Origin.STATE, Origin.JSON):
        yield from _hinted(sources, origin)
    if sources.rule.generic:
        yield from _in_head(sources)
        if not sources.rule.published and not sources.page.is_json:
            yield from _on_page(sources, title)
    for origin in (Origin.SITEMAP, Origin.ROWS):
        yield from _hinted(sources, origin)
    yield from _in_url(sources)


def _in_head(sources: Sources) -> Iterator[Timed]:
    metas = [each for name in _PUBLISHED_METAS if (each := sources.meta_first(name))]
    said = [*sources.said("datePublished"), *sources.said("dateCreated")]
    yield from _read(sources, [*metas, *said], "meta")
    others = (
        sources.meta_first(name)
        for name, _ in sources.meta.matching(_OTHER_METAS)
        if not _NO_METAS.search(name)
    )
    yield from _read(sources, (each for each in others if each), "meta")


def _on_page(sources: Sources, title: str | None) -> Iterator[Timed]:
    """Yield what markup marks and lines say; what is only marked as a time, last."""
    marked = marked_times(sources.page, title)
    timed = [
        (each.rank, Timed(moment, "page", each.method))
        for each in marked
        if (moment := _past(sources, each.text))
    ]
    yield from (each for rank, each in timed if rank < _SURE_RANK)
    for text in assigned_times(sources.page):
        if moment := _past(sources, text):
            yield Timed(moment, "page", "script")
    yield from (each for rank, each in timed if rank == _SURE_RANK)
    for moment in times_in(sources.lines, title, at=sources.at, zone=sources.zone):
        yield Timed(moment, "page", "generic:line")
    yield from (each for rank, each in timed if rank > _SURE_RANK)


def _weak(sources: Sources) -> Iterator[Timed]:
    """Yield times of what may be the item's change, or another item's."""
    if not sources.rule.generic or sources.page.is_json:
        return
    yield from _modified(sources)
    changed = (
        each
        for name, _ in sources.meta.matching(_CHANGED_METAS)
        if (each := sources.meta_first(name))
    )
    yield from _read(sources, changed, "meta")
    for text in keyed_times(sources.page):
        if moment := _past(sources, text):
            yield Timed(moment, "page", "script")


def _past(sources: Sources, text: str) -> Moment | None:
    moment = read_date(text, at=sources.at, zone=sources.zone)
    return moment if moment and moment.at <= sources.at + _SKEW else None


def _modified(sources: Sources) -> Iterator[Timed]:
    yield from _by_rule(sources, sources.all_by_rule(sources.rule.modified))
    metas = [each for name in _MODIFIED_METAS if (each := sources.meta_first(name))]
    yield from _read(sources, [*sources.said("dateModified"), *metas], "meta")
    for origin in Origin:  # in falling order of trust
        yield from _hinted(sources, origin, "updated")


def _by_rule(sources: Sources, found: list[Found]) -> Iterator[Timed]:
    """Yield the first of what a rule found that is a time; what is none is no error."""
    yield from list(_read(sources, found, "page"))[:1]


def _read(sources: Sources, found: Iterable[Found], source: str) -> Iterator[Timed]:
    for each in found:
        moment = read_date(
            each.text, at=sources.at, zone=sources.zone, format=each.format
        )
        if moment is not None:
            yield Timed(moment, source, each.method)


def _hinted(
    sources: Sources, origin: Origin, name: str = "published"
) -> Iterator[Timed]:
    value = sources.hint.get(name)
    if value is None or value.origin is not origin:
        return
    for text in value.values:
        moment = read_date(text, at=value.seen_at, zone=sources.zone)
        if moment is not None:
            yield Timed(moment, origin.value, f"hint:{origin.value}")


def _in_url(sources: Sources) -> Iterator[Timed]:
    if given := sources.groups.get("published"):
        text = given
    elif found := _URL_DAY.search(sources.url):
        text = "-".join(found.groups())
    else:
        return
    moment = read_date(text, at=sources.at, zone=sources.zone)
    if moment is not None:
        yield Timed(moment, "url", "url")
