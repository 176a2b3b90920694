"""What is done with a page before it is read, and what it finds: plain values.

The way from a rule of the configuration to them is here; what acts on a page is
`crawler.browser.acting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from crawler.browser.chromium import selectors_of
from crawler.config.portal import ListingRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.config.portal import BrowserRule, ItemRule, NextRule
    from crawler.model import Json

WIDTH, HEIGHT = 1280, 720
ALL_STEPS = 4

NO_NEXT = "no_next"
NO_GROWTH = "no_growth"
MAX_STEPS = "max_steps"
TIMEOUT = "timeout"
TOO_LARGE = "too_large"
LEFT = "left_page"
PAGE_ERROR = "page_error"
"""Why a walk over a page ended: nothing to click on, nothing more came, the rule's
``max``, the time or the bytes for one page used up, another document shown, or an error
of the page's own where it was looked at."""


@dataclass(frozen=True, slots=True)
class Click:
    """Click on the first of what selectors find, again and again, max times."""

    selectors: tuple[str, ...]
    max: int


@dataclass(frozen=True, slots=True)
class Scroll:
    """Go down the page, max steps."""

    max: int


Act: TypeAlias = "Click | Scroll"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with a page once it shows what it is to show.

    Attributes:
        dismiss: CSS of what is clicked or taken away before each step.
        acts: in this order; the page is read after each step of each.
        rows: selectors of what is to become more; none: anything is.
        max_bytes: of one step's document; of all of them, ALL_STEPS times as much.
    """

    dismiss: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()
    rows: tuple[str, ...] = ()
    max_bytes: int = 10_000_000


NOTHING = Plan()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page finds around it.

    Attributes:
        state: cookies and local storage, as Playwright has them; shown to nobody.
        block: kinds of what is not fetched: ``image``, ``media``, ``font``.
    """

    width: int = WIDTH
    height: int = HEIGHT
    scale: float = 1.0
    mobile: bool = False
    locale: str | None = None
    timezone: str = "UTC"
    block: tuple[str, ...] = ()
    state: Mapping[str, Json] | None = None

    def __repr__(self) -> str:
        """Leave the state out."""
        return f"Surroundings({self.width}x{self.height})"


USUAL = Surroundings()


def plan_of(rule: ItemRule | ListingRule, max_bytes: int) -> Plan:
    """Return what a rule wants done; ``next`` of a listing comes last."""
    acts = list(_acts(rule.browser))
    if isinstance(rule, ListingRule) and rule.next is not None:
        acts += _acts(rule.next)
    return Plan(rule.browser.dismiss, tuple(acts), rows_of(rule), max_bytes)


def _acts(rule: BrowserRule | NextRule) -> Iterator[Act]:
    if rule.click is not None:
        yield Click(selectors_of(rule.click.selector), rule.click.max)
    if rule.scroll is not None:
        yield Scroll(rule.scroll.max)


def rows_of(rule: ItemRule | ListingRule) -> tuple[str, ...]:
    """Return the selectors of a listing's rows; () of anything else."""
    if isinstance(rule, ListingRule) and rule.from_ == "rows":
        return selectors_of(rule.rows)
    return ()


def surroundings_of(
    rule: BrowserRule, timezone: str, state: Mapping[str, Json] | None
) -> Surroundings:
    """Return what a rule wants a page to find.

    Args:
        rule: of the page.
        timezone: of the portal, where the rule has none.
        state: what is in the file that the rule names.
    """
    size = rule.viewport
    return Surroundings(
        size.width if size else WIDTH,
        size.height if size else HEIGHT,
        size.scale if size else 1.0,
        size.mobile if size else False,
        rule.locale,
        rule.timezone or timezone,
        rule.block,
        state,
    )
