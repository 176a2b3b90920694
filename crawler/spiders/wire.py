"""One wire exchange while it happens: bytes as they cross the socket, made an Exchange.

Knows neither Twisted nor Scrapy: ``scrapy_private`` feeds it, ``handler`` takes what
comes out.  The rules, in order:

1. what is written is the request; what is read is kept as it came;
2. interim answers and blank lines before the final status line are ``interim``;
3. where the message ends, the exchange ends; bytes read along with the end are
   ``excess``;
4. bytes without a status line are kept up to the close, as they came;
5. at ``max_record_bytes`` the response is cut exactly there and the exchange ends.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from crawler import http
from crawler.block import Block
from crawler.exchange import Exchange, Tls, Truncated
from crawler.model import Reason
from crawler.spiders.message import origin_form

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.http import BodyMeter, Head

_LOOK_BACK = 2  # a blank line may have come in two pieces


@dataclass(slots=True)
class Job:
    """One download: what is asked for, and the wire exchanges it takes.

    Attributes:
        url: absolute, without fragment.
        max_record_bytes: longest response that is kept, head included.
        spool_dir: where large responses spill to.
        via: the proxy as ``scheme://host:port``, without credentials.
        allows: whether an address may be connected to; None lets all pass.
        recordings: in order of their requests.
        broken: what kept a response from being recorded (a full disk).
        refused: an address that ``allows`` said no to.
    """

    url: str
    method: str
    clock: Clock
    max_record_bytes: int
    spool_dir: Path | None = None
    via: str | None = None
    allows: Callable[[str], bool] | None = None
    recordings: list[Recording] = field(default_factory=list)
    broken: OSError | None = None
    refused: str | None = None

    def begin(
        self, ip: str | None, *, has_left: Callable[[], bool] = lambda: True
    ) -> Recording:
        """Start the record of one exchange with the peer at ip.

        ``has_left`` is asked at the end whether what was written was sent at all: it
        is not where no TLS session came about.
        """
        recording = Recording(self, None if self.via else ip, has_left)
        self.recordings.append(recording)
        return recording

    def may_connect(self, address: str) -> bool:
        """Tell whether the peer may be at address; a no is remembered."""
        allowed = self.allows is None or self.allows(address)
        if not allowed:
            self.refused = address
        return allowed

    def end_open(self, reason: Reason, detail: str) -> None:
        """End what has not ended yet, because nobody waits for it any more."""
        for recording in self.recordings:
            recording.abandon(reason, detail)


class _Framed(NamedTuple):
    """A response whose head came whole."""

    head: Head
    meter: BodyMeter


class Recording:
    """One exchange on the wire.

    Attributes:
        ended: nothing is added any more.
        touched: at least one byte was read.
        reusable: after the end, whether the connection may carry another request.
        reason: after the end, why no whole response head came; None where it did.
        truncated: why the response is not whole.
        error: why there is no whole response, one line.
    """

    def __init__(self, job: Job, ip: str | None, has_left: Callable[[], bool]) -> None:
        """Start now, by the job's clock."""
        self.ended = self.touched = self.reusable = False
        self.reason: Reason | None = None
        self.truncated: Truncated | None = None
        self.error: str | None = None
        self._job = job
        self._ip = ip
        self._has_left = has_left
        self._tls: Tls | None = None
        self._started_at = job.clock.now()
        self._started_s = time.monotonic()
        self._first_byte_ms: int | None = None
        self._elapsed_ms: int | None = None
        self._request = bytearray()
        self._interim = bytearray()
        self._waiting = bytearray()  # of a head that has not come whole
        self._block = Block(directory=job.spool_dir)
        self._framed: _Framed | None = None
        self._headless = False  # what comes is taken as it is, up to the close
        self._excess = b""

    def sent(self, content: bytes) -> None:
        """Add content to the request; after the end it is no longer this one's."""
        if not self.ended:
            self._request += content

    def received(self, content: bytes, tls: Tls | None = None) -> None:
        """Add what was read.

        Raises:
            OSError: the spool cannot take it; the exchange has ended.
        """
        if not self.touched:
            self.touched = True
            self._tls = tls
            self._first_byte_ms = self._since_start_ms()
        try:
            self._take(content)
        except OSError as exc:
            self._job.broken = exc
            self.abandon(Reason.BAD_RESPONSE, f"the spool is not writable: {exc}")
            raise

    def _take(self, content: bytes) -> None:
        if self._framed is not None or self._headless:
            self._take_message(content)
            return
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
            self._framed = _Framed(head, http.BodyMeter(head, self._job.method))
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
        room = self._job.max_record_bytes - self._block.size
        self._block.append(content[: min(taken, room)])
        if taken > room:
            self._cut()
        elif self._framed is not None and self._framed.meter.done:
            self._excess = content[taken:]
            self.reusable = not self._excess and http.keeps_alive(self._framed.head)
            self._finish()

    def _belonging(self, content: bytes) -> int:
        if self._framed is None:
            return len(content)
        head, meter = self._framed
        head_left = max(head.size - self._block.size, 0)
        return head_left + meter.feed(content[head_left:])

    def _cut(self) -> None:
        limit = self._job.max_record_bytes
        self.truncated = Truncated.LENGTH
        self.error = f"longer than max_record_bytes, {limit}; the rest was not read"
        self._end_with(Reason.TOO_LARGE)

    def lost(self, *, clean: bool, why: str, reason: Reason) -> None:
        """Take the end of the connection.

        Args:
            clean: the peer closed in good order.
            why: what happened, one line.
            reason: what it counts as where no head came.
        """
        if self.ended:
            return
        self._flush()
        if self._framed is not None:
            self._judge_close(self._framed, clean=clean, why=why)
        elif self._headless or http.is_no_status(self._block):
            reason = Reason.BAD_RESPONSE
            self.error = f"no HTTP head: {self._block.read(60)!r}"
            self.truncated = None if clean else Truncated.DISCONNECT
        else:
            self.error = f"{why} before a response head"
            self.truncated = Truncated.DISCONNECT if self._block.size else None
        self._end_with(reason)

    def _judge_close(self, framed: _Framed, *, clean: bool, why: str) -> None:
        framing = http.framing(framed.head, self._job.method)
        if clean and framing is http.Framing.CLOSE:
            return
        if clean and framed.meter.failed:
            self.error = "the chunked framing is broken"
            return
        self.error = f"{why} before the end of the body"
        self.truncated = Truncated.DISCONNECT

    def abandon(self, reason: Reason, detail: str) -> None:
        """End now, with what came so far; the connection is not used again."""
        if self.ended:
            return
        self._flush()
        self.error = detail
        if self._block.size:
            timed_out = reason is Reason.TIMEOUT
            self.truncated = Truncated.TIME if timed_out else Truncated.UNSPECIFIED
        self._end_with(reason)

    def _flush(self) -> None:
        """Keep the beginning of a head that will not be completed."""
        self._split_interim()
        if self._waiting:
            self._block.append(bytes(self._waiting))
            self._waiting.clear()

    def _end_with(self, reason: Reason) -> None:
        """End; reason counts where no response head came."""
        self.reason = reason if self._framed is None else None
        self._finish()

    def _finish(self) -> None:
        self.ended = True
        if not self._has_left():
            self._request.clear()
        self._elapsed_ms = self._since_start_ms()

    def _since_start_ms(self) -> int:
        return round((time.monotonic() - self._started_s) * 1000)

    def exchange(self) -> Exchange:
        """Return the exchange; to be asked for once it has ended."""
        request = bytes(self._request)
        return Exchange(
            url=self._job.url,
            method=self._job.method,
            request=origin_form(request) if self._job.via else request,
            response=self._block if self._block.size else None,
            started_at=self._started_at,
            interim=bytes(self._interim),
            excess=self._excess,
            ip=self._ip,
            tls=self._tls,
            via=self._job.via,
            truncated=self.truncated,
            error=self.error,
            first_byte_ms=self._first_byte_ms,
            elapsed_ms=self._elapsed_ms,
        )
