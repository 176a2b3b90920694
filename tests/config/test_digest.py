from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from crawler.config.digest import config_digest, resolved
from crawler.config.load import Loaded, load
from crawler.config.portal import Manners, Portal
from crawler.config.show import schema, show

ROOT = Path(__file__).parents[2]
TEXT = """\
store: {url: "s3://${KEY}:${SECRET}@bucket/x"}
crawl: {proxy: "http://${KEY}:${SECRET}@p.example:1", delay: 3s}
portals:
  - id: harbour
    timezone: Asia/Shanghai
    request: {headers: {Authorization: "Bearer ${TOKEN}"}, cookies: {s: "${SHORT}"}}
    strip_params: src
    listings:
      - id: news
        from: json
        url: https://h.example/api
        rows: data[]
        fields: {url: u, title: [t, {json: s, re: "^(.+)$"}]}
        skip: [type == 'ad', {when: x, reason: y}]
        continue: {url: "https://h.example/api?after={cursor}"}
        next: {cursor: next, more: more}
    items:
      - match: ^/a/
        title: [h1, "::attr(title)", {value: none}]
        source: {name: {css: .s, split: /}}
        summary: {css: .ai, origin: portal_ai}
        tickers: {css: a.t}
        related: {rows: .r a}
        published: css:time::attr(datetime)
"""
VARIABLES = {"KEY": "someone", "SECRET": "hunter22", "TOKEN": "t0ken", "SHORT": "ab"}
PORTAL = Portal.model_validate(
    {
        "id": "harbour",
        "listings": [
            {"id": "n", "from": "rows", "url": "https://h.example/", "rows": "li"}
        ],
        "items": [{"match": "^/a/", "title": "h1"}],
    }
)


@pytest.fixture
def given(tmp_path: Path) -> Loaded:
    """Load a configuration with a secret in every secret place."""
    path = tmp_path / "archive_config.yaml"
    path.write_text(TEXT, "utf-8")
    return load(path, environment=VARIABLES)


def test_resolved_is_json_without_secrets(given: Loaded) -> None:
    """What a run stores of its configuration holds no secret, however short."""
    stored = resolved(given.settings.portals[0], given.settings)
    text = json.dumps(stored)
    for secret in ("hunter22", "t0ken", "someone"):
        assert secret not in text
    assert Portal.model_validate(stored["portal"]).request.cookies == {"s": "***"}
    assert isinstance(stored["store"], dict)
    assert stored["store"]["url"] == "s3://***@bucket/x"
    assert stored["lease"] == 300


def test_resolved_gives_the_portal_again(given: Loaded) -> None:
    """A run can be reproduced: the stored portal is the portal, but for its masks."""
    portal = given.settings.portals[0]
    again = Portal.model_validate(resolved(portal, given.settings)["portal"])
    assert again.listings == portal.listings
    assert again.items == portal.items
    assert config_digest(again) == config_digest(portal)
    bare = Portal.model_validate(resolved(PORTAL, given.settings)["portal"])
    assert bare == PORTAL


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Asia/Tokyo"},
        {"language": "ja"},
        {"id_scheme": "url"},
        {"strip_params": ("src",)},
        {"drop_lines": ("^Ad",)},
        {"scope": {"hosts": ["h.example"]}},
        {"request": {"encoding": "gb18030"}},
        {"items": [{"match": "^/a/", "title": "h2"}]},
        {"listings": []},
    ],
)
def test_rules_decide_the_digest(change: dict[str, object]) -> None:
    """Whatever may change an item changes the digest."""
    other = Portal.model_validate({**PORTAL.model_dump(by_alias=True), **change})
    assert config_digest(other) != config_digest(PORTAL)


@pytest.mark.parametrize(
    "change",
    [
        {"crawl": Manners(delay=9)},
        {"request": {"headers": {"Referer": "x"}}},
        {"scope": {"max_items": 3}},
        {"expect": {"min_items": 3}},
        {"allow_private": True},
    ],
)
def test_manners_do_not_decide_the_digest(change: dict[str, object]) -> None:
    """How a portal is treated makes no item another."""
    other = Portal.model_validate({**PORTAL.model_dump(by_alias=True), **change})
    assert config_digest(other) == config_digest(PORTAL)


def test_layouts_decide_the_digest() -> None:
    """How the rows of an older day are read changes what its items are told."""
    days = {
        "id": "d",
        "from": "days",
        "url": "https://h.example/{day:%Y}",
        "rows": "li",
    }

    def digest(title: str) -> str:
        layout = {"until": "2025-01-01", "fields": {"title": title}}
        listings = [{**days, "layouts": [layout]}]
        given = {**PORTAL.model_dump(by_alias=True), "listings": listings}
        return config_digest(Portal.model_validate(given))

    assert digest("h2") != digest("h3")


def test_digest_is_stable() -> None:
    """The digest of a configuration is the same in each version of the program."""
    assert config_digest(PORTAL) == (
        "sha256:422d071c4516b2458ff351d15de9f1a3ab88c23a5c83c44f664b13e5bc9367e0"
    )


def test_shown_configuration_loads_again(given: Loaded, tmp_path: Path) -> None:
    """What is shown is a configuration, with the same rules."""
    path = tmp_path / "shown.yaml"
    path.write_text(show(given), "utf-8")
    (again,) = load(path, environment={}).settings.portals
    (portal,) = given.settings.portals
    assert again.listings == portal.listings
    assert again.items == portal.items
    assert again.crawl.delay == 3


def test_shown_configuration_tells_origins_and_no_secrets(given: Loaded) -> None:
    """Each value that is not built in says where it was written; secrets are masked."""
    text = show(given)
    assert re.search(r"delay: 3\.0 +# .*archive_config\.yaml:2$", text, re.MULTILINE)
    assert re.search(r"timezone: Asia/Shanghai # .*:5$", text, re.MULTILINE)
    assert re.search(r"timeout: 60\.0$", text, re.MULTILINE)
    for secret in ("hunter22", "t0ken", "someone", "s: ab"):
        assert secret not in text
    assert show(given, only=["other"]).endswith("portals: []\n")


def test_published_schema_is_the_models() -> None:
    """docs/schema/config.json is what the models say; `schema` writes it anew."""
    path = ROOT / "docs/schema/config.json"
    assert json.loads(path.read_text("utf-8")) == schema()
