from __future__ import annotations

import re
import time

from tests.cli.program import Program

LONGEST_S = 30.0


def test_demo_runs_twice_in_the_same_place(program: Program) -> None:
    """The demo crawls, shows, verifies and replays; again, it finds nothing new."""
    begun = time.monotonic()
    first = program("demo", clock=None)
    assert time.monotonic() - begun < LONGEST_S
    assert first.code == 0, first.out + first.err
    assert "items: 14 new, 0 revised, 0 unchanged" in first.err
    assert "items: 15 new, 0 revised, 0 unchanged" in first.err
    assert "ok: 2 segments, " in first.err
    assert first.err.count(" 0 misses, 0 differences") == 2
    assert "portalkeep --config data/demo.yaml status" in first.out
    assert "Traceback" not in first.err
    assert [path.name for path in program.directory.iterdir()] == ["data"]

    second = program("demo", clock=None)
    assert second.code == 0, second.out + second.err
    assert re.findall(r"items: (\d+) new", second.err) == ["0", "0"]
    assert "is taken" not in second.err
    assert program("--config", "data/demo.yaml", "verify").code == 0


def test_demo_where_nothing_can_be_written(program: Program) -> None:
    """A place that is a file ends with 5 and one line."""
    (program.directory / "data").write_text("in the way", "utf-8")
    ended = program("demo")
    assert ended.code == 5
    assert "cannot be written" in ended.err
    assert "Traceback" not in ended.err
