"""The canary: are Scrapy and Twisted still as the wire hook needs them?"""

# mypy: disable-error-code="no-untyped-call"
# Twisted's HTTP client is typed in part only.
from __future__ import annotations

import inspect

import scrapy
from twisted.internet.address import IPv4Address
from twisted.web.http_headers import Headers

from crawler.clock import SystemClock
from crawler.errors import CaptureUnavailable
from crawler.spiders import scrapy_private as private
from crawler.spiders.wire import Job

SCRAPY_MINOR = "2.19."


def check() -> None:
    """Make sure that Scrapy and Twisted are as the hook needs them.

    Raises:
        CaptureUnavailable: a version, a name or a signature is not what it was, or an
            exchange in memory did not come out byte for byte.
    """
    if not scrapy.__version__.startswith(SCRAPY_MINOR):
        raise CaptureUnavailable(
            f"scrapy {scrapy.__version__} is not {SCRAPY_MINOR}*; install that"
        )
    for function, expected in private.SIGNATURES:
        found = tuple(inspect.signature(function).parameters)
        if found != expected:
            raise CaptureUnavailable(
                f"{function.__qualname__} takes {found!r}, not {expected!r}; "
                "the wire hook has to be looked at"
            )
    try:
        _probe()
    except CaptureUnavailable:
        raise
    except Exception as exc:
        raise CaptureUnavailable(f"the wire hook failed in memory: {exc!r}") from exc


_PROBE_REQUEST = b"GET /probe?a=1 HTTP/1.1\r\nX-Probe: 1\r\nHost: probe.invalid\r\n\r\n"
_PROBE_INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
_PROBE_RESPONSE = (
    b"HTTP/1.1 200 Fine  By Me\r\nx-PROBE: a\nno colon here\r\nx-probe:  b\r\n"
    b"n\xc3\xa4me: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0A;x=1\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
)


def _probe() -> None:
    """Send two requests over one connection in memory and look at every byte."""
    idle: list[object] = []
    protocol = private.RecordingFactory(idle.append, "probe").buildProtocol(None)
    protocol.makeConnection(_Memory())
    job = Job("http://probe.invalid/probe?a=1", "GET", SystemClock(), 1 << 20)
    for excess in (b"", b"junk"):
        answers = _probe_once(protocol, job, excess)
        exchange = job.recordings[-1].exchange()
        got = (exchange.request, exchange.interim, exchange.excess)
        block = exchange.response.read() if exchange.response else None
        exact = block == _PROBE_RESPONSE and got == (
            _PROBE_REQUEST,
            _PROBE_INTERIM,
            excess,
        )
        if not exact or answers != 1 or len(idle) != 1:
            raise CaptureUnavailable(f"an exchange in memory came out as {exchange!r}")


def _probe_once(protocol: private.RecordingProtocol, job: Job, excess: bytes) -> int:
    answers: list[object] = []
    headers = Headers({b"x-probe": [b"1"], b"host": [b"probe.invalid"]})
    request = private.Request(b"GET", b"/probe?a=1", headers, None, persistent=True)
    protocol_request = private.Bound(protocol, job).request(request)
    protocol_request.addCallback(answers.append)
    wire = _PROBE_INTERIM + _PROBE_RESPONSE
    for byte in wire[:-1]:
        protocol.dataReceived(bytes((byte,)))
    protocol.dataReceived(wire[-1:] + excess)
    return len(answers)


class _Memory:
    """A transport without a socket."""

    disconnecting = False

    def getPeer(self) -> IPv4Address:  # noqa: N802
        return IPv4Address("TCP", "192.0.2.1", 80)

    def getHandle(self) -> None: ...  # noqa: N802

    def write(self, content: bytes) -> None: ...

    def pauseProducing(self) -> None: ...  # noqa: N802

    def resumeProducing(self) -> None: ...  # noqa: N802

    def loseConnection(self) -> None: ...  # noqa: N802

    def abortConnection(self) -> None: ...  # noqa: N802
