"""Name resolution that passes on only the addresses a download may connect to.

``Any`` stands for zope interfaces: mypy takes them for classes whose methods have no
``self``.
"""

# ruff: noqa: ANN401
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]  # has none

if TYPE_CHECKING:
    from crawler.spiders.wire import Job


@implementer(IHostnameResolver)
class GuardedResolver:
    """Resolves as the reactor does; the job says which answers are passed on.

    Literal addresses come this way too.  A host of which nothing is left looks to
    Twisted like one that does not resolve; ``job.refused`` tells the two apart.
    """

    def __init__(self, resolver: Any, job: Job) -> None:
        self._resolver = resolver
        self._job = job

    def resolveHostName(  # noqa: N802 - Twisted's names and order
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Any = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        """Resolve hostName for resolutionReceiver."""
        return self._resolver.resolveHostName(
            _Sieve(resolutionReceiver, self._job),
            hostName,
            portNumber,
            addressTypes,
            transportSemantics,
        )


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, job: Job) -> None:
        self._receiver = receiver
        self._job = job

    def resolutionBegan(self, resolutionInProgress: Any) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        known = isinstance(address, IPv4Address | IPv6Address)
        if known and self._job.may_connect(address.host):
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()
