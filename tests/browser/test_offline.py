"""The offline proxy on the wire: what it gives, what it withholds, what it notes."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from crawler.block import Block
from crawler.browser.offline import Absence, OfflinePort, Question
from crawler.errors import ArchiveDamaged
from tests.browser.driving import asked_as, client_of
from tests.site.behaviours import answer, chunked, chunks, sized

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1:1"  # nobody listens there, and nobody is asked
SCHEMES = pytest.mark.parametrize("scheme", ["http", "https"])
WHOLE = chunked(chunks(b"as it was", 3), b"X-OdD: y", b"content-encoding: x")


class Archive:
    """A lookup that knows some paths and remembers what it was asked."""

    def __init__(self, known: dict[str, bytes | Absence]) -> None:
        self.known = known
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> Block | Absence:
        """Return what is known."""
        self.asked.append(question)
        found = self.known.get("/" + question.url.split("/", 3)[-1], Absence.MISS)
        return Block(found) if isinstance(found, bytes) else found


def ask(
    archive: Callable[[Question], Block | Absence],
    requests: list[bytes],
    enough: Callable[[bytes], bool] = lambda _: False,
    scheme: str = "http",
) -> tuple[bytes, OfflinePort]:
    """Return what one connection is answered, and the port, closed."""

    async def run() -> tuple[bytes, OfflinePort]:
        port = OfflinePort(archive)
        await port.open()
        try:
            async with client_of(port, f"{scheme}://{HOST}") as (client, prefix):
                for request in requests:
                    method, _, rest = request.partition(b" ")
                    client.write(method + b" " + prefix.encode() + rest)
                return await client.until(enough), port
        finally:
            await port.close()

    return asyncio.run(run())


def get(path: str, *lines: bytes) -> bytes:
    """Return a request."""
    head = b"".join(line + b"\r\n" for line in (b"Host: x", *lines))
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode(), head)


@SCHEMES
def test_answers_are_byte_for_byte(scheme: str) -> None:
    """What is stored is sent as it is, and the connection goes on after it."""
    archive = Archive({"/a?x=1": WHOLE, "/b": sized(b"two")})
    got, port = ask(
        archive,
        [get("/a?x=1"), get("/b")],
        lambda got: got.endswith(b"two"),
        scheme,
    )
    assert got == WHOLE + sized(b"two")
    assert [x.url for x in archive.asked] == [
        f"{scheme}://{HOST}/a?x=1",
        f"{scheme}://{HOST}/b",
    ]
    assert (port.answered, port.misses) == (2, {})


@SCHEMES
def test_misses_are_listed(scheme: str) -> None:
    """What is not stored is a 504 that ends the connection, and is counted."""
    got, port = ask(Archive({}), [get("/gone"), get("/never-read")], scheme=scheme)
    assert got.startswith(b"HTTP/1.1 504 ")
    assert got.count(b"HTTP/1.1") == 1
    assert port.misses == {("GET", f"{scheme}://{HOST}/gone"): 1}
    assert port.answered == 0


def test_what_failed_then_fails_again() -> None:
    """Refused is refused and silent is silent; neither is a miss."""
    archive = Archive({"/no": Absence.REFUSED, "/lost": Absence.SILENT})
    refused, port = ask(archive, [get("/no")])
    assert refused.startswith(b"HTTP/1.1 403 ")
    assert port.misses == {}
    silent, port = ask(archive, [get("/lost")])
    assert (silent, port.misses) == (b"", {})


@pytest.mark.parametrize(
    "content",
    [
        answer(b"200 OK", b"Content-Length: 100", body=b"half"),
        answer(b"200 OK", body=b"to the close"),
        answer(b"200 OK", b"Transfer-Encoding: chunked", body=b"5\r\nhal"),
        b"no head at all",
    ],
)
def test_what_is_not_whole_ends_the_connection(content: bytes) -> None:
    """A browser cannot wait for the rest of what was cut, nor take more for it."""
    got, _ = ask(Archive({"/cut": content}), [get("/cut"), get("/cut")])
    assert got == content


def test_websockets_are_misses() -> None:
    """A handshake is not answered, whatever is stored of it."""
    lines = (b"Upgrade: websocket", b"Connection: Upgrade")
    archive = Archive({"/socket": answer(b"101 Switching Protocols")})
    got, port = ask(archive, [get("/socket", *lines)])
    assert got.startswith(b"HTTP/1.1 504 ")
    assert port.misses == {("GET", f"ws://{HOST}/socket"): 1}
    assert archive.asked == []


def test_bodies_are_part_of_the_question() -> None:
    """What was posted is known to the lookup; the next request is read after it."""
    archive = Archive({"/a": sized(b"one"), "/b": sized(b"two")})
    post = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx=GET"
    got, _ = ask(archive, [post, get("/b")], lambda got: got.endswith(b"two"))
    assert got == sized(b"one") + sized(b"two")
    assert [(x.method, x.body) for x in archive.asked] == [
        ("POST", b"x=GET"),
        ("GET", b""),
    ]


def test_the_browsers_makers_are_refused_in_silence() -> None:
    """Update checks are no page's business: neither answered nor listed."""
    archive = Archive({})

    async def run() -> tuple[bytes, OfflinePort]:
        port = OfflinePort(archive)
        await port.open()
        try:
            async with client_of(port, "http://update.googleapis.com") as (client, at):
                client.write(b"GET %b/x HTTP/1.1\r\n\r\n" % at.encode())
                return await client.until(lambda _: False), port
        finally:
            await port.close()

    got, port = asyncio.run(run())
    assert got.startswith(b"HTTP/1.1 403 ")
    assert (archive.asked, port.misses) == ([], {})


def test_a_damaged_archive_is_told() -> None:
    """What the lookup raises is raised by the close; nothing is served after it."""

    def damaged(_: Question) -> Block | Absence:
        raise ArchiveDamaged("a record is gone")

    with pytest.raises(ArchiveDamaged, match="gone"):
        ask(damaged, [get("/a")])


@pytest.mark.skipif(
    os.getuid() != 0 or sys.platform != "linux", reason="only root can be another user"
)
@pytest.mark.parametrize(("user", "served"), [(0, True), (65534, False)])
def test_another_user_is_not_served(user: int, served: bool) -> None:
    """What is stored may be a member's: no other user of the machine is given it."""
    archive = Archive({"/x": sized(b"stored")})

    async def ask_it() -> bytes:
        port = OfflinePort(archive)
        await port.open()
        try:
            return await asked_as(user, port)
        finally:
            await port.close()

    said = asyncio.run(ask_it())
    assert said.endswith(b"stored") == served
    assert served or said == b"nothing" or b"ConnectionResetError" in said
    assert len(archive.asked) == served
