"""Files of sessions that somebody began elsewhere: read, or refused with what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from crawler.config.digest import config_digest, resolved
from crawler.config.load import load
from crawler.errors import ConfigError
from crawler.jobs.redaction import redaction_of
from crawler.jobs.states import read_states, secrets_of

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.config.load import Loaded

COOKIE = {"name": "sid", "value": "geheim-1234", "domain": ".h.example", "path": "/"}
KEPT = [{"name": "token", "value": "local-5678"}, {"name": "seen", "value": "1"}]
STATE = {
    "cookies": [COOKIE],
    "origins": [{"origin": "https://h.example", "localStorage": KEPT}],
}
PORTAL = """\
  - id: harbour
    listings: [{id: n, from: rows, url: "https://h.example/", rows: li a}]
    items: [{match: ^/a/, title: h1, render: always BROWSER}]
"""


def loaded(folder: Path, browser: str = "") -> Loaded:
    """Load a portal that stands in a file of its own, in another folder."""
    (folder / "portals").mkdir(exist_ok=True)
    given = f", browser: {{{browser}}}" if browser else ""
    text = PORTAL.replace(" BROWSER", given)
    (folder / "portals" / "harbour.yaml").write_text(f"portals:\n{text}", "utf-8")
    main = folder / "archive_config.yaml"
    main.write_text("include: portals/harbour.yaml\n", "utf-8")
    return load(main, environment={})


def test_the_file_is_beside_the_portal(tmp_path: Path) -> None:
    """It is seen from the portal's own file, wherever the command is started."""
    (portal,) = loaded(tmp_path, "storage_state: session.json").settings.portals
    file = tmp_path / "portals" / "session.json"
    file.write_text(json.dumps(STATE), "utf-8")
    states = read_states(portal)
    assert states == {str(file): STATE}
    assert secrets_of(states) == {"geheim-1234", "local-5678"}


def test_a_session_makes_cookies_secret_and_no_item_another(tmp_path: Path) -> None:
    """Cookies are masked as with a login; the file's content is in no configuration."""
    plain = loaded(tmp_path).settings
    given = loaded(tmp_path, "storage_state: session.json").settings
    (tmp_path / "portals" / "session.json").write_text(json.dumps(STATE), "utf-8")
    (portal,) = given.portals
    assert redaction_of(portal, given).login
    assert not redaction_of(plain.portals[0], plain).login
    assert config_digest(portal) == config_digest(plain.portals[0])
    assert "geheim" not in json.dumps(resolved(portal, given))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("{", "is no JSON"),
        ([], "is no storage state"),
        ({"cookies": {}}, "is no storage state"),
        ({"cookies": [{**COOKIE, "value": 1}]}, "is no storage state"),
        ({"origins": [{"localStorage": []}]}, "is no storage state"),
        ({"origins": [{"origin": "x", "localStorage": [1]}]}, "is no storage state"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path,
    content: object,
    says: str,
) -> None:
    """The message names the file and the next step, and nothing that is in it."""
    (portal,) = loaded(tmp_path, "storage_state: session.json").settings.portals
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "portals" / "session.json").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=says) as caught:
        read_states(portal)
    assert "session.json" in str(caught.value)
    assert "log in and save it anew" in str(caught.value)
    assert "geheim" not in str(caught.value)
