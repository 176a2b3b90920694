"""Secrets masked in an exchange before any of it is stored.

Masked bytes become ``*`` one for one, so that lengths, order and framing stay as they
were on the wire; digests are over what is stored.  The records of the exchange say so
in ``WARC-Redacted: authorization, cookie``, names in alphabetical order:

- ``authorization``, ``proxy-authorization``, ``cookie``, ``set-cookie``: headers of
  that name, their whole values;
- ``field:<name>``: a parameter of that name in a URL (asked for, referred to,
  redirected to) or in a form or JSON body;
- ``userinfo``: user and password in the URL.

Trailers of a chunked body, objects and lists as values of a JSON field, and what is in
a response's body are not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_plus

from crawler.http import HEAD_BYTES, head_end, header, parse_request_head

if TYPE_CHECKING:
    from crawler.block import Block
    from crawler.exchange import Exchange
    from crawler.model import Link, Response

_MASKABLE = re.compile(rb"[^\r\n\t ]")
_MASKABLE_TEXT = re.compile(r"[^\r\n\t ]")
_STARS = re.compile(r"\*+(?: \*+)*")
# Each of these passes over every byte a bounded number of times, whatever comes: what
# a server or a page's script made must not keep us busy.
_PARAMETER = re.compile(rb"(?<![^?&;#=\s])([^?&;#=\s]++)=([^&;#\s]*+)")
_STRING = rb'"(?:[^"\\]|\\.)*+'
_JSON_MEMBER = re.compile(
    rb"(" + _STRING + rb')(?:"(?:(\s*:\s*)(' + _STRING + rb'"|[\w.+-]++))?+|\Z)',
    re.DOTALL,
)
_FORM_NAME = re.compile(rb'\bname="?([^";\r\n]*)', re.IGNORECASE)
_BOUNDARY = re.compile(rb'\bboundary="?([^";\s]+)', re.IGNORECASE)
_USERINFO = re.compile(rb"(?<=://)[^/?#\s]*(?=@)")
_URL_HEADERS = (b"referer", b"origin", b"location", b"content-location", b"refresh")


@dataclass(frozen=True, slots=True)
class Policy:
    """What is masked.

    Attributes:
        mode: ``none``: only what is meant for a proxy, which no archive is to hold;
            ``auth``: credentials too; ``all``: every cookie as well.
        fields: parameters of URLs, forms and JSON bodies that hold a secret.
        login: whether the portal has a login: its cookies are credentials then.
        named: further headers that hold a secret, in lower case.
    """

    mode: Literal["none", "auth", "all"] = "auth"
    fields: frozenset[str] = frozenset()
    login: bool = False
    named: frozenset[str] = frozenset()

    def headers(self) -> tuple[bytes, ...]:
        """Return the names of the headers that are masked."""
        if self.mode == "none":
            return (b"proxy-authorization",)
        cookies = (b"cookie", b"set-cookie") if self.login or self.mode == "all" else ()
        named = (name.encode("latin-1", "replace") for name in sorted(self.named))
        return (b"proxy-authorization", b"authorization", *cookies, *named)

    def parameters(self) -> frozenset[str]:
        """Return the names of the parameters that are masked."""
        return frozenset() if self.mode == "none" else self.fields


def redact(exchange: Exchange, policy: Policy) -> tuple[Exchange, tuple[str, ...]]:
    """Return exchange as it may be stored, and the names of what was masked.

    exchange itself is not touched; a response without secrets is shared with it.
    """
    masker = _Masker(policy)
    stored = replace(
        exchange,
        url=masker.text(exchange.url),
        request=masker.request(exchange.request),
        response=masker.response(exchange.response),
        interim=masker.head(exchange.interim),
        error=None if exchange.error is None else masker.text(exchange.error),
    )
    return stored, tuple(sorted(masker.notes))


def mask_url(url: str, policy: Policy) -> str:
    """Return url as it is stored: what an index of stored captures is asked for."""
    return _Masker(policy).text(url)


def mask_link(link: Link, policy: Policy) -> Link:
    """Return a link as it is stored: URLs, headers and body masked like a request's."""
    masker = _Masker(policy)
    kinds = (v for n, v in link.headers if n.lower() == "content-type")
    kind = next(kinds, "").encode("latin-1", "replace")
    return replace(
        link,
        url=masker.text(link.url),
        found_on=None if link.found_on is None else masker.text(link.found_on),
        headers=tuple(masker.pair(name, value) for name, value in link.headers),
        body=masker.body(link.body, kind),
    )


def mask_response(response: Response, policy: Policy) -> Response:
    """Return a response under the URL it is stored under; its bytes are not touched."""
    return replace(response, url=mask_url(response.url, policy))


def lookup_url(url: str, policy: Policy) -> str:
    """Return what a stored URL and one that is asked for have in common.

    The secret may be another one by now, and of another length.
    """
    return _STARS.sub("*", mask_url(url, policy))


