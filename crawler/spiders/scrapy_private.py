"""Every private name of Scrapy and Twisted that we use, under one canary.

Nobody else touches them.  ``canary.check`` looks at versions, names and signatures and
sends exchanges through the hook in memory; where anything is not as it was, nothing is
fetched (`CaptureUnavailable`).

How the hook works: ``RecordingPool`` takes the place of the pool of Scrapy's handler
and binds a `Job` to the connection that will carry it; ``RecordingProtocol`` copies
what is written and reads what comes *instead of* Twisted's parser.  When the message
has ended, Twisted is given a short whole answer in its place, so that its deferreds,
its pool and its retry on a dead connection go on as ever.  So Twisted refuses no
response, and no body is held in memory a second time.  For the same reason the
``headers_received`` and ``bytes_received`` signals say nothing of use.
"""

# mypy: disable-error-code="no-untyped-call"
# Twisted's HTTP client is typed in part only.
from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from OpenSSL import SSL
from scrapy.core.downloader.handlers import http11
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler, TunnelError
from scrapy.core.engine import _Slot
from scrapy.downloadermiddlewares import cookies
from scrapy.utils.reactor import CallLaterOnce
from tldextract import TLDExtract
from twisted.internet.endpoints import HostnameEndpoint, _WrapperEndpoint
from twisted.internet.error import ConnectionDone
from twisted.web._newclient import HTTP11ClientProtocol, Request
from twisted.web.client import HTTPConnectionPool

from crawler.errors import CaptureUnavailable
from crawler.exchange import Tls
from crawler.log import get_log
from crawler.model import Reason
from crawler.spiders.resolver import GuardedResolver
from crawler.spiders.socks import SocksEndpoint
from crawler.spiders.wire import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
    from twisted.python.failure import Failure
    from twisted.web.iweb import IResponse

    from crawler.socks import Socks
    from crawler.spiders.wire import Recording

__all__ = [
    "Bound",
    "RecordingPool",
    "Request",
    "TunnelError",
    "bound_job",
    "bound_socks",
    "install",
    "know_suffixes_offline",
    "wake",
]

log = get_log(__name__)

bound_job: ContextVar[Job | None] = ContextVar("bound_job", default=None)
"""The job of the ``download_request`` that is asking the pool for a connection."""

bound_socks: ContextVar[Socks | None] = ContextVar("bound_socks", default=None)
"""The SOCKS proxy that it is to be connected by."""

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LAST_ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_JOB = "_portalkeep_job"  # our own mark on Twisted's request; survives its retry

_Protocol = http11._LenientHTTP11ClientProtocol  # noqa: SLF001
_Factory = http11._LenientHTTP11ClientFactory  # noqa: SLF001
_NAME_RESOLVER = HostnameEndpoint._getNameResolverAndMaybeWarn  # noqa: SLF001


