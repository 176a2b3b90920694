"""Induce a CSS selector from elements: the shortest stable one that finds them again.

Ids, classes and telling attributes name an element; names that a build tool or a state
of the page made up do not.  A candidate counts only where it does on every page what is
asked of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.extract.document.selectors import select_css

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lxml.html import HtmlElement

_NAME = re.compile(r"-?[A-Za-z_\u0080-\U0010ffff][\w-]*")
_MADE_UP = re.compile(
    r"\d{3,}"  # post-60231, jsx-2871293847
    r"|^(?:css|sc|jsx|jss|svelte|styled|emotion|chakra|ember|react|ng|_ng\w*)-"
    r"|__[\w-]*[A-Z0-9]\w*$|^_"  # CSS modules: headline_title__3kLmN
    r"|(?:^|[-_])(?=(?:[a-z]*\d){2})(?=\d*[a-z])[a-z0-9]{5,}(?:$|[-_])"  # a1b2c3
    r"|(?:[a-z][A-Z]+){3,}|[bcdfghjklmnpqrstvwxz]{6,}"
)
_STATE = re.compile(
    r"^(?:is-|has-|js-)?(?:active|current|selected|open|opened|show|shown|hide|hidden"
    r"|visible|first|last|odd|even|new|top|hot|on|off|cur|loaded|lazy\w*|clearfix|cf"
    r"|fl|fr|left|right|row|col|container|wrapper?|inner|flex\w*|grid|block|inline)$",
    re.IGNORECASE,
)
_UTILITY = re.compile(
    r"^(?:[mp][trblxy]?|w|h|col|row|text|bg|flex|d|font|align|justify|border|rounded"
    r"|float|pull|order|gap|sm|md|lg|xl|items|self|leading|tracking|space)-\w+$"
)
_ATTRIBUTES = (
    "itemprop",
    "property",
    "name",
    "rel",
    "role",
    "data-testid",
    "data-role",
)
_OWN_TAGS = frozenset(
    {"h1", "time", "article", "main", "title", "address", "figure", "figcaption"}
)
_PLAIN_TAGS = frozenset({"div", "span", "p", "a", "li", "b", "i", "em", "strong"})
_WEAK = _PLAIN_TAGS | {"li", "ul", "h2", "h3", "h4", "section", "td", "tr", "em"}
_ALONE = 10  # such a tag wants something named around it
_LEVELS = 6
_MOST = 400
_OF_ONE = 12


@dataclass(frozen=True, slots=True)
class Target:
    """The elements of one page that are meant, and where they are looked for.

    Attributes:
        elements: any of them will do where one is wanted; none: nothing may be found.
    """

    root: HtmlElement
    elements: tuple[HtmlElement, ...]


def induce_first(targets: Sequence[Target]) -> Iterator[str]:
    """Yield selectors whose first match is one of the elements meant, on every page.

    The best first: short, by id or class.  Where a page has no such element, nothing
    of it may match.
    """
    return _induced(targets, _first_is_meant)


def induce_all(targets: Sequence[Target]) -> Iterator[str]:
    """Yield selectors that match exactly the elements meant, on every page."""
    return _induced(targets, _all_are_meant)


def candidates(
    element: HtmlElement, root: HtmlElement
) -> dict[str, tuple[int, int, str]]:
    """Return selectors that match an element, each with its rank: the least is best.

    root: what is around it is not named.
    """
    own = _names(element)
    found = {name: cost + _ALONE * (name in _WEAK) for name, cost in own.items()}
    above: HtmlElement | None = element.getparent()
    for level in range(1, _LEVELS + 1):
        if above is None or above is root or above.tag in {"html", "body"}:
            break
        joint = " > " if level == 1 else " "
        for around, cost in _names(above).items():
            for name, own_cost in own.items():
                together = cost + own_cost + level
                found.setdefault(f"{around}{joint}{name}", together)
        above = above.getparent()
    return {name: (cost, len(name), name) for name, cost in found.items()}


def is_stable(name: str) -> bool:
    """Tell whether a class or an id is one that a person gave, for good."""
    return bool(_NAME.fullmatch(name)) and not _MADE_UP.search(name)


def _induced(
    targets: Sequence[Target], does: Callable[[str, Target], bool]
) -> Iterator[str]:
    ranked: dict[str, tuple[int, int, str]] = {}
    for target in [target for target in targets if target.elements][:1]:
        for element in target.elements[:_OF_ONE]:
            ranked |= candidates(element, target.root)
    for selector in sorted(ranked, key=ranked.__getitem__)[:_MOST]:
        if all(does(selector, target) for target in targets):
            yield selector


def _first_is_meant(selector: str, target: Target) -> bool:
    found = select_css(selector, target.root)[:1]
    return _are_same(found, target.elements) if found else not target.elements


def _all_are_meant(selector: str, target: Target) -> bool:
    found = select_css(selector, target.root)
    return len(found) == len(target.elements) and _are_same(found, target.elements)


def _are_same(found: Iterable[HtmlElement], meant: Iterable[HtmlElement]) -> bool:
    """Tell whether each found element is among those meant."""
    known = set(meant)
    return all(one in known for one in found)


def _names(element: HtmlElement) -> dict[str, int]:
    """Return an element's own simple selectors, each with what it costs."""
    tag = str(element.tag)
    names: dict[str, int] = {}
    identifier = element.get("id") or ""
    if is_stable(identifier):
        names[f"#{identifier}"] = 2
    classes = [name for name in (element.get("class") or "").split() if is_stable(name)]
    for name in classes:
        cost = 3 + 20 * bool(_STATE.match(name)) + 30 * bool(_UTILITY.match(name))
        names.setdefault(f".{name}", cost)
        names.setdefault(f"{tag}.{name}", cost + 1)
    for one, other in pairwise(classes):
        names.setdefault(f".{one}.{other}", 8)
    for attribute in _ATTRIBUTES:
        value = element.get(attribute) or ""
        if (
            value
            and re.fullmatch(r"[\w:.-]{1,60}", value)
            and is_stable(re.sub(r"[:.]", "-", value))
        ):
            names[f"{tag}[{attribute}='{value}']"] = 6
    names[tag] = 4 if tag in _OWN_TAGS else 25 if tag in _PLAIN_TAGS else 12
    return names
