"""Where credentials stand in a configuration, and what only variables may bring."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.problem import Path

_SECRET_KEYS = {"store", "proxy", "login", "cookies", "ping"}
_SECRET_NAME = re.compile(
    r"auth|cookie|token|secret|passw|session|signature|(api|access)[-_]?key",
    re.IGNORECASE,
)
_NAMED = re.compile(r"""([\w.-]+)["']?\s*[=:]\s*["']?\Z""")
_LONGEST_NAME = 100
_PASSWORD = re.compile(r"://[^/@\s]*:(?!\$\{)[^/@\s]+@")
_LOGIN_TEXT = ("login", "fields")
_CREDENTIAL_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "x-auth-token"}
)
_FROM_OUTSIDE = re.compile(r"(?<!\$)\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_DEFAULT = ":-"


def is_secret(path: Path) -> bool:
    """Tell whether what a variable brings to path is a secret."""
    keys = [part for part in path if isinstance(part, str)]
    if not _SECRET_KEYS.isdisjoint(keys):
        return True
    named = {"headers", "params"} & set(keys[:-1])
    return bool(named) and _SECRET_NAME.search(keys[-1]) is not None


def is_behind_secret_name(text: str) -> bool:
    """Tell whether text ends in a name that asks for a secret: ``…?token=``."""
    found = _NAMED.search(text[-_LONGEST_NAME:])
    return found is not None and _SECRET_NAME.search(found[1]) is not None


def credentials(url: str) -> Iterator[str]:
    """Yield the user part of a URL and the password in it, where it has them."""
    user, at, _ = url.partition("://")[2].rpartition("@")
    if at:
        yield user
        yield from filter(None, [user.partition(":")[2]])


def has_password(text: str) -> bool:
    """Tell whether a URL in text holds a password that no variable brings."""
    return _PASSWORD.search(text) is not None


def is_login_text(path: Path) -> bool:
    """Tell whether path is what is filled into a field of a login."""
    return path[-3:-1] == _LOGIN_TEXT


def is_ping(path: Path) -> bool:
    """Tell whether path is what is told of scheduled runs: who has it can tell, too."""
    return path[-2:] == ("schedule", "ping")


def is_credential_header(path: Path) -> bool:
    """Tell whether path is a header whose value is a credential and nothing else."""
    named = path[-2:-1] == ("headers",)
    return named and str(path[-1]).lower() in _CREDENTIAL_HEADERS


def only_from_outside(text: str) -> bool:
    """Tell whether a variable brings what is secret of text, which has no default."""
    return _FROM_OUTSIDE.search(text) is not None and _DEFAULT not in text
