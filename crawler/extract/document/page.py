"""One document as extraction reads it: text, tree, JSON, base URL, each made once."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING

from lxml import etree
from lxml.html import HtmlElement, HTMLParser

from crawler import urls
from crawler.coding import decode_content
from crawler.errors import NotDecodable, NotExtracted
from crawler.extract.document.decode import decode
from crawler.extract.document.text import visible_lines
from crawler.http import header
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.document.selectors import Node
    from crawler.model import Json, Response

MAX_PAGE_BYTES = 20_000_000
"""Bytes of a decoded page beyond which nothing is read from it."""

_MAGIC = (
    b"%PDF-",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"\x7fELF",
    b"\xd0\xcf\x11\xe0",
    b"OggS",
    b"ID3",
)
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_LOOKED_AT = 4096
_MAX_CONTROL_SHARE = 0.1
# Guards such as ``/**/`` and ``typeof cb === 'function' && `` stand before many calls.
_JSONP = re.compile(
    r"^(?:/\*.*?\*/\s*)?(?:typeof [\w$.]+ ?===? ?(?:'function'|\"function\") ?&& ?)?"
    r"[\w$.]+\s*\(([\s\S]*)\)\s*;?$"
)

# Elements that may nest; without them what is left is a head, paragraphs and images.
_NESTING = re.compile(
    r"</?(?!(?:html|head|body|title|meta|link|base|script|style|img|br|p)\b)[a-z][^<>]*>",
    re.IGNORECASE,
)


class Page:
    """A lazily parsed view of one document.

    Attributes:
        url: the URL that answered.
        text: decoded, NUL characters cut.
        encoding, encoding_method: how it was decoded, for provenance.
        earlier: what the page showed before, step by step, where it was rendered.
    """

    earlier: tuple[Page, ...] = ()

    def __init__(
        self, text: str, url: str, *, encoding: str = "utf-8", method: str = "given"
    ) -> None:
        """Take text as decoded already.

        Raises:
            NotExtracted: it is empty or binary (not_a_page).
        """
        self.text = text.replace("\x00", "")
        self.url = url
        self.encoding = encoding
        self.encoding_method = method
        if not self.text.strip():
            raise NotExtracted(Reason.NOT_A_PAGE, "empty")
        if _is_garbage(self.text):
            raise NotExtracted(Reason.NOT_A_PAGE, "binary")

    @classmethod
    def from_response(
        cls, response: Response, encoding: str = "auto", limit: int = MAX_PAGE_BYTES
    ) -> Page:
        """Return the page of a response, its content-codings undone.

        Raises:
            NotExtracted: cut short (truncated), beyond limit bytes (too_large), not
                decodable, empty or binary.
        """
        if response.cut:
            whole = len(response.payload) < limit
            reason = Reason.TRUNCATED if whole else Reason.TOO_LARGE
            raise NotExtracted(reason, f"{len(response.payload)} bytes kept")
        body = _undo_codings(response, limit)
        declared = header(response.headers, b"content-type")
        content_type = declared.decode("latin-1") if declared else None
        return cls.from_bytes(
            body, response.url, content_type=content_type, encoding=encoding
        )

    @classmethod
    def from_bytes(
        cls,
        body: bytes,
        url: str,
        *,
        content_type: str | None = None,
        encoding: str = "auto",
    ) -> Page:
        """Return the page of a body without content-codings.

        Raises:
            NotExtracted: empty or binary (not_a_page).
        """
        if body.startswith(_MAGIC):
            raise NotExtracted(Reason.NOT_A_PAGE, "binary")
        text = decode(body, content_type=content_type, override=encoding)
        return cls(text.text, url, encoding=text.encoding, method=text.method)

    @classmethod
    def from_dom(cls, document: bytes, url: str) -> Page:
        """Return the page of a rendered document, which is UTF-8 whatever it says.

        Raises:
            NotExtracted: empty or binary (not_a_page).
        """
        return cls(document.decode("utf-8", "replace"), url, method="dom")

    @classmethod
    def from_steps(cls, documents: Sequence[bytes], url: str) -> Page:
        """Return what a page showed last, with its earlier steps.

        Raises:
            NotExtracted: empty or binary (not_a_page).
        """
        *earlier, last = (cls.from_dom(each, url) for each in documents)
        last.earlier = tuple(earlier)
        return last

    @property
    def steps(self) -> tuple[Page, ...]:
        """The earlier steps and this one."""
        return (*self.earlier, self)

    @cached_property
    def tree(self) -> HtmlElement:
        """The root element; a document of more than 2,048 levels is read flat."""
        return parse_html(self.text)

    @cached_property
    def json(self) -> Json:
        """The parsed JSON, JSONP's call cut off.

        Raises:
            NotExtracted: the text is no JSON (bad_listing).
        """
        text = self.text.strip().removeprefix("\ufeff")
        called = _JSONP.match(text) if text[:1] not in {"{", "[", "<"} else None
        try:
            return json.loads(called[1] if called else text)  # type: ignore[no-any-return]
        except (ValueError, RecursionError) as exc:
            kind = "HTML" if text.startswith("<") else "no JSON"
            raise NotExtracted(
                Reason.BAD_LISTING, f"{kind} where JSON was to come: {text[:80]!r}"
            ) from exc

    @cached_property
    def is_json(self) -> bool:
        """Whether the text begins as a JSON object or list does."""
        return self.text.lstrip().removeprefix("\ufeff").lstrip()[:1] in {"{", "["}

    @cached_property
    def root(self) -> Node:
        """Where item rules start: the parsed JSON, or the tree of anything else."""
        return self.json if self.is_json else self.tree

    @cached_property
    def base_url(self) -> str:
        """What relative addresses count from; <base href> where it is http(s)."""
        for base in self.tree.iter("base") if not self.is_json else ():
            found = urls.absolute(self.url, base.get("href") or "")
            if base.get("href") and found:
                return found
        return self.url

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines a reader sees, in order, none empty."""
        return tuple(visible_lines(self.tree))

    def is_root(self, node: Node) -> bool:
        """Tell whether node is the whole document."""
        return node is self.tree

    def absolute(self, url: str) -> str | None:
        """Return url seen from this page, None where it is no http(s) URL."""
        return urls.absolute(self.base_url, url) if url.strip() else None


