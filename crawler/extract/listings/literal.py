"""Values as scripts write them: found in the text, not run.

``JSON.parse("…")`` or strict JSON first, then a JavaScript literal (unquoted keys,
``!0``, ``undefined``, trailing commas, single quotes).  Work on hostile text is
bounded: what the tries read in all is at most a few times the text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import chompjs

if TYPE_CHECKING:
    from crawler.model import Json

_MAX_TOKENS = 2_000_000  # brackets and strings stepped over on one page
_READINGS = 3  # times the text's length that all tries together may read
# window.X = window.Y = {…}, X = X || {…}, X = ({…})
_BEFORE_VALUE = re.compile(r"(?:[\w$.]{1,100}\s*(?:=(?!=)|\|\|)\s*){0,3}\(?\s*")
_PARSE_CALL = re.compile(
    r"JSON\s*+\.\s*+parse\s*+\(\s*+(?P<coded>decodeURIComponent\s*+\(\s*+)?"
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
    r"|new\s++Date\s*+\(\s*+(?P<date>[0-9]{1,15}|\"[^\"\\]{0,60}\"|)\s*+\)"
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
class Budget:
    """What may still be read of one page, over all tries."""

    characters: int
    tokens: int = _MAX_TOKENS

    @classmethod
    def of(cls, text: str) -> Budget:
        """Return what may be read of text."""
        return cls(_READINGS * len(text) + 1000)

    def spend(self, characters: int) -> bool:
        """Count characters that were read; tell whether there are any left."""
        self.characters -= characters
        return self.characters > 0


def value_at(text: str, at: int, budget: Budget) -> Json:
    """Return the object or array that begins here, None where there is none."""
    skipped = _BEFORE_VALUE.match(text, at)
    at = skipped.end() if skipped else at
    if call := _PARSE_CALL.match(text, at):
        return _parsed(text, call.end(), budget, coded=call["coded"] is not None)
    if text[at : at + 1] in ("{", "["):
        return literal_at(text, at, budget)
    if text[at : at + 1] in ('"', "'"):
        return _parsed(text, at, budget, coded=False)
    return None


def _parsed(text: str, at: int, budget: Budget, *, coded: bool) -> Json:
    """Return the JSON that a script keeps in a string."""
    found = re.compile(_STRING).match(text, at)
    if found is None or not budget.spend(len(found[0])):
        return None
    inside = _unescaped(found[0])
    return _strict(unquote(inside) if coded else inside, 0, budget)


def literal_at(text: str, at: int, budget: Budget) -> Json:
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


def _strict(text: str, at: int, budget: Budget) -> Json:
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


def _end_of(text: str, at: int, budget: Budget) -> int | None:
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
