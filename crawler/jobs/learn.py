"""Learn: what repeats on a portal's stored item pages, written as its learned file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from crawler import __version__
from crawler.archive.captures import Archive
from crawler.config.learned import Learned, read_learned, written
from crawler.errors import NotExtracted, UsageError
from crawler.extract import extract
from crawler.extract.document.page import Page
from crawler.extract.document.text import visible_text
from crawler.extract.learned import MIN_ARTICLES, Article, learn
from crawler.item import Item
from crawler.jobs.extract import selected, was_read
from crawler.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.archive.collection import Collection
    from crawler.config.portal import Portal
    from crawler.jobs.extract import Selection
    from crawler.model import Capture

EXTRACTOR = f"portalkeep/{__version__}"


@dataclass(frozen=True, slots=True)
class Change:
    """How a learned file differs from the one before it.

    Attributes:
        added, removed: lines, images and suffixes.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]


def learn_portal(
    collection: Collection, portal: Portal, selection: Selection, pages: int
) -> Learned:
    """Return what repeats on the newest stored item pages of a selection.

    Today's rules read them, without what was learned before.  Nothing is written.

    Args:
        collection: to read from.
        portal: with today's rules.
        selection: of runs.
        pages: looked at, at most.

    Raises:
        UsageError: nothing is selected, or too few pages give an item.
        ArchiveDamaged: a record is not there or not whole.
    """
    segments = selected(collection, portal, selection)
    archive = Archive.of(collection, segments, portal.crawl.max_parse)
    bare = portal.model_copy(update={"learned": None})
    found = list(islice(_articles(archive, bare), pages))
    if len(found) < MIN_ARTICLES:
        message = (
            f"only {len(found)} stored pages of portal {portal.id!r} give an item; "
            f"{MIN_ARTICLES} at least are wanted, a hundred are better"
        )
        raise UsageError(message)
    return learn(tuple(reversed(found)), portal.id, EXTRACTOR)


def change_of(path: Path, learned: Learned) -> Change:
    """Return how what was learned differs from the file there is, if there is one.

    Raises:
        UsageError: the file there is something else, or cannot be read.
    """
    try:
        before = _entries(read_learned(path.read_bytes(), learned.portal))
    except FileNotFoundError:
        before = {}
    except OSError as exc:
        message = f"{str(path)!r} cannot be read: {exc.strerror}"
        raise UsageError(message) from exc
    except ValueError as exc:
        message = f"{str(path)!r} is in the way, {exc}; name another with -o"
        raise UsageError(message) from exc
    after = _entries(learned)
    added = tuple(one for one in after if one not in before)
    return Change(added, tuple(one for one in before if one not in after))


def write_learned(path: Path, learned: Learned) -> None:
    """Put a learned file in place, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.write(written(learned))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        message = f"{str(path)!r} cannot be written: {exc.strerror}"
        raise UsageError(message) from exc


def _entries(learned: Learned) -> dict[str, None]:
    lines = (line.text for line in learned.lines)
    return dict.fromkeys((*lines, *learned.images, *learned.title_suffixes))


def _articles(archive: Archive, portal: Portal) -> Iterator[Article]:
    """Yield the item pages that give an item, the newest first."""
    for visit in reversed(list(archive.visits())):
        if visit.link.kind is not Kind.ITEM or not was_read(visit):
            continue
        capture = archive.capture(visit)
        if capture is None:
            continue
        try:
            item = extract(capture, portal)
        except NotExtracted:
            continue
        if isinstance(item, Item) and item.kind == "article":
            yield Article(item, capture.hops[-1].record_id, _head_title(capture))


def _head_title(capture: Capture) -> str:
    """Return the text of the title element, "" where there is none."""
    if capture.dom:
        page = Page.from_dom(capture.dom[-1], capture.main.url)
    else:
        page = Page.from_response(capture.main)
    if page.is_json:
        return ""
    return next((visible_text(node) for node in page.tree.iter("title")), "")
