"""One HTTP request and its response as raw bytes, as they crossed the socket."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.block import Block


class Truncated(StrEnum):
    """Why a record holds less than was to come (WARC-Truncated)."""

    LENGTH = "length"
    TIME = "time"
    DISCONNECT = "disconnect"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Tls:
    """What was negotiated: version as in WARC-Protocol ('tls/1.3'), cipher by name."""

    version: str
    cipher: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and its response as raw blocks; knows nothing of who fetched.

    Attributes:
        url: the absolute URL asked for, without fragment.
        request: head and body as they crossed the socket, in origin-form.
        response: from the first byte of the final status line to the end of the
            message; None where no byte of it came.
        interim: 1xx responses before it, verbatim.
        excess: bytes after the message's end, verbatim.
        started_at: when the request was sent; the WARC-Date of its records.
        ip: address of the peer, None where no connection came about.
        via: the proxy as ``scheme://host:port``, never its credentials.
        truncated: why the response is not whole, None where it is.
        error: why there is no whole response, one line; None where there is one.
        first_byte_ms, elapsed_ms: since started_at.
    """

    url: str
    method: str
    request: bytes
    response: Block | None
    started_at: datetime
    interim: bytes = b""
    excess: bytes = b""
    ip: str | None = None
    tls: Tls | None = None
    via: str | None = None
    truncated: Truncated | None = None
    error: str | None = None
    first_byte_ms: int | None = None
    elapsed_ms: int | None = None
