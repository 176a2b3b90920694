"""A demo portal crawled with ``from: auto``, beside the same portal by its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crawler.config.load import load
from crawler.demo.server import running
from crawler.demo.site import CONFIG, portal_ids, variables
from tests.crawling import QUICK, Workplace, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "gulangyu"


@pytest.fixture
def base() -> Iterator[str]:
    """Serve the portal; give its address."""
    with running(NAME) as server:
        yield server.base_url


def portal(base: str, **listing: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the demo's rules, its listing replaced by one of these keys."""
    settings = load(
        CONFIG, environment=variables(dict.fromkeys(portal_ids(), base))
    ).settings
    rules = next(one for one in settings.portals if one.id == NAME)
    whole = rules.model_dump(mode="json", by_alias=True, exclude_unset=True)
    (first,) = whole["listings"]
    kept = {key: first[key] for key in ("id", "url", "stop")}
    whole["listings"] = [{**kept, **listing}] if listing else [first]
    return whole | {"crawl": QUICK}


def crawled(place: Path, rules: dict[str, Any]) -> tuple[Workplace, dict[str, str]]:
    """Crawl a portal; return its workplace and how each listed URL ended."""
    place.mkdir()
    workplace = Workplace(place, [rules])
    workplace.run("crawl")
    return workplace, {url: end[0] for url, end in workplace.endings(NAME).items()}


def test_auto_finds_what_rules_find(tmp_path: Path, base: str) -> None:
    """The same URLs are visited to the same ends, and replay gives the same items."""
    ruled, wanted = crawled(tmp_path / "ruled", portal(base))
    auto, found = crawled(tmp_path / "auto", portal(base, **{"from": "auto"}))
    assert found == wanted
    titles = {item.url: item.title for item in auto.items(NAME)}
    assert titles == {item.url: item.title for item in ruled.items(NAME)}
    assert len(titles) > 10
    for job in ("replay", "extract"):
        again = auto.run(job, ports=[])
        assert again.tried == []
        assert again.answer["differences"] == []
        assert len(again.answer["items"]) == len(plain(auto.items(NAME)))
