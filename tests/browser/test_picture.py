"""Pictures and text of a page: bounded, and never the page's failure."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from crawler.browser import picture
from crawler.browser.behaviour import HEIGHT, USUAL, WIDTH, Surroundings
from crawler.browser.renderer import Order, Rendered, Renderer
from tests.browser.driving import loopback_only, open_port, recording_proxy
from tests.site.portal import page, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.site.portal import Handler

NAMES = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
KINDS = ("text", "screenshot", "full_page")
FONTS = (
    "<style>@font-face {font-family: late; src: url(/font)}</style>"
    "<p class=ready style='font-family: late'>shown</p>"
)
TALL = "<p class=ready>top</p><div style=height:20000px;width:9000px>deep</div>"
LONG = f"<p class=ready>{'x' * (picture.MAX_TEXT_CHARS + 10)}</p>"


DENSE = Surroundings(scale=3.0)


def show(
    html: str,
    folder: Path,
    timeout_s: float,
    *kinds: str,
    around: Surroundings = USUAL,
) -> Rendered:
    """Return what a page shows; a font that it asks for never comes."""

    def wait(handler: Handler) -> None:
        handler.server.closing.wait(30)

    async def run(base: str) -> Rendered:
        renderer = Renderer(timeout_s=timeout_s)
        order = Order(
            f"{base}/", "tester/1", around=around, ready=("css=.ready",), keep=kinds
        )
        try:
            async with open_port(recording_proxy(folder), allow=loopback_only) as (
                port,
                _,
            ):
                return await renderer.render(order, port.server)
        finally:
            await renderer.close()

    with serving({"/": page(html), "/font": wait}) as served:
        return asyncio.run(run(served.base))


def test_a_picture_that_cannot_be_made_is_noted(tmp_path: Path) -> None:
    """A page that is never ready for its picture is shown nevertheless, in time."""
    rendered = show(FONTS, tmp_path, 10.0, *KINDS)
    assert b"shown</p>" in rendered.document
    assert rendered.portrait.made == {"text": b"shown"}
    assert rendered.portrait.missing == {
        "screenshot": "there was no time left",
        "full_page": "there was no time left",
    }


def test_pictures_are_bounded(tmp_path: Path) -> None:
    """Of a page without end there is a part, and a note; on a dense screen, too."""
    made = show(TALL, tmp_path, 30.0, *KINDS, around=DENSE).portrait
    assert made.missing == {}
    sizes = {kind: size_of(made.made[kind]) for kind in KINDS[1:]}
    assert sizes["full_page"] == (picture.MAX_WIDTH, picture.MAX_HEIGHT)
    assert sizes["screenshot"] == (WIDTH * 3, HEIGHT * 3)
    assert made.cut == ("full_page",)


def size_of(png: bytes) -> tuple[int, int]:
    """Return width and height of a PNG."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_text_is_bounded(tmp_path: Path) -> None:
    """Of a text that is too long there is the beginning, and a note."""
    made = show(LONG, tmp_path, 30.0, "text").portrait
    assert len(made.made["text"]) == picture.MAX_TEXT_CHARS
    assert made.cut == ("text",)


def test_a_page_that_tells_no_text_has_none(tmp_path: Path) -> None:
    """Its scripts may say anything; the other pictures are made."""
    code = "Object.defineProperty(document.body, 'innerText', {get: () => ({slice})})"
    slice_ = f"const slice = () => [1]; {code}"
    html = f"<body><p class=ready>x<script>{slice_}</script>"
    portrait = show(html, tmp_path, 30.0, "text", "screenshot").portrait
    assert portrait.missing == {"text": "the page told no text"}
    assert set(portrait.made) == {"screenshot"}


def test_nothing_is_made_unasked(tmp_path: Path) -> None:
    """Without `keep` a page is read and let go."""
    portrait = show("<p class=ready>x", tmp_path, 30.0).portrait
    assert (portrait.made, portrait.missing, portrait.cut) == ({}, {}, ())
