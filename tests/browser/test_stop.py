"""A crawl that is to stop does not wait for pages that wait for the browser."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from crawler.spiders.showing import GRACE_S
from tests.crawling import RULE, Workplace, consistent, ended, portal
from tests.site.portal import Behaviour, article, listing, page, serving

NAMES = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="Chromium is not installed"
)
ITEMS = 8
SHOWN = 2
PATIENCE_S = 10.0


def test_a_stop_does_not_wait_for_the_browser(tmp_path: Path) -> None:
    """Pages shown and pages waiting give their work back; the next run shows them."""
    paths = [f"/item/{n}" for n in range(ITEMS)]
    routes: dict[str, Behaviour] = {path: page("<p>nothing comes") for path in paths}
    routes["/latest"] = page(listing(paths))
    with serving(routes) as served:
        rule = {**RULE, "render": "always", "wait_for": ".body"}
        place = Workplace(
            tmp_path,
            [portal(served.base, items=[rule])],
            {"browser": {"timeout": "5m", "pages": SHOWN}},
        )
        child = place.start("crawl")
        until_s = time.monotonic() + 40
        while sum(served.hits[path] for path in paths) < SHOWN:
            assert time.monotonic() < until_s, served.hits
            time.sleep(0.05)  # bounded: until as many are shown as may be
        child.send_signal(signal.SIGTERM)
        began_s = time.monotonic()
        stopped = ended(child).of()
        took_s = time.monotonic() - began_s
        assert stopped["exit_code"] == 7
        assert took_s < GRACE_S + PATIENCE_S
        assert sum(served.hits[path] for path in paths) == SHOWN
        assert place.spool("select * from work where state=1") == []
        served.routes |= {path: page(article(path)) for path in paths}
        result = place.run("crawl").of()
    print(f"\nstopped in {took_s:.1f} s")  # noqa: T201
    assert result["exit_code"] == 0
    assert result["run_id"] == stopped["run_id"]
    assert len(place.items()) == ITEMS
    consistent(place, result)
