"""Manifests: the objects that say a segment or a run is complete.

A segment counts once its manifest is stored; a run's manifest only closes the list.
The last line of a manifest is the sha256 of all bytes before it, so that no bit of it
changes unseen; those without that line, as we wrote before, are read too.
Specified in ``docs/formats.md``; readers accept the version before.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from crawler.errors import ArchiveDamaged

SCHEMA_VERSION: Final = 1
_SEAL = re.compile(rb',\n "sha256": "([0-9a-f]{64})"\n}\n\Z')


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
        replaces: name of the damaged segment whose records this one holds.
        lost: of a salvaged segment, ids of the records that were lost, as far as
            its index or items knew them.
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
    replaces: str | None = None
    lost: tuple[str, ...] = ()

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
        state: ``complete``, or ``below_expectation`` with the reasons in problems;
            ``rebuilt`` where `verify --repair` made the manifest of what is stored,
            with what is not known any more in problems.
        counts: URLs by outcome and by ``outcome:reason``.
        items: ``new``, ``revised``, ``unchanged``, and by kind.
        fields: ``articles`` that the run looked at, and how many of them had ``title``
            and so on.
        config: the resolved, secret-free configuration the run worked by.
        clock: what PORTALKEEP_CLOCK said, None on an ordinary day.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    format: Literal["portalkeep-run"] = "portalkeep-run"
    run_id: str
    portal: str
    job: str
    state: Literal["complete", "below_expectation", "rebuilt"]
    started_at: datetime
    ended_at: datetime
    software: str
    config_digest: str
    config: dict[str, Any] = {}  # Any: JSON
    segments: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    items: dict[str, int] = {}
    fields: dict[str, int] = {}
    walks: tuple[Walk, ...] = ()
    problems: tuple[str, ...] = ()
    clock: str | None = None


def to_bytes(manifest: Segment | Run) -> bytes:
    """Return a manifest as stored: indented UTF-8 JSON, its last line its digest."""
    whole = isinstance(manifest, Segment) and not manifest.lost
    unset = {"lost"} if whole else None
    text = manifest.model_dump_json(indent=1, exclude_none=True, exclude=unset)
    content = text.encode().removesuffix(b"\n}")
    digest = hashlib.sha256(content).hexdigest()
    return content + f',\n "sha256": "{digest}"\n}}\n'.encode()


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
    seal = _SEAL.search(content)
    if seal is not None:
        content = content[: seal.start()]
        if hashlib.sha256(content).hexdigest().encode() != seal[1]:
            message = f"{key!r} is no {model.__name__} manifest: sha256: not its own"
            raise ArchiveDamaged(message)
        content += b"\n}\n"
    try:
        return model.model_validate_json(content)
    except ValidationError as exc:
        problem = exc.errors()[0]
        place = "".join(f"{part}: " for part in problem["loc"])
        message = f"{key!r} is no {model.__name__} manifest: {place}{problem['msg']}"
        raise ArchiveDamaged(message) from exc
