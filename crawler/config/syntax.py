"""Tell why an expression, a pattern or a name of the configuration cannot be used.

Each function returns None for what can be used, else one line.
"""

from __future__ import annotations

import codecs
import re
from datetime import UTC, date, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import jmespath
from cssselect import HTMLTranslator, SelectorError
from jmespath.exceptions import JMESPathError
from lxml import etree

from crawler.config.problem import did_you_mean

_ANY_TIME = datetime(2023, 11, 12, 13, 14, 15, tzinfo=UTC)


def css_fault(selector: str) -> str | None:
    """Check a CSS selector; it may begin with a combinator, seen from the row."""
    scoped = f":scope {selector}" if selector[:1] in {">", "+", "~"} else selector
    try:
        etree.XPath(HTMLTranslator().css_to_xpath(scoped))
    except (SelectorError, etree.XPathError, ValueError) as exc:
        return f"{selector!r} is no CSS selector: {exc}"
    return None


def xpath_fault(path: str) -> str | None:
    """Check an XPath 1.0 expression; the prefix re: of EXSLT is known."""
    try:
        etree.XPath(path, namespaces={"re": "http://exslt.org/regular-expressions"})
    except (etree.XPathError, ValueError) as exc:
        return f"{path!r} is no XPath: {exc}"
    return None


def jmespath_fault(path: str) -> str | None:
    """Check a JMESPath expression."""
    try:
        jmespath.compile(path)
    except (JMESPathError, ValueError) as exc:
        reason = str(exc).splitlines()[0].rstrip(": ")
        return f"{path!r} is no JMESPath: {reason}"
    return None


def regex_fault(pattern: str) -> str | None:
    """Check a regular expression."""
    try:
        re.compile(pattern, re.MULTILINE)
    except re.error as exc:
        return f"{pattern!r} is no regular expression: {exc}"
    return None


def time_form_fault(form: str) -> str | None:
    """Check a strptime form: it must read what it writes."""
    try:
        datetime.strptime(_ANY_TIME.strftime(form), form)  # noqa: DTZ007 - not kept
    except (ValueError, re.error) as exc:  # the latter: a directive given twice
        return f"{form!r} is no form of a time: {exc}"
    return None


def timezone_fault(name: str) -> str | None:
    """Check the name of a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(name, available_timezones())
        return f"{name!r} is no time zone{near or '; write it like Asia/Shanghai'}"
    return None


def day_fault(text: str) -> str | None:
    """Check a day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return f"{text!r} is no day; write it like 2025-07-15"
    return None


def encoding_fault(name: str) -> str | None:
    """Check the name of a character encoding; ``auto`` finds it out."""
    if name == "auto":
        return None
    try:
        codecs.lookup(name)
    except LookupError:
        near = did_you_mean(name, ("auto", "utf-8", "gbk", "gb18030", "big5"))
        return f"{name!r} is no encoding{near or '; write auto, utf-8, gb18030 …'}"
    return None


def url_fault(url: str) -> str | None:
    """Check an absolute HTTP address; placeholders may stand in it."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fine = False
    if fine:
        return None
    return f"{url!r} is no http address; write it in full: https://example.com/news"
