"""Run a command and tell what all of its processes used, once every one has ended.

``python benchmarks/tree.py COMMAND…`` passes the command's output on and adds a line of
JSON.  Linux: elsewhere what a process's orphans used is not seen, nor memory.

1. Orphans become children of this process, so their time is counted when they end.
2. Memory is the proportional set size: a page that processes share counts once.  It is
   looked at every ``EVERY_S``; what comes and goes between is missed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

EVERY_S = 0.25
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def main() -> None:
    """Run the command of the arguments; end with its exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    peak, ended = [0, 0], threading.Event()
    watching = threading.Thread(target=_watch, args=(peak, ended))
    watching.start()
    done = subprocess.run(sys.argv[1:], check=False)  # noqa: S603 - our own program
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    ended.set()
    watching.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "tree_cpu_s": used.ru_utime + used.ru_stime,
        "tree_peak_mb": peak[0] / 2**10,
        "processes": peak[1],
    }
    print(json.dumps(told), flush=True)
    sys.exit(done.returncode)


def _watch(peak: list[int], ended: threading.Event) -> None:
    """Keep the most memory, in KiB, and the most processes that were seen at once."""
    while not ended.wait(EVERY_S):
        pids = descendants(os.getpid())
        peak[0] = max(peak[0], sum(map(_pss_kb, pids)))
        peak[1] = max(peak[1], len(pids))


def descendants(pid: int) -> list[int]:
    """Return the processes below pid; none where there is no /proc."""
    found: list[int] = []
    for task in (_PROC / str(pid) / "task").glob("*"):
        with contextlib.suppress(OSError):
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def _pss_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
