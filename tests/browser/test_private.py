"""A rendered page behind the guard, and behind proxies: where its requests go."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawling import QUICK, ROOT, RULE, Ran, Workplace, ended
from tests.crawling import portal as portal_at
from tests.site.portal import Portal, listing, page, redirect, serving
from tests.site.socks import socks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.site.portal import Behaviour

NAMES = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
STRANGER = "127.0.0.2"
PROBES = """<!doctype html><div id=app></div><script>
const tell = async (name, work) => {
  try { await work(); return name } catch (e) { return 'no ' + name } };
const inside = %s;
(async () => {
  const said = [];
  for (const base of inside) {
    said.push(await tell('got', () => fetch(base + '/fetched', {mode: 'no-cors'})));
    new Image().src = base + '/image.png';
    navigator.sendBeacon(base + '/beacon', 'x');
    const frame = document.createElement('iframe'); frame.src = base + '/frame';
    document.body.append(frame);
    const form = document.createElement('form'); form.method = 'post';
    form.action = base + '/form'; form.target = '_blank';
    document.body.append(form); form.submit();
    await tell('socket', () => new Promise((done, fail) => {
      const s = new WebSocket(base.replace('http', 'ws') + '/socket');
      s.onopen = done; s.onerror = fail }));
  }
  said.push(await tell('hop', () => fetch('/hop', {mode: 'no-cors'})));
  const work = new Worker(URL.createObjectURL(new Blob(
    ["onmessage = e => fetch(e.data, {mode: 'no-cors'}).then(() => postMessage('got'),"
     + " () => postMessage('no got'))"])));
  said.push(await new Promise(done => {
    work.onmessage = e => done(e.data); work.postMessage(inside[0] + '/worked') }));
  document.getElementById('app').innerHTML =
    '<h1>probes</h1><div class=body><p>' + said.join(', ') + '</p></div>';
})()</script>"""


class Ear(Portal):
    """A server that should hear nothing; it counts connections."""

    connections = 0

    def get_request(self) -> tuple[socket.socket, Any]:  # Any: of the base class
        """Count one."""
        self.connections += 1
        return super().get_request()


class Elsewhere(Portal):
    """A portal at the stranger's address."""

    def server_bind(self) -> None:
        """Bind there."""
        self.server_address = (STRANGER, self.server_address[1])
        super().server_bind()


@contextmanager
def running(server: Portal) -> Iterator[Portal]:
    """Serve until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def crawl(place: Workplace, names: Mapping[str, str]) -> Ran:
    """Crawl in a child with a stub resolver."""
    plan = {"config": str(place.config), "job": "crawl", "names": names}
    path = place.directory / "plan.json"
    path.write_text(json.dumps({**plan, "stranger": STRANGER}), encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.site.names", str(path)],
        cwd=ROOT,
        env=place.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return ended(child)


def workplace(folder: Path, base: str, **crawl_rules: object) -> Workplace:
    """Return a workplace whose items are rendered, private addresses refused."""
    rule = {**RULE, "render": "always", "ready": ".body"}
    manners = {**QUICK, "allow_private": False, "robots": "ignore", **crawl_rules}
    rules = portal_at(base, items=[rule], crawl=manners)
    settings = {"browser": {"timeout": "20s"}}
    return Workplace(folder, [rules], settings, {"PASSWORD": PASSWORD})


def test_no_script_reaches_a_private_address(tmp_path: Path) -> None:
    """Fetches, frames, forms, sockets, workers, redirects: nobody connects to us."""
    with running(Ear({"*": page("private")})) as ear:
        assert isinstance(ear, Ear)
        hosts = ["127.0.0.1", "evil.example", "localhost", "2130706433", "[::1]"]
        inside = [f"http://{host}:{ear.port}" for host in hosts]
        inside.append(f"https://evil.example:{ear.port}")
        routes: dict[str, Behaviour] = {
            "/latest": page(listing(["/item/1"])),
            "/item/1": page(PROBES % json.dumps(inside)),
            "/hop": redirect(f"{inside[1]}/hopped"),
        }
        with running(Elsewhere(routes)) as stranger:
            place = workplace(tmp_path, f"http://portal.example:{stranger.port}")
            crawl(place, {"portal.example": STRANGER, "evil.example": "127.0.0.1"})
            assert stranger.hits["/hop"] == 1
        assert (ear.connections, ear.asked) == (0, [])
    (item,) = place.items()
    # An empty 403 is an answer to ``no-cors``, a tunnel that is refused is none.
    assert item.body_text == "got, got, got, got, got, no got, hop, got"
    (segment,) = place.segments()
    urls = [line.url for line in place.collection.lines(segment)]
    assert not any(f":{ear.port}" in url for url in urls)


FORWARDED = """<!doctype html><div id=app></div><script>
(async () => {
  const text = await (await fetch('/text')).text();
  for (const vendor of ['update.googleapis.com', 'clients2.google.com'])
    for (const scheme of ['http', 'https'])
      try { await fetch(scheme + '://' + vendor + '/x', {mode: 'no-cors'}) }
      catch (e) { }
  document.getElementById('app').innerHTML =
    '<h1>by proxy</h1><div class=body><p>' + text + '</p></div>';
})()</script>"""
PASSWORD = "pa55-w0rd"


def assert_no_password(place: Workplace, ran: Ran) -> None:
    """Check that nothing that was stored or said has the password."""
    secrets = (PASSWORD.encode(), b"bWU6cGE1NS13MHJk")
    stored = [x.read_bytes() for x in place.directory.rglob("*") if x.is_file()]
    stored = [gzip.decompress(x) if x[:2] == b"\x1f\x8b" else x for x in stored]
    for secret in secrets:
        assert not any(secret in each for each in stored)
        assert secret.decode() not in ran.stderr


def test_an_http_proxy_of_a_pool_carries_a_page(tmp_path: Path) -> None:
    """All of a page leaves by its host's proxy, but what is the browser's vendor's."""
    base = "http://portal.example"
    routes: dict[str, Behaviour] = {
        f"{base}/latest": page(listing(["/item/1"])),
        f"{base}/item/1": page(FORWARDED),
        f"{base}/text": page("told by a proxy"),
    }
    with serving(routes) as proxy, serving({}) as other:
        pool = [f"http://me:${{PASSWORD}}@127.0.0.1:{x.port}" for x in (proxy, other)]
        place = workplace(tmp_path, base, proxy=pool)
        ran = crawl(place, {})
    (item,) = place.items()
    assert item.body_text == "told by a proxy"
    assert proxy.hits[f"{base}/text"] == 1
    assert not any("google" in target for target in proxy.hits)
    assert all("Proxy-Authorization" in each.headers for each in proxy.asked)
    assert other.asked == []
    assert_no_password(place, ran)


def test_a_socks_proxy_carries_a_page(tmp_path: Path) -> None:
    """Names are the proxy's to look up, and the vendor's are not asked of it."""
    routes: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/1"])),
        "/item/1": page(FORWARDED),
        "/text": page("told by socks"),
    }
    with serving(routes) as origin, socks((b"me", PASSWORD.encode())) as parent:
        base = f"http://portal.example:{origin.port}"
        setting = f"socks5://me:${{PASSWORD}}@127.0.0.1:{parent.port}"
        place = workplace(tmp_path, base, proxy=setting)
        ran = crawl(place, {})
        assert set(parent.told.wanted) == {("portal.example", origin.port)}
        assert set(parent.told.logins) == {(b"me", PASSWORD.encode())}
    (item,) = place.items()
    assert item.body_text == "told by socks"
    assert_no_password(place, ran)
