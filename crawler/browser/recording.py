"""One exchange between browser and origin while it happens, made an Exchange.

The rules, in order:

1. what is written to the origin is the request, up to max_request_bytes;
2. interim answers and blank lines before the final status line are ``interim``;
3. where the message ends, the exchange ends; bytes read along with the end are
   ``excess`` and not for the browser, but for a 101: what follows it is another
   protocol, passed on and not recorded;
4. bytes without a status line are kept up to the close, as they came;
5. beyond max_record_bytes the response is passed on, not recorded, and marked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from crawler import http
from crawler.block import Block
from crawler.errors import SpoolUnwritable
from crawler.exchange import Exchange, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.browser.upstream import Upstream
    from crawler.clock import Clock

MAX_REQUEST_BYTES = 1 << 24
_LOOK_BACK = 2  # a blank line may have come in two pieces
_SWITCHING = 101


class _Framed(NamedTuple):
    """A response whose head came whole."""

    head: http.Head
    meter: http.BodyMeter


class Recording:
    """One exchange on the wire.

    Attributes:
        ended: nothing is added any more.
        reusable: after the end, whether the connection may carry another request.
        switched: after the end, whether another protocol follows.
        truncated, error: as `crawler.exchange.Exchange` has them.
    """

    def __init__(
        self,
        method: str,
        url: str,
        *,
        clock: Clock,
        max_record_bytes: int,
        directory: Path | None = None,
        heard: Callable[[http.Head], None] | None = None,
    ) -> None:
        """Start now, by clock; heard is told the head before it is passed on."""
        self.ended = self.reusable = self.switched = False
        self.truncated: Truncated | None = None
        self.error: str | None = None
        self._method, self._url, self._clock = method, url, clock
        self._max_record_bytes = max_record_bytes
        self._upstream: Upstream | None = None
        self._started_at = clock.now()
        self._started_s = time.monotonic()
        self._first_byte_ms: int | None = None
        self._elapsed_ms: int | None = None
        self._request = bytearray()
        self._interim = bytearray()
        self._waiting = bytearray()  # of a head that has not come whole
        self._directory = directory
        self._heard = heard
        self._block = Block(directory=directory)
        self._head_left = 0
        self._framed: _Framed | None = None
        self._headless = False  # what comes is taken as it is, up to the close
        self._excess = b""

    def connected(self, upstream: Upstream) -> None:
        """Note whom the request goes to; it starts now."""
        self._upstream = upstream
        self._started_at = self._clock.now()
        self._started_s = time.monotonic()

    def sent(self, content: bytes) -> None:
        """Add content to the request."""
        room = max(MAX_REQUEST_BYTES - len(self._request), 0)
        self._request += content[:room]
        if len(content) > room:
            self.error = f"of the request, {MAX_REQUEST_BYTES} bytes are recorded"

    def received(self, content: bytes) -> bytes:
        """Add what was read; return what of it is the browser's.

        Raises:
            SpoolUnwritable: the spool cannot take it.
        """
        if self._first_byte_ms is None:
            self._first_byte_ms = self._since_start_ms()
        if self._framed is not None or self._headless:
            self._take_message(content)
        else:
            self._take_head(content)
        return content[: len(content) - len(self._excess)]

    def _take_head(self, content: bytes) -> None:
        known = len(self._waiting)
        self._waiting += content
        tail = bytes(self._waiting[max(known - _LOOK_BACK, 0) :])
        if http.head_end(tail) is not None:  # cheap: not all of it again and again
            self._look_for_head()
        if max(len(self._waiting), len(self._interim)) > http.HEAD_BYTES:
            self._give_up_head()

    def _look_for_head(self) -> None:
        self._split_interim()
        message = bytes(self._waiting)
        if (head := http.parse_head(message)) is not None:
            self._waiting.clear()
            if self._heard is not None:
                self._heard(head)
            self._framed = _Framed(head, http.BodyMeter(head, self._method))
            self._head_left = head.size
            self._take_message(message)
        elif http.head_end(message) is not None:
            self._give_up_head()

    def _split_interim(self) -> None:
        at = http.final_offset(bytes(self._waiting))
        self._interim += self._waiting[:at]
        del self._waiting[:at]

    def _give_up_head(self) -> None:
        self._headless = True
        message = bytes(self._waiting)
        self._waiting.clear()
        self._take_message(message)

    def _take_message(self, content: bytes) -> None:
        taken = self._belonging(content)
        room = self._max_record_bytes - self._block.size
        self._keep(content[: min(taken, room)])
        if taken > room:
            self.truncated = Truncated.LENGTH
        if self._framed is not None and self._framed.meter.done:
            self._end_whole(self._framed.head, content[taken:])

    def _belonging(self, content: bytes) -> int:
        if self._framed is None:
            return len(content)
        head_part = min(self._head_left, len(content))
        self._head_left -= head_part
        return head_part + self._framed.meter.feed(content[head_part:])

    def _end_whole(self, head: http.Head, rest: bytes) -> None:
        self.switched = head.status == _SWITCHING
        self._excess = b"" if self.switched else rest
        self.reusable = not rest and http.keeps_alive(head)
        self._end()

    def lost(self, *, clean: bool, why: str) -> None:
        """Take the end of the connection; clean where the origin closed in order."""
        if self.ended:
            return
        self._flush()
        if self._framed is not None:
            self._judge_close(self._framed, clean=clean, why=why)
        elif self._headless or http.is_no_status(self._block):
            self.error = f"no HTTP head: {self._block.read(60)!r}"
            self.truncated = None if clean else Truncated.DISCONNECT
        else:
            self.error = f"disconnected: {why} before a response head"
            self.truncated = Truncated.DISCONNECT if self._block.size else None
        self._end()

    def _judge_close(self, framed: _Framed, *, clean: bool, why: str) -> None:
        framing = http.framing(framed.head, self._method)
        if clean and framing is http.Framing.CLOSE:
            return
        if clean and framed.meter.failed:
            self.error = "the chunked framing is broken"
            return
        self.error = f"disconnected: {why} before the end of the body"
        self.truncated = self.truncated or Truncated.DISCONNECT

    def stop(self, truncated: Truncated, why: str) -> None:
        """End now, with what came so far."""
        if self.ended:
            return
        self._flush()
        self.error = why
        if self._block.size:
            self.truncated = self.truncated or truncated
        self._end()

    def _flush(self) -> None:
        """Keep the beginning of a head that will not be completed."""
        self._split_interim()
        self._keep(bytes(self._waiting))
        self._waiting.clear()

    def _keep(self, content: bytes) -> None:
        try:
            self._block.append(content)
        except OSError as exc:
            raise SpoolUnwritable(f"{self._directory}: {exc}") from exc

    def _end(self) -> None:
        self.ended = True
        self._elapsed_ms = self._since_start_ms()
        if self.truncated is Truncated.LENGTH and self.error is None:
            limit = self._max_record_bytes
            self.error = f"longer than {limit} bytes; the rest was only passed on"

    def _since_start_ms(self) -> int:
        return round((time.monotonic() - self._started_s) * 1000)

    def exchange(self) -> Exchange:
        """Return the exchange; to be asked for once it has ended."""
        upstream = self._upstream
        return Exchange(
            url=self._url,
            method=self._method,
            request=bytes(self._request),
            response=self._block if self._block.size else None,
            started_at=self._started_at,
            interim=bytes(self._interim),
            excess=self._excess,
            ip=upstream.ip if upstream else None,
            tls=upstream.tls if upstream else None,
            via=upstream.via if upstream else None,
            truncated=self.truncated,
            error=self.error,
            first_byte_ms=self._first_byte_ms,
            elapsed_ms=self._elapsed_ms,
        )
