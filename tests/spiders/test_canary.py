# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import pytest
import scrapy
from twisted.web.client import HTTPConnectionPool
from twisted.web.http_headers import Headers

from crawler.clock import SystemClock
from crawler.errors import CaptureUnavailable
from crawler.spiders import canary, scrapy_private
from crawler.spiders.wire import Job


def test_the_installed_scrapy_is_as_the_hook_needs_it() -> None:
    """With the pinned versions the canary sings."""
    canary.check()


def test_another_minor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another minor of Scrapy is refused by name."""
    monkeypatch.setattr(scrapy, "__version__", "2.20.0")
    with pytest.raises(CaptureUnavailable, match=r"2\.20\.0"):
        canary.check()


def test_a_changed_signature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that takes other parameters than it did is refused by name."""
    changed = (HTTPConnectionPool.getConnection, ("self", "key", "endpoint", "new"))
    monkeypatch.setattr(scrapy_private, "SIGNATURES", (changed,))
    with pytest.raises(CaptureUnavailable, match="getConnection"):
        canary.check()


def test_a_hook_that_loses_a_byte_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one byte of an answer is lost on its way, nothing is fetched."""
    real = scrapy_private.RecordingProtocol.dataReceived
    seen = []

    def lossy(self: scrapy_private.RecordingProtocol, data: bytes) -> None:
        seen.append(data)
        if len(seen) != 150:
            real(self, data)

    monkeypatch.setattr(scrapy_private.RecordingProtocol, "dataReceived", lossy)
    with pytest.raises(CaptureUnavailable):
        canary.check()


def test_a_request_that_is_not_copied_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the request's bytes are not seen, nothing is fetched."""
    monkeypatch.setattr(scrapy_private._Tee, "writeSequence", lambda *_: None)
    with pytest.raises(CaptureUnavailable):
        canary.check()


def test_a_hook_that_raises_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any failure in memory is the canary's own error, with its cause."""
    monkeypatch.delattr(scrapy_private.RecordingProtocol, "_tls")
    with pytest.raises(CaptureUnavailable, match="AttributeError") as raised:
        canary.check()
    assert isinstance(raised.value.__cause__, AttributeError)


def test_late_bytes_end_a_connection(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes on an idle connection are logged, and it is not used again."""
    idle: list[object] = []
    protocol = scrapy_private.RecordingFactory(idle.append, "x").buildProtocol(None)
    protocol.makeConnection(canary._Memory())
    job = Job("http://probe.invalid/probe?a=1", "GET", SystemClock(), 1 << 20)
    assert canary._probe_once(protocol, job, b"") == 1
    assert protocol.state == "QUIESCENT"
    protocol.dataReceived(b"junk")
    assert protocol.state == "ABORTING"
    assert len(job.recordings) == 1
    said = capsys.readouterr()
    assert "late_bytes_dropped" in said.out + said.err


def test_a_request_without_a_job_is_not_sent() -> None:
    """A request that nobody records does not go out."""
    protocol = scrapy_private.RecordingFactory(print, "x").buildProtocol(None)
    protocol.makeConnection(canary._Memory())
    request = scrapy_private.Request(b"GET", b"/", Headers(), None)
    with pytest.raises(CaptureUnavailable):
        protocol.request(request)
