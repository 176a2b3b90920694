"""A page with its data in a script, then an API that is posted to, all the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.crawling import Workplace, portal
from tests.site.portal import Behaviour, Handler, article, json_page, page, serving

if TYPE_CHECKING:
    from pathlib import Path

LISTING = {
    "from": "state",
    "rows": "props.rows",
    "state": {"script": "__NEXT_DATA__", "rows": "props.rows"},
    "fields": {"url": "href"},
    "continue": {
        "from": "json",
        "method": "POST",
        "body": '{"variables": {"after": "{cursor}"}}',
        "rows": "data.rows",
    },
    "next": {"first": "props.cursor", "cursor": "data.cursor", "more": "data.more"},
}
FIRST = {"props": {"rows": [{"href": "/item/1"}], "cursor": 'YQ="/+'}}
ANSWERS = {
    'YQ="/+': {"rows": [{"href": "/item/2"}], "cursor": "b", "more": True},
    "b": {"rows": [{"href": "/item/3"}], "cursor": None, "more": False},
}


def answer(handler: Handler) -> None:
    """Give the page after the cursor in the body; nothing without it."""
    asked = json.loads(handler.asked.body)["variables"]["after"]
    json_page({"data": ANSWERS[asked]})(handler)


def test_a_cursor_goes_on_by_post_live_and_replayed(tmp_path: Path) -> None:
    """Each page is asked for once, with the cursor in its body; replay misses none."""
    state = json.dumps(FIRST)
    head = f'<script id="__NEXT_DATA__" type="application/json">{state}</script>'
    routes: dict[str, Behaviour] = {"/latest": page(head), "/api": answer}
    routes |= {f"/item/{n}": page(article(str(n))) for n in (1, 2, 3)}
    with serving(routes) as served:
        listing: dict[str, Any] = json.loads(json.dumps(LISTING))
        listing["continue"]["url"] = f"{served.base}/api"
        place = Workplace(tmp_path, [portal(served.base, listing=listing)])
        assert place.run("crawl", ports=[served.port]).of()["exit_code"] == 0
        posted = [x for x in served.asked if x.target == "/api"]
    assert [x.method for x in posted] == ["POST", "POST"]
    assert {x.headers["Content-Type"] for x in posted} == {"application/json"}
    assert sorted(item.url[-1] for item in place.items()) == ["1", "2", "3"]
    assert place.run("replay", ports=[]).answer["misses"] == []
