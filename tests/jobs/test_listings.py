"""Crawls of some of a portal's listings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crawling import ROWS, Workplace, portal
from tests.site.portal import article, listing, page, serving

if TYPE_CHECKING:
    from pathlib import Path


def test_crawl_of_one_listing_is_replayed_as_such(tmp_path: Path) -> None:
    """Only what the listing leads to is visited; its replay misses nothing."""
    site = {
        "/latest": page(listing(["/item/0"])),
        "/markets": page(listing(["/item/1", "/item/2"])),
        **{f"/item/{n}": page(article(f"story {n}")) for n in range(3)},
    }
    with serving(site) as served:
        rules = portal(served.base, expect={"min_items": 3})
        rules["listings"].append(
            {**ROWS, "id": "markets", "url": f"{served.base}/markets"}
        )
        place = Workplace(tmp_path, [rules])
        result = place.run("crawl", listings=["markets"]).of()
        assert (result["exit_code"], result["message"]) == (0, "")
        assert result["run"]["config"]["listings"] == ["markets"]
        assert "/latest" not in served.hits
        replayed = place.run("replay", ports=[]).answer
        assert (replayed["misses"], replayed["differences"]) == ([], [])
        whole = place.run("crawl").of()
        assert "listings" not in whole["run"]["config"]
        assert served.hits["/latest"] == 1
