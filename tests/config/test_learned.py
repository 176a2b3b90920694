"""The learned file as the configuration takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.config.digest import config_digest, resolved
from crawler.config.learned import Learned, sealed, written
from crawler.config.load import Loaded, load
from crawler.config.portal import Portal
from crawler.config.show import show
from crawler.errors import ConfigError

CONFIG = """\
portals:
  - id: harbour
    learned: learned/harbour.json
    listings: [{id: n, from: feed, url: https://harbour.example/feed}]
    items: [{match: ^/a/}]
"""


def learned(**changes: object) -> Learned:
    """Return a learned file's content."""
    content: dict[str, object] = {
        "portal": "harbour",
        "extractor": "portalkeep/test",
        "records": ["urn:uuid:1"],
        "articles": 4,
        "lines": [{"text": "每页都有的一行", "pages": 4}],
        "title_suffixes": ["_港务网"],
    }
    return sealed({**content, **changes})


def loaded(directory: Path, content: str | None) -> Loaded:
    """Load the configuration beside a learned file of this content."""
    path = directory / "archive_config.yaml"
    path.write_text(CONFIG, "utf-8")
    if content is not None:
        (directory / "learned").mkdir()
        (directory / "learned/harbour.json").write_text(content, "utf-8")
    return load(path, environment={})


def test_file_beside_the_configuration_is_read(tmp_path: Path) -> None:
    """Its content is part of the portal, and of what its rules' digest names."""
    (portal,) = loaded(tmp_path, written(learned())).settings.portals
    assert portal.learned == learned()
    bare = portal.model_copy(update={"learned": None})
    assert config_digest(portal) != config_digest(bare)


def test_stored_configuration_holds_the_content(tmp_path: Path) -> None:
    """What a run stores makes the same rules again, without the file."""
    settings = loaded(tmp_path, written(learned())).settings
    (portal,) = settings.portals
    stored = json.loads(json.dumps(resolved(portal, settings)))["portal"]
    again = Portal.model_validate(stored)
    assert again.learned == portal.learned
    assert config_digest(again) == config_digest(portal)


def test_shown_configuration_loads_again(tmp_path: Path) -> None:
    """`config show` prints the content in the file's place."""
    one = loaded(tmp_path, written(learned()))
    path = tmp_path / "shown.yaml"
    path.write_text(show(one), "utf-8")
    assert load(path, environment={}).settings.portals == one.settings.portals


DAMAGED = written(learned()).replace("每页", "某页")
NEWER = written(learned()).replace('"version": 1', '"version": 2')
NO_LINES = json.dumps({**learned().model_dump(mode="json"), "lines": "none"})
FOREIGN = written(learned(portal="lighthouse"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "it is no JSON"),
        ("[]", "should be a valid dictionary"),
        (DAMAGED, "its digest is not that of its content"),
        (NEWER, "its version is 2, this program reads 1"),
        (NO_LINES, "lines: Input should be a valid tuple"),
        (FOREIGN, "it is of portal 'lighthouse', not of 'harbour'"),
    ],
)
def test_unusable_file_is_named_with_the_reason(
    tmp_path: Path, content: str | None, reason: str
) -> None:
    """Place, file, reason and what to do, in one line."""
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, content)
    message = str(error.value)
    assert "archive_config.yaml:3:" in message
    assert "'learned/harbour.json'" in message
    assert reason in message
    assert "portals learn harbour" in message


def test_content_in_its_place_is_checked_too(tmp_path: Path) -> None:
    """Written into the configuration, a changed line is found all the same."""
    path = tmp_path / "shown.yaml"
    path.write_text(show(loaded(tmp_path, written(learned()))), "utf-8")
    path.write_text(path.read_text("utf-8").replace("每页", "某页"), "utf-8")
    with pytest.raises(ConfigError, match="digest is not that of its content"):
        load(path, environment={})
