"""`portals new`: rules proposed for the bundled portals, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.archive.collection import Collection
from crawler.archive.store import LocalStore
from crawler.cli.main import run
from crawler.clock import SystemClock
from crawler.config.load import load
from crawler.demo.server import running
from crawler.demo.site import CONFIG, portal_ids, variables
from crawler.jobs.extract import Selection, Tally, diff_runs
from tests.cli.program import Program, serving
from tests.jobs.test_shared_portals import module_at
from tests.jobs.test_shared_portals import running as serving_shared

if TYPE_CHECKING:
    from collections.abc import Mapping

SAME = ("item", "title", "published_at", "authors", "editor", "body_text", "images")
LISTINGS = {"gulangyu": "/list/local_1.html", "tidewire": "/hk/news"}


@pytest.fixture
def quick(program: Program) -> Program:
    """Give the command where no host has to be waited for."""
    program.config.write_text("crawl: {delay: 0s}\n", "utf-8")
    return program


def files(program: Program) -> list[str]:
    """Return the names of the files beside the configuration."""
    there = (path.name for path in program.directory.iterdir())
    return [name for name in there if name != program.config.name]


def differing(
    program: Program, config: Path, environment: Mapping[str, str], portal: str
) -> set[str]:
    """Return the fields in which stored items differ from those of other rules."""
    settings = load(config, environment=environment).settings
    rules = next(one for one in settings.portals if one.id == portal)
    collection = Collection(LocalStore(program.directory / "data/store"))
    args = (collection, rules, Selection(), SystemClock(), tally := Tally())
    found = {one.field for one in diff_runs(*args)}
    assert tally.items >= 3
    return found


@pytest.mark.parametrize("portal", LISTINGS)
def test_crawl_with_proposed_rules_gives_the_hand_written_rules_items(
    quick: Program, portal: str
) -> None:
    """Title, time, people, text and images are those of the shipped rules."""
    with running(portal) as server:
        url = f"{server.base_url}{LISTINGS[portal]}"
        made = quick("portals", "new", url, "--allow-private", "--name", portal)
        assert made.code == 0, made.err
        assert "3 of 3" in made.err
        checked = quick("--config", f"portals/{portal}.yaml", "config", "check")
        assert checked.code == 0, checked.err
        quick.environment["PORTALKEEP_CRAWL__DELAY"] = "0s"
        crawled = quick("--config", f"portals/{portal}.yaml", "crawl")
        assert crawled.code == 0, crawled.err
        bases = dict.fromkeys(portal_ids(), server.base_url)
    found = differing(quick, CONFIG, variables(bases), portal)
    assert not found & set(SAME), found


SHARED = {
    "fishai-like/": ("rows", {"title": ".title", "body": ".article-content"}),
    "zaker-like/channel/13": ("rows", {"title": "h1", "body": "#content"}),
    "futu-like/hk/main": (
        "state",
        {"title": ".news__title", "body": ".origin_content"},
    ),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the workplace's programs
@pytest.mark.parametrize("target", SHARED)
def test_rules_for_the_fixture_portals(
    shared: Path, quick: Program, target: str
) -> None:
    """All links of the listing are found, and each field is as without rules."""
    folder, _, path = target.partition("/")
    portals = shared / "fixtures/portals"
    server = module_at(portals / "serve.py").make_server(str(portals / folder))
    with serving_shared(server) as base:
        args = ("portals", "new", f"{base}/{path}", "--allow-private", "--dry-run")
        done = quick("--json", *args)
    assert done.code == 0, done.err
    report = json.loads(done.out)
    source, rules = SHARED[target]
    assert (report["listing"]["source"], report["listing"]["f1"]) == (source, 1.0)
    fields = {one["name"]: one for one in report["fields"]}
    assert all(one["same"] == one["of"] >= 2 for one in fields.values()), fields
    for name, rule in rules.items():
        assert rule in fields[name]["rule"].split(", ")


NAVIGATION = "<nav><a href=/>首页</a><a href=/about>关于</a></nav>"
CHALLENGE = "<title>Just a moment...</title><script>window._cf_chl_opt={}</script>"
ROWS = "".join(
    f"<li><a href=/news/{n}0001>第{n}条港务新闻的标题写得很长</a></li>"
    for n in range(4)
)
SITE = {
    "/robots.txt": "User-agent: *\nDisallow: /closed/\n",
    "/empty/": f"<html><body>{NAVIGATION}<p>今日无事。</p></body></html>",
    "/challenge/": f"<html><head>{CHALLENGE}</head><body>…</body></html>",
    "/closed/": "<ul><li><a href=/news/1>一条有许多字的新闻标题</a></li></ul>",
    "/news/20009": ROWS,
    "/dead/": ROWS,
}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/empty/", "gives no listing: bad_listing"),
        ("/missing/", "gives no listing: http_status: 404"),
        ("/challenge/", "gives no listing: blocked: challenge page"),
        ("/closed/", "cannot be fetched: robots"),
        ("/dead/", "leads to an article: "),
        ("/news/20009", "its own address is like its links'"),
    ],
)
def test_page_that_is_no_listing_is_told(quick: Program, path: str, said: str) -> None:
    """One line with the reason, exit code 4, no file."""
    with serving(SITE) as base:
        done = quick("portals", "new", f"{base}{path}", "--allow-private")
    assert done.code == 4, done.err
    assert said in done.err
    assert "Traceback" not in done.err
    assert files(quick) == []


def test_private_address_needs_to_be_allowed(program: Program) -> None:
    """Without the flag nothing is fetched, and the flag is named."""
    with serving(SITE) as base:
        done = program("portals", "new", f"{base}/dead/")
    assert done.code == 4
    assert "private_address" in done.err
    assert "--allow-private" in done.err


def test_json_report_has_rules_and_values(quick: Program) -> None:
    """--dry-run writes nothing; --json tells each field with its values and methods."""
    with running("gulangyu") as server:
        url = f"{server.base_url}{LISTINGS['gulangyu']}"
        args = ("portals", "new", url, "--allow-private", "--dry-run")
        done = quick("--json", *args)
    assert done.code == 0, done.err
    report = json.loads(done.out)
    fields = {one["name"]: one for one in report["fields"]}
    assert report["preview"] is True
    assert report["listing"]["f1"] == 1.0
    assert fields["title"]["rule"] == "h1"
    assert fields["title"]["methods"] == ["css:h1"] * 3
    assert len(fields["body"]["values"]) == len(report["items"]) == 3
    assert "portals:" in report["yaml"]
    assert files(quick) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["http://"], "http://"),
        (["ftp://harbour.example/"], "ftp"),
        (["http://h.example/", "--name", "Harbour News"], "is no id"),
        (["http://h.example/", "--timezone", "Asia/Shangai"], "Asia/Shanghai"),
        (["http://h.example/", "-o", "taken.yaml"], "is not overwritten"),
    ],
)
def test_wrong_call_fetches_nothing(
    args: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong URL, id or zone, or a file in the way, is a usage error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORTALKEEP_CONFIG", raising=False)
    Path("taken.yaml").write_text("mine", "utf-8")
    assert run(["portals", "new", *args]) == 2
    assert said in capsys.readouterr().err
    assert Path("taken.yaml").read_text("utf-8") == "mine"
