"""What is done with a page: each act ends, with a reason and all that was read."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crawler.browser.acting import Harvest
from crawler.browser.behaviour import Click, Plan, Scroll, plan_of, surroundings_of
from crawler.browser.chromium import find_chromium
from crawler.browser.launch import Running
from crawler.browser.renderer import MAX_MEMORY, Order, Rendered, Renderer
from crawler.browser.scripts import size_of
from crawler.config.portal import ItemRule, ListingRule
from tests.browser.endurance import kind_of
from tests.browser.test_renderer import NAMES, kill_browsers, show
from tests.site.portal import page, serving
from tests.site.processes import children_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.site.portal import Behaviour, Handler

chromium = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
ADD = (
    "<ul id=list></ul><script>let n = 0; const add = (size = 1) => {"
    " const li = document.createElement('li'); li.className = 'row';"
    " li.textContent = 'row ' + n++ + ' ' + 'x'.repeat(size);"
    " document.getElementById('list').append(li) }; add()</script>"
)
CLOSED = "Target page, context or browser has been closed"
PAGES = {
    "/grows": ADD + "<button onclick='add()'>more</button>",
    "/stops": ADD + "<button onclick='if (n < 4) add()'>more</button>",
    "/vanishes": ADD
    + "<button onclick='add(); if (n > 3) this.remove()'>more</button>",
    "/late": ADD + "<button onclick='setTimeout(add, 700)'>more</button>",
    "/leaves": ADD + "<button onclick='location = \"/other\"'>more</button>",
    "/other": "<p>another document</p>",
    "/heavy": ADD + "<button onclick='add(30000)'>more</button>",
    "/covered": ADD
    + "<button onclick='add()'>more</button><div style='position: fixed;"
    " inset: 0; background: grey'>over it</div>",
    "/switched-off": ADD + "<button disabled>more</button><button hidden>no</button>",
    "/hangs": ADD + "<button onclick='add(); if (n > 3) for (;;) {}'>more</button>",
    "/breaks": ADD + "<button onclick='add(); document.querySelectorAll = () => {"
    f' throw "{CLOSED}" }}\'>more</button>',
    "/falls": ADD + "<button onclick='fetch(`/kill`).then(() => add())'>more</button>",
    "/short": ADD,
    "/unfolds": "<p class=body>short<script>onclick = e => e.target.tagName == 'A' &&"
    " (e.target.outerHTML = '<b>long</b>')</script><a>unfold</a>",
}
CLICK = Click(("css=button", "css=a"), 3)
MANY = Click(("css=button",), 400)


def plan(*acts: Click | Scroll, max_bytes: int = 100_000) -> Plan:
    """Return a plan over rows."""
    return Plan((), acts, ("css=li.row",), max_bytes)


ENDS = [
    ("/grows", plan(CLICK), "max_steps", 4),
    ("/stops", plan(MANY), "no_growth", 4),
    ("/vanishes", plan(MANY), "no_next", 4),
    ("/vanishes", plan(Click(("css=button",), 3)), "no_next", 4),
    ("/late", plan(Click(("css=button",), 2)), "max_steps", 3),
    ("/leaves", plan(MANY), "left_page", 1),
    ("/heavy", plan(MANY), "too_large", 4),
    ("/covered", plan(Click(("css=button",), 1)), "max_steps", 2),
    ("/switched-off", plan(MANY), "no_next", 1),
    ("/hangs", plan(MANY), "timeout", 3),
    ("/breaks", plan(MANY), "page_error", 1),
    ("/short", plan(Scroll(400)), "no_growth", 1),
    ("/short", plan(), None, 1),
    ("/unfolds", Plan(acts=(CLICK,)), "no_next", 1),
]


@chromium
def test_each_act_ends_and_says_why(tmp_path: Path) -> None:
    """Whatever a page does at a click, what was read before is kept.

    A page that hangs after a click is one that shows no more, not one that failed.
    """
    routes: dict[str, Behaviour] = {path: page(text) for path, text in PAGES.items()}

    async def run(base: str) -> list[Rendered]:
        renderer = Renderer(timeout_s=15.0, pages=3)
        orders = [order(base + path, wanted) for path, wanted, *_ in ENDS]
        try:
            shown = await asyncio.gather(
                *(show(renderer, each, tmp_path) for each in orders)
            )
        finally:
            await renderer.close()
        return [rendered for rendered, *_ in shown]

    with serving(routes) as served:
        shown = asyncio.run(run(served.base))
        seen = [(each.ended, len(rows_of(each))) for each in shown]
    assert seen == [(ended, rows) for _, _, ended, rows in ENDS]
    assert all(
        each.documents[-1].endswith(x[0]) for each, x in zip(shown, ENDS, strict=True)
    )
    assert b"<b>long</b>" in shown[-1].document
    assert not any(b"another document" in step for each in shown for step in each.steps)


def kill_renderers() -> None:
    """Kill what runs pages below this process."""
    for pid in children_of(os.getpid()):
        if kind_of(pid) == "renderer":
            os.kill(pid, signal.SIGKILL)


@chromium
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("kill", [kill_browsers, kill_renderers])
def test_a_walk_whose_browser_ends_is_begun_anew(
    kill: Callable[[], None], tmp_path: Path
) -> None:
    """What was read before the browser's end, or the page's, is not all there is."""
    kills = [kill]

    def answer(handler: Handler) -> None:
        if kills:
            kills.pop()()
        page("ok")(handler)

    async def run(base: str) -> Rendered:
        renderer = Renderer(timeout_s=15.0)
        try:
            wanted = order(f"{base}/falls", plan(Click(("css=button",), 1)))
            return (await show(renderer, wanted, tmp_path))[0]
        finally:
            await renderer.close()

    with serving({"/falls": page(PAGES["/falls"]), "/kill": answer}) as served:
        rendered = asyncio.run(run(served.base))
        assert served.hits["/falls"] == 2
    assert (rendered.ended, len(rows_of(rendered))) == ("max_steps", 2)


@chromium
def test_a_document_that_came_meanwhile_is_no_step() -> None:
    """Which document was read is known only once it was."""

    async def run() -> tuple[str | None, list[bytes]]:
        running = await Running.start(find_chromium(None), MAX_MEMORY)
        try:
            shown = await running.browser.new_page()
            await shown.set_content(PAGES["/grows"])
            counts = iter([1, 1])  # when first read, and before it is read again
            harvest = Harvest(shown, plan(CLICK), lambda: next(counts, 2))
            now_s = asyncio.get_running_loop().time()
            return await harvest.run(now_s + 15.0), harvest.steps
        finally:
            await running.close()

    ended, steps = asyncio.run(run())
    assert (ended, len(steps)) == ("left_page", 1)


def order(url: str, wanted: Plan) -> Order:
    """Return an order to do what is wanted with a page."""
    return Order(url, "tester/1", plan=wanted, ready=("css=li.row", "css=p"))


def rows_of(rendered: Rendered) -> set[bytes]:
    """Return the rows, or paragraphs, of all steps."""
    found = (re.findall(rb"row \d+|<p", step) for step in rendered.steps)
    return {each for step in found for each in step}


@pytest.mark.parametrize(
    ("told", "rows", "elements"),
    [
        ({"rows": ["a", "b", "a"], "elements": 7}, {"a", "b"}, 7),
        ({"rows": [["a"], {}, None, "b"], "elements": 1.5}, {"b"}, 0),
        ({"rows": "ab", "elements": "7"}, set(), 0),
        ({"rows": ["x" * 3000, "x" * 4000]}, {"x" * 2000}, 0),
        (None, set(), 0),
        ([1], set(), 0),
    ],
)
def test_what_a_page_tells_is_taken_as_far_as_it_goes(
    told: object, rows: set[str], elements: int
) -> None:
    """Its scripts may have changed what the answer is made with."""
    assert size_of(told) == (rows, elements)


def test_a_rule_becomes_a_plan() -> None:
    """What unfolds a page comes before scrolling, and ``next`` of a listing last."""
    rule = ListingRule.model_validate(
        {
            "id": "l",
            "from": "rows",
            "url": "http://h.example/",
            "rows": ["li.row", "xpath://li"],
            "render": "always",
            "next": {"click": {"selector": ["#a", "xpath://b"], "max": 9}},
            "browser": {"scroll": 4, "click": "#tab", "dismiss": ".x"},
        }
    )
    assert plan_of(rule, 1000) == Plan(
        (".x",),
        (Click(("css=#tab",), 50), Scroll(4), Click(("css=#a", "xpath=//b"), 9)),
        ("css=li.row", "xpath=//li"),
        1000,
    )
    item = ItemRule.model_validate({"match": "", "browser": {"scroll": True}})
    assert plan_of(item, 7) == Plan((), (Scroll(50),), (), 7)


def test_a_rule_says_what_a_page_finds() -> None:
    """What the rule does not say is usual; what is in its file is not shown."""
    rule = ItemRule.model_validate(
        {"match": "", "browser": {"viewport": "390x844", "locale": "zh-CN"}}
    )
    found = surroundings_of(rule.browser, "Asia/Shanghai", {"cookies": "geheim"})
    assert (found.width, found.height, found.scale, found.mobile) == (
        390,
        844,
        1,
        False,
    )
    assert (found.locale, found.timezone) == ("zh-CN", "Asia/Shanghai")
    assert "geheim" not in repr(found)
