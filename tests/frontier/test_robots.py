"""robots.txt: what an answer allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier.robots import (
    MAX_BYTES,
    product_token,
    robots_url,
    rules_from,
)

AGENT = "portalkeep/0.1 (+https://example.org/portalkeep)"
HOST = "https://news.example.com"


def allows(text: str | bytes, path: str, agent: str = AGENT) -> bool:
    """Ask a file that was read without trouble."""
    return rules_from(200, text).allows(HOST + path, agent)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 451, 301, 304])
def test_no_file_allows_all(status: int) -> None:
    """Any 4xx, a refusal to show the file too, and endless redirects mean no rules."""
    robots = rules_from(status, "User-agent: *\nDisallow: /")
    assert robots.allows(f"{HOST}/x", AGENT)
    assert not robots.temporary
    assert robots.reason == f"no rules: status {status}"
    assert robots.crawl_delay_s(AGENT) is None


@pytest.mark.parametrize("status", [None, 500, 502, 503, 599, 600, 101, 0])
def test_unreachable_disallows_all_for_now(status: int | None) -> None:
    """While the file cannot be read nothing is visited but the file itself."""
    robots = rules_from(status, "User-agent: *\nAllow: /")
    assert not robots.allows(f"{HOST}/x", AGENT)
    assert robots.allows(f"{HOST}/robots.txt", AGENT)
    assert robots.temporary
    assert robots.reason.startswith("unreachable: ")


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /a", "/a/b", False),
        ("User-agent: *\nDisallow: /a", "/A", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /api?page=", "/api?page=2", False),
        ("User-agent: *\nDisallow: /新闻", "/%E6%96%B0%E9%97%BB/1", False),
        ("User-agent: *\nDisallow: /%E6%96%B0", "/%e6%96%b0%E9%97%BB/1", False),
        ("Disallow: /", "/x", True),
        ("user-AGENT : * # all\ndisallow:/a # why", "/a", False),
        ("User-agent: *\rDisallow: /a\r\rAllow: /a/b", "/a", False),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("Sitemap: https://x.example/s.xml\nUser-agent: *\nDisallow: /a", "/a", False),
    ],
)
def test_rules(text: str, path: str, expected: bool) -> None:
    """The longest rule that matches wins, allow before disallow."""
    assert allows(text, path) is expected


@pytest.mark.parametrize(
    ("group", "ours"),
    [
        ("portalkeep", True),
        ("PortalKeep", True),
        ("portalkeep/0.1", True),
        ("portalkeep/9", True),
        ("portalkeep # us", True),
        ("portalkeep*", True),
        ("portal", False),
        ("keep", False),
        ("p", False),
        ("portalkeeper", False),
        ("https", False),
        ("example.org", False),
        ("otherbot", False),
    ],
)
def test_only_our_own_group_is_ours(group: str, ours: bool) -> None:
    """A group counts when its name is our product token, whatever is around it."""
    text = f"User-agent: {group}\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n"
    assert allows(text, "/a") is not ours
    assert allows(text, "/b") is ours


def test_groups_of_one_name_are_one() -> None:
    """Rules of all groups that name us hold, and names may share a group."""
    text = (
        "User-agent: portalkeep\nDisallow: /a\n\nUser-agent: other\n"
        "User-agent: portalkeep\nDisallow: /b\n"
    )
    assert not allows(text, "/a")
    assert not allows(text, "/b")
    assert allows(text, "/c")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Crawl-delay: 2.5", 2.5),
        ("crawl-delay:10", 10.0),
        ("Crawl-delay: soon", None),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: inf", None),
        ("", None),
    ],
)
def test_crawl_delay(line: str, expected: float | None) -> None:
    """The delay of our group in seconds, None where it is no number."""
    robots = rules_from(200, f"User-agent: portalkeep\n{line}\nDisallow: /a\n")
    assert robots.crawl_delay_s(AGENT) == expected


def test_delay_of_others_is_not_ours() -> None:
    """A delay asked of others, or of all where we have a group, is not ours."""
    text = "User-agent: *\nCrawl-delay: 9\n\nUser-agent: portalkeep\nDisallow: /a\n"
    assert rules_from(200, text).crawl_delay_s(AGENT) is None
    assert rules_from(200, text).crawl_delay_s("other/1") == 9


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b""])
def test_marks_and_nuls_are_passed_over(mark: bytes) -> None:
    """A byte order mark or NULs do not hide the first line."""
    body = "User-agent: *\nDisallow: /a\n"
    encoded = body.encode("utf-16-le" if mark == b"\xff\xfe" else "utf-8")
    assert not allows(mark + encoded, "/a")
    assert not allows(mark + b"\0" + encoded, "/a")
    assert not allows("\ufeff" + body, "/a")


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><html><body>\nUser-agent: *\nDisallow: /\n</body></html>",
        " \n<html>\nuser agent *\ndisallow /\n",
        '<?xml version="1.0"?>\nUser-agent: *\nDisallow: /',
    ],
)
def test_a_page_in_its_place_has_no_rules(text: str) -> None:
    """A site that answers every path with its page has no robots.txt."""
    robots = rules_from(200, text)
    assert robots.allows(f"{HOST}/x", AGENT)
    assert robots.reason == "no rules: a page of markup"


def test_only_the_first_part_is_read() -> None:
    """Rules past MAX_BYTES are not read, and a rule cut there is none at all."""
    head = b"User-agent: *\nDisallow: /early\n"
    filler = b"#" * (MAX_BYTES - len(head) - 1 - len(b"Disallow: /l")) + b"\n"
    body = head + filler + b"Disallow: /late\nDisallow: /last\n"
    assert body[:MAX_BYTES].endswith(b"Disallow: /l")
    assert not allows(body, "/early")
    assert allows(body, "/late")
    assert allows(body, "/low")
    assert allows(body, "/last")


@given(st.one_of(st.text(), st.binary()), st.text(), st.text())
def test_nothing_in_a_file_raises(body: str | bytes, path: str, agent: str) -> None:
    """Whatever a host answers, there is a verdict."""
    group = "User-agent: *\nDisallow: "
    text = group + body if isinstance(body, str) else group.encode() + body
    robots = rules_from(200, text)
    assert robots.allows(f"{HOST}/{path}", agent) in (True, False)
    delay_s = robots.crawl_delay_s(agent)
    assert delay_s is None or delay_s >= 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://news.example.com/a/b?c#d", "https://news.example.com/robots.txt"),
        ("http://Example.com:8080", "http://example.com:8080/robots.txt"),
        ("https://example.com:443//x", "https://example.com/robots.txt"),
        ("http://[::1]:8000/x", "http://[::1]:8000/robots.txt"),
    ],
)
def test_robots_url(url: str, expected: str) -> None:
    """Scheme, host and port decide which file binds a URL."""
    assert robots_url(url) == expected


def test_robots_url_of_what_is_no_page() -> None:
    """What is no http(s) URL has no robots.txt."""
    with pytest.raises(ValueError, match="no http"):
        robots_url("mailto:a@b.example")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (AGENT, "portalkeep"),
        ("Portalkeep", "portalkeep"),
        ("  my-bot/2", "my-bot"),
        ("Mozilla/5.0 (compatible; Foobot/1.0)", "mozilla"),
        ("", ""),
    ],
)
def test_product_token(agent: str, expected: str) -> None:
    """The token is what stands before the version."""
    assert product_token(agent) == expected
