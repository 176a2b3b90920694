"""A stored collection, made by the real command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crawler.archive.collection import Collection
from crawler.archive.store import LocalStore
from tests.cli.program import Collected, collect


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    """Give a collection of two runs; it is only read."""
    return collect(tmp_path_factory.mktemp("collected"))


@pytest.fixture
def collection(collected: Collected) -> Collection:
    """Give it as a collection."""
    return Collection(LocalStore(collected.store))


@pytest.fixture
def copied(collected: Collected, tmp_path: Path) -> Path:
    """Give a copy of its store that may be harmed."""
    return Path(shutil.copytree(collected.store, tmp_path / "store"))
