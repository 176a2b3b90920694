"""The whole configuration as frozen models: store, spool, WARC, manners, portals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PrivateAttr

from crawler.config.portal import Manners, Model, Portal, Texts
from crawler.config.units import Count, Duration, Size


class StoreSettings(Model):
    """Where archives are kept: a directory, or ``s3://bucket/prefix``.

    A directory that is not absolute is seen from where the command is started.
    """

    url: str = Field(default="./data/store", repr=False)  # may hold a secret


class SpoolSettings(Model):
    """Where unfinished runs live until they are committed.

    Attributes:
        path: a directory on a local disk, seen from where the command is started.
        commit_interval: how long results wait for others to share one transaction.
    """

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
    """``archive_config.yaml``, resolved: included files read, variables expanded.

    Attributes:
        include: files of portals, beside this one; ``shipped:demo`` is in the package.
        crawl: manners of every portal, but for what its own ``crawl`` says.
        lease: how long a URL may be worked on before another worker may take it.
        max_deliveries: a URL given out more often without an end is a dead letter.
    """

    version: Literal[1] = 1
    include: Texts = ()
    store: StoreSettings = StoreSettings()
    spool: SpoolSettings = SpoolSettings()
    warc: WarcSettings = WarcSettings()
    crawl: Manners = Manners()
    lease: Duration = 300.0
    max_deliveries: Count = 5
    portals: tuple[Portal, ...] = ()
    _secrets: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def secrets(self) -> frozenset[str]:
        """Texts that must never be shown or stored; see ``crawler.config.load``."""
        return self._secrets

    def with_secrets(self, secrets: frozenset[str]) -> Settings:
        """Return a copy that knows these secrets as well."""
        copy = self.model_copy()
        copy._secrets = self._secrets | secrets  # noqa: SLF001 - our own
        return copy

    def __hash__(self) -> int:
        return hash(tuple(portal.id for portal in self.portals))