class RecordingProtocol(_Protocol):
    """An HTTP/1.1 connection whose exchanges are recorded, one after the other."""

    transport: Any  # what mypy makes of a zope interface cannot be called
    _recording: Recording | None = None
    _tls_handle: SSL.Connection | None = None  # kept: a lost transport has none
    _given_up = False

    def request(self, request: Request) -> Deferred[IResponse]:
        """Send request, recording it for the job that is bound to it."""
        job = getattr(request, _JOB, None)
        if not isinstance(job, Job):
            raise CaptureUnavailable("a request came to the wire without its job")
        handle = self.transport.getHandle()
        self._tls_handle = handle if isinstance(handle, SSL.Connection) else None
        recording = job.begin(
            self.transport.getPeer().host, has_left=_has_left(self._tls_handle)
        )
        write_to = type(request).writeTo

        def recorded(transport: object) -> object:
            return write_to(request, _Tee(transport, recording))

        request.writeTo = recorded  # type: ignore[method-assign]  # of this one only
        self._recording = recording
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Record data; at the end of the message let Twisted have its answer."""
        recording = self._recording
        if recording is None or recording.ended:
            self._drop(data)
            return
        try:
            recording.received(data, self._tls())
        except OSError:
            log.exception("spool_failed")  # the handler raises it: job.broken
        if recording.ended:
            self._recording = None
            self._given_up = not recording.reusable
            super().dataReceived(_ANSWER if recording.reusable else _LAST_ANSWER)
            if recording.truncated is not None:
                self.transport.abortConnection()

    def _drop(self, data: bytes) -> None:
        """Give up a connection on which bytes come that nobody asked for."""
        if not self._given_up:
            self._given_up = True
            log.warning("late_bytes_dropped", bytes=len(data))
            self.abort()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802
        """End the exchange under way; what came of it is Twisted's answer."""
        recording, self._recording = self._recording, None
        if recording is not None and not recording.ended:
            self._end(recording, reason)
            if recording.touched:  # nothing came: Twisted may try again
                super().dataReceived(_LAST_ANSWER)
        self._tls_handle = None
        super().connectionLost(reason)

    def _end(self, recording: Recording, reason: Failure) -> None:
        # Many servers leave out TLS's own goodbye, which looks like a reset.
        clean = bool(reason.check(ConnectionDone)) or self._tls_handle is not None
        recording.lost(
            clean=clean,
            why=f"{type(reason.value).__name__}: {reason.getErrorMessage()}"[:200],
            reason=Reason.TLS if reason.check(SSL.Error) else Reason.DISCONNECTED,
        )

    def _tls(self) -> Tls | None:
        """Return what was negotiated; known only once the handshake is over."""
        if (handle := self._tls_handle) is None:
            return None
        version = handle.get_protocol_version_name().lower().replace("tlsv", "tls/")
        version = version if "." in version else f"{version}.0"
        return Tls(version, handle.get_cipher_name() or "")


def _has_left(handle: SSL.Connection | None) -> Callable[[], bool]:
    """Return what tells whether a request can have left: after the handshake."""
    return lambda: handle is None or handle.get_finished() is not None


class _Tee:
    """Stands for the transport while a request is written, and copies what is."""

    def __init__(self, transport: Any, recording: Recording) -> None:  # noqa: ANN401 - any ITransport
        self._transport = transport
        self._recording = recording

    def write(self, content: bytes) -> None:
        self._recording.sent(content)
        self._transport.write(content)

    def writeSequence(self, pieces: list[bytes]) -> None:  # noqa: N802 - Twisted's name
        self.write(b"".join(pieces))

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


class RecordingFactory(_Factory):
    """Makes the connections of a `RecordingPool`."""

    def buildProtocol(self, addr: IAddress | None) -> RecordingProtocol:  # noqa: N802
        return RecordingProtocol(self._quiescentCallback)


class Bound:
    """A connection with the job it was taken for."""

    def __init__(self, connection: Any, job: Job) -> None:  # noqa: ANN401 - or Twisted's retrying wrapper
        self._connection = connection
        self._job = job

    def request(self, request: Request) -> Deferred[IResponse]:
        """Send request, marked with the job."""
        setattr(request, _JOB, self._job)
        return cast("Deferred[IResponse]", self._connection.request(request))


class RecordingPool(HTTPConnectionPool):
    """A pool of connections that record."""

    _factory = RecordingFactory

    def getConnection(  # noqa: N802 - Twisted's name
        self, key: Hashable, endpoint: IStreamClientEndpoint
    ) -> Deferred[HTTP11ClientProtocol]:
        """Give a connection for the bound job, to an address that it allows."""
        job = bound_job.get()
        if job is None:
            raise CaptureUnavailable("a connection was asked for without a job")
        if job.allows is not None and job.via is None:
            _resolve_through(endpoint, job)
        if (socks := bound_socks.get()) is not None:
            key = (key, socks)
            endpoint = _connected_by(socks, endpoint, job, self._reactor)
        connection = super().getConnection(key, endpoint)
        bound = connection.addCallback(lambda given: Bound(given, job))
        return cast("Deferred[HTTP11ClientProtocol]", bound)


