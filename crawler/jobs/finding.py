"""What a check finds, and how much it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """What can be wrong with a collection."""

    MANIFEST = "manifest"
    OBJECT = "object"
    RECORD = "record"
    INDEX = "index"
    ITEM = "item"
    REVISIT = "revisit"
    RUN = "run"
    ORPHAN = "orphan"


_ADVICE = {
    Trouble.MANIFEST: "put the manifest back from a copy",
    Trouble.OBJECT: "put the object back from a copy",
    Trouble.RECORD: "put the WARC back from a copy; its other records can be read",
    Trouble.INDEX: "put the index back from a copy, or make it again from the WARC",
    Trouble.ITEM: "`extract` makes the items of this run again",
    Trouble.REVISIT: "put the WARC with the original back from a copy",
    Trouble.RUN: "put the missing segment or the run's manifest back from a copy",
    Trouble.ORPHAN: "`crawl` the portal: an interrupted commit goes on; else remove it",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong.

    Attributes:
        where: object key or path, with the offset where there is one.
    """

    trouble: Trouble
    where: str
    what: str

    @property
    def advice(self) -> str:
        """What the reader can do."""
        return _ADVICE[self.trouble]

    @property
    def is_damage(self) -> bool:
        """Tell whether stored data is not what it should be."""
        return self.trouble is not Trouble.ORPHAN

    def __str__(self) -> str:
        """Return ``what: where: what to do``."""
        return f"{self.what}: {self.where}: {self.advice}"


@dataclass(slots=True)
class Checked:
    """How much was looked at.

    Attributes:
        files: WARC files given by path.
        records: of the WARCs; pointers: of items to records.
    """

    runs: int = 0
    segments: int = 0
    files: int = 0
    records: int = 0
    items: int = 0
    pointers: int = 0
    warc_bytes: int = 0
