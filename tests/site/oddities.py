"""More behaviours of the raw origin: what the standard forbids and servers do."""

from __future__ import annotations

import gzip

from tests.site.behaviours import (
    DEFLATE,
    EARLY,
    GZIP,
    HTML,
    MAX_PARSE_BYTES,
    MAX_RECORD_BYTES,
    OK,
    SEEDS,
    TYPE,
    Behaviour,
    answer,
    chunked,
    chunks,
    sized,
)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"http/1.1 102 Processing\n\n"
BIG_HEADER = b"X-Big: " + b"b" * 60_000
MANY_HEADERS = tuple(b"X-Header-%d: %d" % (n, n * n) for n in range(300))
LONG_STATUS = b"200 " + b"very " * 6_000 + b"fine"
TRAILER = b"X-Sum: 42\r\nX-Two: 2\r\n"

MORE: dict[str, Behaviour] = {
    "crlf": Behaviour(b"\r\n\r\n" + OK, interim=4, repeat=2),
    "manyinterim": Behaviour(
        CONTINUE + EARLY + PROCESSING + EARLY + OK,
        interim=len(CONTINUE + EARLY + PROCESSING + EARLY),
    ),
    "interimcrlf": Behaviour(EARLY + b"\r\n" + EARLY + OK, interim=2 * len(EARLY) + 2),
    "interimonly": Behaviour(
        EARLY, close=True, interim=len(EARLY), status=None, reason="disconnected"
    ),
    "switching": Behaviour(
        answer(b"101 Switching Protocols", b"Upgrade: x") + b"\x00\x01frames",
        close=True,
        excess=len(b"\x00\x01frames"),
        status=101,
        payload=b"",
    ),
    "twolengths": Behaviour(
        answer(b"200 OK", b"Content-Length: 2", b"content-length: 2", body=b"ok")
    ),
    "listlength": Behaviour(answer(b"200 OK", b"Content-Length: 2, 2", body=b"ok")),
    "otherlengths": Behaviour(
        answer(b"200 OK", b"Content-Length: 2", b"Content-Length: 5", body=b"okay!"),
        close=True,
        payload=b"okay!",
    ),
    "badlength": Behaviour(
        answer(b"200 OK", b"Content-Length: two", body=b"ok"), close=True
    ),
    "trailers": Behaviour(
        chunked(chunks(HTML, 1000, extension=b' ; a="b;c"', trailer=TRAILER)),
        payload=HTML,
    ),
    "lfchunks": Behaviour(chunked(chunks(b"okok", 2, end=b"\n")), payload=b"okok"),
    "upperhex": Behaviour(chunked(chunks(HTML, 171, form=b"%X")), payload=HTML),
    "paddedhex": Behaviour(chunked(chunks(HTML, 171, form=b"%010x")), payload=HTML),
    "emptychunked": Behaviour(chunked(b"0\r\n\r\n"), payload=b""),
    "bothframings": Behaviour(
        answer(
            b"200 OK",
            b"Content-Length: 5",
            b"Transfer-Encoding: chunked",
            body=chunks(b"okok", 3),
        ),
        close=True,
        payload=b"okok",
    ),
    "brokenchunk": Behaviour(
        chunked(b"2\r\nok\r\nzz\r\nmore"), close=True, payload=b"ok", cut=True
    ),
    "plainchunked": Behaviour(
        chunked(b"<html>not chunked at all</html>\n"),
        close=True,
        payload=b"<html>not chunked at all</html>\n",
    ),
    "chunkedexcess": Behaviour(
        chunked(chunks(b"ok", 2)) + b"HTTP/1.1 404 Spl", excess=16, close=True
    ),
    "lowerstatus": Behaviour(b"http/1.1 200 ok\r\ncontent-length: 2\r\n\r\nok"),
    "bigheader": Behaviour(sized(b"ok", BIG_HEADER)),
    "manyheaders": Behaviour(sized(b"ok", *MANY_HEADERS)),
    "nul": Behaviour(sized(b"ok", b"X-Nul: a\x00b")),
    "utf8name": Behaviour(sized(b"ok", "X-Größe: 1".encode())),
    "oddnames": Behaviour(
        sized(b"ok", b"X Space: 1", b"(x): 2", b": empty", b"a@b: 3")
    ),
    "barecr": Behaviour(sized(b"ok", b"X-Cr: a\rb: c")),
    "latinreason": Behaviour(sized(b"ok", status=b"200 Tr\xe8s bien")),
    "utf8reason": Behaviour(sized(b"ok", status="200 好的".encode())),
    "longstatus": Behaviour(sized(b"ok", status=LONG_STATUS)),
    "tabstatus": Behaviour(b"HTTP/1.1\t200\tOK\r\nContent-Length: 2\r\n\r\nok"),
    "http2text": Behaviour(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "http3text": Behaviour(b"HTTP/3 200\r\nContent-Length: 2\r\n\r\nok"),
    "http09": Behaviour(
        b"<html>no head at all</html>", close=True, status=None, reason="bad_response"
    ),
    "http09blank": Behaviour(
        b"<html>\n\nno head, a blank line</html>",
        close=True,
        status=None,
        reason="bad_response",
    ),
    "badstatus": Behaviour(
        b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok",
        close=True,
        status=None,
        reason="bad_response",
    ),
    "hugeheader": Behaviour(
        sized(b"ok", b"X-Huge: " + b"h" * 270_000),
        close=True,
        status=None,
        reason="bad_response",
    ),
    "resethead": Behaviour(
        answer(b"200 OK", TYPE, b"Content-Length: 9"),
        reset=True,
        payload=b"",
        truncated="disconnect",
        cut=True,
    ),
    "resetbody": Behaviour(
        answer(b"200 OK", TYPE, b"Content-Length: 9", body=b"abc"),
        reset=True,
        payload=b"abc",
        truncated="disconnect",
        cut=True,
    ),
    "dripstall": Behaviour(
        answer(b"200 OK", b"Content-Length: 1000", body=b"d" * 500),
        gaps_s=0.01,
        piece_bytes=1,
        truncated="time",
        cut=True,
        timeout_s=1.0,
    ),
    "drip": Behaviour(EARLY + OK, gaps_s=0.001, piece_bytes=1, interim=len(EARLY)),
    "silence": Behaviour(b"", gaps_s=-1, status=None, reason="timeout", timeout_s=0.5),
    "slowhead": Behaviour(
        b"HTTP/1.1 200 OK\r\nX-A",
        gaps_s=-1,
        status=None,
        reason="timeout",
        truncated="time",
        timeout_s=0.5,
    ),
    "nothing": Behaviour(b"", close=True, status=None, reason="disconnected"),
    "statusonly": Behaviour(
        b"HTTP/1.1 200 OK\r\n",
        close=True,
        status=None,
        reason="disconnected",
        truncated="disconnect",
    ),
    "halfstatus": Behaviour(
        b"HTTP/1.",
        close=True,
        status=None,
        reason="disconnected",
        truncated="disconnect",
    ),
    "gziptruncated": Behaviour(
        sized(GZIP[:-20], b"Content-Encoding: gzip"), payload=GZIP[:-20]
    ),
    "wrongcoding": Behaviour(sized(HTML, b"Content-Encoding: gzip"), payload=HTML),
    "deflate": Behaviour(sized(DEFLATE, b"Content-Encoding: deflate"), payload=DEFLATE),
    "twocodings": Behaviour(
        chunked(
            chunks(gzip.compress(GZIP, mtime=0), 50), b"Content-Encoding: gzip, gzip"
        ),
        payload=gzip.compress(GZIP, mtime=0),
    ),
    "longer": Behaviour(
        answer(b"200 OK", b"Content-Length: 2", body=b"okay"), close=True, excess=2
    ),
    "body304": Behaviour(
        sized(b"body", status=b"304 Not Modified"), excess=4, status=304, payload=b""
    ),
    "body204": Behaviour(
        sized(b"body", status=b"204 No Content"), excess=4, status=204, payload=b""
    ),
    "bodyhead": Behaviour(sized(b"body"), method="HEAD", excess=4, payload=b""),
    "continue": Behaviour(
        CONTINUE + OK,
        method="POST",
        body=b"x" * 100_000,
        headers=(("Expect", "100-continue"),),
        interim=len(CONTINUE),
    ),
    "emptypost": Behaviour(OK, method="POST"),
    "delete": Behaviour(OK, method="DELETE"),
    "cookies": Behaviour(
        sized(b"ok", *(b"Set-Cookie: c%d=%d; Path=/" % (n, n) for n in range(20)))
    ),
    "keepold": Behaviour(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        repeat=2,
    ),
    "untilclose": Behaviour(
        answer(b"200 OK", TYPE, body=HTML), close=True, payload=HTML
    ),
    "tepad": Behaviour(
        answer(b"200 OK", b"Transfer-Encoding:  Chunked ", body=chunks(b"ok", 1))
    ),
    "teother": Behaviour(
        answer(b"200 OK", b"Transfer-Encoding: gzip", body=GZIP),
        close=True,
        payload=GZIP,
    ),
    "spacecolon": Behaviour(
        answer(b"200 OK", b"Content-Length : 2", b"X-A :b", body=b"ok")
    ),
    "dead": Behaviour(OK, repeat=2, needs_fresh=True),
    "exactlimit": Behaviour(
        sized(b"e" * (MAX_RECORD_BYTES - 49), b"X: y"),
        payload=b"e" * MAX_PARSE_BYTES,
        cut=True,
    ),
}

BEHAVIOURS: dict[str, Behaviour] = {**SEEDS, **MORE}
