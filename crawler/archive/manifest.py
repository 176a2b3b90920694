"""Manifests: the objects that say a segment or a run is complete.

A segment counts once its manifest is stored; a run's manifest only closes the list.
Specified in ``docs/formats.md``; readers accept the version before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from crawler.errors import ArchiveDamaged

SCHEMA_VERSION: Final = 1


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredFile(_Manifest):
    """One object of a segment: its key, size in bytes, digest, and how many entries."""

    role: Literal["warc", "cdxj", "items"]
    key: str
    bytes: int
    sha256: str
    entries: int


class Segment(_Manifest):
    """``segments/…json``: one rolled segment, verified in the store.

    Attributes:
        counts: URLs by outcome, and by ``outcome:reason``, ended in this segment.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    format: Literal["portalkeep-segment"] = "portalkeep-segment"
    name: str
    portal: str
    run_id: str
    job: str
    begun_at: datetime
    closed_at: datetime
    config_digest: str
    files: tuple[StoredFile, ...]
    counts: dict[str, int] = {}

    def file(self, role: str) -> StoredFile:
        """Return the file with this role.

        Raises:
            ArchiveDamaged: the manifest lists none.
        """
        for stored in self.files:
            if stored.role == role:
                return stored
        message = f"segment {self.name!r} lists no {role}; run `verify`"
        raise ArchiveDamaged(message)


class Walk(_Manifest):
    """How the walk over one listing went and why it ended."""

    listing: str
    pages: int = 0
    rows: int = 0
    ended: str | None = None


class Run(_Manifest):
    """``runs/<portal>/<run>.json``: one execution of a job, closed.

    Attributes:
        state: ``complete``, or ``below_expectation`` with the reasons in problems.
        counts: URLs by outcome and by ``outcome:reason``.
        items: ``new``, ``revised``, ``unchanged``, and by kind.
        config: the resolved, secret-free configuration the run worked by.
        clock: what PORTALKEEP_CLOCK said, None on an ordinary day.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    format: Literal["portalkeep-run"] = "portalkeep-run"
    run_id: str
    portal: str
    job: str
    state: Literal["complete", "below_expectation"]
    started_at: datetime
    ended_at: datetime
    software: str
    config_digest: str
    config: dict[str, Any] = {}  # Any: JSON
    segments: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    items: dict[str, int] = {}
    walks: tuple[Walk, ...] = ()
    problems: tuple[str, ...] = ()
    clock: str | None = None


def to_bytes(manifest: Segment | Run) -> bytes:
    """Return a manifest as stored: indented UTF-8 JSON, one newline at its end."""
    return manifest.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"


def segment_from(content: bytes, key: str) -> Segment:
    """Read a segment manifest.

    Raises:
        ArchiveDamaged: it is none, or of a version we do not know.
    """
    return _read(Segment, content, key)


def run_from(content: bytes, key: str) -> Run:
    """Read a run manifest.

    Raises:
        ArchiveDamaged: it is none, or of a version we do not know.
    """
    return _read(Run, content, key)


_M = TypeVar("_M", Segment, Run)


def _read(model: type[_M], content: bytes, key: str) -> _M:
    try:
        return model.model_validate_json(content)
    except ValidationError as exc:
        problem = exc.errors()[0]
        place = "".join(f"{part}: " for part in problem["loc"])
        message = f"{key!r} is no {model.__name__} manifest: {place}{problem['msg']}"
        raise ArchiveDamaged(message) from exc
