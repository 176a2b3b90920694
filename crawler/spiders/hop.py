"""Redirects: where a response leads to, and by which request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import Request

from crawler import http, urls
from crawler.spiders.robots import REDIRECTS

if TYPE_CHECKING:
    from crawler.model import Response

OF_A_BODY = frozenset({b"content-type", b"content-length"})


def redirect_target(response: Response) -> str | None:
    """Return the absolute URL a response redirects to, None where it does not."""
    if response.status not in REDIRECTS:
        return None
    location = http.header(response.headers, b"location")
    if location is None:
        return None
    return urls.absolute(response.url, location.decode("utf-8", "replace"))


def hop(request: Request, response: Response, target: str) -> Request:
    """Return the request for target; after 303, or 301 or 302 of a POST, by GET.

    It belongs to the same page; headers go to the same host alone, and never from
    https to http: they may hold credentials.
    """
    by_get = response.status == 303 or (  # noqa: PLR2004
        response.status in (301, 302) and request.method == "POST"
    )
    method, body = ("GET", b"") if by_get else (request.method, request.body)
    same = urls.host_of(request.url) == urls.host_of(target) and (
        urls.scheme_of(request.url) == "http" or urls.scheme_of(target) == "https"
    )
    headers = {
        name: values
        for name, values in (request.headers if same else {}).items()
        if not (by_get and name.lower() in OF_A_BODY)
    }
    return Request(
        target,
        method=method,
        body=body,
        headers=headers,
        dont_filter=True,
        meta={"page_id": request.meta["page_id"]},
    )
