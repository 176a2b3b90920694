"""What is stored of a rendered page besides its exchanges, and what it asked for.

Each is a ``resource`` record of the page visit, concurrent to the response that the
page was made of.

Source: the URIs are those that Browsertrix writes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict


class Made(NamedTuple):
    """What can be made of a page that a browser shows.

    Attributes:
        prefix: of the record's target URI; the page's URL follows.
        content_type: of its block.
    """

    prefix: str
    content_type: str

    def uri(self, url: str) -> str:
        """Return the target URI for a page's URL."""
        return f"{self.prefix}{url}"


DOM = Made("urn:dom:", "text/html; charset=utf-8")
SCREENSHOT = Made("urn:view:", "image/png")
FULL_PAGE = Made("urn:fullPage:", "image/png")
TEXT = Made("urn:text:", "text/plain; charset=utf-8")
PAGE_INFO = Made("urn:pageinfo:", "application/json")
KEPT = {"screenshot": SCREENSHOT, "full_page": FULL_PAGE, "text": TEXT}
"""By what ``keep`` of an item rule calls them."""


class PageExchange(BaseModel):
    """One exchange of a rendered page.

    Attributes:
        record_id: of the response or revisit, else of the request or metadata.
        url: as stored.
        status, mime: absent where no response head came.
        type: what the browser asked for it as, where that is known.
        acted: true where a click or a step down the page made it ask.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    record_id: str
    url: str
    method: str = "GET"
    status: int | None = None
    mime: str | None = None
    type: str | None = None
    acted: bool | None = None


class PageInfo(BaseModel):
    """What a browser did to show a page.

    Attributes:
        url: of the document that was shown, as stored.
        captured_at: when it was read.
        exchanges: in the order they began; those of the page before it was rendered
            are not among them.
        refused: how many requests were, by host.
        limits: what there was more of: ``requests``, ``bytes``, ``full_page``,
            ``text``.
        missing: what was to be kept and is not, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["portalkeep-pageinfo"] = "portalkeep-pageinfo"
    version: Literal[1] = 1
    url: str
    title: str | None = None
    captured_at: datetime
    exchanges: tuple[PageExchange, ...] = ()
    refused: dict[str, int] = {}
    limits: tuple[str, ...] = ()
    missing: dict[str, str] = {}

    def to_bytes(self) -> bytes:
        """Return it as the record's block."""
        return self.model_dump_json(exclude_none=True).encode()
