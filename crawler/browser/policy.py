"""Where a page may go on its own: anywhere public, but not to the browser's makers.

A browser talks to its vendor whatever flags it gets; that traffic is nobody's page and
never leaves.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from crawler.addresses import private_host

VENDOR_HOSTS = (
    "accounts.google.com",
    "android.clients.google.com",
    "chromewebstore.googleapis.com",
    "clients.google.com",
    "clients1.google.com",
    "clients2.google.com",
    "clients2.googleusercontent.com",
    "clients3.google.com",
    "clients4.google.com",
    "clients5.google.com",
    "clients6.google.com",
    "clientservices.googleapis.com",
    "content-autofill.googleapis.com",
    "dl.google.com",
    "gvt1.com",
    "gvt2.com",
    "mtalk.google.com",
    "optimizationguide-pa.googleapis.com",
    "passwordsleakcheck-pa.googleapis.com",
    "safebrowsing.google.com",
    "safebrowsing.googleapis.com",
    "safebrowsingohttpgateway.googleapis.com",
    "sb-ssl.google.com",
    "tools.google.com",
    "update.googleapis.com",
)
"""Update, telemetry, safe browsing, sync: these and every name below them."""


def is_vendor(host: str) -> bool:
    """Tell whether host is one that a browser asks on its own."""
    name = host.lower().rstrip(".")
    return any(name == one or name.endswith(f".{one}") for one in VENDOR_HOSTS)


def allow_public(host: str, port: int, url: str) -> bool:  # noqa: ARG001 - an `Allow`
    """Let a page ask any public host by http or https; only the host's text is read."""
    if urlsplit(url).scheme not in ("http", "https"):
        return False
    return private_host(host) is None and not is_vendor(host)
