"""The doctor's look at the browser: who it is, or what is to be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crawler.config.portal import ItemRule, Portal
from crawler.config.settings import BrowserSettings, Settings
from crawler.jobs.doctor import diagnose_browser

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, does: str) -> str:
    """Return the path of a program."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def settings(path: str, render: str) -> Settings:
    """Return settings with a browser and one portal."""
    rule = ItemRule.model_validate({"match": "^/", "render": render})
    portal = Portal(id="harbour", items=(rule,))
    return Settings(browser=BrowserSettings(path=path), portals=(portal,))


def test_the_browser_is_named_with_its_version(tmp_path: Path) -> None:
    """A browser that answers is told with its path and version."""
    path = program(tmp_path, 'test "$1" = --version && echo Chromium 156.0')
    found = diagnose_browser(settings(path, "auto"))
    assert (found.is_ok, found.what) == (True, f"{path}, Chromium 156.0")


@pytest.mark.parametrize(("render", "code"), [("never", 0), ("auto", 3), ("always", 3)])
def test_what_to_install_is_said(tmp_path: Path, render: str, code: int) -> None:
    """A browser that is missing or broken is a failure where a portal needs it."""
    missing = diagnose_browser(settings(str(tmp_path / "none"), render))
    broken = diagnose_browser(settings(program(tmp_path, "exit 3"), render))
    assert (missing.exit_code, broken.exit_code) == (code, code)
    assert "browser.path" in missing.what
    assert "apt install chromium" in broken.what
    assert ("harbour" in missing.what) == bool(code)
