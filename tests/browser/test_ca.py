from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from crawler.browser.ca import KEPT_HOSTS, VALID_DAYS, Authority

HOSTS = [
    "portal.example",
    "*.portal.example",
    "127.0.0.1",
    "::1",
    "xn--fiq228c.example",
]


@pytest.mark.parametrize("host", HOSTS)
def test_certificates_are_for_their_host(host: str) -> None:
    """A leaf names its host as what it is, name or address, and is valid now."""
    now = datetime.now(UTC)
    leaf = Authority().certificate(host, now)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    values = [str(name.value) for name in names]
    assert values == [host]
    is_address = host in ("127.0.0.1", "::1")
    kind = x509.IPAddress if is_address else x509.DNSName
    assert [type(name) for name in names] == [kind]
    assert leaf.not_valid_before_utc < now < leaf.not_valid_after_utc
    assert leaf.not_valid_after_utc - now <= timedelta(days=VALID_DAYS)


def test_spki_is_of_every_leaf() -> None:
    """The digest a browser is given is that of the key in all certificates."""
    authority = Authority()
    leaf = authority.certificate("portal.example", datetime.now(UTC))
    key = leaf.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode()
    assert authority.spki == digest
    assert Authority().spki != digest


def test_contexts_are_made_once_and_not_on_the_loop() -> None:
    """A host's context is kept; a thousand and one hosts push the oldest out."""

    async def ask() -> tuple[ssl.SSLContext, ssl.SSLContext, ssl.SSLContext]:
        authority = Authority()
        first = await authority.context("host0.example")
        again = await authority.context("host0.example")
        for number in range(1, KEPT_HOSTS + 1):
            await authority.context(f"host{number}.example")
        return first, again, await authority.context("host0.example")

    first, again, later = asyncio.run(ask())
    assert first is again
    assert first is not later


def open_files() -> int:
    """Return how many descriptors this process has, the one that counts included."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is written and no descriptor stays open."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    async def ask() -> tuple[int, int]:
        authority = Authority()
        await authority.context("warm.example")  # the thread comes with it
        before = open_files()
        for number in range(20):
            await authority.context(f"host{number}.example")
        return before, open_files()

    before, after = asyncio.run(ask())
    assert before == after
    assert list(tmp_path.iterdir()) == []
