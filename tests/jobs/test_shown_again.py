"""Archived pages shown by a real Chromium again, with no origin and no network."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crawler.archive.captures import Archive
from crawler.archive.pageinfo import DOM, FULL_PAGE, PAGE_INFO, SCREENSHOT, TEXT
from crawler.browser.offline import Absence, Question
from crawler.browser.renderer import Renderer
from crawler.config.load import load
from crawler.errors import UsageError
from crawler.http import message_end, payload, read_head
from crawler.jobs.looking import shown as stored_pages
from crawler.jobs.looking.answers import Answers
from crawler.jobs.looking.offline import ShownAgain, show_again
from crawler.jobs.looking.shown import Shown, page_info, shown_page
from crawler.jobs.redaction import redaction_of
from crawler.warc.redact import Policy
from tests.browser.origin import SCRIPT, Origin
from tests.crawling import ROOT, Workplace, portal
from tests.docs.schemas import errors, published
from tests.jobs.test_shared_portals import PORTALS, module_at, running
from tests.site.compare import certified
from tests.site.portal import article, listing, page, redirect, serving

if TYPE_CHECKING:
    from crawler.config.portal import Portal as Rules
    from crawler.config.settings import Settings
    from tests.site.portal import Behaviour, Handler

NAMES = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
CLOCK = "2025-07-15T14:00:00Z"
PNG = b"\x89PNG\r\n\x1a\n"
SHELL = """<!doctype html><title>A &amp; B</title><div id=app></div><script>
const text = async (...asked) => (await fetch(...asked)).text();
(async () => {
  const said = [new Date().toISOString().slice(0, 10)];
  for (const body of ['one', 'two'])
    said.push(await text('/echo', {method: 'POST', body}));
  said.push(await text('/counter'), await text('/counter'));
  for (const Range of ['bytes=4-7', 'bytes=0-3'])
    said.push(await text('/file', {headers: {Range}}));
  for (const same of ['/same/1', '/same/2']) said.push((await text(same)).length);
  document.getElementById('app').innerHTML = '<h1>by script</h1><div class=body><p>' +
    said.join(', ') + '</p></div><div style=height:3000px></div>';
})();
</script>"""
SAID = "2025-07-15, one, two, 1, 2, 4567, 0123, 6000, 6000"
FRESH = [("Cache-Control", "no-store")]
SAME = "same " * 1200


def shell_routes() -> dict[str, Behaviour]:
    """Return a portal with a page of script, one that redirects to it, a plain one."""
    counted = itertools.count(1)

    def count(handler: Handler) -> None:
        page(str(next(counted)), 200, FRESH)(handler)

    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    return {
        "/latest": page(listing(["/item/moved", "/item/plain"])),
        "/item/moved": redirect("/item/shell"),
        "/item/shell": page(SHELL),
        "/item/plain": page(article("plain")),
        "/echo": lambda handler: page(handler.asked.body)(handler),
        "/counter": count,
        "/file": part_of_file,
        "/same/1": page(SAME, 200, FRESH),
        "/same/2": lambda handler: handler.send_raw(raw % (len(SAME), SAME.encode())),
    }


def part_of_file(handler: Handler) -> None:
    """Answer with the part of ten digits that is asked for."""
    first, last = handler.asked.headers["Range"].partition("=")[2].split("-")
    place = ("Content-Range", f"bytes {first}-{last}/10")
    part = "0123456789"[int(first) : int(last) + 1]
    page(part, 206, [place, *FRESH])(handler)


@dataclass(frozen=True)
class Archived:
    """A portal that was crawled, and whose origin is gone."""

    place: Workplace
    base: str

    def settings(self) -> tuple[Settings, Rules]:
        """Return the configuration and its one portal."""
        variables = self.place.environment
        settings = load(self.place.config, environment=variables).settings
        return settings, settings.portals[0]

    def page(self, url: str) -> Shown:
        """Return the rendered visit of a URL."""
        _, rules = self.settings()
        return shown_page(self.place.collection, [rules.id], url, None)

    def again(self, url: str) -> ShownAgain:
        """Show a page again."""
        settings, rules = self.settings()
        renderer = Renderer(timeout_s=20.0)
        redaction = redaction_of(rules, settings)
        shown = self.page(url)
        return show_again(self.place.collection, rules, shown, renderer, redaction)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note every connection that this process makes, and every name it looks up."""
    made: list[object] = []
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - of any family
        made.append(address)
        real_connect(self, address)

    def look_up(*args: Any, **named: Any) -> object:  # noqa: ANN401 - as it has them
        made.append(args)
        return real_lookup(*args, **named)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return made


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """Crawl a page made by script, and one that redirects to it; everything is kept."""
    with serving(shell_routes()) as served:
        item = {"match": "^/item/", "title": "h1", "body": ".body", "ready": ".body"}
        rules = portal(served.base, items=[{**item, "render": "auto", "keep": "text"}])
        rules |= {"keep": ["screenshot", "full_page"]}
        place = Workplace(tmp_path_factory.mktemp("shell"), [rules])
        result = place.run("crawl", clock=CLOCK).of()
    assert result["exit_code"] == 0, result
    return Archived(place, served.base)


