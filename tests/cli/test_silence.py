"""Runs that find suspiciously little, though every page is well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.program import DAY_1, DAY_2, Program, pages, serving

if TYPE_CHECKING:
    from pathlib import Path

DAYS = [f"2025-07-{day}T14:00:00+08:00;frozen" for day in range(15, 20)]
MANY = 8


def configure(program: Program, base: str, listing: str, portal: str = "{}") -> None:
    """Write the configuration of the portal at base, with what is expected of it."""
    program.configure(base)
    text = program.config.read_text("utf-8")
    text = text.replace(
        "        rows: ul", f"        expect: {listing}\n        rows: ul"
    )
    text = text.replace("{min_items: 0}", portal)
    program.config.write_text(text, "utf-8")


def manifests(store: Path) -> list[dict[str, object]]:
    """Return the manifests of the closed runs, oldest first."""
    return [
        json.loads(x.read_text()) for x in sorted(store.glob("runs/harbour/*.json"))
    ]


def test_portal_that_fell_silent_ends_with_4(program: Program) -> None:
    """A run is no success once the newest item is older than `every`; status tells."""
    with serving(pages()) as base:
        configure(program, base, "{every: 2d}")
        first = program("crawl", clock=DAY_1)
        assert first.code == 0, first.err
        silent = program("crawl", clock=DAY_2)
    assert silent.code == 4, silent.err
    assert "listing 'news': its newest item is 2d4h old" in silent.err
    assert "one is expected every 2d" in silent.err
    fresh = "fresh     newest item 2025-07-14 01:30:00Z, 2d4h ago; last complete run "
    shown = program("status", clock=DAY_2).out
    assert f"{fresh}2025-07-15 06:00:00Z, 1d ago" in shown
    (found,) = json.loads(program("--json", "status", clock=DAY_2).out)
    assert found["newest_at"] == "2025-07-14T01:30:00+00:00"
    assert found["good_at"] == "2025-07-15T06:00:00+00:00"


def test_time_that_a_listing_says_breaks_the_silence(program: Program) -> None:
    """What a listing says of a link counts, too, whatever becomes of its page."""
    content = pages()
    content["/news/"] = content["/news/"].replace(
        "</li>", "<i>2025-07-16 08:00</i></li>"
    )
    with serving(content) as base:
        configure(program, base, "{every: 2d}")
        text = program.config.read_text("utf-8")
        program.config.write_text(text.replace("title: a}", "title: a, published: i}"))
        assert program("crawl", clock=DAY_2).code == 0


def test_field_that_vanished_ends_with_4(program: Program) -> None:
    """Articles that lost their time are told by the runs before, or by a floor."""
    content = pages(more=MANY)
    with serving(content) as base:
        configure(program, base, "{}")
        codes = [program("crawl", clock=day).code for day in DAYS[:3]]
        for name in content:
            content[name] = content[name].replace("2025-07-14 09:30", "")
        thin = program("crawl", clock=DAYS[3])
        configure(program, base, "{}", "{coverage: {published: 0}}")
        allowed = program("crawl", clock=DAYS[4])
    assert codes == [0, 0, 0]
    assert thin.code == 4, thin.err
    assert "0% of 11 articles have published, expected 80% at least" in thin.err
    assert allowed.code == 0, allowed.err
    stored = [run["fields"] for run in manifests(program.directory / "data/store")]
    whole = {"articles": 11, "title": 11, "body": 11, "published": 11}
    assert stored[:3] == [whole] * 3
    del whole["published"]
    assert stored[3:] == [whole] * 2
