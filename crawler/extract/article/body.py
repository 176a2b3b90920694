"""Make an item's blocks of walked pieces: cut what is no text of the author's.

Everything cut is kept with its reason, for ``--explain``; the text that stays is as
printed but for the ``$…$`` of ticker markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from crawler.extract.article.blocks import SKIPPED_TAGS, Piece, Walk, walk
from crawler.extract.article.lead import is_lead
from crawler.extract.article.lines import (
    editor_in,
    is_heading,
    is_notice,
    is_promo,
    is_quote,
    is_section_label,
    is_template_leak,
    original_title_in,
    source_in,
)
from crawler.extract.article.steps import united
from crawler.extract.article.tickers import strip_markup
from crawler.extract.article.trim import trimmed
from crawler.extract.document.compiled import pattern
from crawler.extract.document.page import parse_html
from crawler.extract.document.selectors import (
    is_html,
    located,
    raw_texts,
    select_css,
)
from crawler.extract.document.text import squeeze
from crawler.item import Block, Image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.html import HtmlElement

    from crawler.config.portal import ItemRule, Portal
    from crawler.extract.article.mainbody import MainBody
    from crawler.extract.document.page import Page
    from crawler.item import BlockType

_MARKUP = re.compile(
    r"<(?:p|div|br|img|span|a|h[1-6]|ul|ol|table|section)\b", re.IGNORECASE
)
_SOURCE_BEGINS = re.compile(
    r"[（(【\[]?\s*(?:\d{4}|[文稿消][章件息]|[来來]源|source)", re.IGNORECASE
)
_LABEL_CHARACTERS = 30
_TIME_LINE = re.compile(
    r"(?:[发發][布佈表](?:[时時][间間]|[于於])?|[时時][间間]|日期|更新[于於]?|published|updated)?"
    r"\s*[:：]?\s*\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?"
    r"(?:[\sT]\s*\d{1,2}:\d{2}(?::\d{2})?)?",
    re.IGNORECASE,
)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Excluded:
    """A line of the page that is not in the item, with the reason in one word."""

    text: str
    reason: str


@dataclass(slots=True)
class Body:
    """A body as it is made.

    Attributes:
        printed: the text of each block with its ticker markup, for counting.
        editor: from a line of the body that says nothing else.
    """

    blocks: list[Block] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    videos: list[tuple[str, str | None]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)
    editor: str | None = None
    method: str | None = None

    @property
    def text(self) -> str | None:
        """The text of all blocks that have one, a blank line between."""
        return "\n\n".join(block.text for block in self.blocks if block.text) or None


def read_body(
    pages: Iterable[Page], rule: ItemRule, portal: Portal, title: str | None
) -> Body:
    """Return the body of the article that goes over these pages, by the rule."""
    cutter = _Cutter((*rule.drop_lines, *portal.drop_lines), title)
    for page in pages:
        walks = []
        for step in page.steps:
            bodies, method = located_bodies(step, rule)
            if bodies:
                cutter.body.method = cutter.body.method or method
                walks.append(_walked(step, bodies, rule, SKIPPED_TAGS))
        cutter.take(_united(walks))
    return cutter.body


def _united(walks: list[Walk]) -> Walk:
    """Return what all steps of a page gave."""
    if len(walks) == 1:
        return walks[0]
    return Walk(
        united((each.pieces for each in walks), _same_piece),
        united((each.videos for each in walks), itemgetter(0)),
        united((each.links for each in walks), lambda link: link),
    )


def _same_piece(piece: Piece) -> tuple[str, str, str]:
    image = piece.image.url if piece.image else ""
    text = piece.text or "\n".join((*piece.items, *map(str, piece.rows)))
    return piece.type, text, image


def read_generic_body(
    page: Page, main: MainBody, rule: ItemRule, portal: Portal, title: str | None
) -> Body:
    """Return the body in an element that no rule named: without its furniture."""
    cutter = _Cutter((*rule.drop_lines, *portal.drop_lines), title)
    cutter.body.method = "generic:body"
    walked = _walked(page, list(main.elements), rule, SKIPPED_TAGS, main.removed)
    walked.pieces, beside = trimmed(walked.pieces, title)
    cutter.body.excluded += [Excluded(*each) for each in beside]
    cutter.take(walked)
    return cutter.body


def located_bodies(page: Page, rule: ItemRule) -> tuple[list[HtmlElement], str]:
    """Return the body's elements; text of a JSON page is read as HTML or as lines."""
    if not page.is_json:
        nodes, method = located(rule.body, page.root)
        return [node for node in nodes if is_html(node)], method
    found = raw_texts(rule.body, page.root, page)
    return [parse_html(_as_markup(each.text)) for each in found], found[
        0
    ].method if found else ""


