"""Synthetic portals whose articles are made by script, and the server of them.

``python benchmarks/scripted.py KIND PAGES`` serves one as ``portals.py`` does.  A page
has a style sheet, a script, four images of its own and, where it is a shell, the JSON
that the script makes the article of.  When all of that is there the script marks the
page as shown: both sides wait for the mark, so both ask for the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
import sys
import zlib
from typing import TYPE_CHECKING

import portals
from portals import response, serve

if TYPE_CHECKING:
    from crawler.config.portal import Portal

KINDS = ("script", "mixed")
"""All pages are shells; one page of ``EVERY`` is."""

EVERY = 20
IMAGES = 4
SHOWN = "main[data-shown]"
SCRIPT = """const main = document.querySelector('main');
const loaded = new Promise(done => addEventListener('load', done));
const show = story => {
  main.innerHTML = story.html;
  return Promise.all([...main.querySelectorAll('img')].map(each => each.decode()));
};
const from = main.dataset.from;
const made = from ? fetch(from).then(got => got.json()).then(show) : null;
Promise.all([made, loaded]).then(() => main.dataset.shown = 'yes');
"""
SHELL = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Bench Herald</title>
<link rel="stylesheet" href="/style.css"><script defer src="/app.js"></script></head>
<body><main data-from="/api/{number}.json">Loading</main></body></html>
"""


def portal(base: str, *, render: str, wait_for: str = SHOWN) -> Portal:
    """Return the rules of the portal at base."""
    plain = portals.portal("light", base)
    (rule,) = plain.items
    rendered = {
        **rule.model_dump(by_alias=True, exclude_unset=True),
        "render": render,
        "ready": "main .article",
        "wait_for": wait_for,
    }
    told = plain.model_dump(by_alias=True, exclude_unset=True)
    return type(plain).model_validate({**told, "id": "scripted", "items": [rendered]})


def site(kind: str, pages: int) -> dict[bytes, bytes]:
    """Return the whole response for each path."""
    made = portals.site("light", pages)
    made[b"/style.css"] = response("text/css", _style())
    made[b"/app.js"] = response("text/javascript", SCRIPT.encode() + _filler())
    for number in range(1, pages + 1):
        whole = _with_images(portals.article(portals.SIZES["light"], number), number)
        made.update(_images(number))
        path = f"/article/{number}.html".encode()
        if kind == "mixed" and number % EVERY:
            made[path] = _page(whole.replace("<script ", "<script defer "))
            continue
        story = whole.partition("<main>")[2].partition("</main>")[0]
        made[path] = _page(SHELL.format(number=number))
        told = json.dumps({"html": story}).encode()
        made[f"/api/{number}.json".encode()] = response("application/json", told)
    return made


def _page(text: str) -> bytes:
    return response("text/html; charset=utf-8", text.encode())


def _with_images(page: str, number: int) -> str:
    shown = "".join(
        f'<figure><img src="/img/{number}-{at}.png" alt=""></figure>'
        for at in range(IMAGES)
    )
    return page.replace('<div class="article">', f'<div class="article">{shown}', 1)


def _images(number: int) -> dict[bytes, bytes]:
    return {
        f"/img/{number}-{at}.png".encode(): response("image/png", _image(number, at))
        for at in range(IMAGES)
    }


def _image(number: int, at: int) -> bytes:
    """Return a PNG of 64 by 64 points that cannot be compressed: some 12 KB."""
    chance = random.Random(f"{number} {at}")  # noqa: S311 - the same every time
    rows = b"".join(b"\0" + chance.randbytes(64 * 3) for _ in range(64))
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def _style() -> bytes:
    rules = (f".c{n} {{margin: {n % 9}px; color: #{n:06x}}}\n" for n in range(600))
    return "".join(rules).encode()


def _filler() -> bytes:
    """Return script that is there to be read: portals have more than they need."""
    return "".join(
        f"function f{n}(x) {{return x * {n}}}\n" for n in range(900)
    ).encode()


def main() -> None:
    """Serve the portal that the arguments name, on the machine's last core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(serve(site(sys.argv[1], int(sys.argv[2]))))


if __name__ == "__main__":
    main()
