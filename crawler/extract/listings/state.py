"""Data that a page's script assigns to a variable, or keeps in a script of its own.

The value is found, not run, as `crawler.extract.listings.literal` reads it.  What only
running gives (``(function(a,b){…}(…))``) is no state and is said so.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, NoReturn

from crawler.config.portal import StateRule
from crawler.errors import NotExtracted
from crawler.extract.listings.flattened import unflattened
from crawler.extract.listings.literal import Budget, literal_at, value_at
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Json

_MAX_PLACES = 50  # places where the name stands that are looked at
_NAMES_SHOWN = 12

_OWNER = re.compile(r"^(?:window|self|globalThis)\s*(?:\.\s*|\[\s*[\"'])")
_AFTER_NAME = r"(?:[\"']\s*+\]?)?\s*+(?:(?P<assigned>=(?!=))|:)\s*"
_ASSIGNED = re.compile(
    r"(?:\b(?:window|self|globalThis)\s?(?:\.\s?(?P<dot>[A-Za-z_$][\w$]{0,60})"
    r"|\[\s?[\"'](?P<key>[^\"'\]]{1,60})[\"']\s?\])"
    r"|\b(?:var|let|const)\s(?P<var>[A-Za-z_$][\w$]{0,60}))\s?=(?!=)"
)
_SCRIPT = re.compile(r"<script\b([^<>]{0,5000})>", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script", re.IGNORECASE)
_ID = re.compile(
    r"(?:^|\s)id\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE
)

_FUNCTION = re.compile(r"[(!+\s]*(?:async\s+)?(?:function\b|\([\w$,\s]{0,500}\)\s*=>)")
_FLAT = "__NUXT_DATA__"


def read_state(html_text: str, rule: StateRule) -> Json:
    """Return the object or array that the page's script holds under the rule's name.

    Of several assignments to one name the first that is not empty counts: pages reset
    such variables to ``{}`` before and after.

    Raises:
        NotExtracted: bad_listing; the detail names what was looked for and which names
            the page has instead.
    """
    if rule.script is not None:
        return _from_script(html_text, rule.script)
    name = _OWNER.sub("", rule.name or "").rstrip("\"'] ")
    budget = Budget.of(html_text)
    empty: Json = None
    made = False
    for at in _places(html_text, name):
        value = value_at(html_text, at, budget)
        if value:
            return value
        empty = value if value is not None else empty
        made = made or _FUNCTION.match(html_text, at) is not None
        if budget.characters <= 0:
            break
    if empty is None and made:
        _refuse_function(name)
    if empty is None:
        _refuse(f"variable {name!r}", _names_assigned(html_text))
    return empty


def state_rules(html_text: str) -> list[StateRule]:
    """Return rules for all the state a page may hold, in no order of worth."""
    names = [StateRule(name=name) for name in _names_assigned(html_text)]
    ids = (_ID.search(tag[1]) for tag in _SCRIPT.finditer(html_text))
    scripts = [next(filter(None, found.groups()), "") for found in ids if found]
    return [*names, *(StateRule(script=name) for name in scripts if name)]


def _refuse(wanted: str, there: list[str]) -> NoReturn:
    names = ", ".join(repr(name) for name in there) or "none"
    raise NotExtracted(
        Reason.BAD_LISTING, f"no state under {wanted}; names on the page: {names}"
    )


def _refuse_function(name: str) -> NoReturn:
    """Say so where a function makes the value, as on pages of Nuxt 2."""
    raise NotExtracted(
        Reason.BAD_LISTING,
        f"the state under {name!r} is made by a function, which is not run; read the "
        "page's elements instead (from: rows), with render: always where scripts make "
        "those, too",
    )


def _from_script(html_text: str, script_id: str) -> Json:
    budget = Budget.of(html_text)
    ids: list[str] = []
    for tag in _SCRIPT.finditer(html_text):
        found = _ID.search(tag[1])
        name = unescape(next(filter(None, found.groups()), "")) if found else ""
        if name == script_id:
            end = _SCRIPT_END.search(html_text, tag.end())
            inside = html_text[tag.end() : end.start() if end else None]
            value = literal_at(
                inside, len(inside) - len(inside.lstrip("<!- \r\n\t")), budget
            )
            if value is not None:
                return unflattened(value) if name == _FLAT else value
        elif name and len(ids) < _NAMES_SHOWN:
            ids.append(name[:60])
    _refuse(f"script {script_id!r}", ids)


def _places(text: str, name: str) -> Iterator[int]:
    """Yield where a value may begin: assignments first, then properties (``X: …``)."""
    properties: list[int] = []
    pattern = re.compile(re.escape(name) + _AFTER_NAME)
    places = 0
    for found in pattern.finditer(text) if name else ():
        before = text[found.start() - 1 : found.start()]
        if before.isalnum() or before in ("_", "$"):
            continue
        if found["assigned"]:
            yield found.end()
            places += 1
        else:
            properties.append(found.end())
        if places + len(properties) >= _MAX_PLACES:
            break
    yield from properties


def _names_assigned(text: str) -> list[str]:
    names: dict[str, None] = {}
    for found in _ASSIGNED.finditer(text):
        names[found["dot"] or found["key"] or found["var"]] = None
        if len(names) >= _NAMES_SHOWN:
            break
    return list(names)
