"""System calls of a program, in order, as strace saw them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLS = (
    "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,rename,renameat,renameat2,"
    "link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,ftruncate,truncate,fallocate,"
    "copy_file_range,sendfile,openat,open,creat,close,lseek,dup,dup2,dup3"
)
STRACE = ("strace", "-f", "-y", "-qq", "--seccomp-bpf", "-xx", "-s", "100000000")
_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?.*", re.DOTALL)
_SAME = {
    "renameat": "rename",
    "renameat2": "rename",
    "linkat": "link",
    "unlinkat": "unlink",
    "mkdirat": "mkdir",
    "open": "openat",
}


def under(output: Path) -> tuple[str, ...]:
    """Return what runs a program so that its calls are written to output."""
    return (*STRACE, "-e", f"trace={CALLS}", "-o", str(output))


@dataclass(frozen=True, slots=True)
class Call:
    """One call, whole; or its begin and its end apart, where another came between.

    Attributes:
        args: as strace writes them.
        result: what it returned; 0 while it has not.
    """

    thread: int
    name: str
    args: tuple[str, ...]
    result: int = 0
    begun: bool = True
    ended: bool = True

    @property
    def failed(self) -> bool:
        """Tell whether it returned an error."""
        return self.result < 0

    @property
    def fd(self) -> int:
        """The descriptor it was given."""
        return int(self.args[0].partition("<")[0])

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of the descriptors it was given, or the paths."""
        found = [_between(arg) for arg in self.args]
        return tuple(path for path in found if path.startswith("/"))

    @property
    def path(self) -> str:
        """The file of its first descriptor, "" for what is no file."""
        return next(iter(self.paths), "")

    @property
    def content(self) -> bytes:
        """What it wrote."""
        return _bytes(self.args[1])

    def joined(self, which: int) -> str:
        """Return one of the paths it was given, from the root."""
        seen = -1
        folder = "/"
        for arg in self.args:
            if arg.startswith('"'):
                seen += 1
                if seen == which:
                    return str(PurePosixPath(folder) / _bytes(arg).decode())
            elif "<" in arg:
                folder = _between(arg)
        raise ValueError(self)


def _bytes(arg: str) -> bytes:
    assert not arg.endswith("..."), "the trace was cut"
    return bytes.fromhex(arg.strip('"').replace("\\x", ""))


def _between(arg: str) -> str:
    """Return the path in ``3<path>``, "" where there is none."""
    inner = arg.partition("<")[2].rpartition(">")[0]
    return _bytes(inner).decode() if inner.startswith("\\x") else ""


def read(trace: Path) -> Iterator[Call]:
    """Yield the calls of a trace, in the order in which they began and ended."""
    waiting: dict[int, str] = {}
    with trace.open(encoding="ascii") as file:
        for line in file:
            match = _LINE.fullmatch(line.rstrip("\n"))
            assert match is not None, line[:200]
            thread, text = int(match[1]), match[2]
            if text.endswith("<unfinished ...>"):
                waiting[thread] = text.removesuffix("<unfinished ...>")
                begin = _call(thread, f"{waiting[thread].rstrip()}) = 0")
                if begin is not None:
                    yield replace(begin, ended=False)
            elif text.startswith("<... "):
                call = _call(thread, waiting.pop(thread) + _RESUMED.sub("", text, 1))
                if call is not None:
                    yield replace(call, begun=False)
            else:
                call = _call(thread, text)
                if call is not None:
                    yield call


def _call(thread: int, text: str) -> Call | None:
    match = _CALL.fullmatch(text)
    if match is None:  # a signal, an end
        return None
    name, args = match[1], tuple(arg.strip() for arg in match[2].split(", "))
    if name == "open":
        args = ("AT_FDCWD", *args)
    return Call(thread, _SAME.get(name, name), args, int(match[3]))
