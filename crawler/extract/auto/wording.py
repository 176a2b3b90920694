"""How much a text says as a headline, and words that tell what part of a page it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0002fa1f]")
# Bounded: without it a page of digits alone takes a time that grows as its square.
_WORD = re.compile(r"(?![\d.:/-]{1,40}(?:\s|$))\w[\w'’.-]*")
_WIDE_LINE = 8
_WORDS_LINE = 5
_LONG_WORDS = 34  # letters: three German words say as much as five English ones
_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MORE = re.compile(
    r"^\W*(?:more|read(?: more| on| article| the full .*)?|continue(?: reading)?.*"
    r"|learn more|see (?:all|more).*|view (?:all|more).*|show more|load more"
    r"|(?:more|older|newer|all|previous|next) \w+"
    r"|\d*\s*(?:comments?|repl(?:y|ies)|views?|shares?|likes?)\s*\d*|leave a comment"
    r"|weiter(?:lesen)?|mehr(?: lesen)?|lire (?:la suite|plus)|en savoir plus"
    r"|leer m[aá]s|ver (?:m[aá]s|todos?)|leggi (?:tutto|di più)|continua.*"
    r"|(?:читать )?дал(?:ее|ьше)|подробнее|читать.*"
    r"|更多.*|查看(?:更多|全部|全文).*|[阅閱][读讀](?:全文|更多|原文)?|[详詳][情细細]"
    r"|[评評][论論].*|[继繼][续續][阅閱][读讀].*|全文|加[载載]更多|もっと(?:見る|読む)"
    r"|続きを読む|더 ?보기)\W*\d*\W*$",
    re.IGNORECASE,
)
_PAID = re.compile(
    r"^\W*(?:ads?|advertisement|advertorial|sponsored(?: (?:by|content|post))?.{0,30}"
    r"|promoted|anzeige|werbung|publicit[ée]|publicidad|реклама"
    r"|.{0,10}[广廣]告|推[广廣]|[赞贊]助(?:[内內]容)?|PR|広告)\W*$",
    re.IGNORECASE,
)


def weight(text: str) -> float:
    """Return 1 for the shortest text that is a headline anywhere, less for less.

    Eight wide characters, five words, or three long ones; numbers and dates alone say
    nothing.
    """
    wide = len(_WIDE.findall(text))
    words = _WORD.findall(_WIDE.sub(" ", text) if wide else text)
    letters = sum(map(len, words))
    return wide / _WIDE_LINE + max(len(words) / _WORDS_LINE, letters / _LONG_WORDS)


def names_of(element: HtmlElement) -> frozenset[str]:
    """Return the words of an element's class, id and role, in lower case."""
    named = " ".join(str(element.get(key) or "") for key in ("class", "id", "role"))
    return frozenset(word.lower() for word in _NAME.findall(named))


def is_alone(element: HtmlElement) -> bool:
    """Tell whether an element has no other beside it."""
    return element.getprevious() is None and element.getnext() is None


def is_more(text: str) -> bool:
    """Tell whether a link only says that there is more, or counts comments."""
    return _MORE.match(text) is not None


def is_paid(line: str) -> bool:
    """Tell whether a line marks its row as an advertisement."""
    return _PAID.match(line) is not None
