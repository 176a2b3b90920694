"""Measure what a crawl with portalkeep costs beside stock Scrapy with the same parsing.

    .venv/bin/python benchmarks/crawl.py [--quick | --full] [--rounds N] [--json]

Rounds alternate (ours, stock, ours, stock …), each in a fresh process, against a
server in a third one.  What counts is processor time per response: wall time depends on
who else uses the machine.  ``extract`` reads the last archive of our crawl again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from portals import HITS, SIZES  # noqa: E402 - the path comes first

ROUNDS = 4
LIMIT_S = 120
"""Longest that one run may take."""
Row = dict[str, Any]  # Any: numbers, texts, and tables of them, as JSON has them


def main() -> int:
    """Run the benchmark; 1 where the sides did not make the same items."""
    asked = arguments()
    load = os.getloadavg()[0]
    began_s = time.perf_counter()
    rows = [measure(size, asked) for size in asked.size]
    report: Row = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "took_s": round(time.perf_counter() - began_s, 1),
        "rounds": asked.rounds,
        "portals": rows,
    }
    print(json.dumps(report) if asked.json else table(report))
    return 0 if all(row["same_items"] for row in rows) else 1


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, help=f"of each side; {ROUNDS}, quick 1")
    parser.add_argument(
        "--quick",
        dest="pages",
        action="store_const",
        const="quick",
        default="default",
        help="few pages, one round",
    )
    parser.add_argument(
        "--full",
        dest="pages",
        action="store_const",
        const="full",
        help="all pages; many minutes",
    )
    parser.add_argument("--json", action="store_true", help="print all numbers")
    parser.add_argument(
        "--size", action="append", choices=SIZES, help="of the portal; default all"
    )
    asked = parser.parse_args()
    asked.rounds = asked.rounds or (1 if asked.pages == "quick" else ROUNDS)
    asked.size = asked.size or list(SIZES)
    return asked


def measure(name: str, asked: argparse.Namespace) -> Row:
    """Return all that was measured on one portal."""
    pages = SIZES[name].pages[asked.pages]
    runs: dict[str, list[Row]] = {"ours": [], "stock": [], "extract": []}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        serving("portals.py", name, str(pages)) as base,
    ):
        for number in range(asked.rounds):
            for side in ("ours", "stock"):
                where = Path(directory) / f"{number}-{side}"
                where.mkdir()
                runs[side].append(run(side, name, base, where))
        for number in range(min(asked.rounds, 2)):
            archive = Path(directory) / f"{number}-ours"
            runs["extract"].append(run("extract", name, base, archive))
    made = {
        (row["items"], row["items_digest"]) for each in runs.values() for row in each
    }
    return {
        "portal": name,
        "pages": pages,
        "same_items": len(made) == 1 and made.pop()[0] == pages,
        "same_requests": len({row["hits"] for row in runs["ours"] + runs["stock"]})
        == 1,
        **{side: summary(rows) for side, rows in runs.items()},
        "runs": runs,
    }


def run(side: str, size: str, base: str, directory: Path) -> Row:
    """Run one side in a fresh process and return what it measured."""
    before = hits(base)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, HERE / "sides.py", side, size, base, directory],
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        check=True,
    )
    row: Row = json.loads(done.stdout.splitlines()[-1])
    row["hits"] = hits(base) - before
    row["responses"] = row["hits"] or row["more"]["captures"]
    row["cpu_us"] = row["cpu_s"] / row["responses"] * 1e6
    row["per_s"] = row["responses"] / row["wall_s"]
    return row


def summary(rows: list[Row]) -> Row:
    """Return the medians of some runs."""
    names = ("responses", "cpu_us", "per_s", "wall_s", "peak_mb", "start_s")
    return {name: median(row[name] for row in rows) for name in names}


@contextmanager
def serving(program: str, *asked: str) -> Iterator[str]:
    """Serve a portal from a process of its own; yield its base URL."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, HERE / program, *asked],
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the server has no pipes")
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()  # which ends it


def hits(base: str) -> int:
    """Return how many requests the portal has answered."""
    with urlopen(f"{base}{HITS.decode()}", timeout=30) as response:  # noqa: S310
        return int(response.read())


def table(report: Row) -> str:
    """Return the medians for people."""
    said = "{rounds} rounds, Python {python}, {cores} cores, load {load}, {took_s} s"
    titles = ("responses", "CPU us/resp", "resp/s", "peak MB", "start s")
    lines = [
        said.format_map(report),
        "",
        f"{'portal':8}{'side':9}" + "".join(f"{title:>12}" for title in titles),
    ]
    for row in report["portals"]:
        for side in ("ours", "stock", "extract"):
            one = row[side]
            lines.append(
                f"{row['portal']:8}{side:9}{one['responses']:>12.0f}"
                f"{one['cpu_us']:>12.0f}{one['per_s']:>12.0f}"
                f"{one['peak_mb']:>12.0f}{one['start_s']:>12.2f}"
            )
        lines += [f"{'':8}{verdict(row)}", ""]
    return "\n".join(lines)


def verdict(row: Row) -> str:
    """Return how the sides of a portal compare, as one line."""
    mine, theirs = row["ours"], row["stock"]
    added = mine["cpu_us"] - theirs["cpu_us"]
    pairs = zip(row["runs"]["ours"], row["runs"]["stock"], strict=True)
    ratios = sorted(one["cpu_us"] / other["cpu_us"] for one, other in pairs)
    same = "same items" if row["same_items"] else "DIFFERENT ITEMS"
    return (
        f"ours/stock {mine['cpu_us'] / theirs['cpu_us']:.2f} "
        f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f}), {added:+.0f} us a response; "
        f"{same}"
    )


if __name__ == "__main__":
    sys.exit(main())
