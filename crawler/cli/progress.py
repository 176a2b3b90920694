"""Progress on stderr: a line that stands on a terminal, else one every few seconds."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.text import Text

from crawler.cli.output import clean, say

if TYPE_CHECKING:
    from crawler.archive.ledger import Ended, Ending

EVERY_S = 5.0
FIRST_S = 1.0
"""On a terminal the line is brought up to date this often, too."""


class Ticker:
    """Says how far a job is, not too often.

    Args:
        every_s: seconds between two lines where stderr is no terminal.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        """Make a ticker; it shows nothing outside its ``with`` block."""
        self._is_terminal = sys.stderr.isatty()
        self._every_s = FIRST_S / 4 if self._is_terminal else every_s
        self._due = time.monotonic() + (0 if self._is_terminal else every_s)
        self._stack = ExitStack()
        self._update: Callable[[str], None] = say

    def __enter__(self) -> Self:
        """Put the line on the terminal."""
        if self._is_terminal:
            console = Console(stderr=True, highlight=False)
            status = self._stack.enter_context(console.status(""))
            self._update = lambda text: status.update(Text(clean(text)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the line away."""
        self._stack.close()

    def tick(self, text: str | Callable[[], str]) -> None:
        """Show text if it is time to; what gives it is called only then."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._every_s
            self._update(text if isinstance(text, str) else text())


class CrawlProgress:
    """Counts the visits of portals and says how far each is.

    Args:
        waiting: gives how many URLs of a portal are left.
    """

    def __init__(self, ticker: Ticker, waiting: Callable[[str], int]) -> None:
        """Begin with nothing counted."""
        self._ticker = ticker
        self._waiting = waiting
        self._counts: dict[str, Counter[str]] = {}

    def __call__(self, portal: str, ending: Ending, ended: Ended) -> None:
        """Count a visit that ended."""
        counts = self._counts.setdefault(portal, Counter())
        if ending.again_s is None:
            counts["visited"] += 1
            counts[ending.outcome.value] += 1
        counts["items"] += len(ended.kept)
        self._ticker.tick(self.text)

    def text(self) -> str:
        """Return how far all portals are, one clause each."""
        return " · ".join(
            f"{portal}: {counts['visited']} visited, {counts['items']} items, "
            f"{counts['failed']} failed, {self._waiting(portal)} waiting…"
            for portal, counts in self._counts.items()
        )
