"""Scrapy's handler in replay: the archive is the only transport, for every scheme.

1. The n-th visit of a link is played from the n-th stored visit of that link: every
   request it makes is answered from that visit's own records.
2. Any other request (robots.txt, a link of no stored visit) gets the n-th capture of
   what it asks for.
3. After the last one, the last one again.  What was never captured is a miss: listed,
   counted, never fetched.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from scrapy.http import Headers, Response

from crawler.archive.pageinfo import DOM
from crawler.archive.refs import ref_to_json
from crawler.frontier.policy import key_of
from crawler.model import Reason
from crawler.spiders.failure import FetchFailed
from crawler.spiders.wanted import Rendition
from crawler.warc.format import safe_uri
from crawler.warc.redact import Policy, lookup_link, lookup_url, mask_url

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.archive.captures import Archive, StoredVisit
    from crawler.model import Link, RecordRef, Work
    from crawler.spiders.wanted import Wanted

_Asked = tuple[str | None, str, str | None]
"""Stored page id (None: any), URL, digest of a request that is more than its URL."""


@dataclass(slots=True)
class _Turns:
    """Things in order, the next one each time it is asked for, the last for ever."""

    things: list[str] = field(default_factory=list)
    turn: int = 0

    def take(self) -> str | None:
        if not self.things:
            return None
        self.turn += 1
        return self.things[min(self.turn, len(self.things)) - 1]


@dataclass(slots=True)
class Playback:
    """Stored exchanges in capture order, by visit and by what was asked.

    Attributes:
        redaction: what the archive holds masked, and is asked for unmasked.
        misses: URLs asked for and never captured, in order.
    """

    archive: Archive
    redaction: Policy = field(default_factory=Policy)
    misses: list[str] = field(default_factory=list)
    _stored: dict[_Asked, _Turns] = field(default_factory=lambda: defaultdict(_Turns))
    _visits: dict[bytes, _Turns] = field(default_factory=lambda: defaultdict(_Turns))
    _playing: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: Archive, redaction: Policy | None = None) -> Playback:
        """Index the responses and visits of an archive."""
        playback = cls(archive, redaction or Policy())
        lines = [line for line in archive.lines() if line.status is not None]
        for line in sorted(lines, key=lambda line: (line.date, line.offset)):
            for page in {None, line.page}:
                asked = (page, playback._uri(line.url), line.request)
                playback._stored[asked].things.append(line.record)
        for visit in archive.visits():
            visits = playback._visits[playback._key(visit.link)]
            visits.things.append(visit.body["page_id"])
        return playback

    def begin(self, work: Work, page_id: str) -> None:
        """Play a visit that begins from the next stored visit of its link."""
        stored = self._visits[self._key(work.link)].take()
        if stored is not None:
            self._playing[page_id] = stored

    def next(self, url: str, asked: str | None, page_id: str | None) -> str | None:
        """Return the record id of the next capture, None where there is none."""
        stored = self._playing.get(page_id) if page_id else None
        uri = self._uri(url)
        found = self._stored[stored, uri, asked].take() if stored else None
        found = found or self._stored[None, uri, asked].take()
        if found is None:
            self.misses.append(mask_url(url, self.redaction))
        return found

    def was_asked_by_browser(self, page_id: str, hops: int) -> bool:
        """Tell whether, after so many hops, a browser alone asked for what it showed.

        In older archives the page was fetched before; so it was by other rules.
        """
        visit = self._visit_of(page_id)
        return (
            visit is not None and bool(visit.dom) and visit.body.get("dom_from") == hops
        )

    def is_rendered(self, page_id: str) -> bool:
        """Tell whether the visit that is played has rendered documents."""
        visit = self._visit_of(page_id)
        return visit is not None and bool(visit.dom)

    def rendition(self, url: str, page_id: str, hops: int) -> Rendition:
        """Return what the page showed in the visit that is played.

        Args:
            url: of the page.
            page_id: of the visit under way.
            hops: how many records it met before.

        Raises:
            FetchFailed: it showed nothing then, or was not rendered: a miss.
        """
        visit = self._visit_of(page_id)
        if visit is None or not (visit.dom or _was_tried(visit)):
            uri = DOM.uri(mask_url(url, self.redaction))
            self.misses.append(uri)
            raise FetchFailed(Reason.ARCHIVE_MISS, uri)
        if not visit.dom:
            detail = visit.body.get("detail", "")
            raise FetchFailed(Reason(visit.body["reason"]), detail)
        since = min(hops, visit.body.get("dom_from", hops))
        return Rendition(
            tuple(map(self.archive.ref, visit.body["hops"][since:])),
            self.archive.documents(visit),
            tuple(map(self.archive.ref, visit.dom)),
            visit.body.get("dom_ended"),
            since,
        )

    def _visit_of(self, page_id: str) -> StoredVisit | None:
        stored = self._playing.get(page_id)
        return self.archive.visit_of(stored) if stored else None

    def _uri(self, url: str) -> str:
        return lookup_url(safe_uri(url), self.redaction)

    def _key(self, link: Link) -> bytes:
        return key_of(lookup_link(link, self.redaction))

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
        work, page_id = request.meta.get("work"), request.meta.get("page_id")
        if work is not None and page_id is not None:
            self._playback.begin(work, page_id)
        if "render" in request.meta and self._is_shown(request):
            return self._shown(request)
        asked = request.meta.get("asked")
        record_id = self._playback.next(request.url, asked, page_id)
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
            flags=["archived", *_truncation(archive, record_id)],
        )

    def _is_shown(self, request: Request) -> bool:
        """Tell whether what is asked of a browser was shown, not fetched, then."""
        wanted: Wanted = request.meta["render"]
        if not wanted.first:
            return True
        page_id: str = request.meta["page_id"]
        return self._playback.was_asked_by_browser(page_id, wanted.hops)

    def _shown(self, request: Request) -> Response:
        wanted: Wanted = request.meta["render"]
        rendition = self._playback.rendition(
            request.url, request.meta["page_id"], wanted.hops
        )
        main = rendition.hops[-1].record_id
        response = self._playback.archive.response(main)
        if response is None:
            raise FetchFailed(Reason.ARCHIVE_MISS, request.url)
        request.meta["capture_response"] = response
        request.meta["rendition"] = rendition
        return Response(response.url, status=response.status, flags=["archived"])

    async def close(self) -> None:
        """Do nothing: there is nothing open."""


def _was_tried(visit: StoredVisit) -> bool:
    """Tell whether the live crawl had the page rendered and nothing was shown."""
    return visit.body["render"] != "never" and "reason" in visit.body


def _truncation(archive: Archive, record_id: str) -> list[str]:
    """Return the flag that the live handler gave a response that is not whole."""
    why = archive.record(archive.line(record_id)).header("WARC-Truncated")
    return [f"truncated:{why}"] if why else []
