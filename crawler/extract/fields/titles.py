"""The title of a page that no rule describes: what is printed and claimed alike.

1. The head claims titles (JSON-LD, og, the title element), often with the site's and
   the section's name; the page prints headings.  The printed text that agrees best
   with a claim is the title: so the site's name is cut by what is there, not by
   splitting, and a recommended headline has nothing to agree with.
2. A line that repeats a claim's part counts as a heading, a bit less: many pages
   print their title in a box that is no heading.
3. Where nothing agrees: the first h1 that reads like a headline, else a claim with
   names of the site and of its sections cut off its ends.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extract.document.selectors import Found
from crawler.extract.document.text import collapse, squeeze, visible_lines, visible_text
from crawler.extract.fields.marked import brief_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page
    from crawler.extract.fields.metadata import Metadata

_STRONG = re.compile(
    r"\s+[-–—·•:<>]+\s+|\s*[|｜丨ㅣ_»›«>]+\s*"
    r"|(?<=[\u3040-\u9fff\uac00-\ud7a3])[-–—]+(?=\D)|--+"
)
_PIECE = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]|[^\W_\u3040-\u9fff\uac00-\ud7a3]+")
_WIDE = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]")

_TAGS = {"h1": 1.0, "h2": 0.97, "h3": 0.94, "h4": 0.9, "h5": 0.86, "h6": 0.86}
_LINE = 0.88
_DECLARED = 1.06
_ITEMPROP = 1.03
_FIRST_PART = 0.9  # titles mostly come first, names of site and section after it
_OTHER_PART = 0.6
_LEAST_COVER = 0.5
_LIKE = {"h1": 0.3, "h2": 0.45, "h3": 0.7}  # related headlines share words, too
_ENOUGH = 0.5
_FIRST_H1 = 0.45
_MIN_CHARS, _MAX_CHARS = 4, 300
_MAX_LINES, _MAX_HEADINGS, _MAX_PIECES = 2_000, 120, 40
_SENTENCE = re.compile(r".{4,300}?(?:[。！？]|[.!?](?=\s))")
_HEADLINE_WORDS = 4
_SECTION_CHARS = 30


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the head says the title is, and how far it is believed.

    Attributes:
        part: the longest of its parts, squeezed; the rest are mostly names.
        bags: the words of all of it and of that part.
    """

    text: str
    weight: float
    method: str
    part: str
    bags: tuple[frozenset[str], frozenset[str]]


@dataclass(slots=True)
class _Printed:
    """A text of the page that may be the title."""

    text: str
    tag: str
    score: float = 0.0


def generic_title(page: Page, meta: Metadata) -> Found | None:
    """Return the page's title, None only where it has no text at all."""
    claims = _claims(page, meta)
    names, sections = _site_names(page, meta), _sections(page)
    printed = _printed(page, claims, names, sections)
    best = max(printed, key=lambda each: each.score, default=None)
    if best is not None and best.score >= _ENOUGH:
        return Found(best.text, f"generic:{best.tag}")
    return _unconfirmed(page, claims, names, sections, printed)


def _claims(page: Page, meta: Metadata) -> list[_Claim]:
    whole = next((visible_text(node) for node in page.tree.iter("title")), "")
    given = [
        *((text, _DECLARED, "jsonld:headline") for text in meta.said("headline")),
        *((text, _ITEMPROP, "meta:headline") for text in meta.all("headline")),
        *((text, 1.0, "meta:og:title") for text in meta.all("og:title")[:1]),
        *((text, 1.0, "meta:twitter:title") for text in meta.all("twitter:title")[:1]),
        (whole, 1.0, "generic:title"),
    ]
    claims: dict[str, _Claim] = {}
    for text, weight, method in given:
        plain = collapse(html.unescape(text))[:_MAX_CHARS]
        if squeeze(plain):
            part = max(_STRONG.split(plain), key=len)
            bags = _bag(plain), _bag(part)
            claim = _Claim(plain, weight, method, squeeze(part), bags)
            claims.setdefault(squeeze(plain), claim)
    return list(claims.values())


def _site_names(page: Page, meta: Metadata) -> frozenset[str]:
    """Return how the site calls itself, squeezed."""
    labels = (urlsplit(page.url).hostname or "").removeprefix("www.").split(".")
    given = [
        *meta.all("og:site_name"),
        *meta.all("application-name"),
        *meta.all("apple-mobile-web-app-title"),
        *meta.said("publisher"),
        *labels[:-1],
        ".".join(labels),
    ]
    return frozenset(key for text in given if len(key := squeeze(text)) > 1)


def _printed(
    page: Page, claims: list[_Claim], names: frozenset[str], sections: frozenset[str]
) -> list[_Printed]:
    runs = {
        run: cover
        for run, cover in _all_runs(claims).items()
        if cover >= _FIRST_PART or run not in sections
    }
    found = [
        _Printed(text, tag, _agreement(text, tag, claims, runs))
        for tag, text in _headings(page)
        if squeeze(text) not in names
    ]
    for line in page.lines[:_MAX_LINES]:
        key = squeeze(line)
        if key in runs and key not in names and len(key) >= _MIN_CHARS:
            found.append(_Printed(line, "line", runs[key] * _LINE))
    return found


