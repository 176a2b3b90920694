"""Pages that only a browser shows: rendered live, read from the archive ever after."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.crawling import ROOT, RULE, Workplace, consistent, plain, portal
from tests.jobs.test_shared_portals import PORTALS, module_at, running
from tests.site.portal import article, json_page, listing, page, redirect, serving
from tests.site.processes import children_of, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.site.portal import Behaviour, Portal

NAMES = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
CLOCK = "2025-07-15T14:00:00Z"
SHELL = (
    "<!doctype html><title>shell</title><div id=app></div><script>"
    "fetch('/api/{0}').then(r => r.json()).then(j => {{"
    "document.getElementById('app').innerHTML = '<h1>' + j.title + '</h1>'"
    " + '<div class=body><p>' + j.text + '</p><p>' + new Date().getFullYear()"
    " + '</p></div>' }})</script>"
)
RELATED = (
    "<ul id=related></ul><script>fetch('/api/related').then(r => r.json()).then("
    "j => document.getElementById('related').innerHTML ="
    " j.map(x => '<li><a href=' + x + '>see ' + x + '</a>').join(''))</script>"
)
LOOP = article("loop").replace("</body>", "<script>for(;;){}</script></body>")


def rules(portal_: Portal, render: str = "auto", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a portal whose items are rendered."""
    item = {**RULE, "render": render, "ready": ".body", **changes}
    item |= {"required": ["title", "body"], "related": {"rows": "#related a"}}
    return portal(portal_.base, items=[item])


def workplace(folder: Path, rules_: dict[str, Any], **browser: Any) -> Workplace:  # noqa: ANN401
    """Return a workplace with the browser's settings."""
    return Workplace(folder, [rules_], {"browser": {"timeout": "10s", **browser}})


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give a portal of a plain article, one by script and one that redirects to it."""
    routes: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/plain", "/item/script", "/item/moved"])),
        "/item/plain": page(article("plain", more=RELATED)),
        "/item/script": page(SHELL.format("script")),
        "/item/moved": redirect("/item/there"),
        "/item/there": page(SHELL.format("there")),
        "/api/script": json_page({"title": "script", "text": "told by script"}),
        "/api/there": json_page({"title": "there", "text": "told by script, too"}),
        "/api/related": json_page(["/item/1", "/item/2"]),
    }
    with serving(routes) as running:
        yield running


def test_auto_renders_what_is_a_shell_and_no_more(
    served: Portal, tmp_path: Path
) -> None:
    """Shells are shown by the browser; all modes make the same items of the archive."""
    place = workplace(tmp_path, rules(served))
    result = place.run("crawl", clock=CLOCK).of()
    assert result["exit_code"] == 0, result
    consistent(place, result)
    items = {item.title: item for item in place.items()}
    assert set(items) == {"plain", "script", "there"}
    assert served.hits["/item/plain"] == 1
    assert served.hits["/item/script"] == 2
    assert served.hits["/item/there"] == 2
    assert items["plain"].provenance.dom_records == ()
    assert items["plain"].related == ()
    assert items["script"].body_text == "told by script\n\n2025"
    assert items["script"].provenance.encoding_method == "dom"
    assert result["counts"]["captured"] == 4  # no page is a revisit of its own shell
    assert_recorded(place, served)
    assert_all_modes_agree(place)


@pytest.mark.parametrize(("render", "starts"), [("always", True), ("auto", False)])
def test_only_a_page_that_is_sure_to_come_is_prepared_for(
    render: str, *, starts: bool, tmp_path: Path
) -> None:
    """With always the browser starts beside the listing; with auto, for a page."""
    with serving({"/latest": page(listing([]))}) as served:
        place = workplace(tmp_path, rules(served, render))
        ran = place.run("crawl")
    assert served.hits["/latest"] == 1
    assert ("browser_started" in ran.stderr) is starts


def assert_recorded(place: Workplace, served: Portal) -> None:
    """Check that a visit's records have its page id, the DOM among them."""
    collection, base = place.collection, served.base
    (segment,) = place.segments()
    lines = list(collection.lines(segment))
    for title in ("script", "there"):
        dom = [x for x in lines if x.url == f"urn:dom:{base}/item/{title}"]
        assert len(dom) == 1
        of_page = {x.url for x in lines if x.page == dom[0].page}
        assert {f"{base}/item/{title}", f"{base}/api/{title}"} <= of_page
        record = place.record_of(dom[0].filename, dom[0].offset, dom[0].length)
        assert record.header("Content-Type") == "text/html; charset=utf-8"
        assert b"told by script" in record.block.read()
    asked = [each.target for each in served.asked]
    exchanges = [x.url.removeprefix(base) for x in lines if x.url.startswith(base)]
    assert sorted(asked) == sorted(exchanges)


def assert_all_modes_agree(place: Workplace) -> None:
    """Check that replay and extract make the stored items without a browser."""
    place.settings["browser"] = {"path": "/nonexistent"}
    stored = plain(place.items())
    for job in ("replay", "extract"):
        answer = place.run(job, ports=[], clock=CLOCK).answer
        assert answer["differences"] == []
        assert answer.get("misses", []) == []
        assert {(row["id"], row["revision"]) for row in answer["items"]} == set(stored)


