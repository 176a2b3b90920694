"""The benchmark runs, and compares what is comparable; its times are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_quick_run_makes_the_same_items_on_both_sides() -> None:
    """Our crawl, stock Scrapy and extract make the same items of the same requests."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "crawl.py", "--quick", "--json"],
        capture_output=True,
        timeout=240,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["portals"]
    assert [row["portal"] for row in rows] == ["light", "heavy"]
    for row in rows:
        assert row["same_items"]
        assert row["same_requests"]
        made = {side: row["runs"][side][0]["items"] for side in row["runs"]}
        assert made == dict.fromkeys(("ours", "stock", "extract"), row["pages"])
