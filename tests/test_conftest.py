from __future__ import annotations

import asyncio
import socket
from socket import getaddrinfo

import pytest

from tests.conftest import NetworkForbiddenError, is_local_name, is_loopback

OUTSIDE = "192.0.2.1"  # RFC 5737: for documentation, routed nowhere


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connection_to_the_outside_is_refused(
    network_attempts: list[str], method: str
) -> None:
    """A connection to an address that is not loopback raises and is noted."""
    with (
        socket.socket() as sock,
        pytest.raises(NetworkForbiddenError, match=OUTSIDE),
    ):
        getattr(sock, method)((OUTSIDE, 80))
    assert len(network_attempts) == 1
    network_attempts.clear()


def test_look_up_of_an_outside_name_is_refused(network_attempts: list[str]) -> None:
    """A name that is not local is not looked up, on any of the usual ways."""

    async def ask_loop() -> None:
        await asyncio.get_running_loop().getaddrinfo("portal.example", 80)

    for ask in (
        lambda: socket.getaddrinfo("portal.example", 80),
        lambda: socket.gethostbyname("portal.example"),
        lambda: socket.create_connection(("portal.example", 80)),
        lambda: asyncio.run(ask_loop()),
    ):
        with pytest.raises(NetworkForbiddenError, match=r"portal\.example"):
            ask()
    assert len(network_attempts) == 4
    network_attempts.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host: str) -> None:
    """A server on loopback is reached as without the guard."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1]), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_attempt_that_was_caught_still_fails_its_test(
    pytester: pytest.Pytester, network_attempts: list[str]
) -> None:
    """A test whose code swallows the refusal fails at its end all the same."""
    pytester.makeconftest(
        "from tests.conftest import _no_network, network_attempts, pytest_configure"
    )
    pytester.makepyfile(
        f"""
        import contextlib, socket
        def test_swallows():
            with socket.socket() as sock, contextlib.suppress(Exception):
                sock.connect(({OUTSIDE!r}, 80))
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*reached for the network*192.0.2.1*"])
    network_attempts.clear()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.9.10", 1), True),
        (("::1", 1, 0, 0), True),
        (("::ffff:127.0.0.1", 1, 0, 0), True),
        (("localhost", 1), True),
        ("/run/a.sock", True),
        (("::ffff:10.0.0.1", 1, 0, 0), False),
        (("fe80::1%eth0", 1, 0, 2), False),
        (("10.0.0.1", 1), False),
        (("localhost.example", 1), False),
    ],
)
def test_is_loopback(address: object, *, expected: bool) -> None:
    """Loopback in every spelling is local; private and outside addresses are not."""
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (None, True),
        ("", True),
        (b"localhost", True),
        ("a.localhost", True),
        ("LOCALHOST.", True),
        ("192.0.2.1", True),  # an address needs no look-up; connect guards it
        ("portal.example", False),
        (b"portal.example", False),
        ("notlocalhost", False),
    ],
)
def test_is_local_name(host: object, *, expected: bool) -> None:
    """Only names that are answered on this machine may be looked up."""
    assert is_local_name(host) is expected


def test_guard_is_there_for_early_imports(network_attempts: list[str]) -> None:
    """A module that took getaddrinfo when it was imported took the guarded one."""
    with pytest.raises(NetworkForbiddenError):
        getaddrinfo("portal.example", 80)
    network_attempts.clear()
