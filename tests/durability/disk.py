"""A disk that loses its power: what a trace of system calls left on it for certain.

A file's bytes are certain after an fsync of the file; a name in a directory (made,
renamed, linked, removed) is certain after an fsync of the directory.  Everything else
may be there or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.durability.trace import Call

SYNCS = ("fsync", "fdatasync")


@dataclass(eq=False, slots=True)
class File:
    """An inode of bytes.

    Attributes:
        now: what a reader sees.
        certain: what the last fsync made sure.
        pending: (offset, bytes) or (size, None) for a cut, since then.
    """

    now: bytearray = field(default_factory=bytearray)
    certain: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, at: int, content: bytes | None) -> None:
        """Write content, or cut."""
        self.pending.append((at, content))
        _apply(self.now, at, content)

    def survive(self, chance: random.Random | None) -> bytes:
        """Return what is left: what is certain, and by chance some of the rest."""
        left = bytearray(self.certain)
        for at, content in self.pending:
            if chance is not None and chance.random() < 0.5:
                _apply(left, at, content)
        return bytes(left)


def _apply(content: bytearray, at: int, piece: bytes | None) -> None:
    if piece is None:
        del content[at:]
    content.extend(bytes(max(0, at - len(content))))
    if piece is not None:
        content[at : at + len(piece)] = piece


@dataclass(eq=False, slots=True)
class Folder:
    """An inode of names."""

    now: dict[str, Node] = field(default_factory=dict)
    certain: dict[str, Node] = field(default_factory=dict)
    pending: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, names: dict[str, Node | None]) -> None:
        """Set and remove names, all at once."""
        self.pending.append(names)
        _rename(self.now, names)

    def survive(self, chance: random.Random | None) -> dict[str, Node]:
        """Return what is left, as for files."""
        left = dict(self.certain)
        for names in self.pending:
            if chance is not None and chance.random() < 0.5:
                _rename(left, names)
        return left


def _rename(entries: dict[str, Node], names: dict[str, Node | None]) -> None:
    for name, node in names.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


Node: TypeAlias = "File | Folder"


class Disk:
    """What is under a directory, made of the calls that a process issued.

    Args:
        root: of what is looked at; it is empty, and certain, at the begin.
    """

    def __init__(self, root: Path) -> None:
        self._root = PurePosixPath(root)
        self._top = Folder()
        self._offsets: dict[tuple[int, File], int] = {}
        self._syncing: dict[int, tuple[Node, object, int]] = {}
        self._do: dict[str, Callable[[Call], None]] = {
            "openat": self._openat,
            "write": self._write,
            "pwrite64": self._pwrite,
            "lseek": self._lseek,
            "ftruncate": self._ftruncate,
            "mkdir": self._mkdir,
            "rename": self._rename,
            "link": self._link,
            "unlink": self._unlink,
            "rmdir": self._unlink,
        }

    def take(self, call: Call) -> None:
        """Do what a call did."""
        if call.name in SYNCS:
            self._sync(call)
        elif call.ended and not call.failed:
            if call.name in self._do:
                self._do[call.name](call)
            elif call.name != "close" and any(map(self._node, call.paths)):
                raise NotImplementedError(call)

    def build(self, target: Path, chance: random.Random | None = None) -> None:
        """Write what survives a loss of power now to a new directory."""
        _build(self._top, target, chance)

    def _is_ours(self, path: str) -> bool:
        return PurePosixPath(path).is_relative_to(self._root)

    def _folder(self, path: str) -> tuple[Folder, str] | None:
        """Return the folder a path is in, and its name there; None if not ours."""
        if not self._is_ours(path):
            return None
        *above, name = PurePosixPath(path).relative_to(self._root).parts or ("",)
        folder = self._top
        for part in above:
            found = folder.now[part]
            assert isinstance(found, Folder), path
            folder = found
        return folder, name

    def _node(self, path: str) -> Node | None:
        place = self._folder(path)
        if place is None:
            return None
        folder, name = place
        return folder.now.get(name) if name else folder

    def _file(self, path: str) -> File | None:
        node = self._node(path)
        return node if isinstance(node, File) else None

    def _openat(self, call: Call) -> None:
        path, flags = call.joined(0), call.args[2]
        place = self._folder(path)
        if place is None:
            return
        folder, name = place
        if name not in folder.now and "O_CREAT" in flags:
            folder.change({name: File()})
        file = folder.now.get(name) if name else None
        if isinstance(file, File):
            self._offsets[call.result, file] = 0
            if "O_TRUNC" in flags and file.now:
                file.change(0, None)

    def _write(self, call: Call) -> None:
        file = self._file(call.path)
        if file is not None:
            at = self._offsets[call.fd, file]
            self._offsets[call.fd, file] = at + call.result
            file.change(at, call.content[: call.result])

    def _pwrite(self, call: Call) -> None:
        file = self._file(call.path)
        if file is not None:
            file.change(int(call.args[3]), call.content[: call.result])

    def _lseek(self, call: Call) -> None:
        file = self._file(call.path) if call.paths else None
        if file is not None:
            self._offsets[call.fd, file] = call.result

    def _ftruncate(self, call: Call) -> None:
        file = self._file(call.path)
        if file is not None:
            file.change(int(call.args[1]), None)

    def _mkdir(self, call: Call) -> None:
        place = self._folder(call.joined(0))
        if place is not None:
            place[0].change({place[1]: Folder()})

    def _rename(self, call: Call) -> None:
        old, new = self._folder(call.joined(0)), self._folder(call.joined(1))
        if old is None or new is None:
            return
        assert old[0] is new[0], "a rename from folder to folder is not one change"
        old[0].change({old[1]: None, new[1]: old[0].now[old[1]]})

    def _link(self, call: Call) -> None:
        old, new = self._node(call.joined(0)), self._folder(call.joined(1))
        if old is not None and new is not None:
            new[0].change({new[1]: old})

    def _unlink(self, call: Call) -> None:
        place = self._folder(call.joined(0))
        if place is not None:
            place[0].change({place[1]: None})

    def _sync(self, call: Call) -> None:
        """Make certain what was there when the call began, once it has ended."""
        if call.begun:
            node = self._node(call.path)
            if isinstance(node, File):
                self._syncing[call.thread] = node, bytes(node.now), len(node.pending)
            elif isinstance(node, Folder):
                self._syncing[call.thread] = node, dict(node.now), len(node.pending)
        if call.ended and not call.failed and call.thread in self._syncing:
            node, state, count = self._syncing.pop(call.thread)
            node.certain = state  # type: ignore[assignment]  # of its kind, see above
            del node.pending[:count]


def _build(folder: Folder, target: Path, chance: random.Random | None) -> None:
    target.mkdir(exist_ok=True)
    for name, node in folder.survive(chance).items():
        if isinstance(node, Folder):
            _build(node, target / name, chance)
        else:
            (target / name).write_bytes(node.survive(chance))
