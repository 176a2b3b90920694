"""Secrets masked in an exchange before any of it is stored.

Masked bytes become ``*`` one for one, so that lengths, order and framing stay as they
were on the wire; digests are over what is stored.  The records of the exchange say so
in ``WARC-Redacted: authorization, cookie``, names in alphabetical order:

- ``authorization``, ``proxy-authorization``, ``cookie``, ``set-cookie``: headers of
  that name, their whole values;
- ``field:<name>``: a parameter of that name in a URL (asked for, referred to,
  redirected to) or in a form or JSON body;
- ``userinfo``: user and password in the URL.

Trailers of a chunked body and fields within a response's body are not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_plus

from crawler.http import HEAD_BYTES, head_end, header, parse_request_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.block import Block
    from crawler.model import Exchange

_MASKABLE = re.compile(rb"[^\r\n\t ]")
_PARAMETER = re.compile(rb"([^?&;#=\s]+)=([^&;#\s]*)")
_JSON_MEMBER = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:\s*)("(?:[^"\\]|\\.)*"|[\w.+-]+)')
_FORM_PART = re.compile(
    rb'(\bname="([^"\r\n]*)"(?:[^\r\n]*\r?\n)(?:[^\r\n]+\r?\n)*\r?\n)(.*?)(?=\r?\n--)',
    re.DOTALL,
)
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
    """

    mode: Literal["none", "auth", "all"] = "auth"
    fields: frozenset[str] = frozenset()
    login: bool = False

    def headers(self) -> tuple[bytes, ...]:
        """Return the names of the headers that are masked."""
        if self.mode == "none":
            return (b"proxy-authorization",)
        cookies = (b"cookie", b"set-cookie") if self.login or self.mode == "all" else ()
        return (b"proxy-authorization", b"authorization", *cookies)

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


class _Masker:
    """Masks one exchange.

    Attributes:
        notes: names of what was masked so far.
    """

    def __init__(self, policy: Policy) -> None:
        self.notes: set[str] = set()
        self._fields = policy.parameters()
        self._keeps_userinfo = policy.mode == "none"
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

    def _header(self, match: re.Match[bytes]) -> bytes:
        self.notes.add(match[1].decode("ascii").lower())
        return match[1] + match[2] + _MASKABLE.sub(b"*", match[3])

    def _userinfo(self, match: re.Match[bytes]) -> bytes:
        self.notes.add("userinfo")
        return b"*" * len(match[0])

    def _body(self, request: bytes, end: int) -> bytes:
        body = request[end:]
        head = parse_request_head(request)
        if not (body and head and self._fields):
            return body
        kind = (header(head.headers, b"content-type") or b"").lower()
        for name, mask in self._body_masks().items():
            if name in kind:
                return mask(body)
        return body

    def _body_masks(self) -> dict[bytes, Callable[[bytes], bytes]]:
        return {
            b"urlencoded": self._parameters,
            b"json": lambda body: _JSON_MEMBER.sub(self._json_member, body),
            b"multipart/form-data": lambda body: _FORM_PART.sub(self._part, body),
        }

    def _parameters(self, text: bytes) -> bytes:
        return _PARAMETER.sub(self._parameter, text) if self._fields else text

    def _parameter(self, match: re.Match[bytes]) -> bytes:
        name = unquote_plus(match[1].decode("utf-8", "replace"))
        if not self._names(name):
            return match[0]
        return match[1] + b"=" + b"*" * len(match[2])

    def _json_member(self, match: re.Match[bytes]) -> bytes:
        if not self._names(match[1].decode("utf-8", "replace")):
            return match[0]
        value = match[3]
        quoted = value.startswith(b'"')
        stars = b'"' + b"*" * (len(value) - 2) + b'"' if quoted else b"0" * len(value)
        return b'"' + match[1] + b'"' + match[2] + stars

    def _part(self, match: re.Match[bytes]) -> bytes:
        if not self._names(match[2].decode("utf-8", "replace")):
            return match[0]
        return match[1] + b"*" * len(match[3])

    def _names(self, name: str) -> bool:
        if name not in self._fields:
            return False
        self.notes.add(f"field:{name}")
        return True


def _header_line(names: Iterable[bytes]) -> re.Pattern[bytes]:
    any_name = b"|".join(map(re.escape, names))
    value = rb"[^\n]*(?:\n[ \t][^\n]*)*"
    return re.compile(
        rb"^(" + any_name + rb")([ \t]*:)(" + value + rb")",
        re.IGNORECASE | re.MULTILINE,
    )
