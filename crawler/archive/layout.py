"""Object keys of a collection: where each file of a segment and of a run lies.

``archive/<portal>/<yyyy>/<mm>/<name>.warc.gz``, ``indexes/…/<name>.cdxj.gz``,
``items/…/<name>.jsonl.gz``, ``segments/…/<name>.json``, ``runs/<portal>/<run>.json``
with name = ``<portal>-<timestamp17>-<run>-<worker>-<serial>``.  Names are unique by
construction: a run id is random, a serial is used once.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_ROLES = {
    "warc": ("archive", ".warc.gz"),
    "cdxj": ("indexes", ".cdxj.gz"),
    "items": ("items", ".jsonl.gz"),
    "segment": ("segments", ".json"),
}
_NAME = re.compile(
    r"(?P<portal>[a-z0-9_-]+)-(?P<timestamp>[0-9]{17})"
    r"-(?P<run>[0-9]{14}[a-z][0-9a-f]{6})-(?P<worker>[0-9]+)-(?P<serial>[0-9]{5,})"
)


def new_run_id(at: datetime, job: str) -> str:
    """Return a run id: 14 digits of its start, the job's letter, six random digits."""
    return f"{at:%Y%m%d%H%M%S}{job[0]}{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class SegmentName:
    """The parts of a segment's name.

    Attributes:
        timestamp: 17 digits, when the segment was begun.
        serial: counts the segments of a run and worker from 1.
    """

    portal: str
    timestamp: str
    run_id: str
    worker: int
    serial: int

    def __str__(self) -> str:
        """Return the name without an ending."""
        return (
            f"{self.portal}-{self.timestamp}-{self.run_id}"
            f"-{self.worker}-{self.serial:05d}"
        )

    @classmethod
    def begin(
        cls, portal: str, at: datetime, run_id: str, serial: int, worker: int = 0
    ) -> SegmentName:
        """Name the segment that begins now."""
        timestamp = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}"
        return cls(portal, timestamp, run_id, worker, serial)

    @classmethod
    def parse(cls, text: str) -> SegmentName:
        """Read a segment's name, with or without directories and ending.

        Raises:
            ValueError: it is none.
        """
        found = _NAME.fullmatch(text.rpartition("/")[2].partition(".")[0])
        if found is None:
            message = f"{text!r} is no segment name"
            raise ValueError(message)
        return cls(
            found["portal"],
            found["timestamp"],
            found["run"],
            int(found["worker"]),
            int(found["serial"]),
        )

    def key(self, role: str) -> str:
        """Return the object key of one of its files: warc, cdxj, items, segment."""
        top, ending = _ROLES[role]
        year, month = self.timestamp[:4], self.timestamp[4:6]
        return f"{top}/{self.portal}/{year}/{month}/{self}{ending}"


def name_in(key: str) -> SegmentName | None:
    """Return the name of the segment an object belongs to, None for none of ours."""
    try:
        return SegmentName.parse(key)
    except ValueError:
        return None


def file_name(name: SegmentName, role: str) -> str:
    """Return the name of one of a segment's files, without directories."""
    return f"{name}{_ROLES[role][1]}"


def run_key(portal: str, run_id: str) -> str:
    """Return the object key of a run's manifest."""
    return f"runs/{portal}/{run_id}.json"


def warc_key(file: str) -> str:
    """Return the object key of a WARC by its file name.

    Raises:
        ValueError: the name is not one of ours.
    """
    return SegmentName.parse(file).key("warc")
