"""What the program says: data on stdout, talk on stderr.

Text from the web is shown to people without control characters, so that no page
can move the cursor of a terminal.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.errors import UsageError
from crawler.log import shown

PIPE_CLOSED = 141
"""Exit code where the reader of our output went away: 128 + SIGPIPE, as shells say."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
_WIDE = 10_000  # columns: where there is no terminal, nothing is cut


def write(content: str | bytes) -> None:
    """Write data to stdout.

    Raises:
        SystemExit: whoever read it went away; nothing more is written.
    """
    raw = (
        content.encode("utf-8", "surrogateescape")
        if isinstance(content, str)
        else content
    )
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(PIPE_CLOSED) from None


def line(text: str) -> None:
    """Write one line of data to stdout."""
    write(f"{text}\n")


def dump(value: object) -> None:
    """Write a value as JSON to stdout: indented, unescaped."""
    line(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    message = f"{type(value).__name__} is no JSON"
    raise TypeError(message)


def say(text: str) -> None:
    """Say something on stderr; never fails for want of a listener."""
    try:
        sys.stderr.write(f"{shown(clean(text))}\n")
        sys.stderr.flush()
    except OSError:
        pass


def clean(text: str) -> str:
    """Return text without the control characters a terminal would obey."""
    return _CONTROLS.sub("\ufffd", text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows in aligned columns to stdout; "" and None show as a dash."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    write(_table_text(columns, rows, sys.stdout, colour=colour) + "\n")


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Say rows in aligned columns on stderr."""
    say(_table_text(columns, rows, sys.stderr, colour=False))


def _table_text(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    stream: IO[str],
    *,
    colour: bool,
) -> str:
    """Return rows in aligned columns, as wide as a stream shows them."""
    is_shown = stream.isatty()
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, column in enumerate(columns):  # the first is what one copies
        made.add_column(column, overflow="fold", no_wrap=at == 0 or not is_shown)
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    target = io.StringIO()
    width = None if is_shown else _WIDE
    console = Console(file=target, width=width, force_terminal=colour, highlight=False)
    console.print(made)
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines())


def _cell(value: object) -> Text:
    if value is None or value == "":
        return Text("-")
    if isinstance(value, datetime):
        return Text(moment(value))
    return Text(clean(str(value)))


def moment(at: datetime | None) -> str:
    """Return a time as people read it, UTC to the second."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at is not None else "-"


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - a step of decimal units
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


@contextmanager
def lines_to(path: Path | None) -> Iterator[LineWriter]:
    """Give what writes lines to a file, or to stdout where path is None.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        yield LineWriter(None)
        return
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield LineWriter(file)
    except OSError as exc:
        message = f"{str(path)!r} cannot be written: {exc.strerror}"
        raise UsageError(message) from exc


class LineWriter:
    """Writes lines to an open file, or to stdout; counts them."""

    def __init__(self, file: IO[str] | None) -> None:
        """Write to file, to stdout where it is None."""
        self._file = file
        self.count = 0

    def write(self, text: str) -> None:
        """Write one line."""
        self.count += 1
        if self._file is None:
            line(text)
        else:
            self._file.write(f"{text}\n")


def bytes_to(path: Path | None, content: bytes) -> None:
    """Write bytes to a file, or to stdout where path is None.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        write(content)
        return
    try:
        path.write_bytes(content)
    except OSError as exc:
        message = f"{str(path)!r} cannot be written: {exc.strerror}"
        raise UsageError(message) from exc
