"""Try a rule on a few pages: does it give what the generic reader does."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from crawler.config.portal import ItemRule
from crawler.errors import NotExtracted
from crawler.extract.document.text import squeeze
from crawler.extract.item import Extraction, extract_item_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crawler.config.portal import Portal
    from crawler.extract.document.page import Page
    from crawler.item import Item
    from crawler.model import Capture, Json

TRIES = 6
"""Rules that are tried for one field."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An item page with what the generic reader makes of it."""

    capture: Capture
    page: Page
    made: Extraction

    @property
    def item(self) -> Item:
        """The generic item."""
        return self.made.item


def extract_by(
    sample: Sample, portal: Portal, rule: dict[str, Json]
) -> Extraction | None:
    """Return what a rule makes of a sample, None where it gives no item."""
    item = ItemRule.model_validate({**rule, "match": "", "required": []})
    tried = portal.model_copy(update={"items": (item,)})
    try:
        return extract_item_from(sample.capture, tried, config_digest="")
    except NotExtracted:
        return None


def same_value(name: str, one: Item, other: Item) -> bool:
    """Tell whether two items of one page agree in a field of a rule."""
    return _VALUES[name](one) == _VALUES[name](other)


def value_of(name: str, item: Item) -> object:
    """Return what an item has for a field of a rule."""
    return _VALUES[name](item)


_VALUES: dict[str, Callable[[Item], object]] = {
    "title": lambda item: item.title,
    "published": lambda item: item.published_at,
    "authors": lambda item: tuple(author.name for author in item.authors),
    "source": lambda item: item.source.name,
    "editor": lambda item: item.editor,
    "tags": lambda item: item.tags,
    "body": lambda item: squeeze(item.body_text or ""),
    "images": lambda item: tuple(image.url for image in item.images),
}


@dataclass(slots=True)
class Trial:
    """A rule as it grows, tried on the samples at each step."""

    samples: Sequence[Sample]
    portal: Portal
    rule: dict[str, Json]

    def take(self, name: str, proposals: Iterable[Json]) -> None:
        """Take the first of a few proposals that changes the field on no page."""
        for proposal in islice(proposals, TRIES):
            if self.likeness(name, {name: proposal}) == 1.0:
                self.rule[name] = proposal
                return

    def likeness(self, name: str, more: dict[str, Json]) -> float:
        """Return how like the generic value a field is with more rules, at worst."""
        worst = 1.0
        for sample in self.samples:
            made = extract_by(sample, self.portal, {**self.rule, **more})
            if made is None or not _is_by_rule(made, name):
                return 0.0
            if not same_value(name, made.item, sample.item):
                worst = min(worst, _likeness(made.item, sample.item, name))
        return worst


def _is_by_rule(made: Extraction, name: str) -> bool:
    """Tell whether a field is empty or read by a rule: else the rule does nothing."""
    method = made.methods.get(name)
    return method is None or method.startswith(("css:", "xpath:"))


def _likeness(made: Item, meant: Item, name: str) -> float:
    if name != "body":
        return 0.0
    texts = (squeeze(made.body_text or ""), squeeze(meant.body_text or ""))
    return difflib.SequenceMatcher(None, *texts, autojunk=False).quick_ratio()
