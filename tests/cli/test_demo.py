from __future__ import annotations

import re
import shutil
import time
from dataclasses import replace

import pytest

from crawler.browser.chromium import NAMES
from tests.cli.program import Program

LONGEST_S = 30.0


@pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
def test_demo_runs_twice_in_the_same_place(program: Program) -> None:
    """The demo crawls, shows, verifies and replays; again, it finds nothing new."""
    begun = time.monotonic()
    first = program("demo", clock=None)
    assert time.monotonic() - begun < LONGEST_S
    assert first.code == 0, first.out + first.err
    assert "items: 14 new, 0 revised, 0 unchanged" in first.err
    assert "items: 15 new, 0 revised, 0 unchanged" in first.err
    assert "items: 7 new, 0 revised, 0 unchanged" in first.err
    assert "ok: 3 segments, " in first.err
    assert first.err.count(" 0 misses, 0 differences") == 3
    assert "portalkeep --config data/demo.yaml status" in first.out
    assert "Traceback" not in first.err
    assert [path.name for path in program.directory.iterdir()] == ["data"]

    second = program("demo", clock=None)
    assert second.code == 0, second.out + second.err
    assert re.findall(r"items: (\d+) new", second.err) == ["0", "0", "0"]
    assert "is taken" not in second.err
    assert program("--config", "data/demo.yaml", "verify").code == 0


def test_demo_without_a_browser(program: Program) -> None:
    """Where no Chromium is found, what needs it is named; the rest is shown."""
    bare = replace(program, environment={"PATH": str(program.directory)})
    ended = bare("demo", clock=None)
    assert ended.code == 0, ended.out + ended.err
    skips = [line for line in ended.err.splitlines() if "skipped" in line]
    assert skips[0] == (
        "yardarm is skipped: no Chromium found; install it (apt install chromium) "
        "or set browser.path"
    )
    assert "ok: 2 segments, " in ended.err
    assert ended.err.count(" 0 misses, 0 differences") == 2
    assert "items yardarm" not in ended.out


def test_demo_where_nothing_can_be_written(program: Program) -> None:
    """A place that is a file ends with 5 and one line."""
    (program.directory / "data").write_text("in the way", "utf-8")
    ended = program("demo")
    assert ended.code == 5
    assert "cannot be written" in ended.err
    assert "Traceback" not in ended.err
