from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib import metadata, resources
from pathlib import Path

import pytest

import crawler

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
SCRIPTS = ["scripts/setup", "scripts/test", "scripts/check", "scripts/demo"]


def plain(name: str) -> str:
    """Return a distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution(requirement: str) -> str:
    """Return the name at the start of a requirement."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return plain(match[0])


def test_version_is_one() -> None:
    """The package and the installed distribution tell the same version."""
    assert metadata.version("portalkeep") == crawler.__version__


def test_package_says_it_is_typed() -> None:
    """Type checkers of other projects find our annotations."""
    assert resources.files("crawler").joinpath("py.typed").is_file()


def test_every_dependency_is_locked() -> None:
    """Whatever pyproject.toml asks for directly is pinned in requirements.lock."""
    asked = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        asked += extra
    pinned = {plain(name) for name in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    assert {distribution(line) for line in asked} <= pinned


def test_lock_is_hashed_and_names_no_host() -> None:
    """Each pin carries hashes, and nothing says where the files came from."""
    pins = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert pins
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in LOCK
    assert "index-url" not in LOCK


def test_every_dependency_has_its_line() -> None:
    """Each direct dependency is named in the decision that explains them."""
    page = (ROOT / "docs/decisions/0001-dependencies.md").read_text("utf-8")
    named = {plain(name) for name in re.findall(r"^\| `([\w.-]+)`", page, re.MULTILINE)}
    asked = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        asked += extra
    assert {distribution(line) for line in asked} - named == set()


@pytest.mark.parametrize("script", [*SCRIPTS, "scripts/lock", ".ci/run"])
def test_script_is_executable_and_parses(script: str) -> None:
    """Each script can be run as it is, and bash understands it."""
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True, timeout=30)
