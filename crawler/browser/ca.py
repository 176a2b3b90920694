"""A certificate authority that lives as long as the process and leaves no file.

Browsers that record are told to take its certificates, best by ``spki``; those only
have to be well formed.  Keys exist in memory alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import ssl
from base64 import b64encode
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator

VALID_DAYS = 30
RENEW_DAYS = 20
"""A leaf this old is made anew."""

KEPT_HOSTS = 1000
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portalkeep recorder")])


class Authority:
    """Makes TLS contexts that speak for any host, one a host, kept for later.

    Attributes:
        spki: digest of the public key of all its leaves, as Chromium's
            ``--ignore-certificate-errors-spki-list`` takes it.  With that switch a page
            sees no certificate error and its responses are cached; with the broader
            ``--ignore-certificate-errors`` they are not, and are asked for again.
    """

    def __init__(self) -> None:
        """Make the keys."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        public = self._leaf_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.spki = b64encode(sha256(public).digest()).decode()
        self._contexts: OrderedDict[str, tuple[datetime, ssl.SSLContext]] = (
            OrderedDict()
        )

    async def context(self, host: str) -> ssl.SSLContext:
        """Return the context that speaks for host, a name or an address."""
        made_at, context = self._contexts.get(host, (None, None))
        now = datetime.now(UTC)  # TLS goes by the machine's clock
        if made_at and context and now - made_at < timedelta(days=RENEW_DAYS):
            self._contexts.move_to_end(host)
            return context
        context = await asyncio.to_thread(self._make_context, host, now)
        self._contexts[host] = (now, context)
        while len(self._contexts) > KEPT_HOSTS:
            self._contexts.popitem(last=False)
        return context

    def certificate(self, host: str, now: datetime) -> x509.Certificate:
        """Return a certificate for host, valid from a day before now."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(_NAME)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=VALID_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)  # noqa: FBT003 - its signature
            .add_extension(x509.SubjectAlternativeName([_name(host)]), True)  # noqa: FBT003
            .add_extension(usage, False)  # noqa: FBT003
        )
        return builder.sign(self._key, hashes.SHA256())

    def _make_context(self, host: str, now: datetime) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        certificate = self.certificate(host, now).public_bytes(
            serialization.Encoding.PEM
        )
        key = self._leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        with _readable(certificate) as chain_path, _readable(key) as key_path:
            context.load_cert_chain(chain_path, key_path)
        return context


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """Give a path that reads as content, which must fit a pipe: ssl wants paths."""
    reading, writing = os.pipe()
    try:
        with open(writing, "wb") as pipe:  # noqa: PTH123 - a descriptor
            pipe.write(content)
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
