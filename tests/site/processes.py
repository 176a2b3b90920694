"""Processes below a process, as Linux tells of them."""

from __future__ import annotations

from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Return the processes below pid."""
    found, waiting = [], [pid]
    while waiting:
        task = Path(f"/proc/{waiting.pop()}/task")
        for thread in task.iterdir() if task.exists() else ():
            try:
                below = [int(x) for x in (thread / "children").read_text().split()]
            except OSError:
                continue
            found += below
            waiting += below
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
