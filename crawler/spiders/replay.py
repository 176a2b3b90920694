"""Scrapy's handler in replay: the archive is the only transport, for every scheme.

Asked the n-th time for the same request, it gives the n-th capture, and the last one
ever after.  What was never captured is a miss: listed, counted, never fetched.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from scrapy.http import Headers, Response

from crawler.archive.refs import ref_to_json
from crawler.model import Reason
from crawler.spiders.handler import FetchFailed
from crawler.warc.format import safe_uri

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.archive.captures import Archive
    from crawler.model import Link, RecordRef

HTTP = frozenset({"response", "revisit"})


@dataclass(slots=True)
class Playback:
    """Stored exchanges in capture order, by what was asked.

    Attributes:
        misses: URLs asked for and never captured, in order.
    """

    archive: Archive
    misses: list[str] = field(default_factory=list)
    _stored: dict[tuple[str, str | None], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _served: dict[tuple[str, str | None], int] = field(
        default_factory=lambda: defaultdict(int)
    )

    @classmethod
    def of(cls, archive: Archive) -> Playback:
        """Index the responses of an archive."""
        playback = cls(archive)
        lines = [line for line in archive.lines() if line.status is not None]
        for line in sorted(lines, key=lambda line: (line.date, line.offset)):
            playback._stored[line.url, line.request].append(line.record)
        return playback

    def next(self, url: str, asked: str | None) -> str | None:
        """Return the record id of the next capture, None where there is none."""
        key = (safe_uri(url), asked)
        stored = self._stored.get(key)
        if not stored:
            self.misses.append(url)
            return None
        turn = self._served[key]
        self._served[key] += 1
        return stored[min(turn, len(stored) - 1)]

    def link(self, ref: RecordRef) -> Link | None:
        """Return the link, with its merged hint, that a stored visit was made for."""
        page = self.archive.line(ref.record_id).page
        visit = self.archive.visit_of(page) if page else None
        return visit.link if visit else None


class ArchiveDownloadHandler:
    """Answers every request from the archive."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        """Take the playback of the crawl."""
        self._playback: Playback = crawler.portalkeep.visits  # type: ignore[attr-defined]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the handler of a crawler."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Return the stored response.

        Raises:
            FetchFailed: there is none.
        """
        record_id = self._playback.next(request.url, request.meta.get("asked"))
        archive = self._playback.archive
        response = archive.response(record_id) if record_id else None
        if record_id is None or response is None:
            raise FetchFailed(Reason.ARCHIVE_MISS, request.url)
        hops = request.meta.get("hops", ())
        request.meta["hops"] = [*hops, ref_to_json(archive.ref(record_id))]
        request.meta["capture_response"] = response
        return Response(
            response.url,
            status=response.status,
            headers=Headers(response.headers),
            body=response.payload,
            flags=["archived"],
        )

    async def close(self) -> None:
        """Do nothing: there is nothing open."""
