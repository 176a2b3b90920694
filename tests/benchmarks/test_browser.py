"""The benchmark runs, and compares what is comparable; its times are not looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.browser.chromium import NAMES

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
def test_quick_run_makes_the_same_items_on_both_sides() -> None:
    """The sides make the same items, of the same requests: no page is asked twice."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "browser.py", "--quick", "--json"],
        capture_output=True,
        timeout=240,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    script, mixed = json.loads(done.stdout)["tables"]
    assert script["same_items"]
    assert mixed["same_items"]
    (ours,), (theirs,) = (script["runs"][side] for side in ("always", "theirs"))
    assert abs(ours["requests"] - theirs["requests"]) < 0.5  # a page; icons, robots.txt
    assert ours["bytes"] > 10_000
    assert theirs["bytes"] == 0
    (auto,), (always,) = (mixed["runs"][side] for side in ("auto", "always"))
    assert auto["requests"] < always["requests"] / 2
