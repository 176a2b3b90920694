"""What a page showed step by step, as one sequence: pure.

A list may grow from step to step, or keep only what is on the screen.

1. Where a step begins with what the steps before ended with, it goes on from there;
   one thing alone may be there by chance, where others are known, too.
2. Else what is there already stays in its place, and what is new stands before the
   next thing that is, or at the end.
3. What a step shows twice is there twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

T = TypeVar("T")


def united(steps: Iterable[Sequence[T]], key: Callable[[T], Hashable]) -> list[T]:
    """Return the things of all steps, in order; things of one key are the same.

    Of the same thing the latest is kept: an image has loaded since, a text is whole.
    """
    things: list[T] = []
    keys: list[Hashable] = []
    for step in steps:
        named = [key(each) for each in step]
        at = _overlap(keys, named)
        goes_on = at > 1 or (at == 1 and not set(keys).intersection(named[1:]))
        if goes_on or not keys:
            things[len(things) - at :] = step
            keys[len(keys) - at :] = named
        else:
            things, keys = _put_in(things, keys, step, named)
    return things


def _overlap(known: list[Hashable], step: list[Hashable]) -> int:
    """Return how many of the last known are what the step begins with.

    Source: Knuth, Morris, Pratt 1977, the step against the end of what is known.
    """
    end = known[-len(step) :] if step else []
    back = _borders(step)
    matched = 0
    for each in end:
        while matched and (matched == len(step) or step[matched] != each):
            matched = back[matched - 1]
        if matched < len(step) and step[matched] == each:
            matched += 1
    return matched


def _borders(step: list[Hashable]) -> list[int]:
    """Return for each prefix how long a beginning of it is its end as well."""
    found = [0] * len(step)
    length = 0
    for at in range(1, len(step)):
        while length and step[length] != step[at]:
            length = found[length - 1]
        if step[length] == step[at]:
            length += 1
        found[at] = length
    return found


def _put_in(
    things: list[T],
    keys: list[Hashable],
    step: Sequence[T],
    named: list[Hashable],
) -> tuple[list[T], list[Hashable]]:
    """Return things with those of the step, each that is new before the next known."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for at, each in enumerate(keys):
        places[each].append(at)
    seen: Counter[Hashable] = Counter()
    known = list(things)
    fresh: list[int] = []
    before: dict[int, list[int]] = defaultdict(list)
    for at, each in enumerate(named):
        turn = seen[each]
        seen[each] += 1
        if turn >= len(places[each]):
            fresh.append(at)
            continue
        place = places[each][turn]
        known[place] = step[at]
        before[place] += fresh
        fresh = []
    before[len(known)] += fresh
    made: list[T] = []
    made_keys: list[Hashable] = []
    for place in range(len(known) + 1):
        made += [step[at] for at in before[place]]
        made_keys += [named[at] for at in before[place]]
        if place < len(known):
            made.append(known[place])
            made_keys.append(keys[place])
    return made, made_keys
