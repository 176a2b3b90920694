"""Cookies: one jar a portal, kept from run to run, nobody else's business."""

from __future__ import annotations

import signal
import stat
import threading
import time
from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any

import pytest

from crawler.spiders.cookies import FILE, dumps, load, write
from tests.crawling import Workplace, ended, portal
from tests.site.portal import (
    Behaviour,
    Handler,
    Portal,
    article,
    listing,
    page,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def cookie(name: str, *, expires: int | None = None, domain: str = "a.b") -> Cookie:
    """Return a cookie."""
    dotted = domain.startswith(".")
    return Cookie(
        0, name, "v", None, False, domain, dotted, dotted, "/", True, False, expires,
        expires is None, None, None, {"HttpOnly": ""},
    )  # fmt: skip


def test_a_jar_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Every field of every cookie is kept, without an expiry too; expired ones go."""
    now = int(time.time())
    kept = [cookie("a"), cookie("b", expires=now + 60, domain=".b.c")]
    write(tmp_path / FILE, dumps([*kept, cookie("old", expires=now - 1)]))
    again = load(tmp_path / FILE)
    assert list(map(vars, again)) == list(map(vars, kept))
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [x.name for x in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "a"}]', "\ud800"])
def test_a_broken_file_is_an_empty_jar(tmp_path: Path, text: str) -> None:
    """A file that cannot be read costs a log-in, not a crawl."""
    (tmp_path / FILE).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert load(tmp_path / FILE) == []
    assert load(tmp_path / "none") == []


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give a portal that hands out one cookie that lasts, and one that does not."""
    given = [("Set-Cookie", "session=s1; Path=/")]
    routes: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/1"]), headers=given),
        "/item/1": page(article("one")),
    }
    with serving(routes) as running:
        yield running


def cookies_sent(served: Portal, target: str) -> list[Any]:
    """Return the Cookie header of each request for target."""
    asked = [x for x in served.asked if x.target == target]
    return [x.headers.get("Cookie") for x in asked]


def test_cookies_are_kept_for_the_next_run_of_the_same_portal(
    tmp_path: Path, served: Portal
) -> None:
    """The next run of the portal sends them, another portal does not; none asks out."""
    place = Workplace(tmp_path, [portal(served.base)])
    assert place.run("crawl", ports=[served.port]).tried == []
    jar = tmp_path / "spool" / "harbour" / FILE
    assert stat.S_IMODE(jar.stat().st_mode) == 0o600
    place.portals.append(portal(served.base, "other"))
    place.run("crawl", portals=["harbour"])
    place.run("crawl", portals=["other"])
    first, second, other = cookies_sent(served, "/latest")
    assert (first, other) == (None, None)
    assert second == "session=s1"
    assert all("session=s1" in x for x in cookies_sent(served, "/item/1"))


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_keeps_its_cookies(
    tmp_path: Path, served: Portal, signal_: signal.Signals
) -> None:
    """Ctrl-C and a crash leave the jar; replay neither reads nor writes one."""
    reached, go_on = threading.Event(), threading.Event()

    def wait(handler: Handler) -> None:
        reached.set()
        go_on.wait(20)
        page(article("one"))(handler)

    served.routes["/item/1"] = wait
    place = Workplace(tmp_path, [portal(served.base)])
    child = place.start("crawl")
    assert reached.wait(30)
    child.send_signal(signal_)
    go_on.set()
    if signal_ == signal.SIGKILL:
        child.communicate(timeout=20)
    else:
        ended(child)
    jar = tmp_path / "spool" / "harbour" / FILE
    assert "session" in {x.name for x in load(jar)}
    before = jar.read_bytes()
    place.run("crawl")
    jar.write_bytes(before)
    assert place.run("replay", ports=[]).tried == []
    assert jar.read_bytes() == before
