"""URLs as values: make absolute, cut, compare, sort; no look-up, no fetch.

One spelling of a URL (``canonical``) is what the frontier compares and the archive
stores as WARC-Target-URI; ``surt`` is only the sort key of the index.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit, urlunsplit

from w3lib.url import safe_url_string

MAX_URL_CHARACTERS = 8_190
"""Longer URLs are refused; common servers answer 414 beyond it."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WWW = re.compile(r"^www\d*\.")


def absolute(base: str, url: str) -> str | None:
    """Return url as seen from base in canonical spelling, None if it is no http(s) URL.

    Fragments are cut; protocol-relative and relative forms are resolved.
    """
    try:
        return canonical(urljoin(base, url.strip()))
    except ValueError:
        return None


@lru_cache(maxsize=1024)  # a page's own URL is looked at many times
def canonical(url: str) -> str:
    """Return the one spelling of an http(s) URL.

    Scheme and host in lower case, host in its ASCII form, default port and fragment
    cut, empty path ``/``, what must be percent-encoded encoded once; the order of the
    query and everything else stays.

    Raises:
        ValueError: not an http(s) URL with a host.

    Source: RFC 3986 section 6.2; WHATWG URL for what is encoded.
    """
    parts = urlsplit(safe_url_string(url.strip()))
    host = parts.hostname
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host:
        message = f"{url[:200]!r} is no http or https URL"
        raise ValueError(message)
    return urlunsplit(
        (scheme, _authority(parts, host), parts.path or "/", parts.query, "")
    )


def _authority(parts: SplitResult, host: str) -> str:
    name = f"[{host}]" if ":" in host else host.rstrip(".") or host
    port = parts.port
    if port is None or port == _DEFAULT_PORTS[parts.scheme.lower()]:
        return name
    return f"{name}:{port}"


def scheme_of(url: str) -> str:
    """Return the scheme in lower case, "" where there is none."""
    found = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*):", url)
    return found[1].lower() if found else ""


def host_of(url: str) -> str:
    """Return host, with its port where that is not the default one."""
    try:
        parts = urlsplit(url)
        return _authority(parts, parts.hostname) if parts.hostname else ""
    except (ValueError, KeyError):
        return ""


def hostname_of(url: str) -> str:
    """Return the host alone, in lower case, "" where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def in_scope(url: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether the URL's host is one of hosts.

    ``example.com`` means it and its subdomains, ``=example.com`` it alone, ``*`` any;
    with a port (``127.0.0.1:8000``) only that port counts.
    """
    name, authority = hostname_of(url), host_of(url)
    return bool(name) and any(_names(host.lower(), name, authority) for host in hosts)


def _names(host: str, name: str, authority: str) -> bool:
    if host == "*":
        return True
    alone, host = host.startswith("="), host.removeprefix("=")
    if host in (name, authority):
        return True
    return not alone and name.endswith(f".{host}")


def path_and_query(url: str) -> str:
    """Return what item rules are matched against: the path, and ``?query`` if any."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def strip_params(url: str, names: tuple[str, ...]) -> str:
    """Return the URL without the query parameters in names; the rest is untouched.

    A name that ends in ``*`` cuts all that begin so (``utm_*``).
    """
    parts = urlsplit(url)
    if not parts.query or not names:
        return url
    kept = [
        part
        for part in parts.query.split("&")
        if not _is_named(unquote_plus(part.partition("=")[0]), names)
    ]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _is_named(parameter: str, names: tuple[str, ...]) -> bool:
    return any(
        parameter.startswith(name[:-1]) if name.endswith("*") else parameter == name
        for name in names
    )


def surt(url: str) -> str:
    """Return the sort-friendly key: reversed host, port, path, sorted query.

    ``https://www.Example.com/A?b=1&a=2`` → ``com,example)/a?a=2&b=1``; IPv4 hosts are
    reversed too, as common CDXJ indexers do.  URLs without a host, such as
    ``urn:dom:…``, keep their scheme and are only put in lower case.

    Source: SURT as in CDXJ (IIPC); reference indexers' treatment of IPv4.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = f":{parts.port}" if _has_odd_port(parts) else ""
    except ValueError:  # a broken host or port; index lines of others may hold one
        return url.lower()
    if not host:
        return url.lower()
    name = host if ":" in host else _reversed(_WWW.sub("", host))
    query = "&".join(sorted(parts.query.lower().split("&"))) if parts.query else ""
    path = (parts.path or "/").lower()
    return f"{name}{port}){path}" + (f"?{query}" if query else "")


def _reversed(host: str) -> str:
    return ",".join(reversed(host.split(".")))


def _has_odd_port(parts: SplitResult) -> bool:
    return parts.port is not None and parts.port != _DEFAULT_PORTS.get(parts.scheme)
