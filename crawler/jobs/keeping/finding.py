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
    UNCLOSED = "unclosed"
    LOST = "lost"


_ADVICE = {
    Trouble.MANIFEST: "`verify --repair` makes it again from the WARC",
    Trouble.OBJECT: "put it back from a copy; else `verify --repair` saves what it can",
    Trouble.RECORD: "put the WARC back from a copy; else `verify --repair` saves the "
    "records that are good",
    Trouble.INDEX: "`verify --repair` makes it again from the WARC",
    Trouble.ITEM: "`verify --repair` extracts the items again",
    Trouble.REVISIT: "put the WARC with the original back from a copy",
    Trouble.RUN: "put the segment back from a copy; `verify --repair` mends the list",
    Trouble.ORPHAN: "`commit` goes on with an interrupted commit; after a week "
    "`verify --repair` takes a WARC in; else `gc` removes it",
    Trouble.UNCLOSED: "`crawl` goes on with an open run; where no host knows it any "
    "more, `verify --repair` closes it",
    Trouble.LOST: "nothing is to be done: a repair noted it",
}


_NOTES = (Trouble.ORPHAN, Trouble.UNCLOSED, Trouble.LOST)


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
        return self.trouble not in _NOTES

    def __str__(self) -> str:
        """Return ``what: where: what to do``."""
        return f"{self.what}: {self.where}: {self.advice}"


@dataclass(frozen=True, slots=True)
class Mended:
    """One thing that a repair did, or could not do.

    Attributes:
        where: object key.
        done: whether it is mended now, or would be in a dry run.
    """

    where: str
    what: str
    done: bool = True

    def __str__(self) -> str:
        """Return ``what: where``."""
        return f"{self.what}: {self.where}"


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
