"""A real small crawl with capture, as a program: what it recorded goes to a file.

``python -m tests.site.crawl PLAN`` reads a JSON plan (base, out, spool, proxy, refuse,
names) and writes one JSON line an exchange and one an outcome.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.settings import default_settings

from crawler.clock import SystemClock
from crawler.model import RecordRef
from crawler.spiders.handler import FetchFailed
from tests.site.behaviours import MAX_PARSE_BYTES, MAX_RECORD_BYTES
from tests.site.oddities import BEHAVIOURS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.exchange import Exchange

HANDLER = "crawler.spiders.handler.CaptureDownloadHandler"
KEPT = ("DownloadTimeoutMiddleware", "DefaultHeadersMiddleware")


class NoLoopback:
    """A guard that refuses 127.0.0.0/8."""

    def allows(self, address: str) -> bool:
        """Tell whether address is not on the loopback net."""
        return not address.startswith("127.")


class Context:
    """A capture context that writes exchanges to a file instead of an archive."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.clock = SystemClock()
        self.max_record_bytes = plan.get("max_record_bytes", MAX_RECORD_BYTES)
        self.max_parse_bytes = plan.get("max_parse_bytes", MAX_PARSE_BYTES)
        self.spool_dir = Path(plan["spool"])
        self.proxy = plan.get("proxy")
        self.guard = NoLoopback() if plan.get("refuse") else None
        self.out = Path(plan["out"]).open("a", encoding="utf-8")  # noqa: SIM115
        self.count = 0

    async def record(
        self, exchange: Exchange, request: scrapy.Request
    ) -> RecordRef | None:
        """Write exchange to the file; refer to it by its number."""
        self.count += 1
        fields = {
            name: getattr(exchange, name)
            for name in ("url", "method", "ip", "via", "truncated", "error")
        }
        block = exchange.response
        small = block is not None and block.size <= 1 << 21
        fields |= {
            "request": _text(exchange.request),
            "response": _text(block.read()) if block and small else None,
            "size": block.size if block else None,
            "interim": _text(exchange.interim),
            "excess": _text(exchange.excess),
            "tls": dataclasses.asdict(exchange.tls) if exchange.tls else None,
            "first_byte_ms": exchange.first_byte_ms,
            "elapsed_ms": exchange.elapsed_ms,
        }
        self.write("exchange", fields)
        if block is None:
            return None
        return RecordRef(
            f"urn:test:{self.count}", "w", 0, 1, exchange.url, exchange.started_at
        )

    def write(self, kind: str, fields: dict[str, Any]) -> None:
        """Append one line."""
        self.out.write(json.dumps({"kind": kind, **fields}) + "\n")
        self.out.flush()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


class WireSpider(scrapy.Spider):
    """Asks each behaviour for its bytes, one request at a time."""

    name = "wire"
    plan: dict[str, Any]
    context: Context
    lag_s = 0.0

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Yield the requests of the plan."""
        self.watch = asyncio.ensure_future(self._watch_loop())
        for name in self.plan["names"]:
            behaviour = BEHAVIOURS.get(name, BEHAVIOURS["plain"])
            for turn in range(behaviour.repeat):
                path = name if "?" in name or turn == 0 else f"{name}?{turn}"
                yield scrapy.Request(
                    path if "://" in path else f"{self.plan['base']}/{path}",
                    callback=self.parse,
                    errback=self.failed,
                    dont_filter=True,
                    method=behaviour.method,
                    headers=dict(behaviour.headers),
                    body=behaviour.body,
                    meta={"download_timeout": behaviour.timeout_s, "hops": []},
                    priority=-len(self.plan["names"]),
                )

    async def _watch_loop(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.lag_s = max(self.lag_s, time.monotonic() - before - 0.01)

    def parse(self, response: Response) -> None:
        """Write what came."""
        given = response.meta["capture_response"]
        self.context.write(
            "outcome",
            {
                "path": _path(response.url),
                "status": response.status,
                "body": _text(response.body[: 1 << 20]),
                "size": len(response.body),
                "flags": response.flags,
                "cut": given.cut,
                "same": given.payload == response.body
                and given.status == response.status,
                "headers": [[_text(n), _text(v)] for n, v in given.headers],
                "hops": response.meta["hops"],
                "ip": str(response.ip_address),
                "protocol": response.protocol,
                "class": type(response).__name__,
                "latency": response.meta.get("download_latency"),
            },
        )

    def failed(self, failure: Failure) -> None:
        """Write what failed."""
        error = failure.value
        request: scrapy.Request = failure.request  # type: ignore[attr-defined]
        reason = error.reason.value if isinstance(error, FetchFailed) else None
        self.context.write(
            "outcome",
            {
                "path": _path(request.url),
                "status": None,
                "reason": reason,
                "error": repr(error),
                "hops": request.meta["hops"],
            },
        )

    def closed(self, reason: str) -> None:
        """Write what the process needed."""
        self.watch.cancel()
        # Not getrusage: a child starts with the peak of the process that made it.
        status = Path("/proc/self/status").read_text("ascii")
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])
        self.context.write(
            "end", {"reason": reason, "peak_kib": peak_kib, "lag_s": self.lag_s}
        )
        self.context.out.close()


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def settings(concurrency: int) -> dict[str, Any]:
    """Return Scrapy's settings: the handler, and no middleware that changes things."""
    middlewares = default_settings.DOWNLOADER_MIDDLEWARES_BASE
    return {
        "DOWNLOAD_HANDLERS": {
            **dict.fromkeys(("file", "ftp", "s3", "data")),
            "http": HANDLER,
            "https": HANDLER,
        },
        "DOWNLOADER_MIDDLEWARES": {
            name: None for name in middlewares if not name.endswith(KEPT)
        },
        "CONCURRENT_REQUESTS": concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "*/*"},
        "HTTPERROR_ALLOW_ALL": True,
        "LOG_LEVEL": "ERROR",
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
    }


def main(plan_file: str) -> None:
    """Crawl as the plan says."""
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    process = CrawlerProcess(settings(plan.get("concurrency", 1)))
    context = Context(plan)
    spider = type("PlannedSpider", (WireSpider,), {"plan": plan, "context": context})
    crawler = process.create_crawler(spider)
    if not plan.get("contextless"):
        crawler.portalkeep = context  # type: ignore[attr-defined]
    process.crawl(crawler)
    process.start()


if __name__ == "__main__":
    main(sys.argv[1])
