"""What one page got when it was captured, found by what a browser asks for now.

1. The same method, URL and body; else the same method and URL.
2. Repeated requests get what they got then, in that order, and the last of it again.
3. A part of a file (206) answers only who asks for a part that begins there.
4. A picture that the page never got is looked for in the rest of the run: a browser
   asks for an icon once, however many pages have it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.browser.offline import Absence
from crawler.http import header, read_head
from crawler.urls import hostname_of
from crawler.warc.cdxj import request_digest
from crawler.warc.format import safe_uri
from crawler.warc.reader import to_message
from crawler.warc.redact import lookup_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.archive.captures import Archive
    from crawler.archive.pageinfo import PageExchange
    from crawler.block import Block
    from crawler.browser.offline import Question
    from crawler.warc.cdxj import CdxLine
    from crawler.warc.member import ParsedRecord
    from crawler.warc.redact import Policy

_PARTIAL = 206
_ICON = "/favicon.ico"
_RANGE = re.compile(rb"bytes[ =]([0-9]+)-")


@dataclass(slots=True)
class _Stored:
    """A response by its index line; given: whether it was, by now."""

    line: CdxLine
    given: bool = False


class Answers:
    """The exchanges of one page (a `crawler.browser.offline.Lookup`).

    Attributes:
        first_url: what the browser asked for first.
    """

    def __init__(
        self,
        archive: Archive,
        exchanges: Iterable[PageExchange],
        redaction: Policy,
        refused: frozenset[str] = frozenset(),
    ) -> None:
        """Take the exchanges, in the order they began.

        refused: hosts of which the page was refused something.
        """
        self.first_url: str | None = None
        self._archive = archive
        self._redaction = redaction
        self._refused = refused
        self._asked: dict[tuple[str, str], list[_Stored]] = defaultdict(list)
        lines = {line.record: line for line in archive.lines()}
        self._pictures = {self._key(x.url): x for x in lines.values() if _is_picture(x)}
        for exchange in exchanges:
            self.first_url = self.first_url or exchange.url
            stored = self._asked[exchange.method, self._key(exchange.url)]
            if exchange.record_id in lines:
                stored.append(_Stored(lines[exchange.record_id]))

    def __call__(self, question: Question) -> Block | Absence:
        """Return the response as it crossed the wire.

        Raises:
            ArchiveDamaged: a record is not there or not whole.
        """
        asked = question.method, self._key(question.url)
        if asked not in self._asked:
            return self._elsewhere(question)
        if not self._asked[asked]:
            return Absence.SILENT
        for stored in self._in_order(question, self._asked[asked]):
            message = self._message(stored.line)
            if _fits(question, stored.line, message):
                stored.given = True
                return message
        return Absence.MISS

    def _elsewhere(self, question: Question) -> Block | Absence:
        """Answer what this page never asked for."""
        picture = self._pictures.get(self._key(question.url))
        if picture is not None and question.method == "GET":
            return self._message(picture)
        refused = hostname_of(question.url) in self._refused
        return Absence.REFUSED if refused else Absence.MISS

    def _in_order(self, question: Question, found: list[_Stored]) -> list[_Stored]:
        """Return what was got for a question, the best first."""
        digest = None
        if question.method != "GET":
            digest = request_digest(question.method, question.url, (), question.body)
        same = [x for x in found if x.line.request == digest] or found
        return [x for x in same if not x.given] + [x for x in same[::-1] if x.given]

    def _message(self, line: CdxLine) -> Block:
        archive, original = self._archive, None
        if line.ref is not None:
            original = _read(archive, archive.line(line.ref))
        return to_message(_read(archive, line), original)

    def _key(self, url: str) -> str:
        return lookup_url(safe_uri(url), self._redaction)


def _read(archive: Archive, line: CdxLine) -> ParsedRecord:
    """Read a record; what `Archive` keeps in memory is for one thread."""
    return archive.collection.record(line.filename, line.offset, line.length)


def _is_picture(line: CdxLine) -> bool:
    is_image = (line.mime or "").startswith("image/")
    return line.status is not None and (is_image or line.url.endswith(_ICON))


def _fits(question: Question, line: CdxLine, message: Block) -> bool:
    """Tell whether a response that may be a part is the part that is asked for."""
    head = read_head(message) if line.status == _PARTIAL else None
    if head is None:
        return True
    wanted = _RANGE.match(header(question.headers, b"range") or b"")
    stored = _RANGE.match(header(head.headers, b"content-range") or b"")
    return bool(wanted and stored and wanted[1] == stored[1])
