"""Private addresses: nothing that a portal says makes us knock at our own doors."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.crawling import QUICK, ROOT, Json, Ran, Workplace, ended
from tests.crawling import portal as portal_at
from tests.site.portal import (
    Behaviour,
    Portal,
    article,
    listing,
    page,
    redirect,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STRANGER = "127.0.0.2"
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "１２７。０。０。１",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "localhost",
    "a.localhost",
    "evil.example",
    "%31%32%37.0.0.1",
    "0.0.0.0",
    "[::]",
    "[::1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
]


class Elsewhere(Portal):
    """A portal at the stranger's address."""

    def server_bind(self) -> None:
        """Bind there."""
        self.server_address = (STRANGER, self.server_address[1])
        super().server_bind()


@contextmanager
def strange(routes: Mapping[str, Behaviour]) -> Iterator[Portal]:
    """Serve a portal at the stranger's address."""
    with Elsewhere(routes) as portal:
        thread = threading.Thread(target=portal.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield portal
        finally:
            portal.closing.set()
            portal.shutdown()
            thread.join()


@pytest.fixture
def canary() -> Iterator[Portal]:
    """Give a server on loopback that answers everything and should hear nothing."""
    with serving({"*": page(article("private"))}) as running:
        yield running


def crawl(place: Workplace, **plan: object) -> Ran:
    """Crawl in a child with a stub resolver."""
    names = {"portal.example": STRANGER, "evil.example": "127.0.0.1"}
    whole = {
        "config": str(place.config),
        "job": "crawl",
        "names": names,
        "stranger": STRANGER,
        **plan,
    }
    path = place.directory / "plan.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.site.names", str(path)],
        cwd=ROOT,
        env=place.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return ended(child)


def rules(base: str, *, allow: bool = False, **crawl_rules: object) -> Json:
    """Return a portal that follows links to anywhere."""
    changes = {**QUICK, "allow_private": allow, "robots": "ignore", **crawl_rules}
    return portal_at(base, crawl=changes, scope={"hosts": ["*"]})


def test_no_spelling_of_loopback_is_fetched(tmp_path: Path, canary: Portal) -> None:
    """Links, redirects and names that lead to loopback end as private, unfetched."""
    port = canary.port
    links = [f"http://{host}:{port}/item/{n}" for n, host in enumerate(SPELLINGS)]
    plain = [link for link in links if link.isascii()]
    hops = {f"/item/hop{n}": redirect(link) for n, link in enumerate(plain)}
    others = [
        "ftp://127.0.0.1/item/f",
        "file:///etc/passwd",
        f"https://127.1:{port}/item/s",
    ]
    routes = {
        "/latest": page(listing([*links, *hops, *others])),
        "/item/fine": page(article("fine")),
        **hops,
    }
    with strange(routes) as running:
        base = f"http://portal.example:{running.port}"
        place = Workplace(tmp_path, [rules(base)])
        result = crawl(place).of()
    assert canary.asked == []
    assert running.hits["/latest"] == 1
    assert all(running.hits[hop] == 1 for hop in hops)
    rows = [row for row in place.decisions() if row["outcome"] != "captured"]
    assert {(row["outcome"], row.get("reason")) for row in rows} == {
        ("skipped", "private_address"),
        ("skipped", "bad_scheme"),
    }, rows
    counts = result["counts"]
    assert counts["skipped:private_address"] >= 2 * len(SPELLINGS) - 2
    assert "failed" not in counts


def test_a_listing_at_a_private_address_is_skipped(
    tmp_path: Path, canary: Portal
) -> None:
    """A listing that leads here is skipped for that reason, its robots.txt unasked."""
    hosts = ["127.0.0.1", "0x7f.1", "[::ffff:7f00:1]", "evil.example"]
    places = product(("http", "https"), hosts, ("obey", "ignore"))
    portals = [
        {**rules(f"{scheme}://{host}:{canary.port}", robots=robots), "id": f"p{n}"}
        for n, (scheme, host, robots) in enumerate(places)
    ]
    place = Workplace(tmp_path, portals)
    crawl(place)
    assert canary.asked == []
    for portal in portals:
        ((outcome, reason, _),) = place.endings(portal["id"]).values()
        assert (outcome, reason) == ("skipped", "private_address")


def test_robots_and_next_pages_are_refused(tmp_path: Path, canary: Portal) -> None:
    """Where robots.txt or a listing go on at a private address, we do not follow."""
    inside = f"http://evil.example:{canary.port}"
    literal = f"http://127.0.0.1:{canary.port}"
    routes = {
        "/latest": page(listing(["/item/1"], then=f"{literal}/latest?p=2")),
        "/item/1": page(article("one")),
        "/robots.txt": redirect(f"{inside}/robots.txt"),
    }
    with strange(routes) as running:
        base = f"http://portal.example:{running.port}"
        obeying = {**rules(base, robots="obey", retries=0), "id": "obeying"}
        place = Workplace(tmp_path, [rules(base), obeying])
        crawl(place)
    assert canary.asked == []
    skipped = {r["url"]: r["reason"] for r in place.decisions() if "reason" in r}
    assert skipped == {f"{literal}/latest?p=2": "private_address"}
    ((_, reason, _),) = place.endings("obeying").values()
    assert reason == "robots"


def test_where_private_addresses_are_allowed_they_are_fetched(
    tmp_path: Path, canary: Portal
) -> None:
    """With allow_private the same links are visited."""
    hosts = ["127.0.0.1", "0x7f.1", "evil.example"]
    links = [f"http://{host}:{canary.port}/item/1" for host in hosts]
    routes = {
        "/latest": page(listing([*links, "/item/hop"])),
        "/item/hop": redirect(f"{canary.base}/item/2"),
    }
    with strange(routes) as running:
        base = f"http://portal.example:{running.port}"
        place = Workplace(tmp_path, [rules(base, allow=True)])
        names = {
            "portal.example": STRANGER,
            "evil.example": "127.0.0.1",
            "0x7f.1": "127.0.0.1",
        }
        crawl(place, names=names)
    endings = place.endings()
    assert {x[0] for x in endings.values()} <= {"captured", "revisited"}, endings
    assert canary.hits["/item/1"] == len(hosts)
    assert canary.hits["/item/2"] == 1


def test_by_a_proxy_literals_are_refused_and_the_proxy_is_not(
    tmp_path: Path, canary: Portal
) -> None:
    """The proxy may be on loopback; it is never asked for a private address or name."""
    spelt = [x for x in SPELLINGS if x != "evil.example"]
    links = [f"http://{host}:{canary.port}/item/{n}" for n, host in enumerate(spelt)]
    routes = {
        "http://portal.example/latest": page(listing([*links, "/item/hop"])),
        "http://portal.example/item/hop": redirect(links[0]),
    }
    with serving(routes) as proxy:
        place = Workplace(tmp_path, [rules("http://portal.example", proxy=proxy.base)])
        crawl(place, names={})
    assert canary.asked == []
    assert set(proxy.hits) == set(routes)
