"""Which links of a page are its items: repeated groups of like links.

1. Links that stand alike are a group: the same tags up to the root, the same classes
   on the link and three elements above it.
2. A group is taken as a whole, by what its links say on average; so a short headline
   in a strong group is one, and a long category name in a weak group is none.
3. Headings count: a group of them needs neither company nor long texts.  A class that
   says "title", and a date beside most links, make up for shorter texts.  Links that
   all say the same are no headlines.
4. A group of one or two links is taken where it stands as a strong group's links do.
5. Other sites' links are taken only where most of the page's are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from crawler import urls
from crawler.extract.auto.anchors import Anchor, read_anchors

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page

_DIGITS = re.compile(r"\d+")
_NAMED_LEVELS = 4
_ALIKE_LEVELS = 5
_MAX_LEVELS = 40
_STRONG = 1.0
_HEADED = 0.75
_VOUCHED = 0.6
_COMPANY = 3
_CAP = 2.0
_TITLED = re.compile("title|headline|subject", re.IGNORECASE)
_DATED = re.compile(
    r"(?:19|20)\d\d ?[-/.年] ?\d{1,2}|\d{1,2}[-/.月]\d{1,2}(?:日|\b)|\b\d{1,2}:\d\d\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d"
    r"|\bago\b|\d ?(?:分[钟鐘]?|小[时時]|天)前",
    re.IGNORECASE,
)
_BESIDE_LEVELS = 3
_MANY_LINKS = 12
_MANY_TEXTS = 60
_NAMED = 0.15
_LOOKED_AT = 10
_WATCHED = re.compile(r"/(?:videos?|audio|watch)(?:/|$)", re.IGNORECASE)
_FEW = 0.25
_SECOND_LEVEL = frozenset({"com", "co", "org", "net", "gov", "edu", "ac", "or", "ne"})


@dataclass(slots=True)
class Group:
    """Links that stand alike.

    Attributes:
        kind: where they stand, less exactly: what small groups are compared by.
    """

    kind: tuple[str, ...]
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """What its links say on average; one very long text does not carry others."""
        weights = [min(each.weight, _CAP) for each in self.anchors if each.weight]
        return sum(weights) / len(weights) if weights else 0.0

    @property
    def headed(self) -> bool:
        """Whether most of its links are headings."""
        return sum(anchor.headed for anchor in self.anchors) * 2 > len(self.anchors)

    @property
    def differs(self) -> bool:
        """Whether its links say different things: "More from us" is no headline.

        Headings may differ in a number alone: "Part 2".
        """
        titles = {anchor.title for anchor in self.anchors if anchor.weight}
        said = titles if self.headed else {_DIGITS.sub("", text) for text in titles}
        return len(said) * 2 > self.size

    @property
    def size(self) -> int:
        """How many pages its links lead to."""
        return len({anchor.url for anchor in self.anchors if anchor.weight})


def item_anchors(page: Page, *, goes_on: bool = False) -> list[Anchor]:
    """Return one link for each item of a listing page, in page order.

    goes_on: whether a further page follows it, so that there must be items.
    """
    groups = _grouped(page)
    chosen = _chosen(groups) or _long(groups) or _largest(groups if goes_on else [])
    kept = _best_of([anchor for group in chosen for anchor in group.anchors])
    kept = _own(kept, page)
    order = {anchor.element: at for at, anchor in enumerate(_all(groups))}
    return sorted(_readable(kept), key=lambda anchor: order[anchor.element])


def _all(groups: list[Group]) -> list[Anchor]:
    return [anchor for group in groups for anchor in group.anchors]


def _grouped(page: Page) -> list[Group]:
    found: dict[tuple[str, ...], Group] = {}
    for anchor in read_anchors(page):
        exact = _place(anchor.element, _NAMED_LEVELS, _MAX_LEVELS)
        kind = (str(anchor.headed), *_place(anchor.element, 1, _ALIKE_LEVELS))
        found.setdefault(exact, Group(kind)).anchors.append(anchor)
    return list(found.values())


def _place(element: HtmlElement, named: int, levels: int) -> tuple[str, ...]:
    """Return where an element stands: tags upwards, the nearest ones with classes."""
    place = []
    for level, node in enumerate((element, *element.iterancestors())):
        if level >= levels:
            break
        classes = str(node.get("class") or "") if level < named else ""
        words = sorted(set(_DIGITS.sub("#", classes).split()))
        place.append(".".join((str(node.tag), *words)))
    return tuple(place)


def _chosen(groups: list[Group]) -> list[Group]:
    kinds = {group.kind for group in groups if _is_strong(group)}
    return [
        group
        for group in groups
        if _is_strong(group) or (group.kind in kinds and group.mean >= _STRONG)
    ]


def _long(groups: list[Group]) -> list[Group]:
    """Return single links with the text of a headline, each a group of its own."""
    return [
        Group(group.kind, [anchor])
        for group in groups
        for anchor in group.anchors
        if anchor.weight >= _STRONG
    ]


def _largest(groups: list[Group]) -> list[Group]:
    """Return the group that says most in all, of names perhaps: a list of members."""
    enough = [x for x in groups if x.size >= _COMPANY and x.mean >= _NAMED]
    return sorted(enough, key=lambda group: -group.size * group.mean)[:1]


def _is_strong(group: Group) -> bool:
    if group.headed and group.mean >= _HEADED:
        return True
    if group.size < _COMPANY or not group.differs:
        return False
    if group.headed:
        return group.mean >= _NAMED and _most(group, _is_dated)
    if group.mean >= _STRONG:
        return True
    return group.mean >= _VOUCHED and _most(group, _is_vouched)


def _most(group: Group, test: Callable[[HtmlElement], bool]) -> bool:
    looked = group.anchors[:_LOOKED_AT]
    return sum(test(anchor.element) for anchor in looked) * 2 > len(looked)


def _is_vouched(element: HtmlElement) -> bool:
    """Tell whether a class or a date beside a link says that it is an item's."""
    return _is_titled(element) or _is_dated(element)


