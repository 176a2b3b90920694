"""Measure what extraction finds on pages with truth, beside other libraries.

    .venv/bin/python benchmarks/extraction.py [--only text|meta|listing] [--corpus NAME]
        [--fold K] [--worst N] [--tool NAME] [--json] [--shared DIR]

Scores by the rules of the shared evaluator, on the development half only.  A peer is
run where ``scripts/peers`` has made its environment, and said to be absent elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from extraction_run import MODULES, OURS, PEERS, module_at, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
LIMIT_S = 600
"""Longest that one tool may take for all pages."""
SLOW_MS = 2_000
FOLDS = 5
ALL, CHINESE = "ALL", "ALL zh"
Row = dict[str, Any]  # Any: lines of JSON
_CLOCK = re.compile(r"[T ]\d{1,2}:\d{2}")


class Page(NamedTuple):
    """A page of the corpus with its truth, and the groups whose figures it counts in.

    Attributes:
        fold: by the digest of its id; what is tuned on the others is judged here.
    """

    row: Row
    truth: Row
    fold: int

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the corpus, ALL and ALL zh; text that a tool wrote is no truth."""
        corpus = self.row["corpus"]
        if self.row.get("text_kind") == "tool-bronze":
            return (f"{corpus} (bronze)",)
        chinese = (CHINESE,) if self.row["language"].startswith("zh") else ()
        return (corpus, ALL, *chinese)


def pages_of(corpus: Path, names: list[str]) -> list[Page]:
    """Return the pages of the corpora named, of all where none is."""
    return [
        Page(
            row,
            json.loads((corpus / row["truth"]).read_text(encoding="utf-8"))["truth"],
            int(hashlib.sha1(row["id"].encode()).hexdigest(), 16) % FOLDS,  # noqa: S324
        )
        for row in rows_of(corpus, names)
    ]


class Scorer:
    """Figures of predictions, by the shared evaluator's rules and two more."""

    def __init__(self, shared: Path) -> None:
        """Take the evaluator in the shared folder."""
        self._module = module_at(shared / "tools" / "extraction_eval.py")

    def score(self, pages: Iterable[Page], found: dict[str, Row]) -> dict[str, Row]:
        """Return the figures of each group."""
        bags: dict[str, Any] = {}  # Any: the evaluator's
        clocks: dict[str, list[bool]] = {}
        for page in pages:
            guess = found.get(page.row["id"], {})
            right = self._clock(page.truth.get("date"), guess.get("date"))
            for group in page.groups:
                bag = bags.setdefault(group, self._module.Bag())
                add = bag.article if page.row["kind"] == "article" else bag.listing
                add(page.row["id"], page.truth, guess)
                if right is not None:
                    clocks.setdefault(group, []).append(right)
        figures = {
            group: bag.out() | {"pages": bag.pages} for group, bag in bags.items()
        }
        for group, each in clocks.items():
            figures[group]["clock"] = sum(each) / len(each)
        return figures

    def _clock(self, truth: str | None, guess: str | None) -> bool | None:
        """Tell whether the time of day is right to the minute; None without truth.

        A time without an offset is compared as printed: many pages print none.
        """
        if not truth or not _CLOCK.search(truth):
            return None
        if not guess or not _CLOCK.search(guess):
            return False
        try:
            wanted, given = map(datetime.fromisoformat, (truth, guess))
        except ValueError:  # a peer's text
            return False
        if not wanted.tzinfo or not given.tzinfo:
            wanted, given = wanted.replace(tzinfo=None), given.replace(tzinfo=None)
        return abs((wanted - given).total_seconds()) < 60  # noqa: PLR2004 - a minute


def run(tool: str, given: argparse.Namespace) -> dict[str, Row] | None:
    """Return what a tool finds by page id, None where it is not installed."""
    python = Path(sys.executable) if tool == OURS else PEERS_PYTHON
    if tool != OURS and not _has(python, MODULES[tool]):
        return None
    command = [python, HERE / "extraction_run.py", tool]
    command += ["--corpus", given.shared / "corpus", "--tools", given.shared / "tools"]
    command += [each for name in given.corpus for each in ("--name", name)]
    if given.only:
        command += ["--kind", "listing" if given.only == "listing" else "article"]
    done = subprocess.run(  # noqa: S603 - our own file
        command, capture_output=True, timeout=LIMIT_S, check=False, text=True
    )
    if done.returncode:
        sys.exit(f"{tool}: {done.stderr[-2000:]}")
    rows = map(json.loads, done.stdout.splitlines())
    return {row["id"]: row for row in rows}


def _has(python: Path, module: str) -> bool:
    if not python.exists():
        return False
    command = [python, "-c", f"import {module}"]
    return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603


def pace_of(found: dict[str, Row]) -> Row:
    """Return pages a second of CPU time, and how often it went wrong."""
    times = [row["cpu_ms"] for row in found.values()]
    articles = [row for row in found.values() if row["kind"] == "article"]
    return {
        "pages/s": len(times) / (sum(times) / 1000) if times else 0.0,
        "refused": sum("refused" in row for row in articles),
        "crashes": sum("error" in row for row in found.values()),
        "no title": sum(not row.get("title") for row in articles),
        "> 2 s": sum(each > SLOW_MS for each in times),
    }


Column = tuple[str, "Callable[[dict[str, Row]], float | None]"]


def _at(group: str, name: str) -> Callable[[dict[str, Row]], float | None]:
    return lambda figures: figures.get(group, {}).get(name)


def _worst(figures: dict[str, Row]) -> float | None:
    corpora = [each["F1"] for name, each in figures.items() if _is_corpus(name, each)]
    return min(corpora, default=None)


