"""Our own errors: what happened, and what happens next.

Every error carries the exit code of the command line contract and whether trying
again can help.  The message says what failed, on which object, and what the reader
can do; see ``docs/operations.md`` for the exit codes.
"""

from __future__ import annotations

from typing import ClassVar


class PortalkeepError(Exception):
    """Something we know how to name went wrong; the command ends with exit_code."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class UsageError(PortalkeepError):
    """The command line asks for what does not exist; nothing was started."""

    exit_code: ClassVar[int] = 2


class ConfigError(PortalkeepError):
    """The configuration cannot be used; nothing was started.

    The message begins with ``file:line:`` where the place is known.
    """

    exit_code: ClassVar[int] = 3


class BelowExpectation(PortalkeepError):
    """The run found suspiciously little or failed too often; its data is kept."""

    exit_code: ClassVar[int] = 4


class StoreUnavailable(PortalkeepError):
    """The store did not take or give an object; the spool keeps it, a rerun commits."""

    exit_code: ClassVar[int] = 5
    retryable: ClassVar[bool] = True


class StoreRefused(StoreUnavailable):
    """The store refuses for a reason that waiting does not mend; the spool keeps it.

    No right to write, no such bucket, a file in the place of a directory.
    """

    retryable: ClassVar[bool] = False


class SpoolUnwritable(PortalkeepError):
    """The spool cannot be written (full, read-only, no right); the run stops at once.

    What was durable stays; the run resumes when the spool can be written again.
    """

    exit_code: ClassVar[int] = 5
    retryable: ClassVar[bool] = True


class ObjectExists(PortalkeepError):
    """A create-once put met another object under its key; nothing was overwritten."""

    exit_code: ClassVar[int] = 6


class ObjectMissing(PortalkeepError):
    """The store has no object under this key."""

    exit_code: ClassVar[int] = 6


class ArchiveDamaged(PortalkeepError):
    """Stored bytes are not what their index or digest says; `verify` tells more."""

    exit_code: ClassVar[int] = 6


class ArchiveMiss(PortalkeepError):
    """Replay asked for what was never captured; it is listed and the replay goes on."""

    exit_code: ClassVar[int] = 4


class NothingProposed(PortalkeepError):
    """The pages do not say how the portal is to be read; nothing was written."""

    exit_code: ClassVar[int] = 4


class Interrupted(PortalkeepError):
    """The run was stopped by the user; the same command resumes it."""

    exit_code: ClassVar[int] = 7
    retryable: ClassVar[bool] = True


class Locked(PortalkeepError):
    """Another run of this portal and job kind holds the lock; nothing was started."""

    exit_code: ClassVar[int] = 75
    retryable: ClassVar[bool] = True


class CaptureUnavailable(PortalkeepError):
    """Scrapy or Twisted are not as the wire hook needs them; nothing is fetched."""


class NotDecodable(PortalkeepError):
    """A content-coding could not be undone; the capture is kept, no item is made."""


class NotExtracted(PortalkeepError):
    """A capture gives no item or listing, for a reason that is counted.

    Attributes:
        reason: a member of ``crawler.model.Reason``, by value.
        detail: what was looked at; one line, no page text beyond 200 characters.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class LayoutChanged(NotExtracted):
    """A required field is missing: the page's layout may have changed.

    The capture is kept, no item is made, the run counts it; give the new layout a
    rule of its own and `extract` the captures again.
    """

    def __init__(self, fields: tuple[str, ...], url: str) -> None:
        names = ", ".join(repr(name) for name in fields)
        super().__init__(
            "layout_changed",
            f"required {names} not found on {url!r}; the layout may have changed",
        )
        self.fields = fields
