"""Read the bundled demo portals: what each path answers with, and the ground truth.

A portal is a directory: ``routes.json`` says which path answers with which file and
how, ``pages/`` holds the pages in UTF-8, ``manifest.json`` what is to be found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from crawler.errors import UsageError

PORTALS = Path(__file__).parent / "portals"
CONFIG = Path(__file__).parent / "demo.yaml"
"""The demo portals' configuration; their base URLs come from the environment."""


def variables(base_urls: dict[str, str]) -> dict[str, str]:
    """Return the environment in which ``demo.yaml`` names the given base URLs."""
    return {f"DEMO_{portal.upper()}": url for portal, url in base_urls.items()}


@dataclass(frozen=True, slots=True)
class Route:
    """How one path answers.

    ``fail_once`` answers 503 with ``Retry-After: 0`` to a server's first request for
    the route. ``referer`` wants a Referer of the portal's own host, else 403.
    """

    path: str
    file: str = ""
    type: str = "text/html"
    query: dict[str, str] = field(default_factory=dict)
    status: int = HTTPStatus.OK
    location: str = ""
    gzip: bool = False
    chunked: bool = False
    etag: bool = False
    referer: bool = False
    fail_once: bool = False
    delay_s: float = 0.0

    def matches(self, path: str, query: dict[str, str]) -> bool:
        """Tell whether this route answers a request for ``path`` with ``query``."""
        return path == self.path and self.query.items() <= query.items()


@dataclass(frozen=True, slots=True)
class Site:
    """One portal's pages and routes, as read from its directory."""

    directory: Path
    charset: str
    routes: tuple[Route, ...]
    not_found: Route

    def route(self, target: str) -> Route:
        """Return the first route that matches the request target, else not_found."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        found = (r for r in self.routes if r.matches(parts.path, query))
        return next(found, self.not_found)

    def body(self, route: Route, base_url: str) -> bytes:
        """Return the route's body in the portal's charset, before any coding."""
        if not route.file:
            return b""
        raw = (self.directory / route.file).read_bytes()
        if route.type.startswith("image/"):
            return raw
        return raw.decode().replace("{{BASE}}", base_url).encode(self.charset)


def portal_ids() -> tuple[str, ...]:
    """Return the ids of the bundled portals, sorted."""
    return tuple(sorted(p.parent.name for p in PORTALS.glob("*/routes.json")))


def read_manifest(portal: str) -> dict[str, Any]:
    """Return the portal's ground truth; its URLs are paths below the base URL.

    ``Any``: its form is free JSON, described in ``portals/README.md``.
    """
    text = (PORTALS / portal / "manifest.json").read_text("utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def read_site(portal: str) -> Site:
    """Read a bundled portal's routes.

    Raises:
        UsageError: there is no bundled portal of that name.
    """
    if portal not in portal_ids():
        known = ", ".join(portal_ids())
        raise UsageError(f"no demo portal {portal!r}; there are {known}")
    directory = PORTALS / portal
    table = json.loads((directory / "routes.json").read_text("utf-8"))
    return Site(
        directory=directory / "pages",
        charset=table["charset"],
        routes=tuple(Route(**row) for row in table["routes"]),
        not_found=Route(path="", **table["not_found"]),
    )
