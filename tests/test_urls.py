"""URLs as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import urls

BASE = "https://news.example.com/a/b.html?x=1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("c.html", "https://news.example.com/a/c.html"),
        ("//other.example/x", "https://other.example/x"),
        ("/新闻?q=中", "https://news.example.com/%E6%96%B0%E9%97%BB?q=%E4%B8%AD"),
        ("HTTP://Example.COM:80", "http://example.com/"),
        ("https://example.com:8443/x#frag", "https://example.com:8443/x"),
        ("/already%20encoded", "https://news.example.com/already%20encoded"),
        (" /blank ", "https://news.example.com/blank"),
        ("javascript:void(0)", None),
        ("mailto:a@b.example", None),
        ("http://", None),
        ("http://[broken", None),
        ("http://host:port/", None),
    ],
)
def test_absolute(url: str, expected: str | None) -> None:
    """Every form of a link becomes one spelling, or None where it leads nowhere."""
    assert urls.absolute(BASE, url) == expected


@given(st.text(max_size=80))
def test_absolute_never_raises_and_is_stable(url: str) -> None:
    """Arbitrary text gives a URL that is its own canonical spelling, or None."""
    found = urls.absolute(BASE, url)
    if found is not None:
        assert urls.canonical(found) == found


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("example.com",), True),
        (("=example.com",), False),
        (("=news.example.com",), True),
        (("*",), True),
        (("le.com",), False),
        (("news.example.com:8000",), False),
        ((), False),
    ],
)
def test_in_scope(hosts: tuple[str, ...], expected: bool) -> None:
    """A host covers its subdomains, with '=' itself alone, '*' is any."""
    assert urls.in_scope(BASE, hosts) is expected


def test_strip_params_keeps_the_rest_as_it_was() -> None:
    """Named parameters go, order and spelling of the others stay."""
    url = "https://a.example/p?b=%20&utm_source=x&level=1&a="
    assert urls.strip_params(url, ("level", "utm_*")) == "https://a.example/p?b=%20&a="


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.Example.com/A?b=1&a=2", "com,example)/a?a=2&b=1"),
        ("http://127.0.0.1:8901/", "1,0,0,127:8901)/"),
        ("urn:dom:https://x.example/A", "urn:dom:https://x.example/a"),
    ],
)
def test_surt(url: str, expected: str) -> None:
    """Keys sort by reversed host; URNs keep their scheme."""
    assert urls.surt(url) == expected


def test_path_and_query() -> None:
    """Item rules see the path and the query, never the host."""
    assert urls.path_and_query(BASE) == "/a/b.html?x=1"
    assert urls.path_and_query("https://a.example") == "/"