def _is_titled(element: HtmlElement) -> bool:
    around = (element, element.getparent())
    return any(x is not None and _TITLED.search(x.get("class") or "") for x in around)


def _is_dated(element: HtmlElement) -> bool:
    """Tell whether a date stands near a link that is the only one so near."""
    inside = set(element.itertext())
    for node, _ in zip(element.iterancestors(), range(_BESIDE_LEVELS), strict=False):
        near = islice(node.iter("a"), _MANY_LINKS)
        if len({anchor.get("href") for anchor in near}) > _COMPANY:
            return False
        texts = islice(node.itertext(), _MANY_TEXTS)
        beside = " ".join(text for text in texts if text not in inside)
        if next(node.iter("time"), None) is not None or _DATED.search(beside):
            return True
    return False


def _best_of(anchors: list[Anchor]) -> list[Anchor]:
    """Return one link for each URL: a heading, else what says most."""
    named: dict[str, list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        if anchor.weight:
            named[anchor.url].append(anchor)
    return [max(same, key=_says) for same in named.values()]


def _says(anchor: Anchor) -> tuple[bool, float]:
    return anchor.headed, min(anchor.weight, _CAP)


def _own(anchors: list[Anchor], page: Page) -> list[Anchor]:
    """Return the links to the page's own site, or all where those are the fewer."""
    site = _site_of(page.base_url)
    own = [anchor for anchor in anchors if _site_of(anchor.url) == site]
    return own if len(own) * 2 >= len(anchors) else anchors


def _site_of(url: str) -> str:
    """Return the name a host was registered under, as far as the name alone tells."""
    labels = urls.hostname_of(url).split(".")
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else 2  # noqa: PLR2004
    return ".".join(labels[-keep:])


def _readable(anchors: list[Anchor]) -> list[Anchor]:
    """Leave out what is to be watched, unless that is what the listing is of."""
    watched = [anchor for anchor in anchors if _WATCHED.search(anchor.url)]
    if len(watched) > len(anchors) * _FEW:
        return anchors
    return [anchor for anchor in anchors if anchor not in watched]
