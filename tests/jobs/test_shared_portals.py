"""The workplace's fixture portals and corpus, crawled; skipped where they are not."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from crawler.warc.format import safe_uri
from tests.crawling import QUICK, ROOT, Ran, Workplace, consistent, plain, portal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import ThreadingHTTPServer

PORTALS = {"fishai": "fishai-like", "futu": "futu-like", "zaker": "zaker-like"}
CORPUS_PAGES = int(os.environ.get("TEST_CORPUS_PAGES", "60"))
"""How many pages of the corpus are crawled; 0 is all of them."""


@contextlib.contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    """Run a server of the workplace until the block ends; give its base URL."""
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def module_at(path: Path) -> Any:  # noqa: ANN401 - a module of the workplace
    """Load a program of the workplace as a module, leaving no trace beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the workplace's programs
@pytest.mark.parametrize("name", PORTALS)
def test_fixture_portal(shared: Path, tmp_path: Path, name: str) -> None:
    """Each field is right by the workplace's checker, live and replayed."""
    folder = shared / "fixtures/portals" / PORTALS[name]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    place = Workplace(tmp_path, config_file=ROOT / f"tests/portals/{name}.yaml")
    server = module_at(shared / "fixtures/portals/serve.py").make_server(str(folder))
    clock = {"clock": manifest["frozen_now"]}
    with running(server) as base:
        place.environment["BASE"] = base
        result = place.run("crawl", **clock).of(name)
        assert result["exit_code"] == 0, result
    assert_right(shared, folder, place, name)
    consistent(place, result, name)
    stored = plain(place.items(name))
    for job in ("replay", "extract"):
        answer = place.run(job, ports=[], **clock).answer
        assert answer["differences"] == []
        assert {(row["id"], row["revision"]) for row in answer["items"]} == set(stored)
        assert answer.get("misses", []) == []


def assert_right(shared: Path, folder: Path, place: Workplace, name: str) -> None:
    """Check the stored items with the workplace's own checker."""
    items = place.directory / "items.jsonl"
    lines = [item.model_dump_json() for item in place.items(name)]
    items.write_text("\n".join(lines), encoding="utf-8")
    checker = [sys.executable, str(shared / "tools/check_items.py")]
    checked = subprocess.run(
        [*checker, str(folder / "manifest.json"), str(items), "--static"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout[-3000:]


def corpus_portal(base: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a portal with the simplest rules for the corpus."""
    return portal(
        f"{base}",
        listing={"url": f"{base}/latest?page=1", "stop": {"max_pages": 100}},
        items=[{"match": "", "title": "h1", "required": []}],
        **changes,
    )


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("way", ["direct", "proxy"])
def test_corpus(shared: Path, tmp_path: Path, way: str) -> None:
    """Every page ends, every item opens its record, nothing but the server is met."""
    make = module_at(shared / "tools/corpus_site.py").make_server
    server = make(str(shared / "corpus"), 0, limit=CORPUS_PAGES)
    with running(server) as base:
        if way == "direct":
            rules = corpus_portal(base)
            urls = {f"{base}/p/{row['id']}.html" for row in server.rows}
        else:
            scope = {"hosts": ["*"]}
            crawl = {**QUICK, "proxy": base, "concurrency": 8}
            rules = corpus_portal("http://corpus.test", scope=scope, crawl=crawl)
            urls = {row["own_url"] for row in server.rows}
        place = Workplace(tmp_path, [rules])
        ports = [server.server_address[1]]
        ran = place.run("crawl", 300, ports=ports)
    result = ran.of()
    assert ran.tried == []
    assert result["exit_code"] == 0, result
    consistent(place, result)
    assert_all_ended(place, urls)
    assert_records_open(place)
    other = "replay" if way == "proxy" else "extract"
    assert_modes_agree(place, place.run(other, 300, ports=[]))


def assert_all_ended(place: Workplace, urls: set[str]) -> None:
    """Check that each page has an outcome, and that most gave an item."""
    endings = place.endings()
    paths = {path_of(url) for url in endings}
    assert {path_of(url) for url in urls} <= paths
    counted = [ending for ending in endings.values() if ending[0] == "failed"]
    assert counted == []
    assert len(place.items()) > len(urls) * 0.8


def path_of(url: str) -> str:
    """Return what is compared of a URL, whose escapes may be spelt otherwise."""
    parts = urlsplit(safe_uri(url))
    return f"{parts.netloc}{parts.path}?{parts.query}".lower()


def assert_records_open(place: Workplace) -> None:
    """Check that each item's provenance leads to its very record."""
    for item in place.items():
        first = item.provenance.records[0]
        assert first.warc is not None
        record = place.record_of(first.warc, first.offset, first.length)
        assert record.record_id == first.record_id
        assert record.header("WARC-Payload-Digest") == first.payload_digest
        assert record.date == item.provenance.captured_at


def assert_modes_agree(place: Workplace, again: Ran) -> None:
    """Check that another mode made the stored items of the archive alone."""
    assert again.tried == []
    assert again.answer["differences"] == []
    assert len(again.answer["items"]) == len(place.items())
