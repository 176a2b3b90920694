"""Sessions that somebody began elsewhere: the files that ``storage_state`` names.

A file is what Playwright saves: ``cookies``, and ``origins`` with what each keeps in
its local storage.  Nothing of it is written anywhere but into the portal's cookie jar.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.config.portal import Portal
    from crawler.model import Json

State = dict[str, Any]  # Any: JSON of a known shape

_OF_A_COOKIE = ("name", "value", "domain", "path")
_SHORTEST = 6
"""A shorter value is found in logs by chance."""


def read_states(portal: Portal) -> dict[str, State]:
    """Return what is in the files that a portal's rules name, by their names.

    Raises:
        ConfigError: one cannot be read, or is no such file.
    """
    rules = [each.browser for each in portal.listings]
    rules += [each.browser for each in portal.items]
    names = {rule.storage_state for rule in rules if rule.storage_state is not None}
    return {name: _read(name, portal.id) for name in sorted(names)}


def secrets_of(states: Mapping[str, State]) -> frozenset[str]:
    """Return the values of cookies and local storage, but for the shortest."""
    found = (value for state in states.values() for value in _values(state))
    return frozenset(value for value in found if len(value) >= _SHORTEST)


def _read(name: str, portal: str) -> State:
    try:
        state = json.loads(Path(name).read_bytes())
    except OSError as exc:
        why = f"cannot be read: {exc.strerror}"
    except ValueError:
        why = "is no JSON"
    else:
        if _is_state(state):
            return {key: state.get(key, []) for key in ("cookies", "origins")}
        why = "is no storage state"
    message = (
        f"portal {portal!r}: storage_state {name!r} {why}; log in and save it anew"
    )
    raise ConfigError(message)


def _is_state(state: Json) -> bool:
    if not isinstance(state, dict):
        return False
    cookies, origins = state.get("cookies", []), state.get("origins", [])
    if not isinstance(cookies, list) or not isinstance(origins, list):
        return False
    return all(_has(each, _OF_A_COOKIE) for each in cookies) and all(
        _has(each, ("origin",)) and _keeps(each) for each in origins
    )


def _has(value: Json, names: tuple[str, ...]) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(n), str) for n in names)


def _keeps(origin: Json) -> bool:
    kept = origin.get("localStorage", []) if isinstance(origin, dict) else None
    return isinstance(kept, list) and all(_has(x, ("name", "value")) for x in kept)


def _values(state: State) -> Iterator[str]:
    for cookie in state["cookies"]:
        yield cookie["value"]
    for origin in state["origins"]:
        yield from (each["value"] for each in origin.get("localStorage", []))
