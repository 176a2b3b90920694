"""Directories whose names survive a loss of power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.warc.writer import fsync_directory

if TYPE_CHECKING:
    from pathlib import Path


def make_directory(directory: Path, within: Path) -> None:
    """Make a directory; its name is on the disk when this returns.

    So are the names of those between it and within, made now or before: whoever made
    them may have been killed before they were synced.

    Args:
        directory: to make, with those above it that are missing.
        within: itself or one above it.

    Raises:
        OSError: it cannot be made.
    """
    missing = [x for x in (directory, *directory.parents) if not x.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for made in (directory, *directory.parents):
        inside = made != within and made.is_relative_to(within)
        if inside or made in missing:
            fsync_directory(made.parent)