def _is_corpus(name: str, figures: Row) -> bool:
    whole = name not in {ALL, CHINESE} and "bronze" not in name
    return whole and bool(figures["text_n"])


COLUMNS: dict[str, list[Column]] = {
    "text": [
        ("text F1", _at(ALL, "F1")),
        ("zh", _at(CHINESE, "F1")),
        ("worst", _worst),
    ],
    "meta": [
        ("title", _at(ALL, "title_norm")),
        ("day", _at(ALL, "date")),
        ("clock", _at(ALL, "clock")),
        ("authors", _at(ALL, "auth_F1")),
        ("editor", _at("gne-zh", "editor")),
        ("source", _at("gne-zh", "source")),
    ],
    "listing": [("links F1", _at(ALL, "links_F1")), ("next", _at(ALL, "next"))],
}
PACE = ("pages/s", "refused", "crashes", "no title", "> 2 s")


def columns_for(only: str | None) -> list[Column]:
    """Return the columns of one kind of figure, or all."""
    return [each for kind, of in COLUMNS.items() if only in {None, kind} for each in of]


def show(head: list[str], rows: list[list[object]]) -> None:
    """Print a table: numbers below one with three digits, names to the left."""
    texts = [head, *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for cells in texts:
        first, *rest = map(str.rjust, cells, widths)
        print("  ".join([cells[0].ljust(widths[0]), *rest]).rstrip() if first else "")
    print()


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.3f}" if cell <= 1 else f"{cell:.1f}"
    return str(cell)


def show_tools(
    results: dict[str, tuple[dict[str, Row], Row]], only: str | None
) -> None:
    """Print a row a tool: what it finds, how fast, and what went wrong."""
    columns = columns_for(only)
    rows = [
        [tool, *(read(figures) for _, read in columns), *(pace[key] for key in PACE)]
        for tool, (figures, pace) in results.items()
    ]
    show(["tool", *(name for name, _ in columns), *PACE], rows)


def show_corpora(results: dict[str, tuple[dict[str, Row], Row]]) -> None:
    """Print the text F1 of every corpus, a row a tool."""
    first = next(iter(results.values()))[0]
    names = sorted(name for name, each in first.items() if each["text_n"])
    if names:
        rows = [
            [tool, *(figures.get(name, {}).get("F1") for name in names)]
            for tool, (figures, _) in results.items()
        ]
        show(["text F1", *names], rows)


def show_folds(
    scorer: Scorer, pages: list[Page], found: dict[str, Row], only: str | None
) -> None:
    """Print our figures on each fold beside those on the other four together."""
    columns = columns_for(only)
    rows: list[list[object]] = []
    for fold in range(FOLDS):
        inside = [page for page in pages if page.fold == fold]
        others = [page for page in pages if page.fold != fold]
        for name, part in ((f"fold {fold}", inside), ("  the others", others)):
            figures = scorer.score(part, found)
            rows.append([name, len(part), *(read(figures) for _, read in columns)])
    show([OURS, "pages", *(name for name, _ in columns)], rows)


def show_worst(figures: dict[str, Row], found: dict[str, Row], count: int) -> None:
    """Print the pages with the lowest F1 of text or links."""
    scored = sorted(
        (score, page)
        for group, each in figures.items()
        if group not in {ALL, CHINESE}
        for score, page in each["pages"]
    )
    for score, page in scored[:count]:
        row = found.get(page, {})
        print(f"{score:.3f} {page} {row.get('refused') or row.get('error') or ''}")


def main() -> None:
    """Run the tools, print the tables."""
    given = arguments()
    if not (given.shared / "corpus" / "index.jsonl").exists():
        sys.exit(f"no corpus in {given.shared}; --shared names the folder that has it")
    wanted = given.tool or [OURS, *PEERS]
    pages = pages_of(given.shared / "corpus", given.corpus)
    scorer = Scorer(given.shared)
    if given.only:
        kind = "listing" if given.only == "listing" else "article"
        pages = [page for page in pages if page.row["kind"] == kind]
    chosen = [page for page in pages if given.fold in {None, page.fold}]
    results: dict[str, tuple[dict[str, Row], Row]] = {}
    ours: dict[str, Row] = {}
    for tool in wanted:
        found = run(tool, given)
        if found is None:
            print(f"{tool}: not installed; scripts/peers does", file=sys.stderr)
            continue
        ours = found if tool == OURS else ours
        results[tool] = (scorer.score(chosen, found), pace_of(found))
    if given.json:
        print(json.dumps({tool: _plain(*each) for tool, each in results.items()}))
        return
    if not results:
        sys.exit("nothing was run")
    print(f"load {os.getloadavg()[0]:.2f}; pages/s are of CPU time, one core, warm\n")
    show_tools(results, given.only)
    if given.only in {None, "text"}:
        show_corpora(results)
    if ours and given.fold is None:
        show_folds(scorer, pages, ours, given.only)
    if ours and given.worst:
        show_worst(results[OURS][0], ours, given.worst)


def _plain(figures: dict[str, Row], pace: Row) -> Row:
    groups = {
        group: {name: value for name, value in each.items() if name != "pages"}
        for group, each in figures.items()
    }
    return {"groups": groups, "pace": pace}


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=list(COLUMNS))
    parser.add_argument("--corpus", action="append", default=[], metavar="NAME")
    parser.add_argument("--fold", type=int, choices=range(FOLDS), metavar="K")
    parser.add_argument("--worst", type=int, default=0, metavar="N")
    parser.add_argument("--tool", action="append", choices=[OURS, *PEERS])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    return parser.parse_args()


if __name__ == "__main__":
    main()
