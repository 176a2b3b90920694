"""Logging in before anything else is visited, and again when a session is over.

1. The first request of a portal with a login waits until the form was sent; all that
   come meanwhile wait with it.
2. A visit that met a page for strangers asks for a newer session than the one it was
   made in; of several such visits one logs in.
3. A login that is refused is not tried again in this run: nothing is hammered, and
   whatever wanted it ends as ``logged_out``.

The form goes through the same middlewares and handler as all else: robots.txt is
obeyed, turns are taken, it is archived with its fields and cookies masked.  In replay
nobody logs in: the archive has the pages as they were.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from scrapy import Request

from crawler import urls
from crawler.errors import NotExtracted
from crawler.extract.document.form import Form, form_of
from crawler.extract.document.page import Page
from crawler.extract.guards import finds
from crawler.frontier import policy
from crawler.log import get_log
from crawler.model import Kind, Link, Reason
from crawler.spiders.failure import FetchFailed, LoginFailed
from crawler.spiders.hop import redirect_target
from crawler.warc.cdxj import request_digest
from crawler.warc.redact import lookup_link

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.config.portal import LoginRule
    from crawler.model import Response
    from crawler.spiders.context import CrawlContext

MAX_USELESS = 3
MAX_HOPS = 5
CLIENT_ERROR = 400
SERVER_ERROR = 500
ASKS_FOR_LESS = 429
KEEPS_BODY = frozenset({307, 308})
FORM_TYPE = "application/x-www-form-urlencoded"
log = get_log(__name__)


class LoginMiddleware:
    """Lets requests of a portal with a login pass when there is a session."""

    def __init__(self, crawler: Crawler) -> None:
        """Take the crawl's context."""
        self._crawler = crawler
        self._context: CrawlContext = crawler.portalkeep  # type: ignore[attr-defined]
        self._pending: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass in a session that is newer than ``stale`` in its meta.

        Raises:
            LoginFailed: there is none: ``logged_out``, or what kept us from asking.
        """
        rule = self._context.portal.login
        if rule is None or self._context.visits is not None:
            return
        if request.meta.get("robots") or request.meta.get("login"):
            return
        session = self._context.session
        if session.number <= request.meta.get("stale", 0):
            await self._log_in(rule)
        request.meta["session"] = session.number

    async def _log_in(self, rule: LoginRule) -> None:
        session = self._context.session
        if session.useless >= MAX_USELESS:
            session.refused = f"still a stranger after {session.useless} log-ins"
        if session.refused is not None:
            raise LoginFailed(Reason.LOGGED_OUT, session.refused)
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._ask(rule))
        try:
            await asyncio.shield(self._pending)
        except FetchFailed as exc:
            raise LoginFailed(exc.reason, exc.detail) from exc

    async def _ask(self, rule: LoginRule) -> None:
        session = self._context.session
        try:
            await _Attempt(self._crawler, self._context, rule).run()
            session.number += 1
            log.info("logged_in", portal=self._context.portal.id, times=session.number)
        except FetchFailed as exc:
            if exc.reason is Reason.LOGGED_OUT:
                session.refused = exc.detail
                log.error("login_refused", said=exc.detail)  # noqa: TRY400 - no trace
            raise
        finally:
            self._pending = None


def in_newer_session(request: Request) -> Request:
    """Return a request for the same in a session newer than the one it was made in."""
    kept = {n: v for n, v in request.headers.items() if n.lower() != b"cookie"}
    meta = {
        "page_id": request.meta["page_id"],
        "asked": request.meta.get("asked"),
        "stale": request.meta.get("session", 0),
    }
    return Request(
        request.url,
        method=request.method,
        headers=kept,
        body=request.body,
        cookies=request.cookies,
        dont_filter=True,
        meta=meta,
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One login."""

    crawler: Crawler
    context: CrawlContext
    rule: LoginRule

    async def run(self) -> None:
        """Read the form, send it, look at the answer.

        Raises:
            FetchFailed: it is refused (``logged_out``), or could not be asked for.
        """
        rule = self.rule
        page_id = self.context.make_id()
        form = Form(rule.url)
        if rule.form is not None:
            form = self._form(await self._follow(Request(rule.url), page_id))
        answer = await self._follow(self._filled(form), page_id)
        if (refusal := self._refusal(answer)) is not None:
            raise FetchFailed(Reason.LOGGED_OUT, refusal)

    def _form(self, response: Response) -> Form:
        page = self._page(response)
        form = form_of(page, self.rule.form or "") if page else None
        if form is None:
            message = f"no form {self.rule.form!r} on {response.url!r}"
            raise FetchFailed(Reason.LOGGED_OUT, message)
        if not self._is_ours(form.action):
            message = f"the form is sent to {form.action!r}, which is not in scope"
            raise FetchFailed(Reason.LOGGED_OUT, message)
        return form

    def _filled(self, form: Form) -> Request:
        """Return the request that sends the form: what we fill in replaces its own."""
        fields = {**dict(form.hidden), **self.rule.constants, **self.rule.fields}
        headers = (("Content-Type", FORM_TYPE), ("Referer", self.rule.url))
        body = urlencode(fields, encoding=form.encoding, errors="replace").encode()
        link = lookup_link(
            Link(form.action, Kind.ITEM, method="POST", headers=headers, body=body),
            self.context.redaction,
        )
        asked = request_digest(link.method, link.url, link.headers, link.body)
        return Request(
            form.action,
            method="POST",
            headers=headers,
            body=body,
            meta={"asked": asked},
        )

    async def _follow(self, request: Request, page_id: str) -> Response:
        """Fetch, and follow redirects that do not lead the fields to another place."""
        for _ in range(MAX_HOPS):
            response = await self._fetch(request, page_id)
            target = redirect_target(response)
            if target is None or not self._is_ours(target):
                return response
            if response.status in KEEPS_BODY and request.method == "POST":
                return response
            request = Request(target)
        return response

    async def _fetch(self, request: Request, page_id: str) -> Response:
        meta = {**request.meta, "login": True, "page_id": page_id}
        request = request.replace(dont_filter=True, meta=meta)
        engine = self.crawler.engine
        if engine is None:
            raise FetchFailed(Reason.DISCONNECTED, "the engine is gone")
        await engine.download_async(request)
        response: Response = request.meta["capture_response"]
        if response.status == ASKS_FOR_LESS:
            raise FetchFailed(Reason.BLOCKED, "the login answered 429")
        if response.status >= SERVER_ERROR:
            raise FetchFailed(Reason.CONNECT, f"the login answered {response.status}")
        return response

    def _is_ours(self, url: str) -> bool:
        """Tell whether a URL that a page named may learn of the login."""
        rule, portal = self.rule, self.context.portal
        same = urls.host_of(url) == urls.host_of(rule.url)
        weaker = urls.scheme_of(url) != "https" and urls.scheme_of(rule.url) == "https"
        return not weaker and (same or policy.refuse(url, portal) is None)

    def _refusal(self, answer: Response) -> str | None:
        """Return why an answer is no success, None where it is one."""
        rule, page = self.rule, self._page(answer)
        if answer.status >= CLIENT_ERROR:
            return f"the login answered {answer.status}"
        if rule.ok_url is not None and not re.search(rule.ok_url, answer.url):
            return f"the login led to {answer.url!r}, not to {rule.ok_url!r}"
        if rule.ok and not (page and finds(rule.ok, page)):
            return f"'ok' was not found on {answer.url!r}"
        if rule.logged_out and page and finds(rule.logged_out, page):
            return f"'logged_out' was found on {answer.url!r}"
        if rule.form and not (rule.ok or rule.ok_url) and page:
            return "the form was shown again" if form_of(page, rule.form) else None
        return None

    def _page(self, response: Response) -> Page | None:
        try:
            return Page.from_response(response, limit=self.context.max_parse_bytes)
        except NotExtracted:
            return None
