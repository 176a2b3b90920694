"""The value that a JSONP answer hands to its callback, or a script to a variable.

Comments, a byte order mark, guards (``typeof cb === 'function' &&``, ``try{``) and what
follows the value are passed over; `crawler.extract.listings.literal` reads the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.errors import NotExtracted
from crawler.extract.listings.literal import Budget, value_at
from crawler.model import Reason

if TYPE_CHECKING:
    from crawler.model import Json

_COMMENT = r"/\*(?:[^*]|\*(?!/))*+\*/|//[^\n]*+\n|<!--"
_BEFORE = re.compile(
    rf"(?:[\s\ufeff;(]|{_COMMENT}|try\s*\{{"
    r"|typeof\s+[\w$.]++\s*={2,3}\s*(?:'function'|\"function\")\s*&&"
    r"|[\w$.]++\s*&&)*+"
)
_NAMED = re.compile(
    r"(?:(?:var|let|const)\s+)?[\w$.]{1,200}+(?:\[[^\[\]]{1,100}\][\w$.]*+)*+\s*(?:\(|=(?!=))"
    rf"(?:\s|{_COMMENT})*+"
)
_SHOWN = 80


def read_jsonp(text: str) -> Json:
    """Return the object or array of a JSONP answer; JSON alone is taken, too.

    Raises:
        NotExtracted: bad_listing: there is none.
    """
    before = _BEFORE.match(text)
    at = before.end() if before else 0
    if named := _NAMED.match(text, at):
        at = named.end()
    value = value_at(text, at, Budget.of(text))
    if value is None:
        kind = "HTML" if text.lstrip("\ufeff \r\n\t").startswith("<") else "no JSONP"
        detail = f"{kind} where JSONP was to come: {text.strip()[:_SHOWN]!r}"
        raise NotExtracted(Reason.BAD_LISTING, detail)
    return value
