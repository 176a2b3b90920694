"""Expressions of the configuration, compiled once each."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import jmespath
from cssselect import HTMLTranslator, SelectorError
from jmespath.exceptions import JMESPathError
from lxml import etree

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

_KEPT = 1024
_NAMESPACES = {"re": "http://exslt.org/regular-expressions"}


@lru_cache(maxsize=_KEPT)
def css(selector: str) -> etree.XPath:
    """Return a CSS selector as XPath; it may begin with a combinator (``> li``).

    Raises:
        ConfigError: it is no selector.
    """
    scoped = f":scope {selector}" if selector[:1] in {">", "+", "~"} else selector
    try:
        return etree.XPath(HTMLTranslator().css_to_xpath(scoped))
    except (SelectorError, etree.XPathError) as exc:
        raise ConfigError(f"{selector!r} is no CSS selector: {exc}") from exc


@lru_cache(maxsize=_KEPT)
def xpath(path: str) -> etree.XPath:
    """Return an XPath; ``re:test`` and its kin are there.

    Raises:
        ConfigError: it is none.
    """
    try:
        return etree.XPath(path, namespaces=_NAMESPACES)
    except etree.XPathError as exc:
        raise ConfigError(f"{path!r} is no XPath: {exc}") from exc


@lru_cache(maxsize=_KEPT)
def json_path(path: str) -> ParsedResult:
    """Return a JMESPath.

    Raises:
        ConfigError: it is none.
    """
    try:
        return jmespath.compile(path)
    except JMESPathError as exc:
        raise ConfigError(f"{path!r} is no JMESPath: {exc}") from exc


@lru_cache(maxsize=_KEPT)
def pattern(expression: str) -> re.Pattern[str]:
    """Return a regular expression; ``^`` and ``$`` are those of a line.

    Raises:
        ConfigError: it is none.
    """
    try:
        return re.compile(expression, re.MULTILINE)
    except re.error as exc:
        raise ConfigError(f"{expression!r} is no regular expression: {exc}") from exc
