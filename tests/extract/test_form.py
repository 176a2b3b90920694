"""Forms: where they go and what the page put into them."""

from __future__ import annotations

import pytest

from crawler.extract.document.form import Form, form_of
from crawler.extract.document.page import Page

URL = "https://a.example/in/login?next=1"
TOKEN = "<input type=HIDDEN name=t value='a b'><input type=hidden value=nameless>"


@pytest.mark.parametrize(
    ("html", "action"),
    [
        (f"<form id=f action=enter>{TOKEN}<input name=user></form>", "/in/enter"),
        (f"<form id=f>{TOKEN}</form>", "/in/login?next=1"),
        (f"<form action=/x>{TOKEN}<input id=f name=user value=me></form>", "/x"),
        (f"<base href=/b/><form id=f action=enter>{TOKEN}</form>", "/b/enter"),
    ],
)
def test_form(html: str, action: str) -> None:
    """The action is absolute; only hidden fields with a name are taken."""
    form = form_of(Page(html, URL), "#f")
    assert form == Form(f"https://a.example{action}", (("t", "a b"),))


@pytest.mark.parametrize(
    "text",
    [
        "<p>no form</p>",
        "<div id=f></div>",
        '{"id": "f"}',
        '<form id=f action="javascript:go()"></form>',
    ],
)
def test_no_form(text: str) -> None:
    """What is no form that can be sent is none."""
    assert form_of(Page(text, URL), "#f") is None
