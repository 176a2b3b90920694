"""Forms of a page, as far as a program can fill them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extract.document.selectors import select_css

if TYPE_CHECKING:
    from crawler.extract.document.page import Page


@dataclass(frozen=True, slots=True)
class Form:
    """A form to be posted.

    Attributes:
        action: the URL that it is sent to.
        hidden: names and values that the page put into it, in order.
        encoding: of what is sent.
    """

    action: str
    hidden: tuple[tuple[str, str], ...] = ()
    encoding: str = "utf-8"


def form_of(page: Page, selector: str) -> Form | None:
    """Return the first form that selector finds on a page, None where there is none.

    The selector may find an element within the form, too.
    """
    if page.is_json:
        return None
    for found in select_css(selector, page.tree):
        form = next(
            (x for x in (found, *found.iterancestors()) if x.tag == "form"), None
        )
        if form is None:
            continue
        action = page.absolute(form.get("action") or page.url)
        hidden = tuple(
            (one.get("name"), one.get("value") or "")
            for one in form.iter("input")
            if (one.get("type") or "").lower() == "hidden" and one.get("name")
        )
        return Form(action, hidden, page.encoding) if action else None
    return None