def test_what_is_kept_of_a_page(shell: Archived) -> None:
    """Pictures, text and page information are tied to the visit and its response."""
    collection = shell.place.collection
    shown = shell.page(f"{shell.base}/item/moved")
    assert shown.page_id == shell.page(f"{shell.base}/item/shell").page_id
    made = {}
    for kind in (DOM, SCREENSHOT, FULL_PAGE, TEXT, PAGE_INFO):
        (one,) = shown.of(kind)
        line = one.line
        record = collection.record(line.filename, line.offset, line.length)
        assert line.url == kind.uri(f"{shell.base}/item/shell")
        assert record.type == "resource"
        assert record.header("Content-Type") == kind.content_type
        assert record.header("WARC-Page-ID") == shown.page_id
        made[kind] = record
    assert len({x.header("WARC-Concurrent-To") for x in made.values()}) == 1
    window, whole = (made[x].block.read() for x in (SCREENSHOT, FULL_PAGE))
    assert window.startswith(PNG)
    assert int.from_bytes(window[20:24]) < 3000 < int.from_bytes(whole[20:24])
    assert made[TEXT].block.read().decode().split("\n\n") == ["by script", SAID]


def test_page_information_names_the_exchanges(shell: Archived) -> None:
    """It has all that the browser asked for, and as what; so have the records."""
    collection = shell.place.collection
    shown = shell.page(f"{shell.base}/item/moved")
    info = page_info(collection, shown)
    assert info is not None
    assert (info.url, info.title) == (f"{shell.base}/item/shell", "A & B")
    assert info.captured_at.isoformat().startswith("2025-07-15T14:0")
    rows = [(x.method, x.url, x.status, x.mime, x.type) for x in info.exchanges]
    html = f"{shell.base}/item/shell"
    assert rows[0] == ("GET", html, 200, "text/html", "document")
    assert ("POST", f"{shell.base}/echo", 200, "text/html", "fetch") in rows
    assert ("GET", f"{shell.base}/file", 206, "text/html", "fetch") in rows
    assert (info.refused, info.limits, info.missing) == ({}, (), {})
    schema = published("pageinfo")
    assert list(errors(json.loads(info.to_bytes()), schema, schema)) == []
    (record,) = stored_records(shell, info.exchanges[1].record_id)
    assert record.header("WARC-Resource-Type") == "fetch"
    assert record.header("WARC-Page-ID") == shown.page_id


def stored_records(archived: Archived, record_id: str) -> list[Any]:
    """Return the records of this id."""
    place = archived.place
    return [
        place.record_of(line.filename, line.offset, line.length)
        for segment in place.segments()
        for line in place.collection.lines(segment)
        if line.record == record_id
    ]


def test_a_page_of_script_is_shown_again(
    shell: Archived, connected: list[object]
) -> None:
    """Chromium makes the same document of the archive alone, at the time of then."""
    again = shell.again(f"{shell.base}/item/moved")
    assert again.failure is None
    assert (again.misses, again.differences) == ((), ())
    assert again.answered >= 9
    assert f"<p>{SAID}</p>".encode() in again.steps[-1]
    assert connected == []


