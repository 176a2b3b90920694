"""Where the values of a resolved configuration were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.config.problem import Path, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config.document import Spot


@dataclass(frozen=True, slots=True)
class Layer:
    """One document as it shows in the result.

    Attributes:
        spots: the document's.
        source: path of the part that shows.
        target: path in the result that it shows at.
    """

    spots: Mapping[Path, Spot]
    source: Path = ()
    target: Path = ()

    def find(self, path: Path) -> Spot | None:
        """Return where the value at path of the result was written, if here."""
        depth = len(self.target)
        if path[:depth] != self.target:
            return None
        return self.spots.get((*self.source, *path[depth:]))


@dataclass(frozen=True, slots=True)
class Places:
    """Layers over one another; the first that has a path tells its place."""

    layers: tuple[Layer, ...]
    file: str

    def find(self, path: Path) -> Spot | None:
        """Return where exactly this path was written; None for a built-in value."""
        for layer in self.layers:
            if (spot := layer.find(path)) is not None:
                return spot
        return None

    def written(self, path: Path) -> tuple[Path, int]:
        """Return the nearest written path, and how many parts of path it stands for.

        Parts that a shorthand leaves out (``title: h1`` for ``title: [{css: h1}]``)
        are passed over.
        """
        reached: Path = ()
        depth = 0
        for at, part in enumerate(path, 1):
            if self.find((*reached, part)) is not None:
                reached, depth = (*reached, part), at
        return reached, depth

    def locate(self, path: Path) -> Place:
        """Return the place of the value at path, or of the nearest one around it."""
        spot = self.find(self.written(path)[0])
        return spot.value if spot else Place(self.file)

    def locate_key(self, path: Path) -> Place:
        """Return the place of the key at path, or of the nearest value around it."""
        reached, depth = self.written(path)
        spot = self.find(reached)
        if spot is None:
            return Place(self.file)
        return spot.key if depth == len(path) else spot.value
