"""No secret reaches the archive, and nothing else changes on the way."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

import pytest

from crawler.block import Block
from crawler.exchange import Exchange
from crawler.warc.redact import Policy, mask_url, redact
from tests.warc.sample import exchange, plain

SECRET = "s3cr3t"
REQUEST = (
    b"GET /a?token=s3cr3t&x=1 HTTP/1.1\r\nHost: e.com\r\n"
    b"AUTHORIZATION : Basic s3cr3t\r\n s3cr3t folded\r\nX-authorization: kept\r\n"
    b"proxy-authorization: Basic s3cr3t\nCookie: id=s3cr3t; b=1\r\n"
    b"Referer: https://e.com/?token=s3cr3t\r\n\r\n"
)
COOKIES = b"Set-Cookie: id=s3cr3t; Path=/\r\nset-cookie: s3cr3t\r\n"
FIELDS = frozenset({"token", "pass word"})
PART = b'\r\n--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n'
MODES = ("none", "auth", "all")


def full() -> Exchange:
    """Make an exchange with a secret wherever one may be."""
    answer = plain(extra=COOKIES + b"Location: /b?token=s3cr3t#f\r\n")
    return exchange(
        answer,
        url="https://me:s3cr3t@s3cr3t@e.com/a?token=s3cr3t&x=1",
        request=REQUEST,
        error="no end of 'https://e.com/?token=s3cr3t'",
        interim=b"HTTP/1.1 103 E\r\nSet-Cookie: s3cr3t\r\n\r\n",
    )


def bytes_of(one: Exchange) -> bytes:
    """Return all that would be stored of an exchange."""
    assert one.response is not None
    text = f"{one.url} {one.error}"
    return text.encode() + one.request + one.response.read() + one.interim


@pytest.mark.parametrize(
    "policy", [Policy("all", FIELDS), Policy("auth", FIELDS, login=True)]
)
def test_no_secret_is_left(policy: Policy) -> None:
    """With cookies masked too, the secret is nowhere; every length is as before."""
    one = full()
    stored, notes = redact(one, policy)
    assert SECRET.encode() not in bytes_of(stored)
    assert len(bytes_of(stored)) == len(bytes_of(one))
    assert notes == (
        "authorization",
        "cookie",
        "field:token",
        "proxy-authorization",
        "set-cookie",
        "userinfo",
    )
    assert b"X-authorization: kept\r\n" in stored.request
    assert b"AUTHORIZATION : ***** ******\r\n ****** ******\r\n" in stored.request
    assert b"GET /a?token=******&x=1 HTTP/1.1\r\n" in stored.request
    assert stored.url == "https://****************@e.com/a?token=******&x=1"
    assert mask_url(one.url, policy) == stored.url


def test_without_a_login_cookies_stay() -> None:
    """Cookies of anonymous visits are data, credentials are not."""
    stored, notes = redact(full(), Policy("auth", FIELDS))
    assert b"Cookie: id=s3cr3t; b=1\r\n" in stored.request
    assert "cookie" not in notes
    assert "authorization" in notes


def test_none_masks_only_what_is_for_the_proxy() -> None:
    """Proxy credentials are never stored, whatever the policy."""
    one = full()
    stored, notes = redact(one, Policy("none", FIELDS, login=True))
    assert notes == ("proxy-authorization",)
    assert stored.url == one.url
    assert stored.response is one.response
    masked = one.request.replace(
        b"proxy-authorization: Basic s3cr3t", b"proxy-authorization: ***** ******"
    )
    assert stored.request == masked


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (
            b"application/x-www-form-urlencoded",
            b"a=1&pass+word=s3%26t&token=&pass%20word=s",
            b"a=1&pass+word=******&token=&pass%20word=*",
        ),
        (
            b"application/json; charset=utf-8",
            b'{"a": "token", "token" : "s\\"3", "pass word": 1234}',
            b'{"a": "token", "token" : "****", "pass word": 0000}',
        ),
        (
            b"multipart/form-data; boundary=b",
            PART % b"token" + b"s3\r\ncr" + PART % b"a" + b"token=1\r\n--b--",
            PART % b"token" + b"******" + PART % b"a" + b"token=1\r\n--b--",
        ),
        (b"text/plain", b"token=1", b"token=1"),
    ],
)
def test_fields_of_bodies_are_masked(kind: bytes, body: bytes, expected: bytes) -> None:
    """Configured fields are found in each kind of form, by their decoded name."""
    head = b"POST / HTTP/1.1\r\nContent-Type: " + kind + b"\r\n\r\n"
    stored, _ = redact(exchange(plain(), request=head + body), Policy("auth", FIELDS))
    assert stored.request == head + expected


@pytest.mark.parametrize("mode", MODES)
def test_an_exchange_without_secrets_is_not_touched(
    mode: Literal["none", "auth", "all"],
) -> None:
    """Nothing is masked, nothing noted, and the response is not even copied."""
    one = exchange(plain())
    stored, notes = redact(one, Policy(mode, FIELDS, login=True))
    assert stored == one
    assert stored.response is one.response
    assert notes == ()


def test_a_head_that_was_cut_is_masked_too() -> None:
    """A response that broke off within its cookies does not leak them."""
    one = exchange(b"HTTP/1.1 200 OK\r\nSet-Cookie: id=s3cr3t")
    stored, _ = redact(one, Policy("all"))
    assert stored.response is not None
    assert stored.response.read().endswith(b"Set-Cookie: *********")


def test_a_large_response_keeps_its_body() -> None:
    """A spilled body is the same after its head was masked."""
    block = Block(plain(b"x" * 5000, COOKIES), spill_bytes=1000)
    one = replace(exchange(b""), response=block)
    stored, _ = redact(one, Policy("all"))
    assert stored.response is not None
    assert stored.response.read().endswith(b"x" * 5000)
    assert stored.response.size == block.size
    assert b"s3cr3t" in block.read()


def test_without_response_or_request_there_is_nothing_to_mask() -> None:
    """Failures pass through."""
    one = exchange(None, request=b"", error="dns")
    assert redact(one, Policy("all", FIELDS)) == (one, ())


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"json", b'"' + b'\\"' * 100_000),
        (b"json", b'"token"' + b" " * 100_000),
        (b"json", b'"a":' * 50_000),
        (b"multipart/form-data; boundary=b", b'name="token"\r\n' * 20_000),
        (b"multipart/form-data; boundary=b", b"\n--b" * 50_000),
        (b"urlencoded", b"a" * 200_000),
        (b"urlencoded", b"token=" * 50_000),
    ],
)
def test_no_body_keeps_us_busy(kind: bytes, body: bytes) -> None:
    """What a page's script sends is masked in linear time, at equal length."""
    request = b"POST / HTTP/1.1\r\nContent-Type: " + kind + b"\r\n\r\n" + body
    started = time.process_time()
    stored, _ = redact(exchange(plain(), request=request), Policy("all", FIELDS))
    assert time.process_time() - started < 2
    assert len(stored.request) == len(request)


def test_a_value_with_its_own_dashes_is_masked_whole() -> None:
    """Only the stated boundary ends a part."""
    head = b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    body = PART % b"token" + b"s3\r\n--cr3t" + b"\r\n--b--"
    stored, _ = redact(exchange(plain(), request=head + body), Policy("auth", FIELDS))
    assert stored.request == head + PART % b"token" + b"*" * 10 + b"\r\n--b--"
