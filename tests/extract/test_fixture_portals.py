"""The three fixture portals' item pages against their ground truth."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ruamel.yaml import YAML

from crawler.config.portal import Portal
from crawler.errors import NotExtracted
from crawler.extract import extract
from crawler.extract.item import Extraction, extract_item_from
from crawler.extract.listings.further import further_urls
from crawler.extract.listings.listing import seed_links
from crawler.frontier.policy import merge_hints
from crawler.item import Item, Listing
from crawler.model import Capture, Hint, Kind, Link, Response

HOST = "127.0.0.1:8101"
BASE = f"http://{HOST}"
SEED_FIELDS = (
    *("title", "external_id", "source", "published_raw", "published_precision"),
    *("published_source", "language", "languages", "editor", "authors", "summary"),
    *("key_points", "lead", "body_text", "tickers", "tags", "related", "images"),
    "flags",
)
PORTALS = ("fishai", "futu", "zaker")


def portal(name: str) -> Portal:
    """Load the test's own description of a fixture portal."""
    path = Path(__file__).parents[1] / "portals" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8").replace("${BASE}", BASE)
    return Portal.model_validate(YAML(typ="safe").load(text)["portals"][0])


def directory(shared: Path, name: str) -> Path:
    """Return where the fixture portal's files are."""
    return shared / "fixtures" / "portals" / f"{name}-like"


def manifest(shared: Path, name: str) -> dict[str, Any]:
    """Return the fixture portal's ground truth."""
    path = directory(shared, name) / "manifest.json"
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return truth


def response(shared: Path, name: str, url: str) -> Response:
    """Return what the fixture server answers, from its route table."""
    folder = directory(shared, name)
    routes = json.loads((folder / "routes.json").read_text(encoding="utf-8"))["routes"]
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    fitting = [
        each
        for each in routes
        if each["path"] == parts.path
        and each.get("query", {}).items() <= query.items()
        and not any(query.get(key) for key in each.get("query_absent", ()))
    ]
    route = max(fitting, key=lambda each: len(each.get("query", {})))
    body = (folder / route["file"]).read_bytes()
    body = body.replace(b"{{BASE}}", BASE.encode()).replace(b"{{HOST}}", HOST.encode())
    if "X-Fixture-Gzip" in route.get("headers", {}):
        body = gzip.compress(body, mtime=0)
    at = datetime.fromisoformat(manifest(shared, name)["frozen_now"])
    headers = ((b"Content-Type", route["content_type"].encode()),)
    return Response(url, route.get("status", 200), headers, body, at)


def walked(shared: Path, name: str) -> tuple[dict[str, Hint], list[Item]]:
    """Walk all listings of a portal; return each item page's hint, and the flashes."""
    rules = portal(name)
    waiting = [(link, 1) for link in seed_links(rules)]
    hints: dict[str, Hint] = {}
    flashes: list[Item] = []
    for _ in range(50):
        if not waiting:
            break
        link, page = waiting.pop(0)
        answer = response(shared, name, link.url)
        visit = Capture("page-1", link, answer, answer.captured_at, page=page)
        found = extract(visit, rules)
        assert isinstance(found, Listing)
        flashes += found.flashes
        for each in found.links:
            if each.kind is Kind.LISTING:
                waiting.append((each, 1))
            else:
                hints[each.url] = merge_hints(hints.get(each.url, {}), each.hint)
        if found.next is not None:
            waiting.append((found.next, page + 1))
    return hints, flashes


def capture(shared: Path, name: str, path: str, hint: Hint | None = None) -> Capture:
    """Return the whole visit of an item page, its further pages included."""
    main = response(shared, name, BASE + path)
    link = Link(main.url, Kind.ITEM, listing="main", hint=hint or {})
    visit = Capture("page-1", link, main, main.captured_at, run_id="run-1")
    for _ in range(10):
        wanted = further_urls(visit, portal(name))
        more = tuple(response(shared, name, url) for url in wanted)
        visit = replace(visit, further=(*visit.further, *more))
        if not more:
            break
    return visit


def extracted(visit: Capture, name: str) -> Extraction:
    """Return the extraction of a visit by the portal's rules."""
    return extract_item_from(visit, portal(name), config_digest="sha256:0")


def dumped(extraction: Extraction) -> dict[str, Any]:
    """Return the item as it is emitted."""
    emitted: dict[str, Any] = json.loads(extraction.item.model_dump_json())
    return emitted


@pytest.fixture(scope="module")
def checker(shared: Path) -> ModuleType:
    """Give the shared comparison tool."""
    path = shared / "tools" / "check_items.py"
    spec = importlib.util.spec_from_file_location("check_items", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PORTALS)
