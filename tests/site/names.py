"""A job in a child that looks no name up: ``python -m tests.site.names PLAN``.

The plan is `tests.site.job`'s, with ``names`` (name to address; what is not there does
not resolve) and ``stranger`` (an address of loopback that counts as public there, so
that something can be fetched at all).
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

from twisted.internet import defer
from twisted.internet.abstract import isIPAddress
from twisted.internet.base import ThreadedResolver
from twisted.internet.error import DNSLookupError

from crawler import addresses
from tests.site import job


def resolve_by(names: dict[str, str]) -> None:
    """Answer look-ups from a table."""

    def look_up(_: object, name: str, *__: Any) -> defer.Deferred[str]:  # noqa: ANN401
        if name in names or isIPAddress(name):
            return defer.succeed(names.get(name, name))
        return defer.fail(DNSLookupError(name))

    real = socket.getaddrinfo

    def get(host: Any, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 - as of socket
        """Answer what the browser's requests ask, as Twisted's are answered."""
        if host is not None and not isIPAddress(host) and host not in names:
            raise socket.gaierror(host)
        return real(names.get(host, host), *rest, **named)

    ThreadedResolver.getHostByName = look_up  # type: ignore[assignment,method-assign]
    socket.getaddrinfo = get


def let_pass(stranger: str) -> None:
    """Let one address count as public."""
    real = addresses.is_public
    addresses.is_public = lambda address: address == stranger or real(address)


if __name__ == "__main__":
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    resolve_by(plan["names"])
    if "stranger" in plan:
        let_pass(plan["stranger"])
    job.main(sys.argv[1])
