"""Propose the rule of a body: the smallest element around its text, and what to cut."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.document.selectors import is_html
from crawler.extract.document.text import squeeze, visible_lines
from crawler.extract.propose.induce import Target, induce_all, induce_first
from crawler.extract.propose.trial import TRIES, Sample, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.html import HtmlElement

    from crawler.model import Json

_ALIKE = 0.98
_COVERED = 0.97
_ABOVE = 3
_MOST_REMOVED = 6
_MOST_JOINED = 3


def take_body(trial: Trial) -> None:
    """Take the body's selector, and what has to be removed from it."""
    around = [_around(sample) for sample in trial.samples]
    if not all(around):
        return
    pairs = zip(trial.samples, around, strict=True)
    targets = [Target(sample.page.tree, tuple(nodes)) for sample, nodes in pairs]
    best: tuple[float, dict[str, Json]] = (0.0, {})
    for selector in islice(induce_first(targets), TRIES):
        more: dict[str, Json] = {"body": selector}
        likeness = trial.likeness("body", more)
        if likeness < 1.0 and (removed := _removed(trial, selector)):
            cut: dict[str, Json] = {**more, "remove": [*removed]}
            if (better := trial.likeness("body", cut)) > likeness:
                likeness, more = better, cut
        if likeness > best[0]:
            best = (likeness, more)
        if likeness == 1.0:
            break
    if best[0] < 1.0 and (joined := _joined(trial, [nodes[0] for nodes in around])):
        likeness = trial.likeness("body", {"body": joined})
        if likeness > best[0]:
            best = (likeness, {"body": joined})
    if best[0] >= _ALIKE:
        trial.rule |= best[1]


def _joined(trial: Trial, tops: Sequence[HtmlElement]) -> str | None:
    """Return a selector of the few elements that a body is spread over."""
    found: dict[str, None] = {}
    for sample, top in zip(trial.samples, tops, strict=True):
        wanted = squeeze(sample.item.body_text or "")
        for node in top:
            lines = map(squeeze, visible_lines(node)) if is_html(node) else ()
            if any(line and line in wanted for line in lines):
                target = Target(sample.page.tree, (node,))
                name = next(induce_all([target]), None)
                found |= {name: None} if name else {}
    return ", ".join(found) if 1 < len(found) <= _MOST_JOINED else None


def _around(sample: Sample) -> list[HtmlElement]:
    """Return the smallest element around the body's text and a few around that."""
    wanted = [squeeze(block.text) for block in sample.item.blocks if block.text]
    node = next(sample.page.tree.iter("body"), None)
    whole = sum(map(len, wanted))
    if node is None or not whole:
        return []
    path = [node]
    while (inner := _inner(path[-1], wanted, _COVERED * whole)) is not None:
        path.append(inner)
    return path[:0:-1][: _ABOVE + 1] or path


def _inner(node: HtmlElement, wanted: list[str], enough: float) -> HtmlElement | None:
    """Return the child that has the wanted texts, None where they are spread."""
    for child in node:
        if not isinstance(child.tag, str):
            continue
        text = squeeze(" ".join(visible_lines(child)))
        if sum(len(one) for one in wanted if one in text) >= enough:
            return child
    return None


def _removed(trial: Trial, body: str) -> list[str]:
    """Return selectors of the elements within the body that hold none of its text."""
    found: dict[str, None] = {}
    for sample in trial.samples:
        wanted = squeeze(sample.item.body_text or "")
        for node in _strangers(sample, body, wanted):
            names = (
                name
                for name in induce_all([Target(sample.page.tree, (node,))])
                if not _cuts_text(trial.samples, body, name)
            )
            if (name := next(names, None)) is not None:
                found[name] = None
    return list(found)[:_MOST_REMOVED]


def _strangers(sample: Sample, body: str, wanted: str) -> Iterator[HtmlElement]:
    """Yield the outermost elements of the body without any of the wanted text."""
    stack = list(reversed(sample.page.tree.cssselect(body)[:1]))
    while stack:
        node = stack.pop()
        lines = [squeeze(line) for line in visible_lines(node)]
        if not any(lines) or not isinstance(node.tag, str):
            continue
        if any(line and line in wanted for line in lines):
            stack.extend(reversed(node))
        else:
            yield node


def _cuts_text(samples: Sequence[Sample], body: str, name: str) -> bool:
    """Tell whether removing what a selector matches would cut the wanted text."""
    for sample in samples:
        wanted = squeeze(sample.item.body_text or "")
        for top in sample.page.tree.cssselect(body)[:1]:
            for node in top.cssselect(name):
                lines = map(squeeze, visible_lines(node))
                if any(line and line in wanted for line in lines):
                    return True
    return False
