"""What every store promises: objects that are created once and whole.

An object is bytes under a key; keys are ``/``-joined names, none empty, none with a dot
at its begin.  A reader sees all of an object or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store says of an object: its key and size in bytes."""

    key: str
    size: int


class Store(Protocol):
    """Where archives are kept.  Stateless; safe to use from several threads."""

    def put(self, key: str, source: Path | bytes) -> None:
        """Create or replace an object; durable when this returns.

        Raises:
            StoreUnavailable: not stored, try again later.
        """
        ...

    def put_if_absent(self, key: str, source: Path | bytes) -> None:
        """Create an object; an equal one that is there already is success.

        Raises:
            ObjectExists: another object has this key; it is untouched.
            StoreUnavailable: not stored, try again later.
        """
        ...

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return an object's bytes, or at most length of them from start.

        What lies beyond the end is left out; from there on it is b"".

        Raises:
            ObjectMissing: there is none.
            StoreUnavailable: it could not be read.
        """
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None where there is none.

        Raises:
            StoreUnavailable: it could not be looked at.
        """
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with prefix, sorted by key.

        Raises:
            StoreUnavailable: they could not be listed, or not to the end.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is success.

        Raises:
            StoreUnavailable: not removed, try again later.
        """
        ...

    def abort_stale(self, older_than: datetime) -> tuple[str, ...]:
        """Remove what puts that were cut off before a time left; return their keys.

        None of it is an object.  A put that still runs may have to be tried again.

        Raises:
            StoreUnavailable: not all of it could be removed.
        """
        ...


def check_key(key: str) -> str:
    """Return key.

    Raises:
        ValueError: it is absolute, has an empty part, one that begins with a dot
            (which is ours for what is not an object yet), or a NUL.
    """
    if not is_key(key):
        message = f"{key!r} is no object key"
        raise ValueError(message)
    return key


def is_key(text: str) -> bool:
    """Tell whether text can be an object's key."""
    return all(part[:1] not in ("", ".") for part in text.split("/")) and (
        "\0" not in text
    )
