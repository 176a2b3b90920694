"""``scrapy crawl portal -a portal=NAME``: the same crawl, started by Scrapy itself."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals

from crawler.clock import VARIABLE, clock_from
from crawler.config.load import load
from crawler.errors import PortalkeepError, UsageError
from crawler.jobs.crawl import begin, finish
from crawler.log import configure, get_log
from crawler.spiders.settings import settings_for

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from crawler.config.portal import Portal
    from crawler.config.settings import Settings

CONFIG = "PORTALKEEP_CONFIG"
DEFAULT = "archive_config.yaml"
log = get_log(__name__)


class PortalkeepAddon:
    """Attaches a portal's run to a crawler that Scrapy made."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the crawler; its spider names the portal."""
        self._crawler = crawler
        self._stack = ExitStack()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the add-on of a crawler."""
        return cls(crawler)

    def update_settings(self, settings: BaseSettings) -> None:
        """Begin the run and put our settings in place of Scrapy's.

        Raises:
            SystemExit: there is no such portal, its configuration cannot be used, or
                another process crawls it; with the exit code of `portalkeep crawl`.
        """
        configure()
        try:
            self._begin(settings)
        except PortalkeepError as exc:
            log.error("crawl_not_begun", error=str(exc))  # noqa: TRY400 - said, not traced
            raise SystemExit(exc.exit_code) from None

    def _begin(self, settings: BaseSettings) -> None:
        config = Path(os.environ.get(CONFIG, DEFAULT))
        loaded = load(config, environment=os.environ).settings
        name: str = self._crawler.spider.portal_id  # type: ignore[union-attr]
        if not name:
            message = "name a portal: scrapy crawl portal -a portal=NAME"
            raise UsageError(message)
        portal = portal_named(loaded, name)
        note = os.environ.get(VARIABLE)
        self._crawl = begin(
            self._stack, loaded, portal, clock_from(note), clock_note=note
        )
        self._crawler.portalkeep = self._crawl.context  # type: ignore[attr-defined]
        for key, value in settings_for(portal).items():
            settings.set(key, value, priority="addon")
        self._crawler.signals.connect(self._stopped, signals.engine_stopped)

    def _stopped(self, **_: Any) -> None:  # noqa: ANN401 - Scrapy's
        with self._stack:
            result = finish(self._crawl)
        if result.exit_code:
            log.error("crawl_ended", code=result.exit_code, error=result.message)


def portal_named(settings: Settings, name: str) -> Portal:
    """Return a configured portal.

    Raises:
        UsageError: there is none of this name.
    """
    for portal in settings.portals:
        if portal.id == name:
            return portal
    known = ", ".join(portal.id for portal in settings.portals) or "none"
    message = f"there is no portal {name!r}; configured: {known}"
    raise UsageError(message)
