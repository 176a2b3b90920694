"""Scrapy's settings as portalkeep needs them: ours in place, the lossy parts off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.coding import ACCEPT_ENCODING

if TYPE_CHECKING:
    from crawler.config.portal import Portal

BOT_NAME = "portalkeep"
SPIDER_MODULES = ["crawler.spiders.portal"]
ADDONS = {"crawler.jobs.addon.PortalkeepAddon": 0}

_OFF = (
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware",
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware",
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware",
    "scrapy.downloadermiddlewares.retry.RetryMiddleware",
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware",
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware",
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware",
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware",
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware",
    "scrapy.downloadermiddlewares.stats.DownloaderStats",
)
_SPIDER_OFF = (
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware",
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware",
    "scrapy.spidermiddlewares.referer.RefererMiddleware",
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware",
    "scrapy.spidermiddlewares.depth.DepthMiddleware",
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware",
)
PROCESS_SETTINGS = {"LOG_ENABLED": False, "LOG_INSTALL_ROOT_HANDLER": False}
"""Of the process that runs one or more crawls."""
CAPTURE = "crawler.spiders.rendering.RenderingDownloadHandler"
REPLAY = "crawler.spiders.replay.ArchiveDownloadHandler"


def settings_for(
    portal: Portal, *, handler: str = CAPTURE
) -> dict[str, Any]:  # Any: Scrapy's
    """Return the settings of a crawl of one portal.

    Args:
        portal: whose manners are applied.
        handler: dotted path of the download handler for http and https; nothing
            else can be fetched.
    """
    manners = portal.crawl
    live = handler == CAPTURE
    return {
        "DOWNLOAD_HANDLERS": {
            "http": handler,
            "https": handler,
            **dict.fromkeys(("data", "file", "ftp", "s3")),
        },
        "DOWNLOADER_MIDDLEWARES": {
            **dict.fromkeys(_OFF),
            "crawler.spiders.login.LoginMiddleware": 50,
            "crawler.spiders.robots.RobotsMiddleware": 100,
            "crawler.spiders.manners.MannersMiddleware": 200,
            "crawler.spiders.cookies.PortalCookies": 700,
        },
        "SPIDER_MIDDLEWARES": dict.fromkeys(_SPIDER_OFF),
        "SCHEDULER": "crawler.spiders.scheduler.FrontierScheduler",
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Encoding": ACCEPT_ENCODING,
            "Accept-Language": "*",
        },
        "USER_AGENT": manners.user_agent,
        # Items have no pipeline: more would only be 100 tasks a page that do nothing.
        "CONCURRENT_ITEMS": 1,
        "CONCURRENT_REQUESTS": manners.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.per_host if live else 8,
        "DOWNLOAD_DELAY": 0,  # turns are taken by MannersMiddleware
        "DOWNLOAD_TIMEOUT": manners.timeout,
        "DOWNLOAD_MAXSIZE": 0,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_FAIL_ON_DATALOSS": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "LOG_ENABLED": False,
        "STATS_DUMP": False,
        "EXTENSIONS": {
            "scrapy.extensions.logstats.LogStats": None,
            "scrapy.extensions.corestats.CoreStats": None,
            "scrapy.extensions.memusage.MemoryUsage": None,
        },
    }
