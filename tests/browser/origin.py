"""A raw origin with a page of all kinds of exchanges, on the test's own loop.

It logs every byte of every exchange, WebSocket handshakes included, and knows of HTTP
only where a request ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import brotli

from tests.site.behaviours import answer, chunked, chunks, sized

PATIENCE_S = 20.0
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
VIDEO = bytes(range(256)) * 1200
ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PIECE = b"\x5a" * (1 << 16)

PAGE = """<!doctype html><html><head><title>Portal</title>
<link rel=stylesheet href=/style.css><script src=/app.js defer></script></head>
<body><h1>Portal</h1><img src=/hold.png><img src=/moved.png><img src=/missing.png>
<iframe src="OTHER/frame"></iframe><video src=/video.webm preload=auto></video>
EXTRA<div id=out></div></body></html>"""
STYLE = b"@import url(/more.css);\nh1 { color: red }\n" * 50
SCRIPT = b"""
const tell = async (name, work) => {
  const p = document.createElement('p');
  try { p.textContent = name + ': ' + await work(); }
  catch (e) { p.textContent = name + ': failed'; }
  document.getElementById('out').append(p);
};
const get = async (path, options) => (await fetch(path, options)).status;
const heard = (target, happened, then) => new Promise((resolve, reject) => {
  target.onerror = reject;
  target['on' + happened] = event => resolve(then(event));
});
(async () => {
  await tell('post', async () => (await (await fetch('/api?q=1', {method: 'POST',
    body: JSON.stringify({a: '\\u00fc'}), headers: {'Content-Type': 'application/json'}
  })).json()).items.length);
  const blob = new Blob(['x'.repeat(300000)]);
  await tell('put', () => get('/put', {method: 'PUT', body: blob}));
  await tell('delete', () => get('/put', {method: 'DELETE'}));
  await tell('head', () => get('/style.css?head', {method: 'HEAD'}));
  await tell('empty', () => get('/empty'));
  await tell('reset', () => get('/reset'));
  await tell('cut', async () => (await (await fetch('/cut')).text()).length);
  await tell('untilclose', async () => (await (await fetch('/untilclose')).text()));
  await tell('cached', () => get('/etag'));
  await tell('revalidated', () => get('/etag', {cache: 'no-cache'}));
  await tell('early', () => get('/early'));
  await tell('module', async () => (await import('/module.js')).value);
  await tell('denied', () => get('http://denied.example/x', {mode: 'no-cors'}));
  await tell('denied tls', () => get('https://denied.example/x', {mode: 'no-cors'}));
  await tell('socket', () => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
    socket.onopen = () => socket.send('hi');
    return heard(socket, 'message', event => { socket.close(); return event.data; });
  });
  await tell('events', () => heard(new EventSource('/events'), 'message', e => e.data));
  await tell('worker', () => heard(new Worker('/worker.js'), 'message', e => e.data));
  await tell('service', async () => {
    await navigator.serviceWorker.register('/service.js');
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller)
      await heard(navigator.serviceWorker, 'controllerchange', () => 0);
    return (await (await fetch('/byservice')).text());
  });
  navigator.sendBeacon('/beacon', 'x=1');
  await tell('done', () => get('/done'));
})();
"""
SERVICE = b"""
addEventListener('install', () => skipWaiting());
addEventListener('activate', event => event.waitUntil(clients.claim()));
addEventListener('fetch', event => {
  if (event.request.url.endsWith('/byservice')) event.respondWith(fetch('/inservice'));
});
"""
WORKER = b"fetch('/inworker').then(r => r.text()).then(t => postMessage(t));"

PLAIN: dict[str, bytes] = {
    "/more.css": sized(b"h1 { margin: 0 }", b"Content-Type: text/css"),
    "/moved.png": sized(b"red", b"Location: /image.png", status=b"302 Found"),
    "/image.png": sized(PNG, b"content-TYPE:image/png"),
    "/frame": sized(b"<p>frame", b"Content-Type: text/html"),
    "/put": answer(b"204 No Content", b"X-Put: 1"),
    "/empty": sized(b""),
    "/untilclose": answer(b"200 OK", b"Connection: close", body=b"to the end"),
    "/early": b"HTTP/1.1 103 Early Hints\r\nLink: </more.css>\r\n\r\n" + sized(b"ok"),
    "/module.js": sized(b"export const value = 7;", b"Content-Type: text/javascript"),
    "/worker.js": sized(WORKER, b"Content-Type: text/javascript"),
    "/inworker": sized(b"worked"),
    "/service.js": sized(SERVICE, b"Content-Type: text/javascript"),
    "/inservice": sized(b"served", b"Content-Type: text/plain"),
    "/beacon": answer(b"204 No Content"),
    "/favicon.ico": sized(PNG, b"Content-Type: image/png"),
    "/api": chunked(
        chunks(b'{"items": [1, 2, 3]}', 7), b"Content-Type: application/json"
    ),
    "/cut": answer(b"200 OK", b"Content-Length: 100", body=b"half"),
    "/done": sized(b"done"),
    "/etag": sized(b"tagged", b'ETag: "1"', b"Cache-Control: max-age=60"),
    "/missing.png": sized(b"nope", status=b"404 Not Here"),
}
TYPE_OF_SCRIPT = (b"Content-Type: text/javascript",)
CLOSING = ("/untilclose", "/cut")


@dataclass(slots=True)
class Entry:
    """One exchange as the origin saw it; ended once nothing more is sent."""

    path: str
    request: bytes
    sent: bytes = b""
    ended: bool = False


@dataclass
class Origin:
    """The origin: two http ports, and https where it has a certificate.

    Attributes:
        extra: more of the page's HTML.
        script: the page's.
        written: bytes of floods.
        got: bytes that WebSockets brought.
        done: the page's script is at its end.
        let_go: the peer has ended a stream of events; or we, unasked, a connection.
    """

    context: ssl.SSLContext | None = None
    extra: str = ""
    script: bytes = SCRIPT
    log: list[Entry] = field(default_factory=list)
    written: int = 0
    got: bytes = b""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def base(self, scheme: str = "http") -> str:
        """Return the URL up to the path."""
        return f"{scheme}://127.0.0.1:{self._port(2 if scheme == 'https' else 0)}"

    def _port(self, at: int) -> int:
        return int(self._servers[at].sockets[0].getsockname()[1])

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Origin]:
        """Listen, and end every connection at the end."""
        for context in (None, None, self.context):
            self._servers.append(
                await asyncio.start_server(
                    self._serve, "127.0.0.1", 0, ssl=context, limit=1 << 22
                )
            )
        try:
            yield self
        finally:
            for server in self._servers:
                server.close()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while (request := await _read_request(reader)) is not None:
                target = request.split(b" ", 2)[1].decode("latin-1")
                entry = Entry(target, request)
                self.log.append(entry)
                keep = await self._answer(entry, reader, writer)
                entry.ended = True
                if not keep:
                    break
        writer.close()
        with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(writer.wait_closed(), 2)

    async def _answer(
        self, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        path = entry.path.partition("?")[0]
        special: dict[str, Special] = {
            "/hold.png": self._hold,
            "/socket": self._socket,
            "/events": self._events,
            "/reset": self._reset,
            "/flood": self._flood,
            "/bye": self._bye,
        }
        if path in special:
            return await special[path](entry, reader, writer)
        content = self._content(path, entry.request)
        if entry.request.startswith(b"HEAD "):
            content = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        await send(entry, writer, content)
        if path == "/done":
            self.done.set()
        return path not in CLOSING

    def _content(self, path: str, request: bytes) -> bytes:
        if path == "/":
            page = PAGE.replace("OTHER", f"http://127.0.0.1:{self._port(1)}")
            body = gzip.compress(page.replace("EXTRA", self.extra).encode(), mtime=0)
            lines = (
                b"Content-Type: text/html",
                b"X-MiXed: y",
                b"content-encoding: gzip",
            )
            return chunked(chunks(body, 50), *lines, b"Set-Cookie: a=1")
        if path == "/style.css":
            body = gzip.compress(STYLE, mtime=0)
            return sized(body, b"Content-Type: text/css", b"Content-Encoding: gzip")
        if path == "/app.js":
            body = brotli.compress(self.script)
            return sized(body, *TYPE_OF_SCRIPT, b"Content-Encoding: br")
        if path == "/etag" and b"if-none-match" in request.lower():
            return answer(b"304 Not Modified", b'ETag: "1"')
        if path == "/video.webm":
            return _range(request)
        return PLAIN.get(path, PLAIN["/missing.png"])

    async def _hold(
        self, entry: Entry, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Keep the page's load event back until its script is done."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.done.wait(), PATIENCE_S)
        await send(entry, writer, sized(PNG, b"Content-Type: image/png"))
        return True

    async def _socket(
        self, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Shake hands, say yo to the first frame, listen to the end."""
        key = next(
            line.partition(b":")[2].strip()
            for line in entry.request.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key:")
        )
        accept = base64.b64encode(hashlib.sha1(key + ACCEPT_SALT).digest())
        lines = (b"Upgrade: websocket", b"Connection: Upgrade")
        accepted = b"Sec-WebSocket-Accept: " + accept
        handshake = answer(b"101 Switching Protocols", *lines, accepted)
        await send(entry, writer, handshake)
        self.got += await reader.read(1 << 16)
        writer.write(b"\x81\x02yo")
        await writer.drain()
        while piece := await reader.read(1 << 16):
            self.got += piece
        return False

    async def _events(
        self, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Send events until the peer has had enough."""
        head = answer(b"200 OK", b"Content-Type: text/event-stream")
        await send(entry, writer, head + b"data: first\n\n")
        await reader.read(1)
        self.let_go.set()
        return False

    async def _reset(
        self, entry: Entry, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        writer.transport.abort()
        return False

    async def _bye(
        self, entry: Entry, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Close the connection without having said so."""
        await send(entry, writer, sized(b"bye"))
        writer.close()
        await writer.wait_closed()
        self.let_go.set()
        return False

    async def _flood(
        self, entry: Entry, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Send as many pieces as the query says; they are not logged."""
        pieces = int(entry.path.partition("?")[2])
        await send(
            entry,
            writer,
            answer(b"200 OK", b"Content-Length: %d" % (pieces * len(PIECE))),
        )
        for _piece in range(pieces):
            writer.write(PIECE)
            await writer.drain()
            self.written += len(PIECE)
        return True


Special = Callable[[Entry, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


async def send(entry: Entry, writer: asyncio.StreamWriter, content: bytes) -> None:
    """Write and log content."""
    entry.sent += content
    writer.write(content)
    await writer.drain()


def _range(request: bytes) -> bytes:
    asked = next(
        (x for x in request.split(b"\r\n") if x.lower().startswith(b"range: bytes=")),
        b"range: bytes=0-",
    )
    first, _, last = asked.partition(b"=")[2].partition(b"-")
    start, stop = int(first), int(last or len(VIDEO) - 1) + 1
    place = b"Content-Range: bytes %d-%d/%d" % (start, stop - 1, len(VIDEO))
    lines = (b"Content-Type: video/webm", b"Accept-Ranges: bytes", place)
    return sized(VIDEO[start:stop], *lines, status=b"206 Partial Content")


async def _read_request(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head + await reader.readexactly(int(line.partition(b":")[2]))
            if line.startswith(b"transfer-encoding:"):
                return head + await reader.readuntil(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    return head
