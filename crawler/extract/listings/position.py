"""Where in a walk a listing page is, and how that is written into its request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACE = re.compile(
    r"\{(?:(?P<name>cursor|oldest|(?:page|offset)(?::0(?P<width>\d))?)"
    r"|day(?::(?P<form>[^{}]*))?)\}"
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a walk a page is; of the first page of a cursor's walk nothing is set.

    Attributes:
        cursor: the answer's token.
        page: the page's number.
        offset: how many rows stand before it.
        oldest: the time of the oldest row before it, as it is sent.
        day: whose page it is.
    """

    cursor: str | None = None
    page: int | None = None
    offset: int | None = None
    oldest: str | None = None
    day: date | None = None

    @property
    def token(self) -> str | None:
        """What a listing page is told apart by, None for a walk's first page."""
        values = (self.page, self.offset, self.day, self.oldest, self.cursor)
        return next((str(x) for x in values if x is not None), None)

    def _value(self, place: re.Match[str]) -> str | None:
        if place["name"] is None:
            day = None if self.day is None else datetime.combine(self.day, time.min)
            return day.strftime(place["form"] or "%Y-%m-%d") if day else None
        value = getattr(self, place["name"].partition(":")[0])
        return None if value is None else str(value).zfill(int(place["width"] or 0))

    def lacks(self, template: str) -> bool:
        """Tell whether the template has a place that nothing is there for."""
        return any(self._value(place) is None for place in _PLACE.finditer(template))

    def fill(self, template: str, write: Callable[[str], str] = str) -> str:
        """Return the template with its places filled, each value through write.

        A day is written in the form that the template gives it, as it is.
        """

        def filled(place: re.Match[str]) -> str:
            value = self._value(place) or ""
            return write(value) if place["name"] else value

        return _PLACE.sub(filled, template)


def has_place(*templates: str) -> bool:
    """Tell whether any of the templates changes from page to page."""
    return any(_PLACE.search(template) for template in templates)
