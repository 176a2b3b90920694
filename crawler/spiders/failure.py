"""What a failed download counts as."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.web.client import RequestGenerationFailed, RequestTransmissionFailed

from crawler.errors import PortalkeepError
from crawler.model import Reason
from crawler.spiders.scrapy_private import TunnelError

if TYPE_CHECKING:
    from crawler.spiders.wire import Job

_DETAIL_CHARS = 200
REASONS: tuple[tuple[type[BaseException], Reason], ...] = (
    (CannotResolveHostError, Reason.DNS),
    (DownloadTimeoutError, Reason.TIMEOUT),
    (DownloadConnectionRefusedError, Reason.CONNECT),
    (TunnelError, Reason.CONNECT),
    (ConnectError, Reason.CONNECT),
    (DownloadFailedError, Reason.DISCONNECTED),
    (DownloadCancelledError, Reason.DISCONNECTED),
    (ConnectionClosed, Reason.DISCONNECTED),
    (RequestTransmissionFailed, Reason.DISCONNECTED),
    (RequestGenerationFailed, Reason.DISCONNECTED),
    (UnsupportedURLSchemeError, Reason.BAD_SCHEME),
    (ValueError, Reason.BAD_URL),  # what Twisted and idna say of a host they refuse
)

EXPECTED = tuple(kind for kind, _ in REASONS)


class FetchFailed(PortalkeepError):
    """No response head came; what happened is recorded and the frontier may retry.

    Attributes:
        reason: what it is counted as.
        detail: one line.
    """

    retryable: ClassVar[bool] = True

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class LoginFailed(FetchFailed):
    """The login that a request waited for failed; its own host was asked nothing."""


def judge(job: Job, failure: BaseException) -> tuple[Reason, str]:
    """Say what a failed download counts as, with one line about it."""
    reason = next(reason for kind, reason in REASONS if isinstance(failure, kind))
    if reason is Reason.DNS and job.refused is not None:
        return Reason.PRIVATE_ADDRESS, f"{job.refused} may not be connected to"
    detail = " ".join(f"{type(failure).__name__}: {failure}".split())
    return reason, detail[:_DETAIL_CHARS]


def end_failed(job: Job, failure: BaseException) -> None:
    """End what is open; a failure that no exchange explains becomes one, empty."""
    reason, detail = judge(job, failure)
    explained = bool(job.recordings) and (
        reason is Reason.DISCONNECTED or not job.recordings[-1].ended
    )
    if not explained:
        job.begin(None)
    job.end_open(reason, f"{reason.value}: {detail}")


def fail(job: Job, failure: BaseException | None) -> NoReturn:
    """Raise what the job's last exchange ended with."""
    last = job.recordings[-1]
    reason = last.reason or Reason.BAD_RESPONSE
    detail = (last.error or "").removeprefix(f"{reason.value}: ")
    raise FetchFailed(reason, detail) from failure