def _headings(page: Page) -> Iterator[tuple[str, str]]:
    """Yield headings by level, and of those in parts (a kicker) each part as well."""
    for tag in _TAGS:
        for at, node in enumerate(page.tree.iter(tag)):
            if at >= _MAX_HEADINGS:
                break
            whole = brief_text(node, _MAX_CHARS)
            for text in dict.fromkeys((whole, *_parts_of(node, whole))):
                if _MIN_CHARS <= len(text) <= _MAX_CHARS and squeeze(text):
                    yield tag, text


def _parts_of(node: HtmlElement, whole: str) -> Iterator[str]:
    if whole and len(node):
        yield from visible_lines(node)
        yield collapse(node.text or "")
        for child in node:
            yield brief_text(child, _MAX_CHARS)
            yield collapse(child.tail or "")


def _all_runs(claims: list[_Claim]) -> dict[str, float]:
    """Return each run of a claim's words, squeezed, with what it covers of the claim.

    Covered is counted by the longest part: the rest are names of site and section.
    """
    runs: dict[str, float] = {}
    for claim in claims:
        parts = [key for part in _STRONG.split(claim.text) if (key := squeeze(part))]
        longest = max(map(len, parts), default=1)
        for run in _runs(claim.text):
            cover = min(len(run) / longest, 1.0)
            if cover >= _LEAST_COVER:
                runs[run] = max(runs.get(run, 0.0), cover * claim.weight)
        for at, part in enumerate(parts):
            cover = _OTHER_PART if at else _FIRST_PART
            runs[part] = max(runs.get(part, 0.0), cover * claim.weight)
        whole = squeeze(claim.text)
        runs[whole] = max(runs.get(whole, 0.0), claim.weight)
    return runs


def _runs(text: str) -> Iterator[str]:
    pieces = _PIECE.findall(text.lower())[:_MAX_PIECES]
    for start in range(len(pieces)):
        run = ""
        for piece in pieces[start:]:
            run += piece
            yield run


def _agreement(
    text: str, tag: str, claims: list[_Claim], runs: dict[str, float]
) -> float:
    """Return how far a heading is what a claim says, times what its level is worth."""
    key = squeeze(text)
    score = runs.get(key, 0.0)
    if not score:
        score = max((_likeness(text, key, tag, claim) for claim in claims), default=0.0)
    return score * _TAGS[tag]


def _likeness(text: str, key: str, tag: str, claim: _Claim) -> float:
    """Return how like a claim a heading is that is no run of it.

    Most is a part of the claim with something before or after it, as a kicker.
    """
    if len(claim.part) >= _MIN_CHARS and claim.part in key:
        return claim.weight * max(len(claim.part) / len(key), _LEAST_COVER) * 0.98
    if tag not in _LIKE:
        return 0.0
    bag = _bag(text)
    likeness = max(_dice(bag, each) for each in claim.bags)
    if likeness < _LIKE[tag]:
        return 0.0
    return claim.weight * (0.47 + likeness * 0.4)


def _dice(mine: frozenset[str], its: frozenset[str]) -> float:
    return 2 * len(mine & its) / (len(mine) + len(its)) if len(its) > 1 else 0.0


def _bag(text: str) -> frozenset[str]:
    """Return the words of a text; of scripts without blanks, pairs of characters."""
    words = _WORD.findall(text.lower())
    pairs = {a + b for a, b in pairwise(words) if _WIDE.fullmatch(a)}
    return frozenset(pairs | {word for word in words if not _WIDE.fullmatch(word)})


def _unconfirmed(
    page: Page,
    claims: list[_Claim],
    names: frozenset[str],
    sections: frozenset[str],
    printed: list[_Printed],
) -> Found | None:
    """Return the first h1 that reads like a headline, else a claim, else a line."""
    for each in printed:
        if each.tag == "h1" and _is_headline(each.text):
            return Found(each.text, "generic:h1")
    for claim in claims:
        text = _without_names(claim.text, names | sections)
        if squeeze(text) not in names:
            return Found(text, claim.method)
    rest = [*(each.text for each in printed), *(claim.text for claim in claims)]
    last = next(iter([*rest, *map(_sentence, page.lines[:1])]), None)
    return Found(last, "generic:line") if last else None


def _sentence(line: str) -> str:
    """Return the first sentence of a line, cut where it is too long for a title."""
    found = _SENTENCE.match(line)
    return (found[0] if found else line)[:_MAX_CHARS].strip()


def _is_headline(text: str) -> bool:
    count = len(_WORD.findall(text))
    wide = len(_WIDE.findall(text))
    return count >= (_HEADLINE_WORDS * 2 if wide else _HEADLINE_WORDS)


def _sections(page: Page) -> frozenset[str]:
    """Return the short texts of the page's links: sections name themselves there."""
    texts = (node.text for node in page.tree.iter("a"))
    return frozenset(
        squeeze(text) for text in texts if text and len(text) <= _SECTION_CHARS
    )


def _without_names(text: str, names: frozenset[str]) -> str:
    """Return a claim without the site's and sections' names at its ends.

    Of what is left in parts the longest counts.
    """
    parts = [part.strip() for part in _STRONG.split(text) if squeeze(part)]
    while len(parts) > 1 and squeeze(parts[-1]) in names:
        parts.pop()
    while len(parts) > 1 and squeeze(parts[0]) in names:
        parts.pop(0)
    return max(parts, key=len, default=text)
