"""Synthetic portals, and the server that answers from memory: every page is prebuilt.

``python benchmarks/portals.py SIZE PAGES`` serves one on a free port of 127.0.0.1,
prints the port, and ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import sys
from dataclasses import dataclass

from crawler.config.portal import Portal

ROWS = 50
"""Articles named by one listing page."""
HITS = b"/hits"
"""Answers with the number of other requests so far; not part of the portal."""

_WORDS = (  # noqa: SIM905 - fifty quotes less
    "harbour market council bridge ferry museum school river budget station garden "
    "theatre hospital library festival engineer railway forecast chairman quarter "
    "report tender village airport exhibition programme orchestra election minister "
    "glacier lighthouse archive observatory workshop vaccine harvest reservoir tariff "
    "the of to and in a that for on with as was by at from it is said after which over"
).split()
_HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{coding}Content-Length: {size}\r\n"
)
_SERVER = "Server: bench\r\nCache-Control: max-age=60\r\nConnection: keep-alive\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a portal's articles are.

    Attributes:
        pages: articles with ``--full``, without, and with ``--quick``.
        paragraphs: of an article; words: of a paragraph.
        images: whether an image stands before each paragraph.
    """

    pages: dict[str, int]
    paragraphs: int
    words: int
    images: bool


SIZES = {
    "light": Size({"full": 2000, "default": 500, "quick": 100}, 22, 75, images=False),
    "heavy": Size({"full": 500, "default": 125, "quick": 25}, 60, 120, images=True),
}


def portal(size: str, base: str) -> Portal:
    """Return the rules by which both sides read the portal at base."""
    host = base.removeprefix("http://")
    return Portal.model_validate(
        {
            "id": f"bench-{size}",
            "timezone": "Europe/Lisbon",
            "allow_private": True,
            "scope": {"hosts": [host]},
            "crawl": {
                "delay": 0,
                "concurrency": 16,
                "per_host": 8,
                "allow_private": True,
            },
            "listings": [
                {
                    "id": "news",
                    "from": "rows",
                    "url": f"{base}/news/1.html",
                    "rows": "ul.news li",
                    "fields": {"url": "a::attr(href)", "title": "a", "published": "em"},
                    "next": {"url": "a.next::attr(href)"},
                }
            ],
            "items": [
                {
                    "match": r"^/article/(?P<external_id>\d+)\.html$",
                    "title": "h1",
                    "published": ".meta time",
                    "authors": ".meta .author",
                    "source": ".meta .source",
                    "body": ".article",
                    "tags": ".tags a",
                    "required": ["title", "body", "published"],
                }
            ],
        }
    )


def site(size: str, pages: int) -> dict[bytes, bytes]:
    """Return the whole response for each path."""
    made = {b"/robots.txt": response("text/plain", b"User-agent: *\nAllow: /\n")}
    for number in range(1, pages + 1):
        body = article(SIZES[size], number).encode()
        path = f"/article/{number}.html".encode()
        made[path] = response("text/html; charset=utf-8", body)
    last = -(-pages // ROWS)
    for number in range(1, last + 1):
        path = f"/news/{number}.html".encode()
        body = _listing(number, last, pages).encode()
        made[path] = response("text/html; charset=utf-8", body)
    return made


def response(kind: str, body: bytes, status: str = "200 OK") -> bytes:
    """Return the bytes of a response, gzip-encoded."""
    zipped = gzip.compress(body, 6, mtime=0)
    coding = "Content-Encoding: gzip\r\n"
    head = _HEAD.format(status=status, kind=kind, coding=coding, size=len(zipped))
    return (head + _SERVER).encode() + zipped


def article(size: Size, number: int) -> str:
    """Return an article's page; the same number gives the same page."""
    chance = random.Random(number)  # noqa: S311 - the same pages every time
    title = _sentence(chance, 7)
    paragraphs = []
    for at in range(size.paragraphs):
        if size.images:
            paragraphs.append(
                f'<figure><img src="/img/{number}/{at}.jpg" width="640" height="420" '
                f'alt="{_sentence(chance, 4)}"></figure>'
            )
        sentences = (_sentence(chance, 15) for _ in range(size.words // 15))
        paragraphs.append(f"<p>{' '.join(sentences)}</p>")
    tags = "".join(f'<a href="/tag/{w}">{w}</a>' for w in chance.sample(_WORDS, 4))
    return _PAGE.format(
        title=title,
        top=_links(chance, "/section", 12),
        meta=f"2025-03-{1 + number % 28:02} {number % 24:02}:{number % 60:02}",
        author=f"{chance.choice(_WORDS).title()} {chance.choice(_WORDS).title()}",
        body="\n".join(paragraphs),
        tags=tags,
        more=_links(chance, "/article", 10),
    )


def _listing(number: int, last: int, pages: int) -> str:
    chance = random.Random(-number)  # noqa: S311 - the same pages every time
    first = (number - 1) * ROWS + 1
    rows = "\n".join(
        f'<li><a href="/article/{at}.html">{_sentence(random.Random(at), 7)}</a>'  # noqa: S311
        f"<em>2025-03-{1 + at % 28:02}</em></li>"
        for at in range(first, min(first + ROWS, pages + 1))
    )
    more = f'<a class="next" href="/news/{number + 1}.html">Next</a>'
    return _LIST.format(
        top=_links(chance, "/section", 12),
        rows=rows,
        next=more if number < last else "",
    )


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)).capitalize() + "."


def _links(chance: random.Random, path: str, count: int) -> str:
    addresses = (f"{path}/x{chance.randrange(10**6)}" for _ in range(count))
    return "\n".join(
        f'<li><a href="{url}">{_sentence(chance, 3)}</a></li>' for url in addresses
    )


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} | Bench Herald</title>
<meta name="description" content="{title}">
<link rel="stylesheet" href="/style.css"><script src="/app.js"></script></head>
<body><header><ul class="top">
{top}
</ul></header><main><h1>{title}</h1>
<div class="meta"><time>{meta}</time> <span class="author">{author}</span>
<span class="source">Bench Herald</span></div>
<div class="article">
{body}
</div><div class="tags">{tags}</div></main>
<aside><ul>
{more}
</ul></aside><footer><p>Bench Herald</p></footer></body></html>
"""
_LIST = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>News | Bench Herald</title></head>
<body><header><ul class="top">
{top}
</ul></header><main><ul class="news">
{rows}
</ul>{next}</main></body></html>
"""


class Answers(asyncio.Protocol):
    """One connection: each request head is answered from the table."""

    transport: asyncio.Transport

    def __init__(self, responses: dict[bytes, bytes], hits: list[int]) -> None:
        self._responses = responses
        self._hits = hits
        self._missing = response("text/plain", b"no such page", "404 Not Found")
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request head."""
        *heads, self._waiting = (self._waiting + data).split(b"\r\n\r\n")
        for head in heads:
            path = head.split(b" ", 2)[1]
            if path == HITS:
                count = str(self._hits[0]).encode()
                self.transport.write(b"HTTP/1.0 200 OK\r\n\r\n" + count)
                self.transport.close()
                return
            self._hits[0] += 1
            self.transport.write(self._responses.get(path, self._missing))


async def serve(responses: dict[bytes, bytes]) -> None:
    """Serve until standard input is closed."""
    loop = asyncio.get_running_loop()
    hits = [0]
    server = await loop.create_server(
        lambda: Answers(responses, hits), "127.0.0.1", 0, backlog=128
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve the portal that the arguments name, on the machine's last core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    size, pages = sys.argv[1], int(sys.argv[2])
    asyncio.run(serve(site(size, pages)))


if __name__ == "__main__":
    main()
