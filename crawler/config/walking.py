"""How a listing goes on from page to page, and when its walk ends: frozen models."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from crawler.config.browsing import ClickRule, ScrollRule
from crawler.config.rule import Model, Rule
from crawler.config.units import Count, seconds_from


def _since(given: object) -> object:
    """Return seconds for a duration; a day stays text."""
    try:
        return seconds_from(given)
    except ValueError:
        return given


class PageNumbers(Model):
    """Numbered pages: the second page's number, the step to the next, a last one.

    The first page's number, where its request has ``{page}``, is a step less.
    """

    shorthand = (int, Literal[True])

    start: int = 2
    step: int = 1
    last: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _start_alone(cls, given: object) -> object:
        if isinstance(given, bool):
            return {}
        return {"start": given} if isinstance(given, int) else given


class OffsetRule(Model):
    """Pages by the number of rows before them: those that came, not those asked for.

    Attributes:
        start: the first page's offset.
        size: the walk ends after a page of fewer rows; not set, after an empty one.
    """

    shorthand = (int, Literal[True])

    start: int = 0
    size: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _start_alone(cls, given: object) -> object:
        if isinstance(given, bool):
            return {}
        return {"start": given} if isinstance(given, int) else given


class OldestRule(Model):
    """Pages by the time of the oldest row before them.

    Attributes:
        field: rule for the time within a row.
        unit: ``s`` or ``ms`` since 1970, or the strptime form of a local time.
        overlap: units added to what is sent, where the API answers only with rows
            that are older: rows of the same time are then not lost.
    """

    shorthand = (str,)

    field: Rule
    unit: str = "s"
    overlap: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="before")
    @classmethod
    def _field_alone(cls, given: object) -> object:
        return {"field": given} if isinstance(given, str) else given


class DayRule(Model):
    """A page for each day, from the day of the run back.

    Attributes:
        since: the last day that is asked for, as ``2024-01-31``.
        empty: days in a row without a new link after which the walk ends.
    """

    shorthand = (Literal[True],)

    since: str | None = None
    empty: Count = 14

    @model_validator(mode="before")
    @classmethod
    def _all_days(cls, given: object) -> object:
        return {} if given is True else given


class NextRule(Model):
    """How a listing goes on, in one of these ways.

    Attributes:
        page: ``{start: 2, step: 1, last: 40}``; ``{page}`` stands in the request.
        offset: ``true`` or ``{start: 0, size: 20}``; ``{offset}`` stands in it.
        cursor: JMESPath in the answer (or state); ``{cursor}`` stands in the request.
        first: JMESPath of the first cursor, in the page that ``continue`` follows.
        oldest: ``{field: ctime, unit: s}``; ``{oldest}`` stands in the request.
        more: JMESPath; the walk ends where it is false.
        url: rule for the whole URL.
        day: a page a day; ``{day:%Y/%m%d}`` stands in the request.
        click, scroll: on the same page, shown by a browser; all of it is one page of
            the walk.
    """

    shorthand = (Literal["scroll"],)

    page: PageNumbers | None = None
    offset: OffsetRule | None = None
    cursor: str | None = None
    first: str | None = None
    oldest: OldestRule | None = None
    more: str | None = None
    url: Rule = ()
    day: DayRule | None = None
    click: ClickRule | None = None
    scroll: ScrollRule | None = None

    @model_validator(mode="before")
    @classmethod
    def _scroll_alone(cls, given: object) -> object:
        return {"scroll": True} if given == "scroll" else given

    @model_validator(mode="after")
    def _one(self) -> Self:
        numbered = (self.page, self.offset, self.cursor, self.oldest, self.day)
        ways = (*numbered, self.url or None, self.click, self.scroll)
        if sum(way is not None for way in ways) != 1:
            names = "page, offset, cursor, oldest, url, day, click, scroll"
            message = f"next wants exactly one of {names}"
            raise ValueError(message)
        return self

    @property
    def is_on_page(self) -> bool:
        """Whether a browser goes on by itself, on the same page."""
        return self.click is not None or self.scroll is not None

    @property
    def place(self) -> str | None:
        """The placeholder that the request needs, None where it needs none."""
        names = ("page", "offset", "cursor", "oldest", "day")
        return next((x for x in names if getattr(self, x) is not None), None)


class Stop(Model):
    """When a walk over listing pages ends, whatever the pages say.

    Attributes:
        seen_pages: pages in a row without a link that is new to this run.
        max_pages: pages in all.
        since: a day, or how long before the page was captured; the walk ends where
            all rows that are new to this run are older.
    """

    seen_pages: Count = 2
    max_pages: Count = 1000
    since: Annotated[float | str | None, BeforeValidator(_since)] = None
