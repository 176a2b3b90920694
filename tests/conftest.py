"""What every test has: the workplace's shared folder, and no network but loopback.

The guard refuses every connection to an address that is not loopback and every look-up
of a name that is not local.  It notes each attempt too and fails the test that made it,
so that code which catches and goes on cannot hide one.  It sees this process only, not
the programs a test starts.
"""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ATTEMPTS = pytest.StashKey[list[str]]()


class NetworkForbiddenError(RuntimeError):
    """A test reached for the network; not an OSError, so that no retry swallows it."""


def is_address(host: str) -> bool:
    """Tell whether host is an IP address, which needs no look-up."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_local_name(host: object) -> bool:
    """Tell whether looking host up stays on this machine."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or not host:
        return True  # None and "" mean any address of this machine
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost") or is_address(name)


def is_loopback(address: object) -> bool:
    """Tell whether a socket address stays on this machine: loopback or a Unix path."""
    if not isinstance(address, tuple) or not address:
        return True
    host = str(address[0])
    if not is_address(host):
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
    ip = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        return ip.ipv4_mapped.is_loopback
    return ip.is_loopback


# Any: these stand in for functions of every shape, and pass on what they are given.
def guarded(
    name: str,
    real: Callable[..., Any],
    log: list[str],
    may_reach: Callable[[Any], bool],
    position: int,
) -> Callable[..., Any]:
    """Return real, refusing (and noting in log) what may_reach says no to.

    The argument at position is the one asked about: the address or the name.
    """

    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - see above
        if not may_reach(args[position] if position < len(args) else kwargs["host"]):
            attempt = f"{name}{args[position:]!r}"
            log.append(attempt)
            message = f"test reached for the network: {attempt}; only loopback is there"
            raise NetworkForbiddenError(message)
        return real(*args, **kwargs)

    return call


def pytest_configure(config: pytest.Config) -> None:
    """Put the guard in place before any test module takes a reference to socket's."""
    log = config.stash.setdefault(ATTEMPTS, [])
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)
        patch.setattr(socket.socket, name, guarded(name, real, log, is_loopback, 1))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        real = getattr(socket, name)
        patch.setattr(socket, name, guarded(name, real, log, is_local_name, 0))


@pytest.fixture
def network_attempts(pytestconfig: pytest.Config) -> list[str]:
    """Give the attempts this test has made so far; a test of the guard clears them."""
    return pytestconfig.stash[ATTEMPTS]


@pytest.fixture(autouse=True)
def _no_network(network_attempts: list[str]) -> Iterator[None]:
    """Fail a test that tried to reach anything but loopback, whatever it caught."""
    network_attempts.clear()
    yield
    if network_attempts:
        pytest.fail(f"reached for the network: {', '.join(network_attempts)}")


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """Give the workplace's shared folder beside the checkout; skip where it is not."""
    folder = Path(pytestconfig.rootpath).parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not here")
    return folder
