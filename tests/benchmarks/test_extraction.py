"""The benchmark of extraction runs and scores; how good the figures are is not said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_one_corpus_is_scored_by_fold(shared: Path) -> None:
    """Our figures of one corpus and one fold come out, and nothing crashed."""
    program = ROOT / "benchmarks" / "extraction.py"
    options = ["--corpus", "gne-zh", "--fold", "1", "--tool", "ours", "--json"]
    done = subprocess.run(
        [sys.executable, program, *options, "--shared", shared],
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)["ours"]
    assert set(made["groups"]) == {"gne-zh", "ALL", "ALL zh"}
    assert made["groups"]["ALL"]["text_n"] == 4
    assert made["groups"]["ALL"]["F1"] > 0.9
    assert made["pace"]["crashes"] == 0
