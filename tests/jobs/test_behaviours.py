"""Pages that want to be clicked and scrolled: their steps, read in every mode."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.program import Program
from tests.crawling import Workplace, consistent, portal
from tests.jobs.test_rendering import NAMES, assert_all_modes_agree
from tests.site import scripted
from tests.site.portal import article, json_page, listing, page, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.site.portal import Behaviour, Portal

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
ROWS_OF_VIRTUAL = 40
PAGES_OF_MORE = 4
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def shown(base: str, name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a listing whose rows a browser shows."""
    rule = {"id": name, "from": "rows", "url": f"{base}/{name}", "rows": "li.row"}
    fields = {"url": "a::attr(href)", "title": "i"}
    return {**rule, "fields": fields, "render": "always", **changes}


@pytest.fixture
def served() -> Iterator[Portal]:
    """Give a portal of lists that scripts make."""
    routes: dict[str, Behaviour] = {
        "/virtual": page(scripted.VIRTUAL % ROWS_OF_VIRTUAL),
        "/more": page(scripted.LOAD_MORE),
        "/endless": page(scripted.ENDLESS),
        "/script": page(scripted.BY_SCRIPT),
        "/plain": page(listing(["/item/p0"])),
        "/empty": page("<!doctype html><p>nothing here"),
        "*": page(article("one")),
    }
    for at in range(PAGES_OF_MORE):
        rows = [{"id": f"m{2 * at}"}, {"id": f"m{2 * at + 1}"}]
        answer = {"data": {"list": rows, "more": at < PAGES_OF_MORE - 1}}
        routes[f"/api/list?page={at}"] = json_page(answer)
    with serving(routes) as running:
        yield running