def install(handler: HTTP11DownloadHandler) -> None:
    """Give Scrapy's handler a pool of connections that record."""
    old = handler._pool  # noqa: SLF001
    if type(old) is not HTTPConnectionPool:
        raise CaptureUnavailable(f"the handler's pool is a {type(old)!r}")
    pool = RecordingPool(old._reactor, persistent=True)  # noqa: SLF001
    pool.maxPersistentPerHost = old.maxPersistentPerHost
    handler._pool = pool  # noqa: SLF001


def _resolve_through(endpoint: Any, job: Job) -> None:  # noqa: ANN401 - wrapped or not
    """Let the job say which addresses of a host are connected to.

    The endpoint asks the reactor for its resolver at the time of connecting, so it
    has to be told here.
    """
    inner: Any = getattr(endpoint, "_wrappedEndpoint", endpoint)
    if type(inner) is not HostnameEndpoint:
        raise CaptureUnavailable(f"cannot guard the addresses of {endpoint!r}")
    hooked: Any = inner
    hooked._getNameResolverAndMaybeWarn = (  # noqa: SLF001
        lambda reactor: GuardedResolver(reactor.nameResolver, job)
    )


def _connected_by(socks: Socks, endpoint: Any, job: Job, reactor: Any) -> Any:  # noqa: ANN401 - endpoints
    """Return endpoint with its connection made by a SOCKS proxy, TLS inside of it."""
    through = SocksEndpoint.to(job.url, socks, reactor)
    if type(endpoint) is HostnameEndpoint:
        return through
    if type(getattr(endpoint, "_wrappedEndpoint", None)) is not HostnameEndpoint:
        raise CaptureUnavailable(f"cannot connect {endpoint!r} by a SOCKS proxy")
    endpoint._wrappedEndpoint = through  # noqa: SLF001
    return endpoint


def wake(crawler: Crawler) -> None:
    """Let the engine look for requests now, not at its next heartbeat in seconds."""
    slot = getattr(crawler.engine, "_slot", None)
    if slot is not None:
        slot.nextcall.schedule()


def know_suffixes_offline() -> None:
    """Let Scrapy's cookies know public suffixes from the list that is installed.

    By itself it would fetch the newest list from the web at the first cookie, past
    every rule of a crawl and in the middle of a replay.
    """
    cookies._split_domain = TLDExtract(  # noqa: SLF001
        cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
    )


SIGNATURES: tuple[tuple[Callable[..., object], tuple[str, ...]], ...] = (
    (HTTP11DownloadHandler.__init__, ("self", "crawler")),
    (HTTP11DownloadHandler.download_request, ("self", "request")),
    (_Slot.__init__, ("self", "close_if_idle", "nextcall", "scheduler")),
    (CallLaterOnce.schedule, ("self", "delay")),
    (cookies._is_public_domain, ("domain",)),  # noqa: SLF001
    (cookies.CookiesMiddleware.__init__, ("self", "debug")),
    (HTTPConnectionPool.getConnection, ("self", "key", "endpoint")),
    (HTTPConnectionPool._newConnection, ("self", "key", "endpoint")),  # noqa: SLF001
    (_Factory.__init__, ("self", "quiescentCallback", "metadata")),
    (_Factory.buildProtocol, ("self", "addr")),
    (_Protocol.request, ("self", "request")),
    (_Protocol.dataReceived, ("self", "bytes")),
    (_Protocol.abort, ("self",)),
    (Request.writeTo, ("self", "transport")),
    (_NAME_RESOLVER, ("self", "reactor")),
    (_WrapperEndpoint.__init__, ("self", "wrappedEndpoint", "wrapperFactory")),
)
"""What we call or override, and the parameters it takes, for the canary."""
