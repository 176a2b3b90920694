"""The whole configuration as frozen models: store, spool, WARC, manners, portals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crawler.config.portal import Manners, Model, Portal, Texts
from crawler.config.units import Count, Duration, Size


class StoreSettings(Model):
    """Where archives are kept: a directory, or later ``s3://bucket/prefix``."""

    url: str = "./data/store"


class SpoolSettings(Model):
    """Where unfinished runs live until they are committed."""

    path: str = "./data/spool"
    commit_interval: Duration = 0.05


class WarcSettings(Model):
    """How segments are written.

    Attributes:
        max_size, max_age: a segment is rolled when it reaches either.
        max_record: a longer response is cut and marked ``WARC-Truncated: length``.
        compression_level: of gzip members.
        dedupe: write revisit records for payloads already in this run.
        redact: ``auth`` masks credentials at equal length; ``none``; ``all`` masks
            every cookie too.
    """

    max_size: Size = 1_000_000_000
    max_age: Duration = 3600.0
    max_record: Size = 1_000_000_000
    compression_level: int = Field(default=6, ge=0, le=9)
    dedupe: bool = True
    redact: Literal["auth", "none", "all"] = "auth"
    operator: str | None = None
    description: str | None = None


class Settings(Model):
    """``archive_config.yaml``, resolved: included files read, variables expanded."""

    version: Literal[1] = 1
    include: Texts = ()
    store: StoreSettings = StoreSettings()
    spool: SpoolSettings = SpoolSettings()
    warc: WarcSettings = WarcSettings()
    crawl: Manners = Manners()
    lease: Duration = 300.0
    max_deliveries: Count = 5
    portals: tuple[Portal, ...] = ()
