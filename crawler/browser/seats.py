"""Ports for as many pages as are shown at once, the same ones again and again.

A browser context knows its proxy by the port, and only a page that comes through the
same one can be shown in it (`crawler.browser.contexts`).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crawler.browser.proxy import Allow, Heard, Port, RecordingProxy, Sink


@dataclass(slots=True)
class Seats:
    """Turns at the ports of one portal's pages.

    Attributes:
        count: how many there are.
    """

    count: int
    _numbers: list[int] = field(default_factory=list)
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Let so many take a seat."""
        self._turns = asyncio.Semaphore(self.count)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until there is a seat; keep it."""
        async with self._turns:
            yield

    async def open_port(
        self,
        proxy: RecordingProxy,
        sink: Sink,
        *,
        allow: Allow,
        heard: Heard | None = None,
    ) -> Port:
        """Return a port at the number that was left last; at any, where it is taken."""
        number = self._numbers.pop() if self._numbers else 0
        if number:
            with contextlib.suppress(OSError):
                return await proxy.open_port(
                    sink, allow=allow, heard=heard, number=number
                )
        return await proxy.open_port(sink, allow=allow, heard=heard)

    async def close(self, port: Port, *, is_whole: bool) -> None:
        """Close a port; leave it where the page that came through it is over.

        Args:
            port: of a page that is shown no more.
            is_whole: whether it was shown to its end; one that was given up may go on
                asking for a moment, of whoever listens there.

        Raises:
            BaseException: as of `Port.close`.
        """
        is_over = is_whole and await port.settles()
        await port.close()
        if is_over:
            self.leave(port)

    def leave(self, port: Port) -> None:
        """Keep a closed port's number for the next page."""
        self._numbers.append(port.number)
