"""The whole configuration as frozen models: store, spool, WARC, manners, portals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PrivateAttr

from crawler.config.portal import Manners, Model, Portal, Texts
from crawler.config.units import Count, Duration, Size

MIB = 1 << 20


class StoreSettings(Model):
    """Where archives are kept: a directory, or ``s3://bucket/prefix``.

    A directory that is not absolute is seen from where the command is started.

    All but ``url`` and ``commit_timeout`` is for S3 alone.  Credentials are never
    here: they come from where AWS tools look.

    Attributes:
        commit_timeout: how long the store may be away before a run that cannot go on
            without it ends with exit code 5; nothing is lost.
        endpoint_url: of a service other than AWS, with scheme.
        addressing_style: whether the bucket stands in the path or the host; ``auto``
            is the path for an ``endpoint_url``, the host for AWS.
        sse: encryption of objects by the service, with ``kms_key`` where it is
            ``aws:kms``; not set, the bucket's default.
        storage_class: of archived objects; not set, the bucket's default.
        part_size: larger objects are sent in parts of this size.
        checksums: ``when_required`` sends MD5 in place of SHA-256, for services that
            refuse the latter.
        connect_timeout, read_timeout: of one request; it is tried three times.
    """

    url: str = Field(default="./data/store", repr=False)  # may hold a secret
    commit_timeout: Duration = 600.0
    endpoint_url: str | None = Field(default=None, repr=False)  # the same
    region: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    sse: Literal["AES256", "aws:kms"] | None = None
    kms_key: str | None = None
    storage_class: str | None = None
    part_size: Size = Field(default=16 * MIB, ge=5 * MIB)  # S3 takes no smaller ones
    checksums: Literal["auto", "when_required"] = "auto"
    connect_timeout: Duration = Field(default=10.0, gt=0)
    read_timeout: Duration = Field(default=60.0, gt=0)


class SpoolSettings(Model):
    """Where unfinished runs live until they are committed.

    Attributes:
        path: a directory on a local disk, seen from where the command is started.
        commit_interval: how long results wait for others to share one transaction.
        max_size: of what waits for the store, per portal; beyond it nothing more is
            fetched until some of it is committed.
    """

    path: str = "./data/spool"
    commit_interval: Duration = 0.05
    max_size: Size = 10_000_000_000


class WarcSettings(Model):
    """How segments are written.

    Attributes:
        max_size, max_age: a segment is rolled when it reaches either.
        max_record: a longer response is cut and marked ``WARC-Truncated: length``.
        compression_level: of gzip members.
        dedupe: write revisit records for payloads the portal's archive holds already.
        dedupe_max_age: a payload that was written longer ago is written again; less
            than anybody keeps the archive, so that no revisit outlives its original.
        redact: ``auth`` masks credentials at equal length; ``none``; ``all`` masks
            every cookie too.
    """

    max_size: Size = 1_000_000_000
    max_age: Duration = 3600.0
    max_record: Size = 1_000_000_000
    compression_level: int = Field(default=6, ge=0, le=9)
    dedupe: bool = True
    dedupe_max_age: Duration = 30 * 86400.0
    redact: Literal["auth", "none", "all"] = "auth"
    operator: str | None = None
    description: str | None = None


class BrowserSettings(Model):
    """The browser that shows pages whose item rule has ``render``.

    Attributes:
        path: of Chromium; not set, ``chromium``, ``chromium-browser`` and
            ``google-chrome`` are looked for.
        timeout: of one page in all; what it shows shortly before is taken.
        pages: shown at once by one process.
        max_memory: a page that takes more is ended.
    """

    path: str | None = None
    timeout: Duration = Field(default=30.0, gt=0)
    pages: Count = 2
    max_memory: Size = Field(default=1_000_000_000, gt=0)


class MetricsSettings(Model):
    """Where how crawls went is told to Prometheus.

    Attributes:
        textfile: a file for node_exporter's textfile collector, written after each
            crawl; seen from where the command is started.
    """

    textfile: str | None = None


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
    browser: BrowserSettings = BrowserSettings()
    metrics: MetricsSettings = MetricsSettings()
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
