"""Pings: which addresses are told what, and that nothing comes of a failing one."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from crawler import log
from crawler.jobs.timing.ping import TRIES, address, ended, ping

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def listening(status: int = 200) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve what notes path and text of each ping; give its base and the notes."""
    told: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.append((self.path, text))
            self.send_response_only(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", told
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("url", "word", "expected"),
    [
        ("https://p.example/0af3", "start", "https://p.example/0af3/start"),
        ("https://p.example/0af3/", "4", "https://p.example/0af3/4"),
        ("https://p.example/x?rid=1", "fail", "https://p.example/x/fail?rid=1"),
        ("https://p.example", "0", "https://p.example/0"),
    ],
)
def test_address_of_a_word(url: str, word: str, expected: str) -> None:
    """A word stands behind the path, before a query."""
    assert address(url, word) == expected


def test_each_is_told_once() -> None:
    """Every address is told the word and the text."""
    with listening() as (base, told):
        ping([f"{base}/a", f"{base}/b"], ended(4), "0 items, expected 20 at least")
        ping([f"{base}/a"], ended(None))
    said = "0 items, expected 20 at least"
    assert told == [("/a/4", said), ("/b/4", said), ("/a/fail", "")]


def test_failing_ping_is_a_warning_without_the_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A service that is away or refuses is told of, masked, and nothing is raised."""
    log.configure()
    log.hide(["0af3secret"])
    with listening(status=500) as (base, told):
        ping([f"{base}/0af3secret"], "start")
        assert len(told) == TRIES
    ping([f"{base}/0af3secret"], "0")  # nobody listens there any more
    ping(["http://127.0.0.1:1/with space/0af3secret"], "0")
    shown = capsys.readouterr().err
    assert shown.count("ping_failed") == 3
    assert "0af3secret" not in shown
