"""The real address, size and caption of an image element."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extract.document.text import collapse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from crawler.extract.document.page import Page

_BLANK = re.compile(
    r"(?:^|[/_-])(?:blank|spacer|placeholder|pixel|transparent|clear|loading|1x1)"
    r"[\w-]*\.(?:gif|png|svg|jpe?g|webp)(?:[?#]|$)",
    re.IGNORECASE,
)
_SIZE = re.compile(r"^\s*(\d{1,5})(?:px)?\s*$")
_DENSITY = re.compile(r"^(\d+(?:\.\d+)?)[wx]$")
_MAX_TRACKER_PIXELS = 2


@dataclass(frozen=True, slots=True)
class ImageFound:
    """An image as its markup has it; width and height in pixels."""

    url: str
    caption: str | None = None
    width: int | None = None
    height: int | None = None


def read_image(
    node: HtmlElement, page: Page, lazy: tuple[str, ...], *, caption: str | None = None
) -> ImageFound | None:
    """Return the image, None for a placeholder or a tracking pixel.

    The first address that is no placeholder counts: lazy attributes in their order,
    the largest of srcset, src.  The caption is the figure's, else the alt text.
    """
    width, height = _pixels(node, "width"), _pixels(node, "height")
    if any(
        size is not None and size <= _MAX_TRACKER_PIXELS for size in (width, height)
    ):
        return None
    for candidate in _addresses(node, lazy):
        url = page.absolute(candidate)
        if url and not _BLANK.search(url):
            alt = collapse(node.get("alt") or "")
            return ImageFound(url, caption or alt or None, width, height)
    return None


def _addresses(node: HtmlElement, lazy: tuple[str, ...]) -> Iterator[str]:
    for name in lazy:
        if value := node.get(name):
            yield value
    yield from _largest(node.get("srcset") or node.get("data-srcset") or "")
    yield node.get("src") or ""
    # The parser takes <source> for an element with content: img may be inside it.
    for picture in node.iterancestors("picture"):
        for source in picture.iter("source"):
            yield from _largest(source.get("srcset") or "")


def _largest(srcset: str) -> Iterator[str]:
    """Yield the addresses of a srcset, the largest first."""
    sized: list[tuple[float, str]] = []
    for entry in re.split(r",\s+|,(?=https?:|/)", srcset):
        address, _, size = entry.strip().partition(" ")
        found = _DENSITY.match(size.strip())
        if address:
            sized.append((float(found[1]) if found else 1.0, address))
    for _, address in sorted(sized, key=lambda pair: -pair[0]):
        yield address


def _pixels(node: HtmlElement, name: str) -> int | None:
    found = _SIZE.match(node.get(name) or "")
    return int(found[1]) if found else None
