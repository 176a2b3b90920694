"""Heads of HTTP/1.x messages: first line, header lines, where they end.

As tolerant as browsers are: lines may end in a bare LF, values may be folded, header
lines without a colon are passed over, the reason phrase may be missing and names may
hold any byte.

Source: RFC 9112 sections 2 to 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.model import Headers

HEAD_BYTES = 1 << 18
"""A head longer than this is none; Twisted gives up far earlier."""

_HEAD_END = re.compile(rb"\n\r?\n")
_VERSION = re.compile(rb"HTTP/\d{1,9}(?:\.\d{1,9})?", re.IGNORECASE)
_STATUS = re.compile(rb"\d{3}")

_CONTINUE = 100
_SWITCHING = 101
_OK = 200


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response.

    Attributes:
        version: as on the wire, ``HTTP/1.1``.
        reason: empty where there is none.
        headers: order, case and repeats kept; folded values joined by one space;
            lines without a colon left out.
        size: bytes of the head with its blank line; the body begins there.
    """

    version: bytes
    status: int
    reason: bytes
    headers: Headers
    size: int


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of a request; the fields are those of `Head`.

    Attributes:
        target: as on the wire, mostly path and query.
        version: empty for HTTP/0.9.
    """

    method: bytes
    target: bytes
    version: bytes
    headers: Headers
    size: int


def parse_head(prefix: bytes) -> Head | None:
    """Read the response head that prefix begins with.

    None: the blank line has not come yet, or the first line is no status line.
    """
    if (end := head_end(prefix)) is None:
        return None
    first, *lines = prefix[:end].split(b"\n")
    if (status_line := _status_line(first)) is None:
        return None
    return Head(*status_line, _headers(lines), end)


# Split, not matched: a line of many spaces must not keep a pattern busy.
def _status_line(line: bytes) -> tuple[bytes, int, bytes] | None:
    """Return version, status and reason; None where line is no status line."""
    version, status, reason = (*line.split(None, 2), b"", b"", b"")[:3]
    if not (line.startswith(version) and _VERSION.fullmatch(version)):
        return None
    return (
        (version, int(status), reason.rstrip()) if _STATUS.fullmatch(status) else None
    )


def parse_request_head(prefix: bytes) -> RequestHead | None:
    """Read the request head that prefix begins with; None where there is none."""
    if (end := head_end(prefix)) is None:
        return None
    first, *lines = prefix[:end].split(b"\n")
    method, space, rest = first.rstrip().partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if not _VERSION.fullmatch(version):
        target, version = rest, b""
    if not (method and space):
        return None
    return RequestHead(method, target, version, _headers(lines), end)


def head_end(prefix: bytes, start: int = 0) -> int | None:
    """Return where the head that begins at start ends, its blank line included."""
    match = _HEAD_END.search(prefix, start, start + HEAD_BYTES)
    return match.end() if match else None


def _headers(lines: list[bytes]) -> Headers:
    found: list[tuple[bytes, list[bytes]]] = []
    known = False  # whether the line before was a header, which a fold continues
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if known:
                found[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(b":")
        known = bool(colon and name.strip())
        if known:
            found.append((name.strip(), [value.strip()]))
    return tuple((name, b" ".join(filter(None, parts))) for name, parts in found)


def header(headers: Headers, name: bytes) -> bytes | None:
    """Return the last value of the header called name, in any case of letters."""
    values = header_all(headers, name)
    return values[-1] if values else None


def age_of(headers: Headers) -> timedelta:
    """Return how long ago the origin gave a response that a cache kept."""
    age = header(headers, b"age") or b""
    return timedelta(seconds=int(age[:9])) if age.isdigit() else timedelta()


def header_all(headers: Headers, name: bytes) -> tuple[bytes, ...]:
    """Return all values of the header called name, in order."""
    wanted = name.lower()
    return tuple(value for key, value in headers if key.lower() == wanted)


def final_head_offset(prefix: bytes) -> int:
    """Return where the final response begins: after all whole interim ones.

    A 101 is final: what follows it is another protocol.
    """
    start = 0
    while (end := head_end(prefix, start)) is not None:
        line = _status_line(prefix[start:end].partition(b"\n")[0])
        if line is None or not _CONTINUE <= line[1] < _OK or line[1] == _SWITCHING:
            break
        start = end
    return start
