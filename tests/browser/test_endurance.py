"""Many rendered pages in one run, in small: see `tests.browser.endurance`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.browser.endurance import faults, run

NAMES = ("chromium", "chromium-browser", "google-chrome")
PAGES = 20
pytestmark = [
    pytest.mark.skipif(
        not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
    ),
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="needs Linux's /proc"
    ),
]


def test_crashes_on_the_way_cost_nothing(tmp_path: Path) -> None:
    """With its renderers and its browser killed, a run gives all items, leaks none."""
    report = run(tmp_path, PAGES, 120)
    assert faults(report, PAGES) == [], report
