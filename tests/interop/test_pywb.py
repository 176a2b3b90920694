"""A collection as a crawl stored it, read and served by other people's tools.

They run from an environment of their own, which ``scripts/interop`` makes.  Known of
them, and each shown here so that a change is noticed:

- ``fastwarc check -p`` calls the payload digests of resources, revisits and chunked
  responses wrong: it takes no chunking off and a resource has no HTTP head.
- warcio, and so pywb, takes trailers for payload.
- pywb passes a stored Content-Length on where the body was cut, so that its answer
  never becomes whole.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import pytest

from crawler.archive.collection import Collection
from crawler.http import is_chunked, payload_chunks, read_head
from crawler.warc.cdxj import CdxLine
from crawler.warc.member import ParsedRecord
from tests.crawling import ROOT, Workplace, portal
from tests.site.portal import Behaviour, article, listing, page, raw, redirect, serving

TOOLS = ROOT / ".venv-interop" / "bin"
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not (TOOLS.parent / ".stamp").is_file(),
        reason="no .venv-interop; scripts/interop makes it",
    ),
]

READ = """
import hashlib, json, sys
from warcio.archiveiterator import ArchiveIterator
found = []
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        for record in ArchiveIterator(file, no_record_parse=True):
            block = hashlib.sha256(record.raw_stream.read()).hexdigest()
            fields = record.rec_headers
            found.append([
                fields.get_header("WARC-Record-ID"), record.rec_type,
                fields.get_header("WARC-Target-URI"), "sha256:" + block,
                fields.get_header("WARC-Block-Digest"),
            ])
print(json.dumps(found))
"""
TRAILED = "/item/trailed"
UTF8 = "/item/港?q=新"
SAME = ("/item/same-1", "/item/same-2")
MAX_RECORD = 60_000
START_S = 30.0
ANSWER_S = 1.0


def chunked(body: bytes, extension: bytes = b"", trailer: bytes = b"") -> Behaviour:
    """Return a page in two chunks."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
    half = len(body) // 2
    sizes = (half, extension, body[:half], len(body) - half, body[half:], trailer)
    chunks = b"%x%b\r\n%b\r\n%X\r\n%b\r\n0\r\n%b\r\n" % sizes
    return raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, close=False)


def coded(body: bytes, coding: str) -> Behaviour:
    """Return a page with a content-coding."""
    return page(body, headers=[("Content-Encoding", coding)])


def routes() -> dict[str, Behaviour]:
    """Return a portal with everything that other tools stumble over."""
    same = page(article("the same text", more="<p>again and again</p>" * 40))
    short = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n"
    )
    pages = {
        "/item/plain": page(article("plain")),
        "/item/gzip": coded(gzip.compress(article("gzip").encode()), "gzip"),
        "/item/br": coded(brotli.compress(article("br").encode()), "br"),
        "/item/chunked": chunked(article("chunked").encode()),
        "/item/extended": chunked(article("extended").encode(), b";a=1"),
        TRAILED: chunked(article("trailed").encode(), trailer=b"T: 1\r\n"),
        SAME[0]: same,
        SAME[1]: same,
        "/item/moved": redirect("/item/plain"),
        "/item/missing": page("missing", 404),
        UTF8: page(article("utf-8")),
        "/item/short": raw(short + article("short").encode()),
        "/item/large": page(article("large", more="<p>much more</p>" * 9_000)),
    }
    first = page(listing(pages))
    escaped = "/item/%E6%B8%AF?q=%E6%96%B0"
    return {**pages, escaped: pages[UTF8], "/latest": first}


@dataclass(frozen=True)
class Stored:
    """What a crawl of the portal stored.

    Attributes:
        lines: of the index that lead to answers.
    """

    store: Path
    collection: Collection
    lines: list[CdxLine]

    @property
    def warcs(self) -> list[str]:
        """The WARCs' paths."""
        return [str(path) for path in sorted(self.store.rglob("*.warc.gz"))]

    def record(self, line: CdxLine) -> ParsedRecord:
        """Return the record at a line."""
        return self.collection.record(line.filename, line.offset, line.length)

    def payload(self, line: CdxLine) -> bytes:
        """Return the payload as our reader gives it, content-coding kept."""
        by_id = {one.record: one for one in self.lines}
        record = self.record(by_id[line.ref] if line.ref else line)
        head = read_head(record.block)
        assert head is not None
        return b"".join(payload_chunks(record.block, head))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Crawl the portal once."""
    place = Workplace(tmp_path_factory.mktemp("interop"))
    place.settings["warc"] = {"max_record": MAX_RECORD}
    with serving(routes()) as site:
        place.portals = [portal(site.base, crawl={"retries": 0})]
        place.run("crawl")
    collection = place.collection
    lines = [
        line
        for segment in collection.segments("harbour")
        for line in collection.lines(segment)
        if line.url.startswith("http")
    ]
    return Stored(place.directory / "store", collection, lines)


def run(tool: str, *args: str, cwd: Path | None = None) -> str:
    """Run a tool to its end; it must end well."""
    done = subprocess.run(
        [TOOLS / tool, *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_is_in_it(stored: Stored) -> None:
    """The crawl met what these tests are about."""
    kinds = {stored.record(line).type for line in stored.lines}
    cuts = {stored.record(line).header("WARC-Truncated") for line in stored.lines}
    assert kinds == {"response", "revisit"}
    assert {"length", "disconnect"} <= cuts
    assert {200, 302, 404} == {line.status for line in stored.lines}
    assert len(stored.lines) >= len(routes())


def test_fastwarc_finds_nothing_wrong(stored: Stored) -> None:
    """Its check passes every record."""
    for warc in stored.warcs:
        assert "verified successfully" in run("fastwarc", "check", warc)


def test_fastwarc_on_payloads(stored: Stored, tmp_path: Path) -> None:
    """Payload digests hold but for the kinds of records it is known to get wrong."""
    from crawler.warc.reader import scan

    for number, warc in enumerate(stored.warcs):
        out = tmp_path / f"{number}.txt"
        subprocess.run(
            [TOOLS / "fastwarc", "check", "-q", "-p", "-o", out, warc],
            capture_output=True,
            timeout=60,
            check=False,
        )
        failed = {
            line.partition(">")[0].removeprefix("<")
            for line in out.read_text("utf-8").splitlines()
            if "FAIL" in line
        }
        known = set()
        for member in scan(Path(warc)):
            head = read_head(member.record.block)
            is_chunks = head is not None and is_chunked(head)
            if member.record.type in ("resource", "revisit") or is_chunks:
                known.add(member.record.record_id)
        assert failed <= known


def test_warcio_reads_every_record(stored: Stored) -> None:
    """Ids, types and URIs are the same, and the block digests hold."""
    from crawler.warc.reader import scan

    found = json.loads(run("python", "-c", READ, *stored.warcs))
    ours = [member.record for warc in stored.warcs for member in scan(Path(warc))]
    assert [row[:3] for row in found] == [
        [f"<{record.record_id}>", record.type, record.target_uri] for record in ours
    ]
    assert all(made == said for *_, made, said in found)


# pywb


@pytest.fixture(scope="module")
def server(stored: Stored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve the collection twice: by our index (ours) and by pywb's own (theirs)."""
    place = tmp_path_factory.mktemp("pywb")
    index_of_ours(stored, place)
    config = {
        "collections": {
            "ours": {
                "index_paths": str(place / "index.cdxj"),
                "archive_paths": str(place / "paths.txt"),
            }
        }
    }
    (place / "config.yaml").write_text(json.dumps(config), "utf-8")  # JSON is YAML
    run("wb-manager", "init", "theirs", cwd=place)
    run("wb-manager", "add", "theirs", *stored.warcs, cwd=place)
    with wayback(place) as port:
        yield port


