"""Run one extractor over a corpus, in this process and nothing else in it.

    python benchmarks/extraction_run.py TOOL --corpus DIR --tools DIR [--name NAME]

``ours`` is portalkeep; any other tool is one that ``run_peers.py`` in --tools knows,
and this file runs in the environment that has it: it needs the standard library only.
Writes a JSON line a page: what `extraction_eval.py` scores, and the CPU time.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

Row = dict[str, Any]  # Any: lines of JSON

OURS = "ours"
NO_URL = "https://page.invalid/"
"""Of pages whose address nobody noted: it says nothing of the page."""
CAPTURED_AT = datetime(2026, 6, 1, tzinfo=UTC)
"""Of pages that nobody noted it for."""
WARM_UP = 3


class Tools(NamedTuple):
    """What reads articles and what reads listings; None for neither."""

    article: str | None
    listing: tuple[str, ...]


PEERS = {
    "trafilatura": Tools("trafilatura", ("list_courlan",)),
    "readability": Tools("readability", ()),
    "newspaper4k": Tools("newspaper4k_lang", ("list_newspaper",)),
    "resiliparse": Tools("resiliparse", ()),
    "gne": Tools("gne", ()),
    "two lines": Tools(None, ("list_long_anchor", "list_next_rule")),
}
MODULES = {
    "trafilatura": "trafilatura",
    "readability": "readability",
    "newspaper4k": "newspaper",
    "resiliparse": "resiliparse",
    "gne": "gne",
    "two lines": "lxml",
}


def module_at(path: Path) -> ModuleType:
    """Return the module in a file that is on no path of this interpreter."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def rows_of(corpus: Path, names: list[str]) -> list[Row]:
    """Return the index lines of the corpora named, of all where none is."""
    lines = (corpus / "index.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return [row for row in rows if not names or row["corpus"] in names]


def ours() -> dict[str, Callable[[bytes, Row], Row]]:
    """Return our extractors by the kind of page."""
    from crawler.errors import NotExtracted  # noqa: PLC0415 - peers run without it
    from crawler.extract import extract_item, extract_listing  # noqa: PLC0415

    def article(body: bytes, row: Row) -> Row:
        try:
            item = extract_item(body, url=row["url"], captured_at=row["at"])
        except NotExtracted as exc:
            return {"refused": str(exc)}
        published = item.published_at
        exact = item.published_precision in {"second", "minute", "hour"}
        when = (published if exact else published.date()) if published else None
        return {
            "title": item.title,
            "text": item.body_text,
            "date": when.isoformat() if when else None,
            "authors": [author.name for author in item.authors],
            "editor": item.editor,
            "source": item.source.name,
        }

    def listing(body: bytes, row: Row) -> Row:
        try:
            found = extract_listing(body, url=row["url"], captured_at=row["at"])
        except NotExtracted as exc:
            return {"refused": str(exc)}
        following = found.next.url if found.next else None
        return {"links": [link.url for link in found.links], "next_page": following}

    return {"article": article, "listing": listing}


def peer(name: str, tools: Path) -> dict[str, Callable[[bytes, Row], Row]]:
    """Return a peer's extractors by the kind of page; the peer must be installed."""
    factories = module_at(tools / "run_peers.py").TOOLS
    wanted = PEERS[name]
    made: dict[str, Callable[[bytes, Row], Row]] = {}
    if wanted.article:
        read = factories[wanted.article]()
        made["article"] = lambda body, row: read(body, row["given"], row["language"])
    if wanted.listing:
        readers = [factories[each]() for each in wanted.listing]

        def listing(body: bytes, row: Row) -> Row:
            found = [each(body, row["url"], row["language"]) for each in readers]
            links = next((each["links"] for each in found if each.get("links")), [])
            following = (each.get("next_page") for each in found)
            return {"links": links, "next_page": next(filter(None, following), None)}

        made["listing"] = listing
    return made


def main() -> None:
    """Extract every page once, the first ones before that to warm up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=[OURS, *PEERS])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--name", action="append", default=[])
    parser.add_argument("--kind", choices=["article", "listing"])
    given = parser.parse_args()
    readers = ours() if given.tool == OURS else peer(given.tool, given.tools)
    warmed: dict[str, int] = {}
    for row in rows_of(given.corpus, given.name):
        kind = row["kind"]
        if kind not in readers or given.kind not in {None, kind}:
            continue
        _complete(row, given.corpus)
        body = gzip.decompress((given.corpus / row["file"]).read_bytes())
        if warmed.setdefault(kind, 0) < WARM_UP:
            warmed[kind] += 1
            _timed(readers[kind], body, row)
        print(json.dumps(_timed(readers[kind], body, row), ensure_ascii=False))


def _complete(row: Row, corpus: Path) -> None:
    """Add what extraction is given beside the bytes: a URL and when it was fetched."""
    truth = json.loads((corpus / row["truth"]).read_text(encoding="utf-8"))
    row["given"] = row["url"]
    row["url"] = row["url"] or NO_URL
    crawled = truth.get("crawl_date")
    at = datetime.fromisoformat(crawled) if crawled else CAPTURED_AT
    row["at"] = at if at.tzinfo else at.replace(tzinfo=UTC)


def _timed(read: Callable[[bytes, Row], Row], body: bytes, row: Row) -> Row:
    began = time.process_time()
    try:
        found = read(body, row)
    except Exception as exc:  # noqa: BLE001 - a crash is a result, too
        found = {"error": f"{type(exc).__name__}: {exc}"[:200]}
    taken = time.process_time() - began
    return {"id": row["id"], "kind": row["kind"], "cpu_ms": taken * 1000, **found}


if __name__ == "__main__":
    main()
