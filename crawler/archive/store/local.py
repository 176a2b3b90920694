"""A directory as a store."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.directory import make_directory
from crawler.archive.store.contract import ObjectInfo, check_key, is_key
from crawler.errors import (
    ObjectExists,
    ObjectMissing,
    StoreRefused,
    StoreUnavailable,
)
from crawler.warc.writer import fsync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

CHUNK_BYTES = 1 << 20
_STAGED = re.compile(r"(.*/)?\.([^/]+)\.[0-9a-f]{12}\.new", re.DOTALL)

_REFUSALS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT}
)
"""What waiting does not mend; a full disk is not among them."""


class LocalStore:
    """A directory as a store.

    New objects are written beside their place and linked in, so that no reader sees
    half of one; file and directory are synced before a put returns.
    """

    def __init__(self, root: Path) -> None:
        """Use root; it is made when the first object is put."""
        self.root = root

    def put(self, key: str, source: Path | bytes) -> None:
        """See `Store.put`."""
        with _wrapped(key), self._staged(key, source) as (staged, place):
            staged.replace(place)
            fsync_directory(place.parent)

    def put_if_absent(self, key: str, source: Path | bytes) -> None:
        """See `Store.put_if_absent`."""
        with _wrapped(key), self._staged(key, source) as (staged, place):
            try:
                os.link(staged, place)
            except FileExistsError:
                if _sha256(staged) != _sha256(place):
                    message = f"another object is stored as {key!r}; it was kept"
                    raise ObjectExists(message) from None
            fsync_directory(place.parent)

    @contextlib.contextmanager
    def _staged(self, key: str, source: Path | bytes) -> Iterator[tuple[Path, Path]]:
        place = self._path(key)
        make_directory(place.parent, self.root)
        staged = place.parent / f".{place.name}.{secrets.token_hex(6)}.new"
        try:
            _copy(source, staged)
            yield staged, place
        finally:
            staged.unlink(missing_ok=True)

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Store.get`."""
        try:
            with self._path(key).open("rb") as file:
                file.seek(start)
                return file.read(-1 if length is None else length)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            message = f"the store has no object {key!r}"
            raise ObjectMissing(message) from None
        except OSError as exc:
            message = f"{key!r} could not be read: {exc.strerror}"
            raise StoreUnavailable(message) from exc

    def head(self, key: str) -> ObjectInfo | None:
        """See `Store.head`."""
        path = self._path(key)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            message = f"{key!r} could not be looked at: {exc.strerror}"
            raise StoreUnavailable(message) from exc
        return ObjectInfo(key, found.st_size) if stat.S_ISREG(found.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `Store.list`."""
        directory = prefix.rpartition("/")[0]
        if directory and not is_key(directory):
            return
        for key in sorted(self._keys(self.root / directory)):
            if not key.startswith(prefix) or not is_key(key):
                continue
            if (info := self.head(key)) is not None:
                yield info

    def _keys(self, top: Path) -> Iterator[str]:
        try:
            for directory, _, names in os.walk(top, onerror=_unless_gone):
                place = Path(directory).relative_to(self.root)
                yield from ((place / name).as_posix() for name in names)
        except OSError as exc:
            message = f"{str(top)!r} could not be listed: {exc.strerror}"
            raise StoreUnavailable(message) from exc

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        path = self._path(key)
        with _wrapped(key), contextlib.suppress(NotADirectoryError):
            if not path.is_dir():
                path.unlink(missing_ok=True)

    def abort_stale(self, older_than: datetime) -> tuple[str, ...]:
        """See `Store.abort_stale`."""
        gone = []
        for name in self._keys(self.root):
            match = _STAGED.fullmatch(name)
            if match is None:
                continue
            key = f"{match[1] or ''}{match[2]}"
            with _wrapped(key):
                path = self.root / name
                if path.stat().st_mtime < older_than.timestamp():
                    path.unlink(missing_ok=True)
                    gone.append(key)
        return tuple(gone)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)


@contextlib.contextmanager
def _wrapped(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        message = f"{key!r} could not be stored: {exc.strerror or exc}"
        refused = exc.errno in _REFUSALS
        raise (StoreRefused if refused else StoreUnavailable)(message) from exc


def _unless_gone(exc: OSError) -> None:
    """Pass over what is no directory (any more), raise what hides objects."""
    if not isinstance(exc, FileNotFoundError | NotADirectoryError):
        raise exc


def _copy(source: Path | bytes, target: Path) -> None:
    with target.open("xb") as file:
        if isinstance(source, bytes):
            file.write(source)
        else:
            with source.open("rb") as original:
                shutil.copyfileobj(original, file, CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
