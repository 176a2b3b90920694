"""The cookie jar of a portal: Scrapy's, kept beside the frontier from run to run.

One file a portal, readable by its owner alone, written at once when a cookie comes that
was not there, since pages found with it may want it after a crash; for new values at
most every SAVE_S seconds, and when the crawl stops.  Expired cookies are dropped;
cookies without an expiry are kept, since a stopped run goes on as the same session.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Headers, Response

from crawler.log import get_log
from crawler.spiders.scrapy_private import know_suffixes_offline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from scrapy.crawler import Crawler

    from crawler.spiders.wanted import Rendition

SAVE_S = 30.0
FILE = "cookies.json"
log = get_log(__name__)


class PortalCookies(CookiesMiddleware):
    """Scrapy's cookies, loaded when a crawl begins and saved as it goes on."""

    _file: Path | None = None
    _saved = ""
    _kept: frozenset[tuple[str, str, str]] = frozenset()
    _timer: asyncio.TimerHandle | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware of a crawler, with what the portal's last run kept."""
        know_suffixes_offline()
        made = super().from_crawler(crawler)
        file: Path | None = crawler.portalkeep.cookie_file  # type: ignore[attr-defined]
        if file is not None:
            made.keep_in(file)
            crawler.signals.connect(made.stop, signals.spider_closed)
        for state in crawler.portalkeep.states.values():  # type: ignore[attr-defined]
            for cookie in cookies_of(state):
                made.jars[None].set_cookie(cookie)
        return made

    def keep_in(self, file: Path) -> None:
        """Take the cookies of a file, and keep them there from now on."""
        self._file = file
        for cookie in load(file):
            self.jars[None].set_cookie(cookie)
        self._kept = self._names()

    def process_response(self, request: Request, response: Response) -> Response:  # type: ignore[override]
        """Take the response's cookies; have them saved, new ones before it goes on."""
        answers = _answers(request, response)
        for asked, answer in answers:
            super().process_response(asked, answer)
        came = any(b"Set-Cookie" in answer.headers for _, answer in answers)
        if self._file is None or not came:
            return response
        if self._names() - self._kept:
            self.stop()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SAVE_S, self._save)
        return response

    def _names(self) -> frozenset[tuple[str, str, str]]:
        """Return what each cookie of the jar is told apart by."""
        jar = self.jars[None].jar
        return frozenset((each.domain, each.path, each.name) for each in jar)

    def stop(self, **_: Any) -> None:  # noqa: ANN401 - Scrapy's
        """Save what changed, now."""
        if self._timer is not None:
            self._timer.cancel()
        self._save()

    def _save(self) -> None:
        """Write the jar where it changed; without it a later run only logs in anew."""
        self._timer, self._kept = None, self._names()
        text = dumps(self.jars[None].jar)
        if self._file is None or text == self._saved:
            return
        try:
            write(self._file, text)
            self._saved = text
        except OSError as exc:
            log.warning("cookies_not_saved", error=str(exc))


def _answers(request: Request, response: Response) -> list[tuple[Request, Response]]:
    """Return what was asked and answered; a page that was shown may have gone on."""
    rendition: Rendition | None = request.meta.get("rendition")
    if rendition is None:
        return [(request, response)]
    passed = (Response(x.url, headers=Headers(x.headers)) for x in rendition.passed)
    return [(Request(each.url), each) for each in (*passed, response)]


def cookies_of(state: Mapping[str, Any]) -> Iterator[Cookie]:
    """Yield the cookies of a storage state that are not expired."""
    for each in state["cookies"]:
        expires_s = each.get("expires", -1)
        cookie = Cookie(
            0,
            each["name"],
            each["value"],
            None,
            False,  # noqa: FBT003 - its signature
            each["domain"],
            each["domain"].startswith("."),
            each["domain"].startswith("."),
            each["path"],
            True,  # noqa: FBT003
            bool(each.get("secure")),
            int(expires_s) if expires_s > 0 else None,
            expires_s <= 0,
            None,
            None,
            {},
        )
        if not cookie.is_expired(int(time.time())):
            yield cookie


def dumps(cookies: Iterable[Cookie]) -> str:
    """Return the cookies that are not expired as JSON, one a line."""
    now = int(time.time())
    rows = [
        {name.lstrip("_"): value for name, value in sorted(vars(cookie).items())}
        for cookie in cookies
        if not cookie.is_expired(now)
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    return f"[{lines}]\n"


def load(path: Path) -> list[Cookie]:
    """Return the cookies kept in a file and not expired since; none where it is bad."""
    try:
        rows = json.loads(path.read_bytes())
        cookies = [Cookie(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as exc:
        log.warning("cookies_not_read", error=type(exc).__name__)
        return []
    now = int(time.time())
    return [cookie for cookie in cookies if not cookie.is_expired(now)]


def write(path: Path, text: str) -> None:
    """Put text in place of a file's content at once, for its owner's eyes only."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
