"""Evaluate the configuration's rules on pages and rows.

A rule is a tuple of expressions; the first that finds something wins.  An expression's
steps run in this order: select (CSS, XPath, JMESPath), ``attr``, ``re``, ``split``.
A path without a prefix is CSS on HTML and JMESPath on JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from jmespath.exceptions import JMESPathError
from lxml import etree

from crawler.errors import ConfigError
from crawler.extract.document import compiled
from crawler.extract.document.text import collapse, visible_lines, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

    from crawler.config.portal import Expression, Rule
    from crawler.extract.document.page import Page
    from crawler.model import Json

Node: TypeAlias = "HtmlElement | Json"
"""Where a rule starts: an element of an HTML page, or a JSON value."""

MAX_REGEX_CHARACTERS = 100_000
"""Regular expressions of the configuration see no more text than this."""


@dataclass(frozen=True, slots=True)
class Found:
    """A text that a rule found, and how: ``css:h1``, ``json:data.title``, ``re:…``.

    Attributes:
        format: the expression's strptime form, for times.
    """

    text: str
    method: str
    format: str | None = None


def texts(rule: Rule, node: Node, page: Page) -> list[Found]:
    """Return what rule finds in node, in order, each as one line and none empty.

    Raises:
        ConfigError: an expression cannot be compiled.
    """
    return _first_found(rule, node, page, whole=False)


def raw_texts(rule: Rule, node: Node, page: Page) -> list[Found]:
    """Return what rule finds with white space kept, such as HTML inside JSON.

    Raises:
        ConfigError: an expression cannot be compiled.
    """
    return _first_found(rule, node, page, whole=True)


def first(rule: Rule, node: Node, page: Page) -> Found | None:
    """Return the first text that rule finds in node, None where there is none."""
    found = texts(rule, node, page)
    return found[0] if found else None


def elements(rule: Rule, node: Node) -> list[Node]:
    """Return the elements (HTML) or the values of the list (JSON) that rule selects.

    A JSON path to one object gives that object alone.

    Raises:
        ConfigError: an expression cannot be compiled.
    """
    return located(rule, node)[0]


def located(rule: Rule, node: Node) -> tuple[list[Node], str]:
    """Return what `elements` gives, and the method of the expression that found it."""
    for expression in rule:
        found = [value for value in _select(expression, node) if _is_node(value)]
        if found:
            return found, method_of(expression, node)
    return [], ""


def method_of(expression: Expression, node: Node) -> str:
    """Return how the expression reads node, as provenance writes it."""
    kind, path = _selector(expression, node)
    method = f"{kind}:{path}" if kind else ""
    if expression.attr is not None:
        method += f"::attr({expression.attr})"
    if expression.re is not None:
        method += f" re:{expression.re}"
    return method.strip() if expression.value is None else "value"


def select_css(selector: str, element: HtmlElement) -> list[HtmlElement]:
    """Return the elements in element that a bare CSS selector (``remove``) finds.

    Raises:
        ConfigError: it is no selector.
    """
    found = _search_html(compiled.css(selector), element)
    return [node for node in found if is_html(node)]


def is_html(node: object) -> TypeGuard[HtmlElement]:
    """Tell whether node is an element of an HTML page, not a JSON value."""
    return isinstance(node, etree.ElementBase)


def _first_found(rule: Rule, node: Node, page: Page, *, whole: bool) -> list[Found]:
    for expression in rule:
        method = method_of(expression, node)
        read = _read(expression, node, page, whole=whole)
        found = [
            Found(text, method, expression.format)
            for text in read
            if text and not text.isspace()
        ]
        if found:
            return found
    return []


def _read(
    expression: Expression, node: Node, page: Page, *, whole: bool
) -> Iterator[str]:
    if expression.value is not None:
        yield expression.value
        return
    if not _selector(expression, node)[0] and expression.attr is None:
        selected: Iterable[str] = _lines_of(node, page)
    else:
        values = _select(expression, node)
        selected = (text for value in values for text in _text(value, expression.attr))
    for text in selected:
        shown = text if whole else collapse(text)
        for part in _split(_searched(shown, expression.re), expression.split):
            yield part if whole else part.strip()


def _searched(text: str, pattern: str | None) -> str | None:
    if pattern is None:
        return text
    found = compiled.pattern(pattern).search(text[:MAX_REGEX_CHARACTERS])
    if found is None:
        return None
    return found[1] if found.re.groups else found[0]


def _split(text: str | None, pattern: str | None) -> list[str]:
    if text is None:
        return []
    if pattern is None:
        return [text]
    parts = compiled.pattern(pattern).split(text[:MAX_REGEX_CHARACTERS])
    return [part for part in parts if part]


def _selector(expression: Expression, node: Node) -> tuple[str, str]:
    """Return (kind, path) with kind one of css, xpath, json, or "" for none."""
    if expression.path is not None:
        return ("css" if is_html(node) else "json"), expression.path
    for kind, path in (
        ("css", expression.css),
        ("xpath", expression.xpath),
        ("json", expression.json_path),
    ):
        if path is not None:
            return kind, path
    return "", ""


def _select(expression: Expression, node: Node) -> list[object]:
    kind, path = _selector(expression, node)
    if not kind:
        return [node]
    if kind == "json":
        return [] if is_html(node) else _search_json(path, node)
    if not is_html(node):
        return []
    return _search_html(
        compiled.xpath(path) if kind == "xpath" else compiled.css(path), node
    )


def _search_html(path: etree.XPath, node: HtmlElement) -> list[object]:
    try:
        found = path(node)
    except etree.XPathError as exc:
        raise ConfigError(f"xpath {path.path!r} cannot be evaluated: {exc}") from exc
    return list(found) if isinstance(found, list) else [found]


def _search_json(path: str, node: Node) -> list[object]:
    try:
        found = compiled.json_path(path).search(node)
    except JMESPathError:  # a function met a type it does not take: nothing there
        return []
    if isinstance(found, list):
        return [value for value in found if value is not None]
    return [] if found is None else [found]


def _is_node(value: object) -> TypeGuard[Node]:
    return is_html(value) or isinstance(value, dict | list)


def _text(value: object, attribute: str | None) -> list[str]:
    if is_html(value):
        return _text_of_element(value, attribute)
    if isinstance(value, bool):
        return ["true"] if value else []
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int | float):
        return [str(value)]
    if isinstance(value, list):
        return [text for part in value for text in _scalar(part)]
    return []


def _scalar(value: object) -> list[str]:
    return [str(value)] if isinstance(value, str | int | float) else []


def _text_of_element(element: HtmlElement, attribute: str | None) -> list[str]:
    if attribute is None:
        return [visible_text(element)]
    value = element.get(attribute)
    return [] if value is None else [str(value)]


def _lines_of(node: Node, page: Page) -> Iterator[str]:
    """Yield the lines of node, MAX_REGEX_CHARACTERS of them in all."""
    left = MAX_REGEX_CHARACTERS
    for line in _all_lines(node, page):
        if left <= 0:
            return
        yield line[:left]
        left -= len(line)


def _all_lines(node: Node, page: Page) -> Iterable[str]:
    if is_html(node):
        return page.lines if page.is_root(node) else visible_lines(node)
    return _strings(node)


def _strings(value: Json) -> Iterator[str]:
    """Yield the lines of all strings in a JSON value, in document order."""
    stack: list[Json] = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield from top.splitlines()
        elif isinstance(top, dict):
            stack.extend(reversed(top.values()))
        elif isinstance(top, list):
            stack.extend(reversed(top))
