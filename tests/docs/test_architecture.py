from __future__ import annotations

import re

from tests.docs.page import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
CODE = re.compile(r"`([^`]+)`")


def test_every_room_is_in_the_table() -> None:
    """The table of rooms names whatever is in crawler/."""
    rooms = TEXT.partition("## Rooms")[2].partition("##")[0]
    rows = [line.split("|") for line in rooms.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in CODE.findall(row[1])}
    there = {
        path.stem
        for path in (ROOT / "crawler").iterdir()
        if path.is_dir() or path.suffix == ".py"
    }
    assert {name for name in there if not name.startswith("_")} <= named


def test_files_named_are_there() -> None:
    """Each file of the program or its tests that the page names exists."""
    pattern = r"`((?:crawler/|tests/|docs/|[a-z]+/)[\w/]*\.(?:py|md|json))"
    named = set(re.findall(pattern, TEXT))
    assert len(named) > 10
    for name in named:
        found = (ROOT / name).exists() or (ROOT / "crawler" / name).exists()
        assert found, name
