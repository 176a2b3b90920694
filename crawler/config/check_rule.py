"""What is wrong with single expressions and patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config import syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crawler.config.check import Finding
    from crawler.config.problem import Path
    from crawler.config.rule import Expression, Rule

HTML = "HTML"
JSON = "JSON"
ANY = frozenset({HTML, JSON})
_READS = {"css": HTML, "xpath": HTML, "json_path": JSON}
_FAULT = {
    "css": syntax.css_fault,
    "xpath": syntax.xpath_fault,
    "json_path": syntax.jmespath_fault,
    "re": syntax.regex_fault,
    "split": syntax.regex_fault,
    "format": syntax.time_form_fault,
}


def faults(
    path: Path, fault: Callable[[str], str | None], *texts: str | None
) -> Iterator[Finding]:
    """Yield the fault of every text; of several, path and position tell which."""
    for at, text in enumerate(texts):
        if text is not None and (what := fault(text)) is not None:
            yield (*path, at), f"{_key(path)}: {what}"


def rule_faults(
    path: Path, rule: Rule, on: frozenset[str] = frozenset({HTML})
) -> Iterator[Finding]:
    """Yield what is wrong with a rule that reads HTML, JSON or either."""
    for at, expression in enumerate(rule):
        for what in _expression_faults(expression, on):
            yield (*path, at), f"{_key(path)}: {what}"


def _expression_faults(expression: Expression, on: frozenset[str]) -> Iterator[str]:
    for step, fault in _FAULT.items():
        text = getattr(expression, step)
        if text is None:
            continue
        if _READS.get(step, HTML if HTML in on else JSON) not in on:
            there = " or ".join(sorted(on))
            name = step.removesuffix("_path")
            yield f"{name}: reads {_READS[step]}, but what stands here is {there}"
        elif (what := fault(text)) is not None:
            yield what
    if expression.path is not None:
        found = [_path_fault(expression.path, kind) for kind in sorted(on)]
        if all(found):
            yield str(found[0])


def _path_fault(path: str, kind: str) -> str | None:
    return syntax.css_fault(path) if kind == HTML else syntax.jmespath_fault(path)


def _key(path: Path) -> str:
    return repr(next((part for part in reversed(path) if isinstance(part, str)), ""))
