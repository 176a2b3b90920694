"""The benchmark of record, commit and verify runs; its times are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_quick_run_does_the_same_on_all_sides() -> None:
    """All sides write as many records, store as many bytes and find no problem."""
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "benchmarks" / "commit.py"),
            *("--quick", "--json", "--no-s3"),
        ],
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["same"] == {"records": True, "stored": True, "problems": True}
    assert {"warcio", "0", "50", "500", "copy", "commit"} < set(report["sides"])
    kinds = {side.partition(" ")[0] for side in report["sides"]}
    assert {"pages", "images"} < kinds
    assert "commit S3" not in report["sides"]
