from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from crawler.config.load import load
from crawler.config.names import written_names
from crawler.config.portal import Model
from crawler.config.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/configuration.md").read_text("utf-8")
FENCE = re.compile(r"^```yaml ?(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = FENCE.findall(PAGE)
VARIABLES = {
    "DEMO_GULANGYU": "http://127.0.0.1:1",
    "DEMO_TIDEWIRE": "http://127.0.0.1:2",
    "DEMO_YARDARM": "http://127.0.0.1:3",
    "PING_GAZETTE": "https://ping.example/secret",
    "READER": "reader",
    "READER_PASSWORD": "secret",
    "TOKEN": "secret",
}


def whole(kind: str, text: str) -> str:
    """Return the file that a block is part of, by what its fence says it is."""
    if not kind:
        return text
    listing: dict[str, object] = {
        "id": "n",
        "from": "feed",
        "url": "https://gazette.example/feed",
    }
    item: dict[str, object] = {"match": "^/a/"}
    portal: dict[str, object] = {"id": "p", "listings": [listing], "items": [item]}
    part = {"portal": portal, "listing": listing, "item": item}[kind]
    yaml = YAML(typ="safe", pure=True)
    given = yaml.load(text)
    part.update({key: str(v) if key == "until" else v for key, v in given.items()})
    return json.dumps({"portals": [portal]}, ensure_ascii=False, default=str)


def all_models() -> set[type[Model]]:
    """Return every model of the vocabulary."""
    found: set[type[Model]] = set()
    queue = [Model]
    while queue:
        found.update(inner := queue.pop().__subclasses__())
        queue += inner
    return {model for model in found if model.__module__.startswith("crawler.config")}


@pytest.mark.parametrize(("kind", "text"), BLOCKS)
def test_example_loads(tmp_path: Path, kind: str, text: str) -> None:
    """Every example of the page can be used as it is."""
    path = tmp_path / "archive_config.yaml"
    path.write_text(whole(kind, text), "utf-8")
    load(path, environment=VARIABLES)


def test_examples_are_found() -> None:
    """The page has examples, and every YAML fence of it is one of them."""
    assert len(BLOCKS) == PAGE.count("```yaml") >= 8


def test_every_key_is_explained() -> None:
    """Each key of each model stands on the page, in an example or between backticks."""
    assert len(all_models()) > 20
    for model in all_models():
        for name in written_names(model):
            as_key = rf"(^|[{{ ]){re.escape(name)}:"
            shown = re.search(rf"{as_key}|`{re.escape(name)}`", PAGE, re.MULTILINE)
            assert shown, f"{model.__name__}.{name}"


def test_shipped_file_loads_with_its_example(tmp_path: Path) -> None:
    """The file to begin with loads as it is and with its example portal taken in."""
    path = ROOT / "archive_config.yaml"
    assert load(path, environment={}).settings.portals == ()
    before, example = path.read_text("utf-8").split("portals: []\n")
    lines = [line.removeprefix("# ") for line in example.splitlines()[1:]]
    taken = tmp_path / "archive_config.yaml"
    taken.write_text("\n".join([before, "portals:", *lines]), "utf-8")
    (portal,) = load(taken, environment={}).settings.portals
    assert portal.id == "harbour"


def test_shipped_file_states_the_defaults() -> None:
    """What the file to begin with writes down is what is built in."""
    given = load(ROOT / "archive_config.yaml", environment={}).settings
    assert given == Settings()
