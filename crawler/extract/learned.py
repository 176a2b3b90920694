"""Site-wide repeats: learned offline of many item pages, cut out of single items.

1. Versions of one article, and articles that are mostly the same, count once.
2. A line or an image that stands in three articles and in every twentieth is a repeat.
3. A short line or a heading that text of the article's own follows stays: it is the
   author's, though all of a series have it.
4. What ``<title>`` says after the title is a suffix where as many articles have it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from crawler.config.learned import Learned, sealed
from crawler.extract.article.body import Body, Excluded
from crawler.extract.document.text import collapse, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.extract.document.selectors import Found
    from crawler.item import Block, Item

REASON = "site_repeat"
MIN_ARTICLES = 3
_MIN_SHARE = 0.05
_SAME_SHARE = 0.5  # of an article's characters, that another one has too
_LABEL_CHARACTERS = 12
_UNTOUCHED = frozenset({"table", "code"})
_SUFFIX = re.compile(r"\s[-–—|_·»:/]+\s|[|_｜»]|(?<=[\u3040-\u9fff])[-–—·]")
_MAX_SUFFIX = 80
_WHOLE_TITLE = ("generic:h", "hint:")


@dataclass(frozen=True, slots=True)
class Article:
    """An item page as learning sees it.

    Attributes:
        record: id of the page's record.
        head_title: text of its title element.
    """

    item: Item
    record: str
    head_title: str


def learn(articles: Sequence[Article], portal_id: str, extractor: str) -> Learned:
    """Return what repeats in articles, versions of one among them or not."""
    groups = _groups(articles)
    enough = max(MIN_ARTICLES, _MIN_SHARE * len(groups))
    lines = _counted([_keys_of(group) for group in groups], enough)
    lines = _without_labels(lines, groups)
    images = _counted([_images_of(group) for group in groups], enough)
    suffixes = _counted([_suffixes_of(group) for group in groups], enough)
    texts = _texts(groups)
    return sealed(
        {
            "portal": portal_id,
            "extractor": extractor,
            "records": [one.record for one in articles],
            "articles": len(groups),
            "lines": [{"text": texts[key], "pages": n} for key, n in lines.items()],
            "images": list(images),
            "title_suffixes": sorted(suffixes, key=lambda text: (-len(text), text)),
        }
    )


def without_repeats(body: Body, learned: Learned | None) -> Body:
    """Return a body without the lines and images that repeat, noted as excluded."""
    if learned is None or not (learned.lines or learned.images):
        return body
    lines, images = _line_keys(learned), frozenset(learned.images)
    kept = Body(
        videos=body.videos,
        excluded=list(body.excluded),
        editor=body.editor,
        method=body.method,
    )
    printed = iter(body.printed)
    by_url = {image.url: image for image in body.images}
    cut: list[str] = []
    for block in body.blocks:
        line = next(printed) if block.type != "image" else None
        if _repeats(block, lines, images):
            cut.append(block.text or block.url or "")
            continue
        if line is not None:
            kept.printed.append(line)
        elif image := by_url.get(block.url or ""):
            position = len(kept.blocks)
            kept.images.append(image.model_copy(update={"position": position}))
        kept.blocks.append(block)
    kept.excluded += [Excluded(text, REASON) for text in cut]
    text, gone = kept.text or "", "\n".join(cut)
    kept.links = [x for x in body.links if x[1] in text or x[1] not in gone]
    return kept


def without_suffix(found: Found | None, learned: Learned | None) -> Found | None:
    """Return a title without what the portal's titles end with.

    A heading of the page and a listing's words have no such end of their own.
    """
    if found is None or learned is None or found.method.startswith(_WHOLE_TITLE):
        return found
    for suffix in learned.title_suffixes:
        if found.text.endswith(suffix) and found.text != suffix:
            return replace(found, text=found.text.removesuffix(suffix).rstrip())
    return found


def _repeats(block: Block, lines: frozenset[str], images: frozenset[str]) -> bool:
    if block.type == "image":
        return block.url in images
    return block.type not in _UNTOUCHED and _key(block.text) in lines


@lru_cache(maxsize=64)
def _line_keys(learned: Learned) -> frozenset[str]:
    return frozenset(_key(line.text) for line in learned.lines)


@lru_cache(maxsize=4096)
def _key(text: str | None) -> str:
    return squeeze(unicodedata.normalize("NFKC", text or ""))


def _lines(article: Article) -> list[tuple[str, Block]]:
    """Return the lines that may repeat, by key and in order."""
    return [
        (key, block)
        for block in article.item.blocks
        if block.type not in _UNTOUCHED and (key := _key(block.text))
    ]


def _keys_of(group: Iterable[Article]) -> set[str]:
    return {key for article in group for key, _ in _lines(article)}


def _images_of(group: Iterable[Article]) -> set[str]:
    return {image.url for article in group for image in article.item.images}


def _suffixes_of(group: Iterable[Article]) -> set[str]:
    return {suffix for article in group for suffix in _suffixes(article)}


def _suffixes(article: Article) -> Iterable[str]:
    """Yield each end of the title element that a separator begins.

    Not within what a heading says is the title.
    """
    text, title = collapse(article.head_title), article.item.title or ""
    known = len(title) if text.startswith(title) and text != title else 1
    for found in _SUFFIX.finditer(text, max(known, len(text) - _MAX_SUFFIX)):
        yield text[found.start() :]


def _counted(groups: list[set[str]], enough: float) -> dict[str, int]:
    """Return what enough groups have, what most have first."""
    counts = Counter(key for keys in groups for key in keys)
    return {
        key: count
        for key, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        if count >= enough
    }


def _without_labels(
    counts: dict[str, int], groups: list[list[Article]]
) -> dict[str, int]:
    """Leave out short lines and headings that mostly have own text after them."""
    heads: Counter[str] = Counter()
    for group in groups:
        lines = _lines(group[0])
        own = [at for at, (key, _) in enumerate(lines) if key not in counts]
        last = own[-1] if own else -1
        heads.update(
            {
                key
                for key, block in lines[:last]
                if block.type == "heading" or len(key) < _LABEL_CHARACTERS
            }
        )
    return {key: n for key, n in counts.items() if 2 * heads[key] < n}


def _texts(groups: list[list[Article]]) -> dict[str, str]:
    """Return each line as the first article prints it."""
    texts: dict[str, str] = {}
    for group in groups:
        for article in group:
            for key, block in _lines(article):
                texts.setdefault(key, block.text or "")
    return texts


def _groups(articles: Sequence[Article]) -> list[list[Article]]:
    """Return the articles; those of one id, title or mostly one text together."""
    groups: list[list[Article]] = []
    named: dict[str, int] = {}
    having: defaultdict[str, list[int]] = defaultdict(list)
    for article in articles:
        keys = {key for key, _ in _lines(article)}
        title = _key(article.item.title)
        names = [f"id {article.item.id}", *([f"title {title}"] if title else ())]
        at = next((named[name] for name in names if name in named), None)
        at = _same_text(keys, having) if at is None else at
        if at is None:
            at = len(groups)
            groups.append([])
        groups[at].append(article)
        named.update(dict.fromkeys(names, at))
        for key in keys:
            if at not in having[key][-1:]:
                having[key].append(at)
    return groups


def _same_text(keys: set[str], having: dict[str, list[int]]) -> int | None:
    """Return the group that has most of the characters of these lines, if one has."""
    shared: Counter[int] = Counter()
    for key in keys:
        shared.update(dict.fromkeys(having.get(key, ()), len(key)))
    best = shared.most_common(1)
    if best and best[0][1] > _SAME_SHARE * sum(map(len, keys)):
        return best[0][0]
    return None
