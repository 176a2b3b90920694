"""Which addresses are strangers' and which are ours: public or not; no look-up.

1. An address is public only if it is none of the networks listed here, which follow the
   registries of special-purpose addresses; where in doubt it is not.
2. An IPv6 address that only wraps an IPv4 address is judged by that one.
3. A host is read in every spelling that a resolver, a browser or ``inet_aton`` would
   take for an address; one that two of them read differently is public only if both
   readings are.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6052 (NAT64).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network, and the unspecified address
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata at 100.100.100.200
            "127.0.0.0/8",
            "168.63.129.16/32",  # a cloud's own services, at a public address
            "169.254.0.0/16",  # link-local; metadata at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; a cloud's metadata at 192.0.0.192
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
GLOBAL_V6 = IPv6Network("2000::/3")
"""All other IPv6 is loopback, unique-local (with a cloud's metadata at fd00:ec2::254),
link-local, site-local, multicast or reserved."""
REFUSED_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3ffe::/16",  # the former 6bone
            "3fff::/20",  # documentation
        ),
    )
)
WRAPPERS_V6 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""IPv4-mapped and NAT64's well-known prefix: the last four bytes are where it goes."""

PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
"""Reserved for loopback and for local networks: these, and every name below them.

Source: RFC 6761, 6762, 8375; ICANN's reservation of ``internal``.
"""

_V4_BYTES = 4
_MAX_DIGITS = 40  # leading zeros are cut before; 2**32 needs eleven in octal
_IGNORED = re.compile("[\u00ad\u034f\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


def is_public(address: str) -> bool:
    """Tell whether an address may be a stranger's; False for what is no address.

    One with a zone (``fe80::1%eth0``) is of a local network by its nature.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return _is_public_v6(parsed)
    return not any(parsed in network for network in REFUSED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if any(address in network for network in WRAPPERS_V6):
        return is_public(str(IPv4Address(address.packed[-_V4_BYTES:])))
    refused = any(address in network for network in REFUSED_V6)
    return address in GLOBAL_V6 and not refused


class PublicOnly:
    """A guard that lets downloads connect to public addresses alone."""

    def allows(self, address: str) -> bool:
        """Tell whether an address may be connected to."""
        return is_public(address)


def literal_address(host: str) -> str | None:
    """Return the address a host spells, None where it is a name.

    Read are ``127.1``, ``2130706433``, ``0x7f.1``, ``0177.0.0.1``, IPv6 with or without
    brackets, full-width digits and dots, percent-encoding, trailing dots.
    """
    return next(_readings(host), None)


@lru_cache(maxsize=4096)
def private_host(host: str) -> str | None:
    """Return what a host spells that is not public, None where only a look-up can say.

    An address in its usual spelling, or a name that is private by its standard.
    """
    for reading in _readings(host):
        if not is_public(reading):
            return reading
    name = _plain(host)
    if any(name == one or name.endswith(f".{one}") for one in PRIVATE_NAMES):
        return name[:253]
    return None


def _plain(host: str) -> str:
    """Return a host as IDNA and resolvers see it: folded, unescaped, without dots."""
    text = unicodedata.normalize("NFKC", _DOTS.sub(".", unquote(host)))
    text = _IGNORED.sub("", _DOTS.sub(".", text)).lower().strip()
    return text.rstrip(".").removeprefix("[").removesuffix("]").rstrip(".")


def _readings(host: str) -> Iterator[str]:
    name = _plain(host)
    if ":" in name:
        try:
            yield str(IPv6Address(name))
        except ValueError:
            return
        return
    parts = name.split()[:1]  # inet_aton stops at white space
    for octal in (True, False):
        number = _number_of(parts[0].split("."), octal=octal) if parts else None
        if number is not None:
            yield str(IPv4Address(number))


def _number_of(parts: list[str], *, octal: bool) -> int | None:
    """Return the 32 bits that one to four numbers give; the last one fills the rest.

    octal: whether a leading zero says so, as ``inet_aton`` has it.
    """
    if len(parts) > _V4_BYTES:
        return None
    numbers = [_value(part, octal=octal) for part in parts]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers):
        return None
    *first, last = known
    room = 8 * (_V4_BYTES - len(first))
    if any(number > 255 for number in first) or last >= 1 << room:  # noqa: PLR2004 - a byte
        return None
    return sum(n << (24 - 8 * at) for at, n in enumerate(first)) + last


def _value(part: str, *, octal: bool) -> int | None:
    if not _NUMBER.fullmatch(part) or not part.isascii():
        return None
    digits = part.removeprefix("0x").lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS:
        return None
    if part.startswith("0x"):
        return int(digits, 16)
    is_octal = octal and part.startswith("0") and not set(digits) & set("89")
    return int(digits, 8 if is_octal else 10)