def walks_of(result: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Return rows and ending of each listing's walk."""
    return {x["listing"]: (x["rows"], x["ended"]) for x in result["run"]["walks"]}


def test_lists_are_walked_to_their_end(served: Portal, tmp_path: Path) -> None:
    """Rows of all steps are found once, in order; each walk says why it ended."""
    base = served.base
    cover = {"dismiss": "#close"}
    rules = portal(
        base,
        listings=[
            shown(base, "virtual", next="scroll"),
            shown(base, "more", next={"click": "#more"}, browser=cover),
            shown(base, "endless", next={"click": {"selector": "#more", "max": 3}}),
            shown(base, "script", render="auto"),
            shown(base, "plain", render="auto"),
            shown(base, "empty", render="auto", ready=".ready"),
        ],
    )
    place = Workplace(tmp_path, [rules], {"browser": {"timeout": "30s"}})
    result = place.run("crawl", 120).of()
    assert walks_of(result) == {
        "virtual": (ROWS_OF_VIRTUAL, "no_growth"),
        "more": (2 * PAGES_OF_MORE, "no_next"),
        "endless": (4, "max_steps"),
        "script": (2, "no_next"),
        "plain": (1, "no_next"),
        "empty": (0, "shell_page"),
    }
    consistent(place, result)
    visited = [path.removeprefix(f"{base}/item/") for path in place.endings()]
    assert {f"v{n}" for n in range(ROWS_OF_VIRTUAL)} <= set(visited)
    assert place.endings()[f"{base}/empty"][:2] == ("captured", "shell_page")
    assert served.hits["/plain"] == 1
    assert len(place.items()) == ROWS_OF_VIRTUAL + 2 * PAGES_OF_MORE + 4 + 2 + 1
    assert_steps(place, base)
    assert_all_modes_agree(place)


def test_try_names_the_api_behind_a_button(served: Portal, tmp_path: Path) -> None:
    """A preview clicks as a crawl does, and says how to ask for the rows directly."""
    base = served.base
    cover = {"dismiss": "#close"}
    more = shown(base, "more", next={"click": "#more"}, browser=cover)
    hidden = {"match": "^/item/", "title": "h1", "render": "auto", "ready": ".none"}
    rules = portal(base, listings=[more], items=[hidden])
    Workplace(tmp_path, [rules]).config.touch()
    program = Program(tmp_path)
    ended = program("try", f"{base}/more", "--explain", clock=None)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["rows"] == 2 * PAGES_OF_MORE
    assert f"a click or scroll called GET {base}/api/list?page=1" in ended.err
    assert "from: json, rows: data.list (2 rows, called 4 times)" in ended.err
    shell = program("--json", "try", f"{base}/item/1", clock=None)
    assert shell.code == 4
    assert json.loads(shell.out)["reason"] == "shell_page"
    assert json.loads(shell.out)["apis"] == []
    assert served.hits["/item/1"] == 2


def assert_steps(place: Workplace, base: str) -> None:
    """Check that each step has its record, and no record a whole list of windows."""
    (segment,) = place.segments()
    lines = list(place.collection.lines(segment))
    for name, least in (("virtual", 7), ("more", 4), ("endless", 4), ("script", 1)):
        steps = [x for x in lines if x.url == f"urn:dom:{base}/{name}"]
        assert len(steps) >= least, name
        assert len({x.page for x in steps}) == 1
        if name == "virtual":
            record = place.record_of(
                steps[0].filename, steps[0].offset, steps[0].length
            )
            assert record.block.read().count(b'href="/item/v') == 7
    assert not [x for x in lines if x.url == f"urn:dom:{base}/plain"]
    bodies = [
        json.loads(place.record_of(x.filename, x.offset, x.length).block.read())
        for x in lines
        if x.url.startswith("urn:portalkeep:capture:")
    ]
    found = {x["link"]["url"]: (x["render"], x.get("dom_ended")) for x in bodies}
    assert found[f"{base}/more"] == ("always", "no_next")
    assert found[f"{base}/script"] == ("auto", None)
    assert found[f"{base}/plain"] == ("never", None)


def test_an_item_page_finds_what_its_rule_says(tmp_path: Path) -> None:
    """Size, language, time zone and session are the rule's; what is blocked is not met.

    The session is in no file of the store, the length of its cookie aside.
    """
    session = {
        "cookies": [cookie("reader", "geheim-1234")],
        "origins": [],
    }
    routes: dict[str, Behaviour] = {
        "/latest": page(listing(["/item/pictures", "/item/long"])),
        "/item/pictures": page(scripted.PICTURES),
        "/item/long": page(scripted.LONG),
        "/seen.js": page("var seen = 1", content_type="text/javascript"),
        "*": page(PNG, content_type="image/png"),
    }
    with serving(routes) as running:
        kept = [{"name": "reader", "value": "local-5678"}]
        session["origins"] = [{"origin": running.base, "localStorage": kept}]
        (tmp_path / "session.json").write_text(json.dumps(session), "utf-8")
        place = Workplace(tmp_path, [shown_items(running.base)])
        result = place.run("crawl", 120, clock="2025-07-15T14:00:00Z").of()
        asked = {each.target: each.headers for each in running.asked}
    assert result["exit_code"] == 0, result
    items = {item.title: item for item in place.items()}
    told = "390x844 fr-CH Asia/Tokyo reader=geheim-1234 local-5678 number undefined"
    assert (items["pictures"].body_text or "").splitlines()[0] == told
    paragraphs = (items["long"].body_text or "").split("\n\n")
    wanted = [f"paragraph {n}" + ("" if n % 5 else " and again") for n in range(20)]
    assert paragraphs == wanted
    assert {"/seen.js", "/late.png", "/image.png"} <= set(asked)
    assert not {"/film.mp4", "/advert.js"} & set(asked)
    assert asked["/item/pictures"]["Cookie"] == "reader=geheim-1234"
    assert asked["/item/pictures"]["Accept-Language"].startswith("fr-CH")
    assert_refused(place, running.base)
    assert b"geheim-1234" not in all_of(place, but=b"urn:dom:")
    assert_all_modes_agree(place)


def cookie(name: str, value: str) -> dict[str, Any]:
    """Return a cookie as a storage state has it."""
    where = {"domain": "127.0.0.1", "path": "/", "expires": -1}
    return {**where, "name": name, "value": value, "sameSite": "Lax"}


def shown_items(base: str) -> dict[str, Any]:
    """Return a portal whose items are shown with much to say about how."""
    browser = {
        "scroll": True,
        "block": "media",
        "block_urls": ["/advert", r"\.never$"],
        "viewport": {"width": 390, "height": 844, "mobile": True, "scale": 2},
        "locale": "fr-CH",
        "timezone": "Asia/Tokyo",
        "timeout": "25s",
        "storage_state": "session.json",
    }
    rule = {"match": "^/item/", "title": "h1", "body": ".body", "render": "always"}
    return portal(base, items=[{**rule, "browser": browser}])


def assert_refused(place: Workplace, base: str) -> None:
    """Check that what was blocked is counted with the page, and not recorded."""
    (segment,) = place.segments()
    lines = list(place.collection.lines(segment))
    about = f"urn:pageinfo:{base}/item/pictures"
    (found,) = [x for x in lines if x.url == about]
    block = place.record_of(found.filename, found.offset, found.length).block
    assert json.loads(block.read())["refused"] == {"127.0.0.1": 2}
    assert not [x for x in lines if "advert" in x.url or "film" in x.url]


def all_of(place: Workplace, *, but: bytes) -> bytes:
    """Return all records of the stored WARCs, but those of one kind."""
    whole = b""
    for path in place.warcs():
        records = gzip.decompress(path.read_bytes()).split(b"WARC/1.1\r\n")
        whole += b"".join(x for x in records if but not in x[:500])
    return whole
