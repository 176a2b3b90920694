"""A crawl of many rendered pages, its renderers and its browser killed on the way.

``python -m tests.browser.endurance [PAGES]`` (200) says what it took and what was left;
`run` is the same for tests.  Every tenth page, the renderers that live at that moment
are killed while the page is loading; half-way, the browser is.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from crawler import log
from crawler.clock import SystemClock
from crawler.config.load import load
from crawler.jobs import crawl
from tests.crawling import ROOT, RULE, Workplace, portal
from tests.site.portal import listing, page, serving
from tests.site.processes import children_of, is_alive

if TYPE_CHECKING:
    from crawler.archive.ledger import Ended, Ending
    from crawler.browser.renderer import Renderer
    from crawler.config.settings import Settings
    from tests.site.portal import Behaviour, Handler

PAGES = 200
EVERY = 10
AT_ONCE = 3
LOOK_S = 0.2
GONE_S = 10.0
SHELL = """<!doctype html><link rel=stylesheet href=/style.css><script src=/app.js>
</script><div id=app></div><img src=/picture.svg><script>
const kept = new Array(2e5).fill('x' + Math.random());
fetch('/api%s').then(r => r.json()).then(j => { document.getElementById('app').innerHTML
 = '<h1>' + j.title + '</h1><div class=body><p>' + j.text + '</p></div>' })</script>"""
TWICE = "failed:not_rendered:the page crashed 2 times"
"""A page that was killed along with another, twice."""

KIND = re.compile("--type=([a-z-]+)")  # Chromium joins its words, in part
PICTURE = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"


@dataclass(frozen=True, slots=True)
class Held:
    """What the crawl's process held when a visit had ended."""

    tasks: int
    sockets: int
    contexts: int
    pages: int


@dataclass(slots=True)
class Report:
    """What came of it.

    Attributes:
        endings: outcome and reason of each page, counted.
        crashed: pages and browsers, as the crawl counted them.
        held: after each visit.
        rss: of the whole tree by pages asked for, in bytes.
        left: processes and temporary files that outlived the crawl.
    """

    took_s: float
    exit_code: int
    items: int
    endings: dict[str, int]
    crashed: tuple[int, int]
    held: list[Held]
    rss: list[tuple[int, int]]
    left: tuple[list[int], list[str]]

    def quarter(self, number: int) -> float:
        """Return the median of the tree's size while a quarter (1 to 4) was visited."""
        most = self.rss[-1][0] + 1
        sizes = [size for at, size in self.rss if at * 4 // most == number - 1]
        return statistics.median(sizes)


def faults(report: Report, pages: int) -> list[str]:
    """Return what of a report must not be."""
    crashed, gone = report.crashed
    first, last = report.held[0], report.held[-1]
    captured = report.endings.get("captured", 0)
    long_enough = pages >= PAGES  # else starting up is most of what is seen
    bad = {
        "too few crashes": crashed < pages // EVERY or gone < 1,
        "pages without an end": sum(report.endings.values()) != pages + 1,
        "other ends": not set(report.endings) <= {"captured", TWICE},
        "items missing": report.items != captured - 1 or report.items < pages - AT_ONCE,
        "processes or files left": report.left != ([], []),
        "contexts left": last.contexts > AT_ONCE or last.pages > last.contexts,
        "sockets left": last.sockets - first.sockets > 2 + AT_ONCE * 2,
        "tasks left": last.tasks - first.tasks > AT_ONCE * 2,
        "memory grows": long_enough and report.quarter(4) > 1.1 * report.quarter(2),
    }
    return [name for name, is_so in bad.items() if is_so]


@dataclass(slots=True)
class Killer:
    """The portal's API, which kills what waits for its answer.

    Attributes:
        pid: of the crawl, 0 before it runs.
        kills: how often renderers were killed.
    """

    pages: int
    pid: int = 0
    kills: int = 0
    asked: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, handler: Handler) -> None:
        """Answer; kill first where it is the first time for a chosen page."""
        target = handler.asked.target
        number = int(target.rpartition("/")[2])
        with self.lock:
            first = target not in self.asked
            self.asked.add(target)
            if first and number == self.pages // 2:
                self._kill("")
            elif first and number % EVERY == EVERY - 1:
                self.kills += 1
                self._kill("renderer")
        text = f"Number {number} was told by script, at some length."
        answer = json.dumps({"title": f"story {number}", "text": text})
        page(answer, content_type="application/json")(handler)

    def _kill(self, kind: str) -> None:
        for pid in children_of(self.pid):
            if kind_of(pid) == kind:
                os.kill(pid, signal.SIGKILL)


