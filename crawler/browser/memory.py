"""The memory of pages: a renderer that takes too much is killed, its page crashes.

Where a system does not say how much a process takes, the limit of the script's heap
alone holds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOOK_S = 0.25
RECENT_S = 5.0
_MEBIBYTE = 1 << 20
_KINDS = ("RssAnon:", "RssShmem:")

Renderers: TypeAlias = "Callable[[], Awaitable[list[int]]]"


def heap_flag(max_bytes: int) -> str:
    """Return the switch that ends a script before its heap is larger."""
    return f"--js-flags=--max-old-space-size={max(1, max_bytes // _MEBIBYTE)}"


def taken_bytes(pid: int) -> int:
    """Return what a process takes for itself; 0 where nobody says."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(
            encoding="ascii", errors="replace"
        )
    except OSError:
        return 0
    rows = (line.split() for line in status.splitlines() if line.startswith(_KINDS))
    return sum(int(row[1]) << 10 for row in rows)


@dataclass(slots=True)
class Watch:
    """Looks at the renderers while pages are shown.

    Attributes:
        max_bytes: of one renderer.
        killed: how many it ended.
    """

    max_bytes: int
    killed: int = 0
    _killed_s: float = field(default=-RECENT_S)

    @property
    def has_just_killed(self) -> bool:
        """Tell whether a page that crashed now took too much."""
        return time.monotonic() - self._killed_s < RECENT_S

    async def run(self, renderers: Renderers) -> None:
        """Look for ever."""
        while True:
            for pid in await renderers():
                if taken_bytes(pid) > self.max_bytes:
                    self._kill(pid)
            await asyncio.sleep(LOOK_S)

    def _kill(self, pid: int) -> None:
        self._killed_s = time.monotonic()
        self.killed += 1
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
