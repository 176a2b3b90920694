"""What the address of a further page has in common with the page it follows."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from crawler import urls

_PAGE = r"(?:page|pages|seite|pagina|pag|strona|p|pg)"
_TAIL = re.compile(
    rf"(?:[/_.-]?(?:{_PAGE}|list|index|default))?[/_=-]?\d*(?:[-_]\d+)*"
    r"(?:\.\w{2,6})?/?$",
    re.IGNORECASE,
)
_IN_PATH = re.compile(rf"[/_-]{_PAGE}[/_-]?\d+", re.IGNORECASE)
_KEY = re.compile(
    r"^(?:.*page.*|p|pg|pn|pagina|seite|start|offset|from|cursor|after|skip|limitstart"
    r"|pagen_\d+|first|updated-max)$",
    re.IGNORECASE,
)


def is_page_of(url: str, listing: str) -> bool:
    """Tell whether url looks like another page of the listing at that URL."""
    return _stem_of(url) == _stem_of(listing)


def names_a_page(url: str) -> bool:
    """Tell whether a URL's query or path says that it is a numbered page."""
    parts = urlsplit(url)
    keys = (part.partition("=")[0] for part in parts.query.split("&") if part)
    return any(map(_KEY.match, keys)) or _IN_PATH.search(parts.path) is not None


def host_of(url: str) -> str:
    """Return a URL's host without ``www.``."""
    return urls.hostname_of(url).removeprefix("www.")


def _stem_of(url: str) -> str:
    """Return host and path without what tells one page of a listing from another."""
    path = _TAIL.sub("", unquote(urlsplit(url).path)).rstrip("/")
    return host_of(url) + path.lower()
