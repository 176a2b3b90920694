"""What is put into a bucket: its size and digest, and stretches of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes, or a file that does not change any more.

    Attributes:
        size: in bytes.
        sha256: of all of it, hexadecimal.
    """

    source: Path | bytes
    size: int
    sha256: str

    @classmethod
    def of(cls, source: Path | bytes) -> Content:
        """Look at a source once from begin to end.

        Raises:
            OSError: the file cannot be read.
        """
        if isinstance(source, bytes):
            return cls(source, len(source), hashlib.sha256(source).hexdigest())
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(source, file.tell(), digest)

    def part(self, start: int, length: int) -> bytes:
        """Return at most length bytes from start.

        Raises:
            OSError: the file cannot be read.
        """
        if isinstance(self.source, bytes):
            return self.source[start : start + length]
        with self.source.open("rb") as file:
            file.seek(start)
            return file.read(length)


def sha256_base64(body: bytes) -> str:
    """Return a SHA-256 as S3 writes it."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def md5_base64(body: bytes) -> str:
    """Return an MD5 as ``Content-MD5`` writes it."""
    return base64.b64encode(_md5(body)).decode()


def md5_hex(body: bytes) -> str:
    """Return an MD5 as an ``ETag`` writes it, quotes apart."""
    return _md5(body).hex()


def _md5(body: bytes) -> bytes:
    return hashlib.md5(body, usedforsecurity=False).digest()
