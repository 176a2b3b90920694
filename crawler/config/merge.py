"""Lay the levels of a configuration over one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.config.places import Layer, Places

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from crawler.config.document import Document, Tree
    from crawler.config.portal import BrowserRule, Portal
    from crawler.config.problem import Path

Forced = tuple["Document", ...]
"""What options and environment set, the stronger first."""


@dataclass(frozen=True, slots=True)
class Source:
    """A portal as written: its document, the path there, its mapping.

    Attributes:
        base: ``crawl`` of the document's own top level.
    """

    document: Document
    path: Path
    raw: dict[str, Tree]
    base: Tree = None

    def places(self, main: Document, forced: Forced) -> Places:
        """Return where the values of the portal that `portal_tree` gives come from."""
        crawl: Path = ("crawl",)
        layers = (
            *(Layer(one.spots, crawl, crawl) for one in forced),
            Layer(self.document.spots, self.path),
            Layer(self.document.spots, crawl, crawl),
            Layer(main.spots, crawl, crawl),
        )
        return Places(layers, self.document.file)


def top_tree(main: Document, forced: Forced) -> dict[str, Tree]:
    """Return the top level without portals, what is forced laid over it."""
    tree = dict(main.tree) if isinstance(main.tree, dict) else {}
    tree.pop("portals", None)
    for one in reversed(forced):
        for key, value in _mapping(one.tree).items():
            under = tree.get(key)
            tree[key] = (
                {**_mapping(under), **value} if isinstance(value, dict) else value
            )
    return tree


def portal_tree(
    source: Source, main: Document, forced: Forced
) -> tuple[dict[str, Tree], str | None]:
    """Return a portal's tree with all of its manners, and what clashes in it.

    ``allow_private`` of the portal is short for that of its ``crawl``.
    """
    tree = dict(source.raw)
    own = tree.get("crawl")
    if own is not None and not isinstance(own, dict):
        return tree, None  # the model tells
    own, short, clash = dict(own or {}), tree.get("allow_private"), None
    if short is not None and own.setdefault("allow_private", short) != short:
        clash = "'allow_private' is another in 'crawl'; keep one of them"
    top = _mapping(main.tree).get("crawl")
    levels = [top, source.base, own]
    levels += [_mapping(one.tree).get("crawl") for one in reversed(forced)]
    crawl: dict[str, Tree] = {}
    for level in levels:
        crawl |= _mapping(level)
    tree["crawl"] = crawl
    return tree, clash


def inherited(portal: Portal, folder: FilePath) -> Portal:
    """Return the portal with what its listings and items take over from it.

    folder: of the file that it is written in: files it names are seen from there.
    """
    listings = tuple(
        one.model_copy(
            update={
                "strip_params": _union(portal.strip_params, one.strip_params),
                "browser": _seen_from(folder, one.browser),
            }
        )
        for one in portal.listings
    )
    items = tuple(
        one.model_copy(
            update={
                "drop_lines": _union(portal.drop_lines, one.drop_lines),
                "keep": _union(portal.keep, one.keep),
                "browser": _seen_from(folder, one.browser),
            }
        )
        for one in portal.items
    )
    update = {
        "listings": listings,
        "items": items,
        "allow_private": portal.crawl.allow_private,
    }
    return portal.model_copy(update=update)


def _seen_from(folder: FilePath, rule: BrowserRule) -> BrowserRule:
    if rule.storage_state is None:
        return rule
    file = str((folder / rule.storage_state).absolute())
    return rule.model_copy(update={"storage_state": file})


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _mapping(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}
