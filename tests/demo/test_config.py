from __future__ import annotations

import re

from ruamel.yaml import YAML

from crawler.config.settings import Settings
from crawler.demo.site import CONFIG, portal_ids, read_manifest, variables


def settings() -> Settings:
    """Return the demo configuration as for portals on two loopback ports."""
    text = CONFIG.read_text("utf-8")
    urls = {p: f"http://127.0.0.1:{n}" for n, p in enumerate(portal_ids())}
    for name, url in variables(urls).items():
        text = text.replace(f"${{{name}}}", url)
    assert "${" not in text
    return Settings.model_validate(YAML(typ="safe").load(text))


def test_demo_configuration_is_valid() -> None:
    """The bundled YAML is in the vocabulary and names the bundled portals."""
    assert tuple(portal.id for portal in settings().portals) == portal_ids()


def test_listings_start_where_the_manifest_says() -> None:
    """Each configured listing starts at the manifest's first page for it."""
    for portal in settings().portals:
        listings = read_manifest(portal.id)["listings"]
        starts = {listing["id"]: listing["pages"][0] for listing in listings}
        given = {
            rule.id: re.sub(r"^http://127\.0\.0\.1:\d", "", rule.url)
            for rule in portal.listings
        }
        assert given == starts


def test_item_rules_match_the_items() -> None:
    """Each expected item's URL gives its external id by its portal's item rule."""
    for portal in settings().portals:
        pattern = re.compile(portal.items[0].match)
        for item in read_manifest(portal.id)["items"]:
            for url in (item["url"], item.get("via", item["url"])):
                found = pattern.search(url)
                assert found
                assert found["external_id"] == item["external_id"]
            for further in item.get("pages", [])[1:]:
                assert pattern.search(further) is None


def test_expected_floor_is_what_there_is() -> None:
    """A demo run that misses one item of the manifest is below expectation."""
    for portal in settings().portals:
        manifest = read_manifest(portal.id)
        there = len(manifest["items"]) + len(manifest.get("flashes", []))
        assert portal.expect.min_items == there
