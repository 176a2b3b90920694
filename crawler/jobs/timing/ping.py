"""Pings: an HTTP service is told when a scheduled crawl starts and how it ended.

The addresses are those of healthchecks.io and of what does as it does: ``/start``,
``/<exit code>``, ``/fail`` where there is no exit code.  A ping that fails is a warning
and no more.
"""

from __future__ import annotations

import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from crawler import __version__
from crawler.log import get_log, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

START, FAIL = "start", "fail"
TIMEOUT_S = 10.0
TRIES = 2
LONGEST = 10_000
"""Characters of what is said with a ping."""
log = get_log(__name__)


def ended(exit_code: int | None) -> str:
    """Return the word for how a crawl ended."""
    return FAIL if exit_code is None else str(exit_code)


def ping(urls: Iterable[str], word: str, text: str = "") -> None:
    """Tell each of urls a word, with a text for people; never raises."""
    for url in urls:
        errors = []
        for _ in range(TRIES):
            if (error := _post(address(url, word), text)) is None:
                break
            errors.append(error)
        if len(errors) == TRIES:
            log.warning("ping_failed", word=word, error=shown(errors[-1]))


def address(url: str, word: str) -> str:
    """Return the address of a word: behind the path, before a query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{word}"))


def _post(url: str, text: str) -> str | None:
    """Post text; return why that failed, None where it did not."""
    request = urllib.request.Request(  # noqa: S310 - the configuration takes http and https
        url,
        data=shown(text)[:LONGEST].encode(),
        headers={
            "User-Agent": f"portalkeep/{__version__}",
            "Content-Type": "text/plain; charset=utf-8",
        },
    )
    # As for pages, the environment's proxies are not ours.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S):
            return None
    except (OSError, HTTPException, ValueError) as exc:
        return f"{type(exc).__name__}: {exc}"
