"""The objects a repair reads and puts in place; in a dry run nothing is put."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.archive.commit import write_lines
from crawler.archive.manifest import StoredFile
from crawler.errors import ObjectMissing

if TYPE_CHECKING:
    from crawler.archive.store import Store


@dataclass(frozen=True, slots=True)
class Shelf:
    """A store that is only written to where it is no dry run."""

    store: Store
    dry_run: bool

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes, None where there is none."""
        try:
            return self.store.get(key)
        except ObjectMissing:
            return None

    def put(self, key: str, source: Path | bytes) -> None:
        """Create or replace an object."""
        if not self.dry_run:
            self.store.put(key, source)

    def move(self, key: str, to: str, content: bytes) -> None:
        """Put an object's content under another key, then remove the first."""
        self.put(to, content)
        if not self.dry_run:
            self.store.delete(key)

    def put_lines(self, role: str, key: str, lines: list[str]) -> StoredFile:
        """Put lines as gzip; return what a manifest says of them."""
        with tempfile.TemporaryDirectory(prefix="portalkeep-") as directory:
            path = Path(directory) / key.rpartition("/")[2]
            write_lines(path, lines)
            self.put(key, path)
            size = path.stat().st_size
            return stored_file(role, key, size, sha256_of(path), len(lines))


def stored_file(
    role: str, key: str, size: int, digest: str, entries: int
) -> StoredFile:
    """Return what a segment's manifest says of one of its files."""
    return StoredFile.model_validate(
        {"role": role, "key": key, "bytes": size, "sha256": digest, "entries": entries}
    )


def sha256_of(content: Path | bytes | None) -> str:
    """Return the hex digest of a file or of bytes, "" for nothing."""
    if content is None:
        return ""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