def index_of_ours(stored: Stored, place: Path) -> None:
    """Write what docs/formats.md says pywb needs: one index, and where WARCs are."""
    lines = [
        line
        for path in stored.store.rglob("*.cdxj.gz")
        for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    ]
    (place / "index.cdxj").write_bytes(b"".join(sorted(lines)))
    paths = "".join(f"{Path(warc).name}\t{warc}\n" for warc in stored.warcs)
    (place / "paths.txt").write_text(paths, "utf-8")


@contextmanager
def wayback(place: Path) -> Iterator[int]:
    """Run pywb's server on loopback; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(TOOLS / "wayback"), "-b", "127.0.0.1", "-p", str(port)]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=place, stdout=log, stderr=log, env={**os.environ}
        )
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once the port answers."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, "wayback ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("wayback did not start")


@dataclass(frozen=True)
class Answer:
    """What pywb gave; whole is unset where the body never came to its end."""

    status: int
    location: str | None
    body: bytes
    whole: bool


def ask(port: int, collection: str, line: CdxLine) -> Answer:
    """Ask for a capture, raw."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    target = f"/{collection}/{line.timestamp}id_/{line.url}"
    try:
        connection.request("GET", target, headers={"Accept-Encoding": "gzip, br"})
        response = connection.getresponse()
        body, whole = b"", True
        try:
            while piece := response.read1(1 << 16):
                body += piece
        except (OSError, http.client.HTTPException):
            whole = False
        length = int(response.getheader("Content-Length") or len(body))
        whole = whole and length == len(body)
        return Answer(response.status, response.getheader("Location"), body, whole)
    finally:
        connection.close()


@pytest.mark.parametrize("collection", ["ours", "theirs"])
def test_pywb_serves_each_capture(stored: Stored, server: int, collection: str) -> None:
    """The payload of each capture is what our reader gives, revisits resolved."""
    for line in stored.lines:
        answer = ask(server, collection, line)
        record = stored.record(line)
        payload = stored.payload(line)
        assert answer.status == line.status, line.url
        if urlsplit(line.url).path == TRAILED:
            assert answer.body.startswith(payload)
            assert answer.body != payload  # the trailer is in it
            continue
        assert answer.body == payload, line.url
        assert answer.whole or record.header("WARC-Truncated"), line.url
        if line.status == 302:
            assert (answer.location or "").endswith("/item/plain")


def test_pywb_indexes_the_same(stored: Stored, server: int, tmp_path: Path) -> None:
    """Its own index has our keys, places and digests, line by line."""
    place = tmp_path / "again"
    place.mkdir()
    run("wb-manager", "init", "theirs", cwd=place)
    run("wb-manager", "add", "theirs", *stored.warcs, cwd=place)
    index_of_ours(stored, place)
    common = ("url", "digest", "offset", "length", "filename")

    def rows(path: Path) -> list[tuple[str, ...]]:
        found = []
        for text in path.read_text("utf-8").splitlines():
            key, timestamp, rest = text.split(" ", 2)
            keys = json.loads(rest)
            if keys["url"].startswith("http"):
                values = [keys.get(name, "-") for name in common]
                # pywb writes no status for revisits.
                is_revisit = keys["mime"] == "warc/revisit"
                status = "-" if is_revisit else keys["status"]
                found.append((key, timestamp, status, *values))
        return sorted(found)

    theirs = place / "collections" / "theirs" / "indexes" / "index.cdxj"
    assert rows(theirs) == rows(place / "index.cdxj")


def test_the_tools_stay_apart() -> None:
    """Nothing of that environment can be imported by the project."""
    assert shutil.which("wayback", path=str(ROOT / ".venv" / "bin")) is None
    with pytest.raises(ImportError):
        __import__("pywb")
