"""Listed securities named in text: ``$Name (SYM.US)$``, ``名（09871.HK）``, (SH600519).

A symbol is a code and its market, ``09871.HK``.  Money (``$12 million``) and plain
abbreviations in brackets (``(SEA)``) are none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.item import Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKETS = "US|HK|SH|SZ|SS|BJ|CC|SG|JP|KS|TW|AU|CA|UK|DE|FX"
_CODE = rf"[0-9A-Z](?:[0-9A-Z.-]{{0,10}}[0-9A-Z])?\.(?:{_MARKETS})"
_PREFIXED = r"(?:SH|SZ|BJ)\d{6}|HK\d{5}"
_EXCHANGES = {"NASDAQ": "US", "NYSE": "US", "AMEX": "US", "HKEX": "HK", "SEHK": "HK"}
_EXCHANGES |= {"纳斯达克": "US", "納斯達克": "US", "纽交所": "US", "紐交所": "US"}
_LISTED = rf"(?:{'|'.join(_EXCHANGES)})\s?[:：]\s?[0-9A-Z.]{{1,6}}"
_MARKED_NAME = (
    r"[^$()（）\n，。；]{1,60}?(?:[(（][^()（）$\n]{1,30}[)）][^$()（）\n]{0,30}?)?"
)
_MARKED = re.compile(
    # a code without a market only after a name: $5 (US)$ is money
    rf"\$(?P<name>{_MARKED_NAME})\s{{0,2}}"
    rf"[(（](?P<code>{_CODE}|{_PREFIXED})[)）]\$"
    rf"|\$(?P<short>[^\W\d]{_MARKED_NAME})\s{{0,2}}[(（](?P<us>[A-Z]{{1,5}})[)）]\$"
    r"|\$(?P<alone>[A-Z]{1,5}(?:\.[A-Z]{2})?)\$"
)
_PLAIN = re.compile(
    rf"[(（]\s?(?P<code>{_CODE}|{_PREFIXED}|{_LISTED})\s?[)）]"
    rf"|(?<![\w.$-])(?P<bare>\d{{4,6}}\.(?:HK|SH|SZ|SS|BJ)|[A-Z]{{1,5}}\.US)(?![\w-])"
)
_LOOK_BACK_CHARS = 80
# Capitalised words, as names are in Latin script.
_LATIN_NAME = re.compile(
    r"(?:^|(?<=[^A-Za-z0-9&.'-]))((?:[A-Z0-9][\w&.'’-]{0,20}\s){0,4}[A-Z][\w&.'’-]{0,30})\s?$",
    re.ASCII,
)
_HAN_NAME = re.compile(r"([\u3400-\u9fffA-Za-z0-9·&*-]+)\s?$")
_HAN = re.compile(r"[\u3400-\u9fff]")
_MAX_HAN = 12


def tickers_in(text: str) -> tuple[Ticker, ...]:
    """Return the securities named in text, in order of first mention, each once.

    The name is the one in the markup, else the run of name characters before the
    bracket; None where that run is too long to be a name.
    """
    found: dict[str, Ticker] = {}
    for symbol, name in _mentions(text):
        before = found.get(symbol)
        if before is None:
            market = symbol.rpartition(".")[2] if "." in symbol else None
            found[symbol] = Ticker(symbol=symbol, name=name, market=market)
        else:
            count = {"mentions": before.mentions + 1, "name": before.name or name}
            found[symbol] = before.model_copy(update=count)
    return tuple(found.values())


def strip_markup(text: str) -> str:
    """Return text with ``$name (SYM.US)$`` written as ``name (SYM.US)``."""
    return _MARKED.sub(lambda found: found["alone"] or found[0][1:-1].rstrip(), text)


def _mentions(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield (symbol, name) for each mention, in order."""
    at = 0
    for found in _MARKED.finditer(text):
        yield from _plain_mentions(text, at, found.start())
        name = (found["name"] or found["short"] or "").strip() or None
        yield _symbol(found["code"] or found["us"] or found["alone"]), name
        at = found.end()
    yield from _plain_mentions(text, at, len(text))


def _plain_mentions(
    text: str, start: int, end: int
) -> Iterator[tuple[str, str | None]]:
    for found in _PLAIN.finditer(text, start, end):
        if code := found["code"]:
            begin = max(start, found.start() - _LOOK_BACK_CHARS)
            yield _symbol(code), _name_before(text[begin : found.start()])
        else:
            yield found["bare"], None


def _symbol(code: str) -> str:
    """Return code as code and market: SH600519 is 600519.SH, NYSE: T is T.US."""
    for exchange, market in _EXCHANGES.items():
        if code.startswith(exchange):
            bare = code[len(exchange) :].lstrip(" :：")
            return f"{bare.zfill(5) if market == 'HK' else bare}.{market}"
    if re.fullmatch(_PREFIXED, code):
        return f"{code[2:]}.{code[:2]}"
    return code


def _name_before(text: str) -> str | None:
    line = text.rpartition("\n")[2].rstrip("”」』》")
    if found := _LATIN_NAME.search(line):
        return found[1]
    found = _HAN_NAME.search(line)
    if not found or len(_HAN.findall(found[1])) > _MAX_HAN:
        return None
    return found[1] if _HAN.search(found[1]) else None
