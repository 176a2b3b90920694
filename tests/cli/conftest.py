"""The command in an empty directory, and one that has crawled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Collected, Program, collect


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Give the command in an empty directory."""
    return Program(tmp_path)


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    """Give a collection of two runs; it is only read."""
    return collect(tmp_path_factory.mktemp("collected"))
