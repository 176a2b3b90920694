"""Stores of objects: one contract, kept by a directory and by a bucket of S3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.store.contract import ObjectInfo, Store, check_key
from crawler.archive.store.local import LocalStore
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from crawler.config.settings import StoreSettings

__all__ = ["LocalStore", "ObjectInfo", "Store", "check_key", "open_store"]


def open_store(settings: StoreSettings) -> Store:
    """Return the store that a configuration names; nothing is asked of it yet.

    Raises:
        ConfigError: no such kind of store, or one that cannot be asked.
    """
    url = settings.url
    if url.startswith("s3://"):
        # Here, because botocore takes its time and a directory has no use for it.
        from crawler.archive.store.s3 import S3Store  # noqa: PLC0415

        return S3Store(settings)
    if "://" not in url:
        return LocalStore(Path(url))
    if url.startswith("file://"):
        return LocalStore(Path(url.removeprefix("file://")))
    scheme = url.partition("://")[0]
    message = (
        f"store.url begins with {scheme!r}: give a directory or s3://bucket/prefix"
    )
    raise ConfigError(message)
