"""Many rendered pages in one run, in small: see `tests.browser.endurance`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.browser.endurance import AT_ONCE, EVERY, run

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
    pages, browsers = report.crashed
    assert pages >= PAGES // EVERY
    assert browsers >= 1
    assert sum(report.endings.values()) == PAGES + 1, report.endings
    assert set(report.endings) <= {"captured", AGAIN}, report.endings
    assert report.items == report.endings["captured"] - 1
    assert report.items >= PAGES - AT_ONCE
    assert report.left == ([], [])
    first, last = report.held[0], report.held[-1]
    assert last.contexts <= AT_ONCE
    assert last.pages <= last.contexts
    assert last.sockets - first.sockets <= 2 + AT_ONCE * 2
    assert last.tasks - first.tasks <= AT_ONCE * 2


AGAIN = "failed:not_rendered:the page crashed 2 times"
"""A page that was killed along with another, twice."""
