"""Pages that mean harm, each shown by Chromium in a real crawl: all end, with a reason.

The portal's plain answers hold no item: what there is was made by script.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawling import RULE, Workplace, ended, portal
from tests.site.portal import article, endless, listing, page, redirect, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.site.portal import Behaviour, Handler, Portal

NAMES = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
TIMEOUT_S = 5
PATIENCE_S = 20
LOOPS = ("dialogs", "fetches", "hops", "loop", "popups", "prints", "refresh", "stay")
HASTY = (*LOOPS, "blob", "drowning", "elsewhere", "never", "reloads")
"""Pages that use all the time they get; the others need theirs."""

MAX_PARSE = 300_000
CAPTURED, SHELL = ("captured", None), ("captured", "shell_page")
NOT_RENDERED = ("failed", "not_rendered")
LOOP = ("failed", "redirect_loop")
SKIPPED = ("skipped", "out_of_scope")
SHOW = (
    "<!doctype html><div id=app></div><script>const show = text => {"
    "document.getElementById('app').innerHTML ="
    " '<h1>shown</h1><div class=body><p>' + text + '</p></div>' };</script>"
)


def script(code: str) -> str:
    """Return a page that runs code, with ``show`` to make an item page of it."""
    return f"{SHOW}<script>{code}</script>"


LIE = """
addEventListener('install', () => skipWaiting());
addEventListener('activate', e => e.waitUntil(clients.claim()));
addEventListener('fetch', e => {
  if (e.request.url.endsWith('/truth')) e.respondWith(new Response('a lie'));
});"""
PAGES: dict[str, tuple[str, set[tuple[str, str | None]]]] = {
    "dialogs": (
        script("for (;;) { alert(1); confirm(2); prompt(3); }"),
        {NOT_RENDERED},
    ),
    "never": ("<p>nothing comes", {SHELL, NOT_RENDERED}),
    "loop": (
        article("loop").replace("</body>", "<script>for(;;);</script>"),
        {NOT_RENDERED},
    ),
    "reloads": (script("location.reload()"), {NOT_RENDERED, SHELL}),
    "download": (script("location = '/file.zip'"), {SHELL}),
    "elsewhere": (script("location = 'http://localhost:1/x'"), {NOT_RENDERED, SHELL}),
    "stay": (
        script(
            "onbeforeunload = e => { e.preventDefault(); return 'stay'; };"
            "setInterval(() => { location = '/item/stay?' + Math.random() }, 30)"
        ),
        {NOT_RENDERED, SHELL},
    ),
    "hops": (script("location = '/round'"), {NOT_RENDERED, SHELL, LOOP}),
    "refresh": (
        "<meta http-equiv=refresh content='0;url=/item/refresh'><p>again",
        {NOT_RENDERED, SHELL},
    ),
    "popups": (
        script(
            "for (let n = 0; n < 500; n++) window.open('/popup?' + n); show('popups')"
        ),
        {NOT_RENDERED, CAPTURED},
    ),
    "downloads": (
        script(
            "for (let n = 0; n < 50; n++) { const a = document.createElement('a');"
            "a.href = '/file.zip?' + n; a.download = 'x.zip'; document.body.append(a);"
            "a.click(); a.remove() } show('downloads')"
        ),
        {CAPTURED},
    ),
    "file": (script("show('stays'); location = 'file:///etc/passwd'"), {CAPTURED}),
    "reads": (
        script(
            "fetch('file:///etc/passwd', {mode: 'no-cors'}).then("
            "() => show('got'), () => show('refused'))"
        ),
        {CAPTURED},
    ),
    "data": (script("show('stays'); location = 'data:text/html,<h1>x'"), {CAPTURED}),
    "blob": (
        script(
            "const made = new Blob([document.documentElement.outerHTML.replace("
            "/<script.*/, '<h1>blob</h1><div class=body>made</div>')],"
            "{type: 'text/html'}); location = URL.createObjectURL(made)"
        ),
        {NOT_RENDERED},
    ),
    "endless": (script("show('text'); fetch('/endless')"), {CAPTURED}),
    "drowning": (script("location = '/endless'"), {NOT_RENDERED, SHELL, SKIPPED}),
    "closes": (script("show('closes'); window.close(); close()"), {CAPTURED}),
    "prints": (script("show('prints'); for (;;) print()"), {NOT_RENDERED}),
    "asks": (
        script(
            "(async () => { const said = [];"
            "said.push(await Notification.requestPermission());"
            "said.push(await new Promise(done => navigator.geolocation."
            "getCurrentPosition(() => done('here'), e => done('code ' + e.code))));"
            "try { await navigator.mediaDevices.getUserMedia({audio: true});"
            "said.push('heard') } catch (e) { said.push(e.name) }"
            "show(said.join(', ')) })()"
        ),
        {CAPTURED},
    ),
    "large": (
        script(f"show('x'); document.body.append('y'.repeat({MAX_PARSE}))"),
        {NOT_RENDERED},
    ),
    "fetches": (
        script("for (let n = 0; n < 1e5; n++) fetch('/n?' + n); show('fetches')"),
        {NOT_RENDERED, CAPTURED},
    ),
    "lies": (
        script(
            "(async () => { await navigator.serviceWorker.register('/lie.js');"
            "await navigator.serviceWorker.ready;"
            "while (!navigator.serviceWorker.controller)"
            " await new Promise(done => setTimeout(done, 20));"
            "show(await (await fetch('/truth')).text()) })()"
        ),
        {CAPTURED},
    ),
}


def rules(served: Portal, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a portal whose items are rendered."""
    rule = {**RULE, "render": "always", "ready": ".body", **changes}
    match = f"^/item/({'|'.join(HASTY)})"
    hasty = {**rule, "match": match, "browser": {"timeout": TIMEOUT_S}}
    return portal(served.base, items=[hasty, rule], crawl={"max_parse": MAX_PARSE})


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give the portal."""
    routes: dict[str, Behaviour] = {
        f"/item/{name}": page(html) for name, (html, _) in PAGES.items()
    }
    routes |= {
        "/latest": page(listing([f"/item/{name}" for name in PAGES])),
        "/round": redirect("/round"),
        "/popup": page(article("popup")),
        "/file.zip": page(b"PK\x03\x04", content_type="application/zip"),
        "/endless": endless,
        "/lie.js": page(LIE, content_type="text/javascript"),
        "/truth": page("the truth"),
        "/n": page("n"),
    }
    with serving(routes) as running:
        yield running


def test_every_page_ends_with_a_reason(served: Portal, tmp_path: Path) -> None:
    """Whatever a page does, its visit ends in time, the others' do, and it is told."""
    browser = {"timeout": PATIENCE_S, "pages": 4}
    place = Workplace(tmp_path, [rules(served)], {"browser": browser})
    began_s = time.monotonic()
    result = place.run("crawl", 150).of()
    took_s = time.monotonic() - began_s
    assert result["run"] is not None
    endings = place.endings()
    ends = {name: endings[f"{served.base}/item/{name}"] for name in PAGES}
    wrong = {n: end for n, end in ends.items() if end[:2] not in PAGES[n][1]}
    assert wrong == {}
    assert took_s < len(PAGES) * PATIENCE_S / 4
    print(f"\n{took_s:.0f} s, {ends}")  # noqa: T201
    items = place.items()
    said = {item.url.rpartition("/")[2]: item.body_text or "" for item in items}
    assert said["asks"].startswith("denied, code 1, Not")  # allowed, or found
    assert said["lies"] == "a lie"
    assert said["reads"] == "refused"
    assert "file" in said  # it stayed where it was
    assert "beyond max_parse" in ends["large"][2]
    assert_bounded(place, served)
    answer = place.run("replay", ports=[]).answer
    missed = [url.removeprefix(served.base) for url in answer["misses"]]
    assert [path for path in missed if served.hits[path]] == []
    assert len(answer["items"]) == len(items)


