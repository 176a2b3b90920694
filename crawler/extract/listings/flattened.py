"""State that a page keeps flat, as Nuxt 3 does: one array whose places name others.

A number within an object or array is the place of a value; an array that begins with
a text is a value of that kind (``["Date", "…"]``, ``["Reactive", 3]``).

Source: the serialisation of the devalue library, which Nuxt 3 writes to
``__NUXT_DATA__``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.model import Json

_MAX_DEPTH = 200
_WRAPPERS = frozenset(
    {"Reactive", "ShallowReactive", "Ref", "ShallowRef", "NuxtError", "Island"}
)
_VALUES = frozenset({"Date", "BigInt", "URL", "RegExp"})


def unflattened(flat: Json) -> Json:
    """Return the value that a flat array stands for; anything else as it is.

    What is undefined, no number, or part of itself is None.  A value that several
    places name is one object in the result.
    """
    if not isinstance(flat, list) or not flat:
        return flat
    return _Reader(flat).at(0, 0)


@dataclass(slots=True)
class _Reader:
    flat: list[Json]
    known: dict[int, Json] = field(default_factory=dict)

    def at(self, place: Json, depth: int) -> Json:
        """Return the value at a place, None where there is none."""
        if isinstance(place, bool) or not isinstance(place, int):
            return None
        if not 0 <= place < len(self.flat) or depth > _MAX_DEPTH:
            return None
        if place not in self.known:
            self.known[place] = None  # a value that is part of itself ends here
            self.known[place] = self._read(self.flat[place], depth + 1)
        return self.known[place]

    def _read(self, value: Json, depth: int) -> Json:
        if isinstance(value, dict):
            return {name: self.at(place, depth) for name, place in value.items()}
        if not isinstance(value, list):
            return value
        if value and isinstance(value[0], str):
            return self._special(value[0], value[1:], depth)
        return [self.at(place, depth) for place in value]

    def _special(self, kind: str, rest: list[Json], depth: int) -> Json:
        if kind in _WRAPPERS:
            return self.at(rest[0], depth) if rest else None
        if kind in _VALUES:
            return rest[0] if rest else None
        if kind == "Set":
            return [self.at(place, depth) for place in rest]
        pairs = zip(rest[::2], rest[1::2], strict=False)
        if kind == "Map":
            named = ((self.at(name, depth), value) for name, value in pairs)
            return {str(name): self.at(value, depth) for name, value in named}
        if kind == "null":  # an object without a prototype
            return {str(name): self.at(value, depth) for name, value in pairs}
        return None