def test_answers_are_found_by_all_that_was_asked(shell: Archived) -> None:
    """Bodies and parts tell requests apart; repeated ones are answered in order."""
    place, base = shell.place, shell.base
    archive = Archive.of(place.collection, place.segments(), 1 << 20)
    info = page_info(place.collection, shell.page(f"{base}/item/shell"))
    assert info is not None
    answers = Answers(archive, info.exchanges, Policy(), frozenset({"other.example"}))
    assert answers.first_url == f"{base}/item/shell"

    def got(path: str, *headers: tuple[bytes, bytes], **more: Any) -> object:  # noqa: ANN401
        question = {"method": "GET", "url": f"{base}{path}", "headers": headers, **more}
        found = answers(Question(**question))
        if isinstance(found, Absence):
            return found
        head = read_head(found)
        assert head is not None
        assert message_end(found, head, question["method"]) == found.size
        return payload(found, head, 1 << 20)[0]

    post = {"method": "POST"}
    assert [got("/echo", body=x, **post) for x in (b"two", b"one")] == [b"two", b"one"]
    assert got("/echo", body=b"three", **post) in {b"one", b"two"}
    assert [got("/counter") for _ in range(3)] == [b"1", b"2", b"2"]
    assert got("/file", (b"Range", b"bytes=0-3")) == b"0123"
    assert got("/file", (b"range", b"bytes=4-7")) == b"4567"
    assert got("/file", (b"Range", b"bytes=8-")) is Absence.MISS
    assert got("/file") is Absence.MISS
    assert got("/same/1") == got("/same/2") == SAME.encode()
    revisits = [
        x for x in archive.lines() if x.ref and x.url.startswith(f"{base}/same")
    ]
    assert len(revisits) == 1
    assert got("/echo") is Absence.MISS
    assert got("/item/plain") is Absence.MISS  # the run has it, the page has not
    assert answers(Question("GET", "http://other.example/")) is Absence.REFUSED