def test_every_field_of_every_item_agrees(
    shared: Path, checker: ModuleType, name: str
) -> None:
    """All fields of all static item pages are what the ground truth says.

    The hints are those that a walk over all the portal's listings gives.
    """
    truth = manifest(shared, name)
    hints, _ = walked(shared, name)
    wrong = []
    for want in truth["items"]:
        if want.get("render_required"):
            continue
        visit = capture(shared, name, want["url"], hints[BASE + want["url"]])
        got = dumped(extracted(visit, name))
        for field, agrees, expected, found in checker.article(
            want, got, True, truth["timezone"]
        ):
            if not agrees:
                wrong.append((want["url"], field, expected, found))
        source = want["published_source"]
        if source in {"page", "feed"} and got["published_source"] != source:
            wrong.append((want["url"], "source", source, got["published_source"]))
    assert wrong == []


def test_flashes_are_the_rows_without_a_page(shared: Path) -> None:
    """The flash list gives the flashes that are no article, and no other."""
    _, flashes = walked(shared, "futu")
    truth = manifest(shared, "futu")["flash_items"]
    alone = [each for each in truth if not each["merges_into_article"]]
    assert [(each.external_id, each.body_text) for each in flashes] == [
        (each["external_id"], each["body_text"]) for each in alone
    ]


def test_language_variant_is_an_item_of_its_own(shared: Path) -> None:
    """The English page of a post has its own id and points at the Chinese one."""
    variant = manifest(shared, "futu")["language_variants"][0]
    own = extracted(capture(shared, "futu", variant["url"]), "futu").item
    other = extracted(capture(shared, "futu", variant["alternate_of"]), "futu").item
    assert own.title == variant["title"]
    assert own.body_text == variant["body_text"]
    assert own.language == "en"
    assert own.id != other.id
    assert [urlsplit(each.url).path for each in own.alternates] == [
        other_path(other.url)
    ]


def other_path(url: str) -> str:
    """Return a URL's path."""
    return urlsplit(url).path


def test_seed_page_gives_the_seed_item(shared: Path) -> None:
    """Without a hint the seed page is the seed item in every field we have."""
    path = directory(shared, "fishai") / "expected" / "seed-item.json"
    want = json.loads(path.read_text(encoding="utf-8"))
    extraction = extracted(capture(shared, "fishai", "/article/1001"), "fishai")
    got = dumped(extraction)
    for field in SEED_FIELDS:
        assert got[field] == want[field], field
    slim = [{key: each[key] for key in each if each[key]} for each in got["blocks"]]
    for each in slim:
        each.pop("level", None)
    assert slim == want["blocks"]
    assert urlsplit(got["canonical_url"]).path == want["canonical_url"]
    assert got["portal"] == want["portal"]["id"]
    for text, expected in zip(
        [got["published_at"], *got["published_range"]],
        [want["published_at"], *want["published_range"]],
        strict=True,
    ):
        assert datetime.fromisoformat(text) == datetime.fromisoformat(expected)
    cut = [(each.text, each.reason) for each in extraction.excluded]
    inside = {"template_leak", "promo", "editor_line"}
    truth = [(each["text"], each["reason"]) for each in want["excluded"]]
    assert cut == [each for each in truth if each[1] in inside]


@pytest.mark.parametrize(
    ("name", "path", "reason"),
    [
        ("zaker", "/article/68757cde1bc8e0aa01000b02", "gone"),
        ("futu", "/hk/post/58800286/gold-slips-bitcoin-jumps", "shell_page"),
        ("futu", "/hk/flash/17400212", "no_rule"),
    ],
)
def test_pages_that_are_no_item(
    shared: Path, name: str, path: str, reason: str
) -> None:
    """Gone, shell and foreign pages end with their reason."""
    with pytest.raises(NotExtracted) as caught:
        extracted(capture(shared, name, path), name)
    assert caught.value.reason == reason


def test_extraction_is_pure(shared: Path) -> None:
    """The same capture gives the same item, byte for byte."""
    visit = capture(shared, "zaker", "/wap/art_50118.html")
    assert extracted(visit, "zaker") == extracted(visit, "zaker")


def test_article_over_two_pages(shared: Path) -> None:
    """The second page is asked for once and its blocks follow the first's."""
    visit = capture(shared, "zaker", "/wap/art_50118.html")
    assert [each.url for each in visit.further] == [f"{BASE}/wap/art_50118_2.html"]
    assert extracted(visit, "zaker").item.editor == "王砚"
