"""What a browser does with a page before it is read, and what it pretends to be."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from crawler.config.rule import Model, OneOrMany, Rule, Texts, as_tuple
from crawler.config.units import Duration

MAX_STEPS = 500
"""More clicks on one page or steps down it are for its API."""

_SIZE = re.compile(r"([0-9]{2,4})x([0-9]{2,4})")
_Steps = Annotated[int, Field(ge=1, le=MAX_STEPS)]
_Pixels = Annotated[int, Field(ge=100, le=8000)]

Blocked = Annotated[
    tuple[Literal["image", "media", "font"], ...],
    BeforeValidator(as_tuple),
    OneOrMany(),
]
"""Kinds of what a page asks for that are not fetched."""


class ClickRule(Model):
    """``click: .load-more``, or with ``max``: clicked until it is gone or does nothing.

    Attributes:
        selector: CSS or XPath; the first element seen on the page is clicked.
        max: so many times at most.
    """

    shorthand = (Rule,)

    selector: Rule = Field(min_length=1)
    max: _Steps = 50

    @model_validator(mode="before")
    @classmethod
    def _selector_alone(cls, given: object) -> object:
        if isinstance(given, dict) and {"selector", "max"} & given.keys():
            return given
        return given if isinstance(given, cls) else {"selector": given}


class ScrollRule(Model):
    """``scroll: 20`` or ``true``: down the page, until nothing more comes.

    Attributes:
        max: so many steps, of four fifths of a screen each, at most.
    """

    shorthand = (int, Literal[True])

    max: _Steps = 50

    @model_validator(mode="before")
    @classmethod
    def _max_alone(cls, given: object) -> object:
        if given is True:
            return {}
        alone = isinstance(given, int | str) and given is not False
        return {"max": given} if alone else given


class Viewport(Model):
    """``viewport: 390x844``, or a mapping that says more of the device.

    Attributes:
        scale: pixels of the screen for one of the page.
        mobile: whether it is a telephone's, with a screen that is touched.
    """

    shorthand = (str,)

    width: _Pixels
    height: _Pixels
    scale: float = Field(default=1.0, ge=0.5, le=5)
    mobile: bool = False

    @model_validator(mode="before")
    @classmethod
    def _size_alone(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        found = _SIZE.fullmatch(given.strip())
        if found is None:
            message = f"{given!r} is no size; write it like 390x844"
            raise ValueError(message)
        return {"width": int(found[1]), "height": int(found[2])}


class BrowserRule(Model):
    """What is done with a page that a browser shows, in the order given here.

    Attributes:
        dismiss: CSS of what covers the page: a button or link is clicked, anything
            else taken away, whenever it is there.
        click: what unfolds the page, clicked before it is scrolled.
        scroll: down the page, so that what waits for it is loaded.
        block: kinds of what is not fetched, and so not archived.
        block_urls: patterns searched in the URLs of what is not fetched.
        viewport, locale, timezone: what the page finds; the built-in size is 1280x720,
            the time zone the portal's.
        timeout: of the page in all, where the browser's own is not right.
        storage_state: a file of cookies and local storage, as Playwright writes it;
            seen from the file that the portal is written in.
    """

    dismiss: Texts = ()
    click: ClickRule | None = None
    scroll: ScrollRule | None = None
    block: Blocked = ()
    block_urls: Texts = ()
    viewport: Viewport | None = None
    locale: str | None = None
    timezone: str | None = None
    timeout: Duration | None = Field(default=None, gt=0)
    storage_state: str | None = None
