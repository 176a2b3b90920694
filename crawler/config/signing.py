"""Functions that sign a listing's requests: named in YAML, written by the operator.

A function is pure: of the parameters of the query and of the body it makes the
parameters to add, and of the same always the same, or replay finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import TypeAlias

Signer: TypeAlias = Callable[[Mapping[str, str], str], Mapping[str, str]]
"""Takes the query's parameters and the body; returns the parameters to add."""


@lru_cache(maxsize=64)
def load_signer(name: str) -> Signer:
    """Return the function that ``module:function`` names.

    Raises:
        ValueError: there is none; the message says what is missing.
    """
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name.isidentifier():
        message = f"{name!r} names no function; write it like package.module:function"
        raise ValueError(message)
    try:
        module = import_module(module_name)
    except Exception as exc:  # whatever the operator's module raises
        said = f"{type(exc).__name__}: {exc}"
        message = f"{module_name!r} cannot be imported ({said}); is it in PYTHONPATH?"
        raise ValueError(message) from exc
    signer = getattr(module, function_name, None)
    if not callable(signer):
        message = f"{module_name!r} has no function {function_name!r}"
        raise ValueError(message)  # noqa: TRY004 - what a configuration check reports
    found: Signer = signer
    return found


def signer_fault(name: str) -> str | None:
    """Tell in one line why a function cannot be used, None where it can."""
    try:
        load_signer(name)
    except ValueError as exc:
        return str(exc)
    return None