def command(place: Workplace, *args: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command over a workplace."""
    return subprocess.run(
        [sys.executable, "-m", "crawler.cli", "--config", str(place.config), *args],
        cwd=ROOT,
        env=place.variables,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_show_writes_what_a_browser_showed(shell: Archived, tmp_path: Path) -> None:
    """Document, picture and offline replay go to a file or to stdout."""
    url = f"{shell.base}/item/moved"
    dom = command(shell.place, "show", url, "--dom")
    assert b"<h1>by script</h1>" in dom.stdout
    out = tmp_path / "page.png"
    assert (
        command(shell.place, "show", url, "--screenshot", "-o", str(out)).returncode
        == 0
    )
    assert out.read_bytes().startswith(PNG)
    rendered = command(shell.place, "show", url, "--rendered")
    assert rendered.stdout == dom.stdout
    assert b" 0 missed; the document gives the same as then" in rendered.stderr
    said = command(shell.place, "--json", "show", url, "--rendered")
    values = json.loads(said.stdout)
    assert values.pop("document").encode() == dom.stdout
    assert values.pop("answered") >= 9
    assert values.pop("page_id") == shell.page(url).page_id
    assert values.pop("captured_at").startswith("2025-07-15T14:0")
    assert values.pop("url") == url
    assert values == {"failure": None, "misses": [], "differences": []}
    refused = command(shell.place, "show", f"{shell.base}/item/plain", "--screenshot")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"render: always" in refused.stderr
    assert command(shell.place, "show", url, "--dom", "--payload").returncode == 2


def test_all_jobs_know_what_is_kept(shell: Archived, tmp_path: Path) -> None:
    """It is verified, indexed anew, repaired, and in nobody's way who reads items."""
    shutil.copytree(shell.place.directory / "store", tmp_path / "store")
    place = Workplace(tmp_path, shell.place.portals)
    segment = place.segments()[0]
    lines = set(place.collection.lines(segment))
    assert command(place, "verify", "--read-data").returncode == 0
    (tmp_path / "store" / segment.file("cdxj").key).unlink()
    assert command(place, "verify").returncode == 6
    repaired = command(place, "verify", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert set(place.collection.lines(place.segments()[0])) == lines
    assert command(place, "index", "harbour", "--rebuild").returncode == 0
    assert command(place, "verify").returncode == 0
    for job in ("replay", "extract"):
        answer = place.run(job, ports=[], clock=CLOCK).answer
        assert (answer["differences"], answer.get("misses", [])) == ([], [])
        assert len(answer["items"]) == 2


def test_what_was_not_rendered_says_what_to_do(shell: Archived) -> None:
    """A plain page, an API that a page asked, an unknown URL: each has its message."""
    for path in ("/item/plain", "/counter"):
        with pytest.raises(UsageError, match="render: always"):
            shell.page(f"{shell.base}{path}")
    with pytest.raises(UsageError, match="nearest stored"):
        shell.page(f"{shell.base}/item/other")


def test_a_page_without_screenshot_says_what_to_do(tmp_path: Path) -> None:
    """Without `keep` there is page information and no picture."""
    routes = {**shell_routes(), "/latest": page(listing(["/item/shell"]))}
    with serving(routes) as served:
        item = {"match": "^/item/", "title": "h1", "render": "always", "ready": ".body"}
        place = Workplace(tmp_path, [portal(served.base, items=[item])])
        place.run("crawl", clock=CLOCK)
    archived = Archived(place, served.base)
    shown = archived.page(f"{served.base}/item/shell")
    assert not shown.of(SCREENSHOT)
    assert page_info(place.collection, shown) is not None
    with pytest.raises(UsageError, match="keep: screenshot"):
        stored_pages.picture(place.collection, shown)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_of_all_kinds_of_exchanges_is_shown_again(
    scheme: str, tmp_path: Path, connected: list[object]
) -> None:
    """Posts, parts, redirects, workers, events, cuts and failures are as they were.

    Of a WebSocket there is the handshake alone: it is the one miss.
    """
    archived, url = asyncio.run(crawled(tmp_path, scheme))
    info = page_info(archived.place.collection, archived.page(url))
    assert info is not None
    assert len(info.exchanges) >= 25
    connected.clear()
    again = archived.again(url)
    socket_url = f"{url}socket".replace("http", "ws", 1)
    assert again.misses == (("GET", socket_url, 1),)
    assert again.differences == ()
    assert again.answered >= 25
    assert connected == []


async def crawled(folder: Path, scheme: str) -> tuple[Archived, str]:
    """Crawl the page of all kinds of exchanges; its origin is gone afterwards."""
    origin = Origin(certified() if scheme == "https" else None)
    origin.script = SCRIPT.replace(b"denied.example", b"127.0.0.2:9")
    async with origin.listening():
        url = f"{origin.base(scheme)}/"
        with serving({"/latest": page(listing([url]))}) as served:
            place = Workplace(folder, [everything(served.base)])
            ran = await asyncio.to_thread(place.run, "crawl", clock=CLOCK)
    result = ran.of()
    assert result["exit_code"] == 0, result
    assert place.endings()[url] == ("captured", None, "")
    (item,) = place.items()
    said = (item.body_text or "").splitlines()
    assert "post: 3" in said
    assert "reset: failed" in said
    if scheme == "http":  # a service worker wants a certificate that is trusted
        assert "service: served" in said
    return Archived(place, served.base), url


def everything(base: str) -> dict[str, Any]:
    """Return the rules of that page; what a WebSocket says is not read."""
    item = {
        "match": "^/$",
        "render": "always",
        "title": "h1",
        "body": "#out",
        "wait_for": "xpath://p[starts-with(., 'done')]",
        "drop_lines": ["^socket:"],
        "generic": False,
    }
    return portal(base, items=[item], scope={"hosts": ["127.0.0.1"]})


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the workplace's programs
def test_a_fixture_portals_script_page_is_shown_again(
    shared: Path, tmp_path: Path, connected: list[object]
) -> None:
    """The page that is nothing without its script gives the same item offline."""
    folder = shared / "fixtures/portals" / PORTALS["futu"]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (path,) = [x["url"] for x in manifest["items"] if x["render_required"]]
    place = Workplace(tmp_path, config_file=ROOT / "tests/portals/futu.yaml")
    server = module_at(shared / "fixtures/portals/serve.py").make_server(str(folder))
    with running(server) as base:
        place.environment["BASE"] = base
        place.run("crawl", 120, clock=manifest["frozen_now"])
    connected.clear()
    archived = Archived(place, base)
    again = archived.again(f"{base}{path}")
    assert (again.misses, again.differences) == ((), ())
    items = [x for x in place.items("futu") if x.url.endswith(path)]
    assert len(items) == 1
    assert connected == []
