"""A small portal on loopback and the command as a process: what the tests here use."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DAY_1 = "2025-07-15T14:00:00+08:00;frozen"
DAY_2 = "2025-07-16T14:00:00+08:00;frozen"
TIMEOUT_S = 60.0

CONFIG = """\
store: {{url: {data}/store}}
spool: {{path: {data}/spool}}
crawl: {{delay: {delay}, retry_delay: 0s, retries: 0}}
portals:
  - id: harbour
    name: Harbour News
    timezone: Asia/Shanghai
    allow_private: true
    listings:
      - id: news
        from: rows
        url: {base}/news/
        rows: ul.news li
        fields: {{url: "a::attr(href)", title: a}}
    items:
      - {{match: '^/news/\\d+$', title: h1, body: .article, published: .date}}
    expect: {{min_items: {min_items}}}
"""


def article(title: str, text: str) -> str:
    """Return an item page."""
    body = f"<p>{text}</p>" * 8
    return (
        f"<html lang=zh><head><title>{title}</title></head><body><h1>{title}</h1>"
        f"<p class=date>2025-07-14 09:30</p><div class=article>{body}</div></body>"
    )


def pages(more: int = 0) -> dict[str, str]:
    """Return the portal's pages by path: three items, a missing one, and more.

    1 and 2 are the same bytes, large enough for a revisit.
    """
    numbers = range(1, 5 + more)
    rows = "".join(f"<li><a href=/news/{n}>Row {n}</a></li>" for n in numbers)
    same = article("渡轮复航", "港务局宣布，停航两周的渡轮周一复航，运客三千。")
    other = article(
        "灯塔开放", "修缮一年的灯塔本周起向公众开放，每日限三百人登塔参观。"
    )
    return {
        "/news/": f"<html><body><ul class=news>{rows}</ul></body></html>",
        "/news/1": same,
        "/news/2": same,
        "/news/3": other,
        **{f"/news/{n}": article(f"Row {n}", f"Text {n}.") for n in numbers[4:]},
    }


@contextlib.contextmanager
def serving(content: dict[str, str], delay_s: float = 0.0) -> Iterator[str]:
    """Serve pages on loopback; content may be changed meanwhile. Give the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(delay_s)
            body = content.get(self.path, "").encode()
            self.send_response_only(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Program:
    """Runs the command in a directory of its own."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The configuration that calls without ``--config`` find."""
        return self.directory / "archive_config.yaml"

    def configure(self, base: str, *, delay: str = "0s", min_items: int = 0) -> None:
        """Write the configuration of the portal at base."""
        text = CONFIG.format(
            data=self.directory / "data", base=base, delay=delay, min_items=min_items
        )
        self.config.write_text(text, "utf-8")

    def start(self, *args: str, clock: str | None = DAY_1) -> subprocess.Popen[str]:
        """Start the command."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PORTALKEEP_")}
        clocked = {"PORTALKEEP_CLOCK": clock} if clock else {}
        return subprocess.Popen(
            [sys.executable, "-m", "crawler.cli", *args],
            cwd=self.directory,
            env=kept | {"PYTHONPATH": str(ROOT)} | clocked | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def __call__(self, *args: str, clock: str | None = DAY_1) -> Ended:
        """Run the command to its end."""
        with self.start(*args, clock=clock) as process:
            out, err = process.communicate(timeout=TIMEOUT_S)
        return Ended(process.returncode, out, err)


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Collected:
    """A portal crawled on two days; one item was revised in between.

    Attributes:
        runs: run ids, oldest first.
    """

    program: Program
    base: str
    store: Path
    runs: tuple[str, str]


def collect(directory: Path) -> Collected:
    """Crawl the small portal on two days."""
    program, content = Program(directory), pages()
    with serving(content) as base:
        program.configure(base)
        first = program("crawl", clock=DAY_1)
        content["/news/3"] = content["/news/3"].replace("三百", "五百")
        second = program("crawl", clock=DAY_2)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    store = directory / "data" / "store"
    runs = sorted(path.stem for path in (store / "runs" / "harbour").iterdir())
    return Collected(program, base, store, (runs[0], runs[1]))
