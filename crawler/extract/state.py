"""Data that a page's script assigns to a variable, or keeps in a script of its own.

The value is found, not run: ``JSON.parse("…")`` or strict JSON first, then a JavaScript
literal (unquoted keys, ``!0``, ``undefined``, trailing commas, single quotes).  What
only running gives (``(function(a,b){…}(…))``) is no state and is said so.  Work on
hostile text is bounded: what the tries read in all is at most a few times the text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote

import chompjs

from crawler.config.portal import StateRule
from crawler.errors import NotExtracted
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.model import Json

_MAX_PLACES = 50  # places where the name stands that are looked at
_MAX_TOKENS = 2_000_000  # brackets and strings stepped over on one page
_READINGS = 3  # times the text's length that all tries together may read
_NAMES_SHOWN = 12

_OWNER = re.compile(r"^(?:window|self|globalThis)\s*(?:\.\s*|\[\s*[\"'])")
_AFTER_NAME = r"(?:[\"']\s*\]?)?\s*(?:(?P<assigned>=(?!=))|:)\s*"
# window.X = window.Y = {…}, X = X || {…}, X = ({…})
_BEFORE_VALUE = re.compile(r"(?:[\w$.]{1,100}\s*(?:=(?!=)|\|\|)\s*){0,3}\(?\s*")
_PARSE_CALL = re.compile(
    r"JSON\s*\.\s*parse\s*\(\s*(?P<coded>decodeURIComponent\s*\(\s*)?"
)
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

# Possessive (*+): nothing here may be tried twice.  An unclosed string ends its line.
_STRING = (
    r"\"(?:[^\"\\\n]|\\[\s\S])*+\"?"
    r"|'(?:[^'\\\n]|\\[\s\S])*+'?"
    r"|`(?:[^`\\]|\\[\s\S])*+`?"
)
_COMMENT = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
_TOKEN = re.compile(rf"{_STRING}|{_COMMENT}|[{{}}\[\]]")
_LITERAL = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>{_COMMENT})"
    r"|new\s+Date\s*\(\s*(?P<date>[0-9]{1,15}|\"[^\"\\]{0,60}\"|)\s*\)"
    r"|(?P<word>(?<![\w$.])(?:true|false|null|undefined|NaN|-?Infinity|void\s+0)"
    r"(?![\w$]|\s*:)|![01])"
)
_WORDS = {"!0": "true", "true": "true", "!1": "false", "false": "false"}
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r\n|[\s\S]))"
)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_ESCAPED |= {"\n": "", "\r\n": "", "\r": ""}


@dataclass(slots=True)
class _Budget:
    """What may still be read of one page, over all tries."""

    characters: int
    tokens: int = _MAX_TOKENS

    def spend(self, characters: int) -> bool:
        self.characters -= characters
        return self.characters > 0


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
    budget = _Budget(_READINGS * len(html_text) + 1000)
    empty: Json = None
    for at in _places(html_text, name):
        value = _value_at(html_text, at, budget)
        if value:
            return value
        empty = value if value is not None else empty
        if budget.characters <= 0:
            break
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


def _from_script(html_text: str, script_id: str) -> Json:
    budget = _Budget(_READINGS * len(html_text) + 1000)
    ids: list[str] = []
    for tag in _SCRIPT.finditer(html_text):
        found = _ID.search(tag[1])
        name = unescape(next(filter(None, found.groups()), "")) if found else ""
        if name == script_id:
            end = _SCRIPT_END.search(html_text, tag.end())
            inside = html_text[tag.end() : end.start() if end else None]
            value = _literal(
                inside, len(inside) - len(inside.lstrip("<!- \r\n\t")), budget
            )
            if value is not None:
                return value
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


def _value_at(text: str, at: int, budget: _Budget) -> Json:
    """Return the object or array that begins here, None where there is none."""
    skipped = _BEFORE_VALUE.match(text, at)
    at = skipped.end() if skipped else at
    if call := _PARSE_CALL.match(text, at):
        return _parsed(text, call.end(), budget, coded=call["coded"] is not None)
    if text[at : at + 1] in ("{", "["):
        return _literal(text, at, budget)
    if text[at : at + 1] in ('"', "'"):
        return _parsed(text, at, budget, coded=False)
    return None


def _parsed(text: str, at: int, budget: _Budget, *, coded: bool) -> Json:
    """Return the JSON that a script keeps in a string."""
    found = re.compile(_STRING).match(text, at)
    if found is None or not budget.spend(len(found[0])):
        return None
    inside = _unescaped(found[0])
    return _strict(unquote(inside) if coded else inside, 0, budget)


def _literal(text: str, at: int, budget: _Budget) -> Json:
    """Return the object or array written at this place, as JSON or as JavaScript."""
    if text[at : at + 1] not in ("{", "["):
        return None
    value = _strict(text, at, budget)
    if value is not None:
        return value
    end = _end_of(text, at, budget)
    if end is None or not budget.spend(end - at):
        return None
    try:
        return _container(chompjs.parse_js_object(_LITERAL.sub(_as_json, text[at:end])))
    except (ValueError, RecursionError):
        return None


def _strict(text: str, at: int, budget: _Budget) -> Json:
    if budget.characters <= 0:
        return None
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, at)
    except json.JSONDecodeError as error:
        budget.spend(error.pos - at)
        return None
    except (ValueError, RecursionError):  # a number of 5,000 digits, deep nesting
        budget.spend(len(text) - at)
        return None
    budget.spend(end - at)
    return _container(value)


def _container(value: Json) -> Json:
    return value if isinstance(value, dict | list) else None


def _end_of(text: str, at: int, budget: _Budget) -> int | None:
    """Return the place after the bracket that closes this one, None if none does."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        budget.tokens -= 1
        if budget.tokens < 0:
            return None
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
            if depth == 0:
                return token.end()
    budget.spend(len(text) - at)
    return None


def _as_json(token: re.Match[str]) -> str:
    """Return one JavaScript token as JSON has it; a date as what it was made from."""
    if token["string"]:
        return json.dumps(_unescaped(token["string"]))
    if token["comment"]:
        return " "
    if token["word"]:
        # Blanks around it: chompjs reads {a:true,b:1} as the text "true".
        return f" {_WORDS.get(token['word'], 'null')} "
    return token["date"] or "null"


def _unescaped(quoted: str) -> str:
    """Return what a JavaScript string literal stands for."""
    closed = len(quoted) > 1 and quoted[-1] == quoted[0]
    inside = quoted[1:-1] if closed else quoted[1:]
    if "\\" not in inside:
        return inside
    text = _ESCAPE.sub(_character, inside)
    # Surrogate pairs are written as two escapes; a lone half becomes U+FFFD.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: re.Match[str]) -> str:
    if escape[4] is not None:
        return _ESCAPED.get(escape[4], escape[4])
    code = int(escape[1] or escape[2] or escape[3], 16)
    return chr(code) if code < 0x110000 else "\ufffd"  # noqa: PLR2004 - Unicode's end


def _names_assigned(text: str) -> list[str]:
    names: dict[str, None] = {}
    for found in _ASSIGNED.finditer(text):
        names[found["dot"] or found["key"] or found["var"]] = None
        if len(names) >= _NAMES_SHOWN:
            break
    return list(names)