def parse_html(text: str) -> HtmlElement:
    """Return the root of text as HTML; an empty document where there is none.

    Encoded as UTF-8 first: the parser refuses text with an XML declaration, and a
    page's own meta tags must not decide again.  Of a document too deep for the parser
    all elements that may nest are read as paragraphs, so that no text is lost.
    """
    parser = HTMLParser(
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
        no_network=True,
    )
    root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    if _is_too_deep(parser):
        flat = _NESTING.sub("<p>", text)
        root = etree.fromstring(flat.encode("utf-8", "replace"), parser)
    if root is None:
        root = etree.fromstring(b"<html><body></body></html>", parser)
    return root


def _is_too_deep(parser: HTMLParser) -> bool:
    """Tell whether the parser stopped at 2,048 levels, its limit, and lost the rest."""
    last = parser.error_log.last_error
    return last is not None and last.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT


def _undo_codings(response: Response, limit: int) -> bytes:
    try:
        decoded = decode_content(response.payload, response.headers, limit)
    except NotDecodable as exc:
        raise NotExtracted(Reason.NOT_DECODABLE, str(exc)[:200]) from exc
    if decoded.cut:
        whole = len(decoded.body) < limit
        reason = Reason.TRUNCATED if whole else Reason.TOO_LARGE
        raise NotExtracted(reason, f"{len(decoded.body)} bytes decoded")
    return decoded.body


def _is_garbage(text: str) -> bool:
    start = text[:_LOOKED_AT]
    return len(_CONTROL.findall(start)) > max(2, len(start) * _MAX_CONTROL_SHARE)