def mark_lead(body: Body, lead: str | None) -> str | None:
    """Give the first text block the lead's role and return the lead's text.

    By rule where it found one, else where the rest says the first paragraph again.
    """
    texts = [at for at, block in enumerate(body.blocks) if block.text]
    if not texts or body.blocks[texts[0]].type != "paragraph":
        return lead
    at = texts[0]
    first = body.blocks[at].text or ""
    rest = "\n".join(body.blocks[other].text or "" for other in texts[1:])
    found = _same(first, lead) if lead else is_lead(first, rest)
    if not found:
        return lead
    body.blocks[at] = body.blocks[at].model_copy(update={"role": "lead"})
    return first


def _walked(
    page: Page,
    bodies: list[HtmlElement],
    rule: ItemRule,
    skipped: frozenset[str],
    beside: Iterable[HtmlElement] = (),
) -> Walk:
    removed = [
        node for css in rule.remove for body in bodies for node in select_css(css, body)
    ]
    removed += beside
    return walk(bodies, page, lazy=rule.lazy, removed=removed, skipped_tags=skipped)


class _Cutter:
    """Sorts pieces into the body and what is cut out of it."""

    def __init__(self, drop_lines: tuple[str, ...], title: str | None) -> None:
        self.body = Body()
        self._drop = [pattern(each) for each in drop_lines]
        self._title = title
        self._images: set[str] = set()

    def take(self, walked: Walk) -> None:
        """Add what a walk gave."""
        for piece in walked.pieces:
            if piece.image is not None:
                self._add_image(piece)
            elif reason := self._reason(piece):
                self.body.excluded.append(Excluded(piece.text, reason))
            else:
                self._add_text(piece)
        self.body.videos += walked.videos
        self.body.links += walked.links

    def _reason(self, piece: Piece) -> str | None:
        """Return why the piece is no text of the author's, None where it is."""
        text = piece.text
        if piece.type in {"code", "table"}:
            return None
        editor = editor_in(text)
        if editor:
            self.body.editor = self.body.editor or editor
        is_title = not self.body.blocks and _same(text, self._title)
        reasons = {
            "drop_line": any(each.search(text) for each in self._drop),
            "template_leak": is_template_leak(text),
            "editor_line": bool(editor),
            "promo": is_promo(text),
            "section_label": is_section_label(text),
            "notice": is_notice(text),
            "source_line": _is_source_line(text),
            "original_title": bool(original_title_in(text)),
            "time_line": bool(_TIME_LINE.fullmatch(text)),
            "title": is_title,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _add_text(self, piece: Piece) -> None:
        self.body.printed.append(piece.text)
        self.body.blocks.append(
            Block(
                type=_type(piece),
                text=strip_markup(piece.text),
                level=piece.level,
                items=tuple(map(strip_markup, piece.items)),
                rows=tuple(tuple(map(strip_markup, row)) for row in piece.rows),
            )
        )

    def _add_image(self, piece: Piece) -> None:
        found = piece.image
        if found is None or found.url in self._images:
            return
        self._images.add(found.url)
        caption = None if _same(found.caption, self._title) else found.caption
        position = len(self.body.blocks)
        self.body.blocks.append(Block(type="image", url=found.url, caption=caption))
        image = Image(
            url=found.url,
            caption=caption,
            width=found.width,
            height=found.height,
            position=position,
        )
        self.body.images.append(image)


def _type(piece: Piece) -> BlockType:
    if piece.type != "paragraph":
        return piece.type
    if is_quote(piece.text):
        return "quote"
    return "heading" if piece.bold and is_heading(piece.text) else "paragraph"


def _is_source_line(text: str) -> bool:
    """Tell whether a line says where the text is from, perhaps when, and no more."""
    source = source_in(text)
    begins = _SOURCE_BEGINS.match(text) is not None
    return (
        source is not None and begins and len(text) - len(source) <= _LABEL_CHARACTERS
    )


def _same(text: str | None, other: str | None) -> bool:
    if not text or not other:
        return False
    return squeeze(text) == squeeze(other)


def _as_markup(text: str) -> str:
    """Return HTML: text that holds none gets a paragraph for each of its lines."""
    if _MARKUP.search(text):
        return text
    lines = text.translate(_ESCAPES).splitlines()
    return "".join(f"<p>{line}</p>" for line in lines)
