"""Measure pages rendered and archived beside scrapy-playwright that archives nothing.

    .venv/bin/python benchmarks/browser.py [--quick] [--rounds N] [--pages N] [--json]

Rounds alternate (ours, theirs, ours …) with the other side first each time, each in a
fresh process, against a server in a third one.  It ends with 1 where the sides did not
make the same items, or a gate is not passed.
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
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from crawl import hits, serving  # noqa: E402 - the path comes first

ROUNDS, PAGES, MIXED = 3, 60, 200
SIDES = {"script": ("always", "theirs"), "mixed": ("auto", "always")}
"""Of each portal, the one that is measured and the one it is measured by."""

GATES = {"script": 0.85, "mixed": 5.0}
"""So many times the other's pages a second, at least."""

LIMIT_S = 300
"""Longest that one run may take."""
Row = dict[str, Any]  # Any: numbers, texts, and tables of them, as JSON has them


def main() -> int:
    """Run the benchmark; 1 where the sides differ or a gate is not passed."""
    asked = arguments()
    load = os.getloadavg()[0]
    began_s = time.perf_counter()
    tables = [measure(portal, asked) for portal in asked.portal]
    report: Row = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "took_s": round(time.perf_counter() - began_s, 1),
        "rounds": asked.rounds,
        "at_once": asked.at_once,
        "tables": tables,
    }
    print(json.dumps(report) if asked.json else shown(report))
    passed = asked.quick or all(
        row["ratio"]["per_s"] >= GATES[row["portal"]] for row in tables
    )
    return 0 if passed and all(row["same_items"] for row in tables) else 1


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few pages, one round")
    parser.add_argument("--rounds", type=int, help=f"of each side; {ROUNDS}")
    parser.add_argument("--pages", type=int, help=f"of the script portal; {PAGES}")
    parser.add_argument("--mixed", type=int, help=f"of the mixed portal; {MIXED}")
    parser.add_argument(
        "--at-once", type=int, default=2, help="pages of one browser; 2"
    )
    parser.add_argument(
        "--portal", action="append", choices=SIDES, help="one of them; default both"
    )
    parser.add_argument("--json", action="store_true", help="print all numbers")
    asked = parser.parse_args()
    quick = asked.quick
    asked.portal = asked.portal or list(SIDES)
    asked.rounds = asked.rounds or (1 if quick else ROUNDS)
    asked.pages = asked.pages or (6 if quick else PAGES)
    asked.mixed = asked.mixed or (20 if quick else MIXED)
    return asked


def measure(kind: str, asked: argparse.Namespace) -> Row:
    """Return all that was measured of two sides on one portal."""
    sides, pages = SIDES[kind], asked.pages if kind == "script" else asked.mixed
    runs: dict[str, list[Row]] = {side: [] for side in sides}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        serving("scripted.py", kind, str(pages)) as base,
    ):
        for number in range(asked.rounds):
            for side in sides if number % 2 else reversed(sides):
                where = Path(directory) / f"{number}-{side}"
                where.mkdir()
                runs[side].append(run(side, base, where, asked.at_once))
    made = {(x["items"], x["items_digest"]) for each in runs.values() for x in each}
    medians = {side: summary(rows) for side, rows in runs.items()}
    one, other = (medians[side] for side in sides)
    return {
        "portal": kind,
        "pages": pages,
        "sides": sides,
        "same_items": len(made) == 1 and made.pop()[0] == pages,
        "medians": medians,
        "ratio": {name: one[name] / other[name] for name in COLUMNS if other[name]},
        "runs": runs,
    }


COLUMNS = {
    "per_s": "pages/s",
    "cpu_s": "CPU s/page",
    "peak_mb": "peak MB",
    "bytes": "bytes/page",
    "requests": "requests/page",
}


def run(side: str, base: str, directory: Path, at_once: int) -> Row:
    """Run one side in fresh processes and return what they used together."""
    before = hits(base)
    done = subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, HERE / "tree.py"),
            *(sys.executable, HERE / "browser_sides.py"),
            *(side, base, directory, str(at_once)),
        ],
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{side}: {done.stderr.decode()[-2000:]}")
    told, tree = map(json.loads, done.stdout.splitlines()[-2:])
    pages = told["items"]
    return {
        **told,
        **tree,
        "per_s": pages / told["wall_s"],
        "cpu_s": (tree["tree_cpu_s"] - told["start_s"]) / pages,
        "peak_mb": tree["tree_peak_mb"],
        "bytes": told["more"]["bytes"] / pages,
        "requests": (hits(base) - before) / pages,
    }


def summary(rows: list[Row]) -> Row:
    """Return the medians of some runs."""
    return {name: median(row[name] for row in rows) for name in COLUMNS}


def shown(report: Row) -> str:
    """Return the medians for people."""
    said = (
        "{rounds} rounds, {at_once} pages at once, Python {python}, {cores} cores, "
        "load {load}, {took_s} s"
    )
    titles = "".join(f"{title:>15}" for title in COLUMNS.values())
    lines = [said.format_map(report), "", f"{'portal':8}{'side':9}{titles}"]
    for table in report["tables"]:
        for side, row in table["medians"].items():
            lines.append(f"{table['portal']:8}{side:9}{numbers(row)}")
        lines += [f"{'':8}{'ratio':9}{numbers(table['ratio'])}", ""]
        lines += [f"{'':8}{verdict(table)}", ""]
    return "\n".join(lines)


def numbers(row: Row) -> str:
    """Return the columns of a line; nothing stands where there is none."""
    columns = ((row.get(name), "bytes" not in name) for name in COLUMNS)
    return "".join(
        f"{'' if number is None else f'{number:,.{2 * small}f}':>15}"
        for number, small in columns
    )


def verdict(table: Row) -> str:
    """Return how the sides compare in the single rounds, as one line."""
    one, other = (table["runs"][side] for side in table["sides"])
    ratios = sorted(x["per_s"] / y["per_s"] for x, y in zip(one, other, strict=True))
    same = "same items" if table["same_items"] else "DIFFERENT ITEMS"
    names = "/".join(table["sides"])
    return (
        f"{names}: {table['pages']} pages, pages/s {table['ratio']['per_s']:.2f} "
        f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f}); {same}"
    )


if __name__ == "__main__":
    sys.exit(main())