def kind_of(pid: int) -> str | None:
    """Return what a process is for Chromium: "" the browser; None of strangers."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
    except OSError:
        return None
    if not name.startswith(("chrom", "google")) or "crashpad" in name:
        return None
    found = KIND.search(line)
    return found[1] if found else ""


def tree_bytes(pid: int) -> int:
    """Return the resident size of a process and all below it."""
    size = 0
    for each in (pid, *children_of(pid)):
        try:
            size += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    return size


def run(folder: Path, pages: int, timeout_s: float) -> Report:
    """Crawl so many pages below folder; return what came of it."""
    killer = Killer(pages)
    with serving(routes_of(killer)) as served:
        rule = {**RULE, "render": "always", "ready": ".body"}
        browser = {"timeout": "30s", "pages": AT_ONCE}
        rules = portal(served.base, items=[rule])
        place = Workplace(folder, [rules], {"browser": browser})
        began_s = time.monotonic()
        with (
            tempfile.TemporaryDirectory() as files,  # a path to a socket is short
            (folder / "held").open("wb") as out,
            (folder / "said").open("wb") as talk,
        ):
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.browser.endurance", "--child"],
                cwd=ROOT,
                env={
                    **place.variables,
                    "CONFIG": str(place.config),
                    "TMPDIR": files,
                },
                stdout=out,
                stderr=talk,
            )
            killer.pid = child.pid
            rss, below = watched(child, killer, began_s + timeout_s)
            took_s = time.monotonic() - began_s
            left = outliving(below), [x.name for x in Path(files).iterdir()]
    said = (folder / "said").read_text(encoding="utf-8")
    rows = (folder / "held").read_text(encoding="utf-8").splitlines()
    endings = Counter(
        ":".join(filter(None, ending)) for ending in place.endings().values()
    )
    return Report(
        took_s,
        child.returncode,
        len(place.items()),
        dict(endings),
        (said.count("page_crashed"), said.count("browser_crashed")),
        [Held(**json.loads(row)) for row in rows],
        rss,
        left,
    )


def routes_of(killer: Killer) -> dict[str, Behaviour]:
    """Return a portal of pages that are made by script."""
    numbers = range(killer.pages)
    return {
        "/latest": page(listing([f"/item/{n}" for n in numbers])),
        "/style.css": page("h1 { color: red }", content_type="text/css"),
        "/app.js": page("var app = 1;" * 2000, content_type="text/javascript"),
        "/picture.svg": page(PICTURE, content_type="image/svg+xml"),
        **{f"/item/{n}": page(SHELL % f"/{n}") for n in numbers},
        **{f"/api/{n}": killer for n in numbers},
    }


def watched(
    child: subprocess.Popen[bytes], killer: Killer, until_s: float
) -> tuple[list[tuple[int, int]], set[int]]:
    """Wait for a child; return the sizes of its tree and all processes it had."""
    rss: list[tuple[int, int]] = []
    below: set[int] = set()
    while child.poll() is None:
        if time.monotonic() > until_s:
            child.kill()
        below.update(children_of(child.pid))
        rss.append((len(killer.asked), tree_bytes(child.pid)))
        time.sleep(LOOK_S)  # between two looks
    return rss, below


def outliving(below: set[int]) -> list[int]:
    """Return the processes that do not end."""
    gone_s = time.monotonic() + GONE_S
    while any(map(is_alive, below)) and time.monotonic() < gone_s:
        time.sleep(LOOK_S)  # bounded: until the last one has ended
    return [pid for pid in below if is_alive(pid)]


def held(renderer: Renderer) -> Held:
    """Count what this process holds."""
    sockets = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            sockets += descriptor.readlink().name.startswith("socket:")
        except OSError:
            continue
    driver = renderer._driver
    contexts = driver.running.browser.contexts if driver else []
    pages = sum(len(context.pages) for context in contexts)
    return Held(len(asyncio.all_tasks()), sockets, len(contexts), pages)


def child() -> int:
    """Crawl; write what is held after each visit to stdout."""
    log.configure()
    made: list[Renderer] = []
    real = crawl.renderer_of

    def renderer_of(settings: Settings) -> Renderer:
        made.append(real(settings))
        return made[-1]

    def told(_: str, ending: Ending, ended: Ended) -> None:
        sys.stdout.write(json.dumps(asdict(held(made[0]))) + "\n")
        sys.stdout.flush()

    vars(crawl)["renderer_of"] = renderer_of
    settings = load(Path(os.environ["CONFIG"]), environment=os.environ).settings
    (result,) = crawl.crawl(settings, settings.portals, SystemClock(), progress=told)
    return result.exit_code


def main() -> list[str]:
    """Run it in full, say what it took; return what must not be."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else PAGES
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), pages, 60 + 5.0 * pages)
    second, last = report.quarter(2), report.quarter(4)
    most, end = max(report.held, key=lambda x: x.sockets), report.held[-1]
    print(f"{pages} pages in {report.took_s:.0f} s, {report.items} items")  # noqa: T201
    print(f"endings {report.endings}, exit code {report.exit_code}")  # noqa: T201
    print("crashes: {} pages, {} browsers".format(*report.crashed))  # noqa: T201
    print(f"tree {second / 1e6:.0f} MB in the second quarter, {last / 1e6:.0f} MB")  # noqa: T201
    print(f"in the last: {last / second:.2f}; held at most {most}, at the end {end}")  # noqa: T201
    print(f"processes and files left: {report.left}")  # noqa: T201
    return faults(report, pages)


if __name__ == "__main__":
    if "--child" in sys.argv:
        sys.exit(child())
    sys.exit("; ".join(main()) or 0)
