"""Measure what is done with a page once it is fetched: record, commit, verify.

    .venv/bin/python benchmarks/commit.py [--quick] [--rounds N] [--json] [--no-s3]

Each table has a plain way to do the same beside ours, measured in the same rounds:
warcio without sync and index, a copy or upload of the same files, FastWARC's digests.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent
ROUNDS = 5
LIMIT_S = 60
"""Longest that one step may take."""
TOTAL_S = 75
"""No round but the first is begun later than that after the start."""
SIZES = {"quick": (60, 8, 50), "default": (500, 96, 1_000)}
"""Pages, images and items."""
Row = dict[str, Any]  # Any: numbers and texts, as JSON has them


class Table(NamedTuple):
    """One of the tables: its rows are the sides whose names stand in baselines.

    Attributes:
        baselines: side to the one it is compared with, itself included.
        columns: title to what is shown, of the medians.
    """

    title: str
    baselines: dict[str, str]
    columns: dict[str, Callable[[Row], float]]


_RECORD = Table(
    "record: 4 kB pages; the figure is the commit interval in ms",
    dict.fromkeys(("warcio", "0", "50", "500"), "warcio"),
    {
        "exchanges/s": lambda row: row["exchanges"] / row["wall_s"],
        "CPU us/exch": lambda row: row["cpu_s"] / row["exchanges"] * 1e6,
        "CPU us/rec": lambda row: row["cpu_s"] / row["records"] * 1e6,
    },
)
_COMMIT = Table(
    "commit: one segment with WARC, index and items; MB as stored",
    {"copy": "copy", "commit": "copy", "upload S3": "upload S3"}
    | {"commit S3": "upload S3"},
    {
        "MB/s": lambda row: row["stored"] / row["wall_s"] / 1e6,
        "CPU ms/MB": lambda row: row["cpu_s"] / row["stored"] * 1e9,
        "peak MB": lambda row: row["peak_mb"],
        "added MB": lambda row: row["added_mb"],
    },
)
_VERIFIERS = ("fastwarc", "verify", "verify --read-data", "warcio check")
_VERIFY = Table(
    "verify: the WARC alone; MB as stored",
    {
        f"{kind} {x}": f"{kind} fastwarc"
        for kind in ("pages", "images")
        for x in _VERIFIERS
    },
    {
        "MB/s": lambda row: row["stored"] / row["wall_s"] / 1e6,
        "CPU ms/MB": lambda row: row["cpu_s"] / row["stored"] * 1e9,
    },
)
TABLES = {"record": _RECORD, "commit": _COMMIT, "verify": _VERIFY}


def main() -> int:
    """Run the benchmark; 1 where the sides did not do the same, or found something."""
    asked = arguments()
    load = os.getloadavg()[0]
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        run("make", directory, *map(str, SIZES[asked.size]))
        with serving(directory, wanted=asked.s3) as endpoint:
            until_s = began_s + TOTAL_S
            rounds = measure(directory, asked.rounds, until_s, endpoint)
    report: Row = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "took_s": round(time.perf_counter() - began_s, 1),
        "rounds": len(rounds),
        "s3": endpoint is not None,
        "same": same(rounds),
        "sides": summary(rounds),
        "runs": rounds,
    }
    print(json.dumps(report) if asked.json else text(report))
    return 0 if all(report["same"].values()) else 1


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, help=f"at most; {ROUNDS}, quick 1")
    parser.add_argument(
        "--quick",
        dest="size",
        action="store_const",
        const="quick",
        default="default",
        help="little of all, one round",
    )
    parser.add_argument("--json", action="store_true", help="print all numbers")
    parser.add_argument(
        "--no-s3", dest="s3", action="store_false", help="directory alone"
    )
    asked = parser.parse_args()
    asked.rounds = asked.rounds or (1 if asked.size == "quick" else ROUNDS)
    return asked


def measure(
    directory: Path, rounds: int, until_s: float, endpoint: str | None
) -> list[Row]:
    """Return the numbers of each round by side, as many rounds as there is time for."""
    made: list[Row] = []
    while len(made) < rounds and (not made or time.perf_counter() < until_s):
        turn = str(len(made))
        row = run("record", directory, turn)
        for side in ("copy", "commit"):
            row |= run("commit", directory, side)
        if endpoint is not None:
            for side in ("upload S3", "commit S3"):
                prefix = f"{side[:6]}-{turn}"
                row |= run("commit", directory, side, endpoint, prefix)
        made.append(row | run("verify", directory, turn))
    return made


def run(what: str, directory: Path, *arguments: str) -> Row:
    """Do one thing in a fresh process and return its numbers by side."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, HERE / "commit_sides.py", what, directory, *arguments],
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        check=True,
    )
    rows: Row = json.loads(done.stdout.splitlines()[-1])
    return rows


@contextmanager
def serving(directory: Path, *, wanted: bool) -> Iterator[str | None]:
    """Run an S3 server of our own; yield where it answers, None for none."""
    beside = Path(sys.executable).with_name("weed")
    if not wanted or not (beside.exists() or shutil.which("weed")):
        yield None
        return
    sys.path.insert(0, str(HERE.parent))
    from tests.archive.seaweed import KEY, SECRET, Server  # noqa: PLC0415 - loads boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    server = Server(directory / "weed")
    server.directory.mkdir()
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}" if server.is_ready() else None
    finally:
        server.stop()


def same(rounds: list[Row]) -> dict[str, bool]:
    """Tell whether all sides did the same work, and no verifier found anything."""
    rows = [(side, row) for each in rounds for side, row in each.items()]
    written = {row["records"] for _, row in rows if "records" in row}
    stored = {row["stored"] for side, row in rows if side in _COMMIT.baselines}
    return {
        "records": len(written) == 1,
        "stored": len(stored) == 1,
        "problems": not any(row.get("problems") for _, row in rows),
    }


def summary(rounds: list[Row]) -> dict[str, Row]:
    """Return the medians of each side, and its ratios to its baseline.

    ``ratio`` is of processor time; ``ratios``: the least and the greatest of a round.
    """
    sides: dict[str, Row] = {}
    for table in TABLES.values():
        for side, baseline in table.baselines.items():
            if side in rounds[0]:
                row = _median(rounds, side)
                row |= {title: show(row) for title, show in table.columns.items()}
                row["ratio"] = row["cpu_s"] / _median(rounds, baseline)["cpu_s"]
                each = [x[side]["cpu_s"] / x[baseline]["cpu_s"] for x in rounds]
                row["ratios"] = [min(each), max(each)]
                sides[side] = row
    return sides


def _median(rounds: list[Row], side: str) -> Row:
    rows = [each[side] for each in rounds]
    return {name: median(row[name] for row in rows) for name in rows[0]}


def text(report: Row) -> str:
    """Return the medians for people."""
    said = "{rounds} rounds, Python {python}, {cores} cores, load {load}, {took_s} s"
    lines = [said.format_map(report)]
    lines += [f"NOT THE SAME: {name}" for name, ok in report["same"].items() if not ok]
    for table in TABLES.values():
        titles = "".join(f"{title:>13}" for title in table.columns)
        lines += ["", table.title, f"{'':26}{titles}{'CPU ratio':>12}  (rounds)"]
        for side in table.baselines:
            if one := report["sides"].get(side):
                shown = "".join(f"{one[title]:>13,.1f}" for title in table.columns)
                spread = "({:.2f} to {:.2f})".format(*one["ratios"])
                lines.append(f"{side:26}{shown}{one['ratio']:>12.2f}  {spread}")
    if not report["s3"]:
        lines += ["", "no S3: weed is not there (extra 'test'), or was not wanted"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
