"""Processes below a process, as Linux tells of them."""

from __future__ import annotations

from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Return the processes below pid."""
    found, waiting = [], [pid]
    while waiting:
        below = _started_by(waiting.pop())
        found += below
        waiting += below
    return found


def _started_by(pid: int) -> list[int]:
    """Return the processes that pid started; none where it is gone."""
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += [int(x) for x in (thread / "children").read_text().split()]
    except OSError:
        pass
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