def test_always_renders_what_scripts_add(served: Portal, tmp_path: Path) -> None:
    """A list that a script fills beside a plain text is in the item."""
    changes = {"wait_for": ["#related a", "h1 + .body p:nth-child(2)"]}
    place = workplace(tmp_path, rules(served, "always", **changes))
    result = place.run("crawl", clock=CLOCK).of()
    assert result["exit_code"] == 0, result
    items = {item.title: item for item in place.items()}
    assert set(items) == {"plain", "script", "there"}
    assert all(len(item.provenance.dom_records) == 1 for item in items.values())
    assert_all_modes_agree(place)


def test_what_is_not_in_the_archive_is_a_miss(served: Portal, tmp_path: Path) -> None:
    """Rules that would have a page rendered, of which no DOM is stored, list it."""
    place = workplace(tmp_path, rules(served, "never"))
    assert place.run("crawl", clock=CLOCK).of()["exit_code"] == 0
    assert [item.title for item in place.items()] == ["plain"]
    place.portals = [rules(served, "auto")]
    answer = place.run("replay", ports=[], clock=CLOCK).answer
    misses = {f"urn:dom:{served.base}/item/{name}" for name in ("script", "there")}
    assert set(answer["misses"]) == misses
    assert len(answer["items"]) == 1
    again = place.run("extract", ports=[], clock=CLOCK).answer
    assert set(again["misses"]) == misses
    assert again["rejected"] == {"archive_miss": 2}
    place.portals = [rules(served, "always")]
    for job in ("replay", "extract"):
        answer = place.run(job, ports=[], clock=CLOCK).answer
        assert answer["items"] == []
        assert len(answer["misses"]) == 3


def test_without_a_browser_the_reason_says_what_to_do(
    served: Portal, tmp_path: Path
) -> None:
    """Where Chromium is missing, pages that need it fail with the next step."""
    place = workplace(tmp_path, rules(served), path="/nonexistent/chromium")
    place.run("crawl")
    assert [item.title for item in place.items()] == ["plain"]
    ending = place.endings()[f"{served.base}/item/script"]
    assert ending[:2] == ("failed", "not_rendered")
    assert "browser.path" in ending[2]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_browser_outlives_the_crawl(number: int, tmp_path: Path) -> None:
    """However the crawler ends, its driver and every browser process end with it."""
    routes: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/loop"])),
        "/item/loop": page(LOOP.replace("class=body", "class=other")),
    }
    with serving(routes) as running:
        place = workplace(tmp_path, rules(running), timeout="8s")
        child = place.start("crawl")
        until_s = time.monotonic() + 30
        while running.hits["/item/loop"] < 2 and time.monotonic() < until_s:
            time.sleep(0.05)  # bounded: until the browser has asked
        assert running.hits["/item/loop"] == 2
        below = children_of(child.pid)
        assert len(below) > 2
        child.send_signal(number)
        child.communicate(timeout=40)
    until_s = time.monotonic() + 20
    while any(map(is_alive, below)) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert [pid for pid in below if is_alive(pid)] == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the workplace's programs
@pytest.mark.parametrize(
    ("name", "walk", "differs"),
    [
        ("fishai", ("home", 4, "no_next"), []),
        ("futu", ("headlines", 8, "no_growth"), ["58800286", "topics"]),
    ],
)
def test_fixture_portals_with_what_scripts_add(
    shared: Path,
    tmp_path: Path,
    name: str,
    walk: tuple[str, int, str],
    differs: list[str],
) -> None:
    """The workplace's checker agrees with rendered items, in every mode.

    Their listings are clicked and scrolled to the end.

    The topic of one page of futu is in nothing that its server has.
    """
    folder = shared / "fixtures/portals" / PORTALS[name]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    place = Workplace(tmp_path, config_file=ROOT / f"tests/portals/{name}-shown.yaml")
    server = module_at(shared / "fixtures/portals/serve.py").make_server(str(folder))
    clock = {"clock": manifest["frozen_now"]}
    with running(server) as base:
        place.environment["BASE"] = base
        result = place.run("crawl", 120, **clock).of(name)
    assert result["exit_code"] == 0, result
    walks = [(x["listing"], x["rows"], x["ended"]) for x in result["run"]["walks"]]
    assert walk in walks
    said = checked(shared, folder, place, name)
    assert len(said) == (1 if differs else 0), said
    assert all(word in line for line in said for word in differs)
    for job in ("replay", "extract"):
        answer = place.run(job, ports=[], **clock).answer
        assert (answer["differences"], answer.get("misses", [])) == ([], [])
        assert len(answer["items"]) == len(place.items(name))


def checked(shared: Path, folder: Path, place: Workplace, name: str) -> list[str]:
    """Return what the workplace's checker finds different."""
    items = place.directory / "items.jsonl"
    lines = [item.model_dump_json() for item in place.items(name)]
    items.write_text("\n".join(lines), encoding="utf-8")
    checker = [sys.executable, str(shared / "tools/check_items.py")]
    ran = subprocess.run(
        [*checker, str(folder / "manifest.json"), str(items)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "item fields agree" in ran.stdout, ran.stderr
    return ran.stdout.splitlines()[:-1]
