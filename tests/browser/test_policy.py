from __future__ import annotations

import pytest

from crawler.browser.policy import VENDOR_HOSTS, allow_public, is_vendor


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example/app.js",
        "http://portal.example:8080/",
        "https://93.184.216.34/x",
        "https://fonts.googleapis.com/css",
        "https://www.gstatic.com/x.js",
        "https://notgvt1.com/",
    ],
)
def test_pages_may_ask_anybody_public(url: str) -> None:
    """Any public host is a page's to ask, on any port."""
    assert allow_public(url.split("/")[2].partition(":")[0], 443, url)


@pytest.mark.parametrize(
    "host",
    [
        *VENDOR_HOSTS,
        "edgedl.me.gvt1.com",
        "redirector.gvt1.com",
        "Clients2.Google.com",
        "update.googleapis.com.",
    ],
)
def test_the_browsers_own_hosts_are_refused(host: str) -> None:
    """Update, telemetry and safe-browsing hosts are nobody's page."""
    assert is_vendor(host)
    assert not allow_public(host, 443, f"https://{host}/")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1/"),
        ("localhost", "http://localhost/"),
        ("169.254.169.254", "http://169.254.169.254/latest"),
        ("0x7f.1", "http://0x7f.1/"),
        ("nas.local", "https://nas.local/"),
        ("portal.example", "ftp://portal.example/"),
    ],
)
def test_strangers_only_and_only_by_http(host: str, url: str) -> None:
    """What is private by its spelling, or no web at all, is refused unasked."""
    assert not allow_public(host, 80, url)
