"""Stores of objects: one contract, kept by a directory and by a bucket of S3."""

from __future__ import annotations

from pathlib import Path

from crawler.archive.store.contract import ObjectInfo, Store, check_key
from crawler.archive.store.local import LocalStore
from crawler.errors import ConfigError

__all__ = ["LocalStore", "ObjectInfo", "Store", "check_key", "open_store"]


def open_store(url: str) -> Store:
    """Return the store that a configuration's ``store.url`` names.

    Raises:
        ConfigError: no such kind of store.
    """
    if "://" not in url:
        return LocalStore(Path(url))
    if url.startswith("file://"):
        return LocalStore(Path(url.removeprefix("file://")))
    message = f"store.url {url!r} is no directory; give a path or 'file:///…'"
    raise ConfigError(message)
