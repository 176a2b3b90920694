"""Conditions of a configuration, evaluated on a row or an answer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import jmespath
from jmespath.exceptions import JMESPathError

from crawler.config.portal import Expression
from crawler.errors import ConfigError
from crawler.extract.document.selectors import elements, is_html, texts

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

    from crawler.config.portal import SkipRule
    from crawler.extract.document.page import Page
    from crawler.extract.document.selectors import Node
    from crawler.model import Json

_FOR_HTML = ("css:", "xpath:")


def is_met(condition: str, value: Json) -> bool | None:
    """Evaluate JMESPath as a yes or no; None where it finds nothing to judge by.

    0, "0" and "false" are a no, as APIs write it.

    Raises:
        ConfigError: the condition is no JMESPath.
    """
    found = search(condition, value)
    if found is None:
        return None
    return bool(found) and found not in ("0", "false", "False")


def search(path: str, value: Json) -> Json:
    """Return what JMESPath finds, None where there is nothing.

    Raises:
        ConfigError: the path is no JMESPath.
    """
    try:
        found: Json = _compiled(path.removeprefix("json:").strip()).search(value)
    except JMESPathError:  # a function met a type it does not take
        return None
    return found


def reason_to_skip(node: Node, skips: tuple[SkipRule, ...], page: Page) -> str | None:
    """Return the reason of the first skip rule that the row meets."""
    return next((skip.reason for skip in skips if _meets(skip.when, node, page)), None)


def _meets(condition: str, node: Node, page: Page) -> bool:
    if not is_html(node):
        if condition.startswith(_FOR_HTML):
            return False
        if condition.startswith("re:"):
            return bool(texts((_expression(condition),), node, page))
        return bool(is_met(condition, node))
    if condition.startswith("json:"):
        return False
    wanted = _expression(condition)
    if texts((wanted,), node, page):
        return True
    # An element without a text is found too: ``.ad-icon``.
    return wanted.re is None and wanted.attr is None and bool(elements((wanted,), node))


@lru_cache(maxsize=256)
def _expression(text: str) -> Expression:
    return Expression.model_validate(text)


@lru_cache(maxsize=256)
def _compiled(path: str) -> ParsedResult:
    try:
        return jmespath.compile(path)
    except JMESPathError as exc:
        raise ConfigError(f"{path!r} is no JMESPath: {exc}") from exc