def lookup_link(link: Link, policy: Policy) -> Link:
    """Return what a stored link and one that is to be visited have in common."""
    masked = mask_link(link, policy)
    return replace(
        masked,
        url=_STARS.sub("*", masked.url),
        headers=tuple((name, _STARS.sub("*", value)) for name, value in masked.headers),
        body=_STARS.sub("*", masked.body.decode("latin-1")).encode("latin-1"),
    )


class _Masker:
    """Masks one exchange.

    Attributes:
        notes: names of what was masked so far.
    """

    def __init__(self, policy: Policy) -> None:
        self.notes: set[str] = set()
        self._fields = policy.parameters()
        self._keeps_userinfo = policy.mode == "none"
        self._header_names = frozenset(policy.headers())
        self._headers = _header_line(policy.headers())
        self._url_headers = _header_line(_URL_HEADERS)

    def text(self, text: str) -> str:
        """Mask the URLs in a text."""
        masked = self.url(text.encode("utf-8", "surrogatepass"))
        return masked.decode("utf-8", "surrogatepass")

    def url(self, url: bytes) -> bytes:
        """Mask userinfo and parameters of a URL."""
        if not self._keeps_userinfo:
            url = _USERINFO.sub(self._userinfo, url)
        return self._parameters(url)

    def request(self, request: bytes) -> bytes:
        """Mask the request line, the head's lines and the fields of a body."""
        end = head_end(request) or len(request)
        line, newline, lines = request[:end].partition(b"\n")
        method, space, target = line.partition(b" ")
        line = method + space + self.url(target)
        return line + newline + self.head(lines) + self._body(request, end)

    def response(self, response: Block | None) -> Block | None:
        """Mask the head; a response that holds no secret is returned itself."""
        if response is None:
            return None
        prefix = response.read(HEAD_BYTES)
        head = prefix[: head_end(prefix)]
        masked = self.head(head)
        return response if masked == head else response.overlaid(masked)

    def head(self, lines: bytes) -> bytes:
        """Mask header lines, folded ones too."""
        lines = self._headers.sub(self._header, lines)
        return self._url_headers.sub(lambda m: m[1] + m[2] + self.url(m[3]), lines)

    def pair(self, name: str, value: str) -> tuple[str, str]:
        """Mask one header of a link."""
        low = name.lower().encode("latin-1", "replace")
        if low in self._header_names:
            return name, _MASKABLE_TEXT.sub("*", value)
        return name, self.text(value) if low in _URL_HEADERS else value

    def _header(self, match: re.Match[bytes]) -> bytes:
        self.notes.add(match[1].decode("ascii").lower())
        return match[1] + match[2] + _MASKABLE.sub(b"*", match[3])

    def _userinfo(self, match: re.Match[bytes]) -> bytes:
        self.notes.add("userinfo")
        return b"*" * len(match[0])

    def _body(self, request: bytes, end: int) -> bytes:
        body = request[end:]
        head = parse_request_head(request)
        if not (body and head):
            return body
        return self.body(body, header(head.headers, b"content-type") or b"")

    def body(self, body: bytes, kind: bytes) -> bytes:
        """Mask the fields of a request's body; kind is its content type."""
        if not (body and self._fields):
            return body
        if b"urlencoded" in kind.lower():
            return self._parameters(body)
        if b"json" in kind.lower():
            return _JSON_MEMBER.sub(self._json_member, body)
        return self._parts(body, kind) if b"multipart" in kind.lower() else body

    def _parts(self, body: bytes, kind: bytes) -> bytes:
        boundary = _BOUNDARY.search(kind)
        delimiter = b"\n--" + (boundary[1] if boundary else b"")
        return delimiter.join(map(self._part, body.split(delimiter)))

    def _parameters(self, text: bytes) -> bytes:
        return _PARAMETER.sub(self._parameter, text) if self._fields else text

    def _parameter(self, match: re.Match[bytes]) -> bytes:
        name = unquote_plus(match[1].decode("utf-8", "replace"))
        if not self._names(name):
            return match[0]
        return match[1] + b"=" + b"*" * len(match[2])

    def _json_member(self, match: re.Match[bytes]) -> bytes:
        name, colon, value = match[1][1:], match[2], match[3]
        if colon is None or not self._names(name.decode("utf-8", "replace")):
            return match[0]
        quoted = value.startswith(b'"')
        stars = b'"' + b"*" * (len(value) - 2) + b'"' if quoted else b"0" * len(value)
        return match[1] + b'"' + colon + stars

    def _part(self, part: bytes) -> bytes:
        start = head_end(part) or len(part)
        name = _FORM_NAME.search(part, 0, start)
        if name is None or not self._names(name[1].decode("utf-8", "replace")):
            return part
        value = part[start:].removesuffix(b"\r")
        return part[:start] + b"*" * len(value) + part[start + len(value) :]

    def _names(self, name: str) -> bool:
        if name not in self._fields:
            return False
        self.notes.add(f"field:{name}")
        return True


@lru_cache(maxsize=64)
def _header_line(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    any_name = b"|".join(map(re.escape, names))
    value = rb"[^\n]*(?:\n[ \t][^\n]*)*"
    return re.compile(
        rb"^(" + any_name + rb")([ \t]*:)(" + value + rb")",
        re.IGNORECASE | re.MULTILINE,
    )
