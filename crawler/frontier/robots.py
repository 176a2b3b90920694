"""robots.txt as a value: what a host lets us visit, and how slowly.

1. 2xx: the file's rules, of its first MAX_BYTES; what is no robots.txt has none.
2. 3xx that lead nowhere and 4xx, 401 and 403 among them: there are no rules, all is
   allowed.
3. 5xx, any other status or none: all is disallowed until the file can be read.

Source: RFC 9309; Crawl-delay is not in it but widely used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from protego import Protego

from crawler import urls

MAX_BYTES = 500 * 1024
PATH = "/robots.txt"

_GROUP = re.compile(
    r"^([ \t]*user[- ]?agent[ \t]*[: \t][ \t]*)([^\s:*/#;]+).*$",
    re.IGNORECASE | re.MULTILINE,
)
_TOKEN = re.compile(r"[^\s*/#;()]+")
_END = ";"
"""Ends each name, since the parser also takes the group `portal` for `portalkeep`."""


@dataclass(frozen=True, slots=True, eq=False)
class Robots:
    """What one host's robots.txt says.

    Attributes:
        reason: why it is so, one line: ``rules``, ``no rules: status 403``,
            ``unreachable: status 503``.
        temporary: the file could not be read; ask again soon, not after its TTL.
        rules: None where all URLs are treated alike.
    """

    reason: str
    temporary: bool = False
    rules: Protego | None = None

    def allows(self, url: str, user_agent: str) -> bool:
        """Tell whether user_agent may visit the URL; robots.txt itself it always may.

        Args:
            url: absolute, of this host.
            user_agent: as sent, or its product token.
        """
        if urls.path_and_query(url) == PATH:
            return True
        if self.rules is None:
            return not self.temporary
        return self.rules.can_fetch(url, product_token(user_agent) + _END)

    def crawl_delay_s(self, user_agent: str) -> float | None:
        """Return the seconds between two visits asked of user_agent, None for none."""
        if self.rules is None:
            return None
        return self.rules.crawl_delay(product_token(user_agent) + _END)


def robots_url(url: str) -> str:
    """Return where the robots.txt is that binds a URL.

    Raises:
        ValueError: not an http(s) URL with a host.
    """
    return urljoin(urls.canonical(url), PATH)


def product_token(user_agent: str) -> str:
    """Return the name groups go by: ``portalkeep/0.1 (+…)`` → ``portalkeep``.

    Source: RFC 9309 section 2.2.1; RFC 9110 section 10.1.5.
    """
    found = _TOKEN.match(user_agent.strip())
    return found[0].lower() if found else ""


def rules_from(status: int | None, text: str | bytes) -> Robots:
    """Return what an answer to a request for robots.txt means.

    Args:
        status: of the final response, redirects followed; None where none came.
        text: its body, content-coding undone; bytes are read as UTF-8.

    Source: RFC 9309 section 2.3.1.
    """
    if status is None:
        return Robots("unreachable: no response", temporary=True)
    if 200 <= status < 300:  # noqa: PLR2004 - status classes
        return _parsed(text)
    if 300 <= status < 500:  # noqa: PLR2004 - status classes
        return Robots(f"no rules: status {status}")
    return Robots(f"unreachable: status {status}", temporary=True)


def _parsed(text: str | bytes) -> Robots:
    lines = _first_part(
        text.encode("utf-8", "replace") if isinstance(text, str) else text
    )
    if lines.lstrip().startswith("<"):
        return Robots("no rules: a page of markup")
    return Robots("rules", rules=Protego.parse(_GROUP.sub(rf"\1\2{_END}", lines)))


def _first_part(body: bytes) -> str:
    """Return the whole lines among the first MAX_BYTES, marks and NULs dropped."""
    part = body[:MAX_BYTES]
    text = part.decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff\ufffd")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if len(part) == len(body) else text.rpartition("\n")[0]
