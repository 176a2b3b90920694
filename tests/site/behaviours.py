"""What the raw origin does on each path: the exact bytes, and what is to come of them.

A table, so that a new oddity is one line.  ``sent`` is everything the server writes;
``interim`` and ``excess`` say how many bytes at its two ends are kept apart.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass

import brotli

HTML = (
    b"<html><head><title>T</title></head><body>"
    + b"<p class=item>hello portal</p>\n" * 200
    + b"</body></html>"
)
GZIP = gzip.compress(HTML, mtime=0)
BROTLI = brotli.compress(HTML)
DEFLATE = zlib.compress(HTML)
TYPE = b"Content-Type: text/html; charset=utf-8"
MAX_RECORD_BYTES = 300_000
MAX_PARSE_BYTES = 200_000


def chunks(
    body: bytes,
    size: int,
    *,
    extension: bytes = b"",
    trailer: bytes = b"",
    form: bytes = b"%x",
    end: bytes = b"\r\n",
) -> bytes:
    """Return body in chunks of size."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    framed = [form % len(p) + extension + end + p + end for p in pieces]
    return b"".join(framed) + b"0" + end + trailer + end


def answer(status: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """Return a response with the given status, header lines and raw body."""
    return b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"", body))


def sized(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Return a response whose Content-Length is true."""
    return answer(status, *lines, b"Content-Length: %d" % len(body), body=body)


def chunked(body: bytes, *lines: bytes) -> bytes:
    """Return a response around an already chunked body."""
    return answer(b"200 OK", *lines, b"Transfer-Encoding: chunked", body=body)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the origin sends on a path, and what capture makes of it.

    Attributes:
        close: end the connection in good order after it.
        reset: end it with a TCP reset.
        gaps_s: wait so long before each of the pieces that sent is split into.
        piece_bytes: size of those pieces, 0 for one piece.
        interim, excess: bytes at the start and at the end that are kept apart.
        status: of the final response, None where there is none.
        payload: after transfer-decoding.
        truncated, reason: as recorded; reason only without a response.
        method, headers, body: of the request.
        repeat: ask so often.
        timeout_s: download timeout of the request.
        needs_fresh: sent only on a fresh connection, a used one is closed instead.
    """

    sent: bytes
    close: bool = False
    reset: bool = False
    gaps_s: float = 0.0
    piece_bytes: int = 0
    interim: int = 0
    excess: int = 0
    status: int | None = 200
    payload: bytes = b"ok"
    truncated: str | None = None
    cut: bool = False
    reason: str | None = None
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    repeat: int = 1
    timeout_s: float = 4.0
    needs_fresh: bool = False


EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n"
OK = sized(b"ok", TYPE)

SEEDS: dict[str, Behaviour] = {
    "plain": Behaviour(
        sized(
            HTML,
            b"x-LOWER-Case: a",
            b"Set-Cookie: a=1",
            b'ETag: "e1"',
            b"Set-Cookie: b=2; Path=/",
            b"X-Dup:  1 ",
            b"x-dup:2",
            status=b"200 Fine By Me",
        ),
        payload=HTML,
    ),
    "gzip": Behaviour(sized(GZIP, b"Content-Encoding: gzip"), payload=GZIP),
    "br": Behaviour(sized(BROTLI, b"content-encoding: br"), payload=BROTLI),
    "chunkgz": Behaviour(
        chunked(
            chunks(GZIP, 97, extension=b";ext=1", trailer=b"X-Sum: 42\r\n"),
            b"Content-Encoding: gzip",
            b"Trailer: X-Sum",
        ),
        payload=GZIP,
    ),
    "redir": Behaviour(
        sized(b"moved", b"Location: /plain", b"Set-Cookie: r=1", status=b"302 Found"),
        status=302,
        payload=b"moved",
    ),
    "busy": Behaviour(
        sized(b"busy", b"Retry-After: 0", status=b"503 Busy"),
        status=503,
        payload=b"busy",
    ),
    "notmodified": Behaviour(
        answer(b"304 Not Modified", b'ETag: "e1"', b"Content-Length: 5000"),
        status=304,
        payload=b"",
        headers=(("If-None-Match", '"e1"'),),
    ),
    "http10": Behaviour(
        b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML,
        close=True,
        payload=HTML,
    ),
    "short": Behaviour(
        answer(b"200 OK", TYPE, b"Content-Length: 5000", body=HTML[:500]),
        close=True,
        payload=HTML[:500],
        truncated="disconnect",
        cut=True,
    ),
    "shortchunk": Behaviour(
        chunked(b"64\r\n" + b"a" * 100 + b"\r\n64\r\n" + b"b" * 20),
        close=True,
        payload=b"a" * 100 + b"b" * 20,
        truncated="disconnect",
        cut=True,
    ),
    "reset": Behaviour(b"", reset=True, status=None, reason="disconnected"),
    "early": Behaviour(EARLY + OK, interim=len(EARLY)),
    "badheaders": Behaviour(
        sized(b"ok", b"no colon here", b"X-Fold: a", b"  folded", b"X-Latin: caf\xe9")
    ),
    "nocontent": Behaviour(
        answer(b"204 No Content", b"X-A: 1"), status=204, payload=b""
    ),
    "zero": Behaviour(sized(b"", TYPE), payload=b""),
    "noreason": Behaviour(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
    "barelf": Behaviour(
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 2\n\nok"
    ),
    "stale": Behaviour(OK, close=True, repeat=2),
    "extra": Behaviour(
        sized(b"ok", TYPE) + b"JUNKJUNK", close=True, excess=len(b"JUNKJUNK")
    ),
    "slow": Behaviour(
        answer(b"200 OK", TYPE, b"Content-Length: 100", body=b"part"),
        gaps_s=-1,
        payload=b"part",
        truncated="time",
        cut=True,
        timeout_s=0.7,
    ),
    "post": Behaviour(
        OK,
        method="POST",
        body=b"a=1&b=\xff\r\n\r\nc",
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("X-mIxEd", "1"),
        ),
    ),
    "head": Behaviour(
        answer(b"200 OK", TYPE, b"Content-Length: 2"), method="HEAD", payload=b""
    ),
    "maxsize": Behaviour(
        answer(b"200 OK", b"Content-Length: 500000", body=b"m" * 500_000),
        close=True,
        truncated="length",
        cut=True,
    ),
    "keep": Behaviour(OK, repeat=3),
    "missing": Behaviour(
        sized(b"nope", TYPE, status=b"404 Nope"), status=404, payload=b"nope"
    ),
}
