"""Whose cookies a shown page has: those of its host, and of a state each domain's."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from crawler.block import Block
from crawler.browser.behaviour import Surroundings
from crawler.browser.context import cookies_of, options_of
from crawler.browser.offline import Absence, OfflinePort, Question
from crawler.browser.renderer import Order, Renderer
from tests.browser.test_renderer import NAMES
from tests.site.behaviours import sized

if TYPE_CHECKING:
    from crawler.model import Json

URL = "https://www.harbour.example/news/today/1.html"
FRESH = (("sid", "fresh"), ("lang", "fr"), ("__Host-k", "1"))
ASKS = b"""<!doctype html><p>x</p><script>
const ask = url => fetch(url, {mode: 'no-cors', credentials: 'include'});
const all = ['/api/', '//sub.www.harbour.example/', '//img.harbour.example/'];
Promise.allSettled(all.map(ask)).then(() => document.body.className = 'done')
</script>"""


def cookie(domain: str, value: str, **more: Json) -> dict[str, Json]:
    """Return a session's cookie as a state has it."""
    usual: dict[str, Json] = {"path": "/", "expires": -1, "sameSite": "None"}
    made: dict[str, Json] = {"name": "sid", "domain": domain, "value": value}
    return {**made, **usual, "secure": True, **more}


def order(
    cookies: tuple[tuple[str, str], ...], *state: dict[str, Json], url: str = URL
) -> Order:
    """Return an order with cookies and a state."""
    around = Surroundings(state={"cookies": list(state), "origins": []})
    return Order(url, "tester/1", around=around, wait_for=(".done",), cookies=cookies)


def asked(wanted: Order) -> dict[str, str]:
    """Return the cookies that each URL was asked for with, when a page is shown."""
    seen: dict[str, str] = {}

    def answer(question: Question) -> Block | Absence:
        headers = {name.lower(): value for name, value in question.headers}
        seen[question.url] = headers.get(b"cookie", b"").decode()
        return Block(sized(ASKS, b"Content-Type: text/html"))

    async def run() -> None:
        renderer = Renderer(timeout_s=20.0)
        port = OfflinePort(answer)
        await port.open()
        try:
            await renderer.render(wanted, port.server)
        finally:
            await renderer.close()
            await port.close()

    asyncio.run(run())
    return {url: "; ".join(sorted(text.split("; "))) for url, text in seen.items()}


@pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
def test_each_host_is_sent_its_own_cookies() -> None:
    """The session goes to all paths of the page's host, and to no other's cookie."""
    other = cookie("img.harbour.example", "theirs")
    sent = asked(order(FRESH, other, cookie(".harbour.example", "old")))
    whole = "__Host-k=1; lang=fr; sid=fresh"
    assert (sent[URL], sent["https://www.harbour.example/api/"]) == (whole, whole)
    assert sent["https://sub.www.harbour.example/"] == "sid=fresh"
    assert sent["https://img.harbour.example/"] == "sid=fresh; sid=theirs"
    address = "http://[2001:db8::1]/deep/x"
    sent = asked(order(FRESH, other, url=address))
    assert sent[address] == "lang=fr; sid=fresh"
    assert sent["http://[2001:db8::1]/api/"] == "lang=fr; sid=fresh"


@pytest.mark.parametrize(
    ("known", "value"),
    [
        (cookie("www.harbour.example", "old"), "fresh"),
        (cookie(".Harbour.example", "old"), "fresh"),
        (cookie(".www.harbour.example", "old", path="/news"), "fresh"),
        (cookie(".www.harbour.example", "old", path="/new"), "old"),
        (cookie("harbour.example", "old"), "old"),
        (cookie(".arbour.example", "old"), "old"),
        (cookie("other.example", "old"), "old"),
    ],
)
def test_a_value_is_renewed_where_the_cookie_is_sent(
    known: dict[str, Json], value: str
) -> None:
    """Else it is a cookie of its own, of the page's host alone."""
    wanted = order((("sid", "fresh"),), known)
    assert options_of(wanted, "")["storage_state"]["cookies"] == [
        {**known, "value": value}
    ]
    own = {"domain": "www.harbour.example", "path": "/", "secure": True}
    fresh = {"name": "sid", "value": "fresh", **own}
    assert cookies_of(wanted) == ([] if value == "fresh" else [fresh])


def test_cookies_of_one_name_keep_their_places() -> None:
    """What is as it was stays; an expired or secure one is no place for a value."""
    wide, deep = cookie(".harbour.example", "a"), cookie("www.harbour.example", "b")
    deep["path"] = "/news/"
    wanted = order((("sid", "c"), ("sid", "a")), wide, deep)
    state = options_of(wanted, "")["storage_state"]["cookies"]
    assert [each["value"] for each in state] == ["a", "c"]
    assert cookies_of(wanted) == []
    spent = order((("sid", "c"),), {**wide, "expires": 1})
    assert options_of(spent, "")["storage_state"]["cookies"] == []
    assert [each["value"] for each in cookies_of(spent)] == ["c"]
    plain = order((("sid", "c"),), wide, url=URL.replace("https", "http"))
    assert options_of(plain, "")["storage_state"]["cookies"] == [wide]
    assert [each["secure"] for each in cookies_of(plain)] == [False]
