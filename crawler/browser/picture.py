"""Pictures and text of a page that is shown, and what it asks for.

What cannot be made is noted, never raised.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import Error

from crawler.browser.renderer import Portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.async_api import Page, Request

MAX_WIDTH, MAX_HEIGHT = 4_096, 16_384
"""Pixels of a whole page; what is beyond them is not on the picture."""
MAX_PICTURE_BYTES = 20_000_000
MAX_TEXT_CHARS = 2_000_000

_HEIGHT = slice(20, 24)  # of a PNG's header
_TEXT = "most => (document.body?.innerText ?? '').slice(0, most)"


def overhear(page: Page, told: Callable[[str, str, str], None]) -> None:
    """Tell method, URL and resource type of each request that a page makes."""

    def tell(request: Request) -> None:
        told(request.method, request.url, request.resource_type)

    page.on("request", tell)


async def portray(page: Page, kinds: Sequence[str], until_s: float) -> Portrait:
    """Return what kinds name of a page, by until_s of the loop's time."""
    made: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    for kind in kinds:
        try:
            async with asyncio.timeout_at(until_s):
                made[kind] = await _made(page, kind)
        except TimeoutError:
            missing[kind] = "there was no time left"
        except Error as exc:
            missing[kind] = exc.message.strip().partition("\n")[0][:200]
        except _NotMade as exc:
            missing[kind] = str(exc)
    return Portrait(made, missing, tuple(k for k in made if _is_cut(k, made[k])))


class _NotMade(Exception):
    """A picture that is not kept."""


async def _made(page: Page, kind: str) -> bytes:
    if kind == "text":
        text = await page.evaluate(_TEXT, MAX_TEXT_CHARS)
        if not isinstance(text, str):  # its scripts may change what it tells of itself
            raise _NotMade("the page told no text")
        return text[:MAX_TEXT_CHARS].encode("utf-8", "replace")
    if kind == "screenshot":
        picture = await page.screenshot(timeout=0)  # until_s is the limit
    else:
        picture = await page.screenshot(
            full_page=True,
            clip={"x": 0, "y": 0, "width": MAX_WIDTH, "height": MAX_HEIGHT},
            scale="css",  # as the bounds are: a denser screen shows no more of a page
            timeout=0,
        )
    if len(picture) > MAX_PICTURE_BYTES:
        raise _NotMade(f"{len(picture)} bytes are more than {MAX_PICTURE_BYTES}")
    return picture


def _is_cut(kind: str, content: bytes) -> bool:
    """Tell whether there is more of the page than content has, as far as it shows."""
    if kind == "text":
        return len(content.decode()) >= MAX_TEXT_CHARS
    height = int.from_bytes(content[_HEIGHT])
    return kind == "full_page" and height >= MAX_HEIGHT
