"""Propose an item rule: selectors that give what the generic reader does.

1. A field's elements are those that say what the generic reader found.
2. Of the selectors that find them on every page the first counts with which extraction
   gives the same value on every page; where none does, the field stays generic.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.dates.grammar import read_date
from crawler.extract.document.text import squeeze, visible_text
from crawler.extract.propose.bodyrule import take_body
from crawler.extract.propose.induce import Target, induce_first
from crawler.extract.propose.trial import TRIES, Sample, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo

    from lxml.html import HtmlElement

    from crawler.config.portal import Portal
    from crawler.model import Json

_TITLE_CHARACTERS = 400
_LINE_CHARACTERS = 160
_TIMES = (
    *("article:published_time", "og:article:published_time", "datePublished"),
    *("publishdate", "pubdate", "publish_time"),
)
_NAMED = ("property", "name", "itemprop")
_SOURCE = r"[来來]源[：:]\s*(\S+)"


def propose_item_rule(
    samples: Sequence[Sample], portal: Portal, match: str, zone: tzinfo
) -> dict[str, Json]:
    """Return an item rule as it is written; a field without a rule is generic.

    Args:
        samples: pages of one layout; those that are JSON have no selectors.
        portal: that the rule is for; its own item rules are not looked at.
        match: of the rule.
        zone: of the pages' times.
    """
    pages = [sample for sample in samples if not sample.page.is_json]
    trial = Trial(pages, portal, {"match": match})
    if pages:
        trial.take("title", _titles(pages))
        trial.take("published", _times(pages, zone))
        trial.take("authors", _authors(pages))
        trial.take("source", _sources(pages))
        take_body(trial)
    return {**trial.rule, "required": ["title", "body"]}


def _titles(samples: Sequence[Sample]) -> Iterator[Json]:
    def says(sample: Sample) -> Callable[[str], bool]:
        wanted = squeeze(sample.item.title or "")
        return lambda text: bool(wanted) and squeeze(text) == wanted

    yield from _induced(samples, says, _TITLE_CHARACTERS, innermost=False)
    for attribute in _NAMED[:2]:
        yield f"meta[{attribute}='og:title']::attr(content)"
    yield "title"


def _times(samples: Sequence[Sample], zone: tzinfo) -> Iterator[Json]:
    def says(sample: Sample) -> Callable[[str], bool]:
        at, meant = sample.capture.first_at, sample.item.published_at

        def tells(text: str) -> bool:
            moment = read_date(text, at=at, zone=zone)
            return moment is not None and moment.at == meant

        return tells

    yield from islice(_induced(samples, says, _LINE_CHARACTERS), TRIES - 2)
    for name in _TIMES:
        for attribute in _NAMED:
            selector = f"meta[{attribute}='{name}']"
            nodes = [sample.page.tree.cssselect(selector) for sample in samples]
            if all(nodes):
                yield f"{selector}::attr(content)"


def _authors(samples: Sequence[Sample]) -> Iterator[Json]:
    def says(sample: Sample) -> Callable[[str], bool]:
        names = [author.name for author in sample.item.authors]
        return lambda text: bool(names) and all(name in text for name in names)

    if any(sample.item.authors for sample in samples):
        yield from _induced(samples, says, _LINE_CHARACTERS)


def _sources(samples: Sequence[Sample]) -> Iterator[Json]:
    def says(sample: Sample) -> Callable[[str], bool]:
        name = sample.item.source.name
        return lambda text: name is not None and name in text

    if any(sample.item.source.name for sample in samples):
        for selector in islice(_induced(samples, says, _LINE_CHARACTERS), TRIES // 2):
            yield {"name": selector}
            yield {"name": {"css": selector, "re": _SOURCE}}


def _induced(
    samples: Sequence[Sample],
    says: Callable[[Sample], Callable[[str], bool]],
    characters: int,
    *,
    innermost: bool = True,
) -> Iterator[str]:
    """Yield selectors whose first match says what is meant on every page.

    innermost: elements around one that says it do not count.
    """
    targets = []
    for sample in samples:
        tells = says(sample)
        found = [
            node
            for node, text in _short_texts(sample.page.tree, characters)
            if tells(text)
        ]
        if innermost:
            around = {above for node in found for above in node.iterancestors()}
            found = [node for node in found if node not in around]
        targets.append(Target(sample.page.tree, tuple(found)))
    if any(target.elements for target in targets):
        yield from induce_first(targets)


def _short_texts(
    root: HtmlElement, characters: int
) -> Iterator[tuple[HtmlElement, str]]:
    """Yield the body's elements that say no more than so many characters."""
    for node in root.iterfind(".//body//*"):
        size = 0
        for part in node.itertext():
            size += len(part.strip())
            if size > characters:
                break
        if 0 < size <= characters and isinstance(node.tag, str):
            yield node, visible_text(node)