def assert_bounded(place: Workplace, served: Portal) -> None:
    """Check that no page asked for more than it may, and what a liar left."""
    assert served.hits["/truth"] == 0
    (segment,) = place.segments()
    urls = [line.url for line in place.collection.lines(segment)]
    assert f"{served.base}/lie.js" in urls
    assert f"{served.base}/truth" not in urls
    assert sum(target.startswith("/n?") for target in served.hits) <= 1_000
    assert not any("passwd" in url for url in urls)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux's /proc"
)
def test_a_video_needs_no_memory(tmp_path: Path) -> None:
    """100 MB that a page plays are stored, and the crawl's process does not grow."""
    peaks: list[int] = []
    pid: list[int] = []

    def video(handler: Handler) -> None:
        peaks.append(peak_bytes(pid[0]))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: video/webm\r\n"
        handler.send_raw(head + b"Content-Length: %d\r\n\r\n" % SIZE, close=True)
        for _ in range(SIZE // len(PIECE)):
            handler.send_raw(PIECE)
        peaks.append(peak_bytes(pid[0]))

    seen = "fetch('/video').then(async r => { const from = r.body.getReader();"
    seen += "let n = 0, step; while (!(step = await from.read()).done)"
    seen += "n += step.value.length; show(n + ' bytes') })"
    routes: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/first", "/item/video"])),
        "/item/first": page(script("show('first')")),
        "/item/video": page(script(seen)),
        "/video": video,
    }
    with serving(routes) as running:
        browser = {"timeout": "30s", "pages": 1}
        place = Workplace(tmp_path, [rules(running)], {"browser": browser})
        child = place.start("crawl")
        pid.append(child.pid)
        ended(child, 100)
    said = {item.body_text for item in place.items()}
    assert said == {"first", f"{SIZE} bytes"}
    assert peaks[-1] - peaks[0] < 60 << 20, peaks
    print(f"\n{(peaks[-1] - peaks[0]) / 1e6:.0f} MB more for {SIZE / 1e6:.0f} MB")  # noqa: T201


PIECE = b"\x1a" * 1_000_000
SIZE = 100 * len(PIECE)


def peak_bytes(pid: int) -> int:
    """Return the most that a process had resident."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10
