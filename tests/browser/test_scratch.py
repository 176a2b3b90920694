from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crawler.browser.scratch import PREFIX, Scratch

HOLD = "import sys; from crawler.browser.scratch import Scratch; "
HOLD += "print(Scratch.make().path, flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_left_is_cleared(root: Path) -> None:
    """The next browser's directory takes the place of one whose owner is dead."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env={**os.environ, "TMPDIR": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        theirs = Path(holder.stdout.readline().strip())
        (theirs / "profile").mkdir()
        (theirs / "profile" / "cookies").write_text("x", encoding="utf-8")
        ours = Scratch.make()
        assert theirs.exists()
        holder.kill()
        holder.wait()
        other = Scratch.make()
    assert not theirs.exists()
    assert ours.path.exists()
    ours.remove()
    other.remove()
    assert list(root.iterdir()) == []


def test_only_our_own_is_cleared(root: Path) -> None:
    """Links, other names and what somebody holds stay as they are."""
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "kept").write_text("x", encoding="utf-8")
    (root / f"{PREFIX}link").symlink_to(root / "elsewhere")
    held = root / f"{PREFIX}held"
    held.mkdir()
    with (held / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (root / f"{PREFIX}empty").mkdir()
        Scratch.make().remove()
        names = {path.name for path in root.iterdir()}
    assert names == {"elsewhere", f"{PREFIX}link", f"{PREFIX}held"}
    assert (root / "elsewhere" / "kept").exists()


def test_the_environment_is_as_before(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes started meanwhile keep their files there; later ones do not."""
    scratch = Scratch.make()
    for before in (None, "/elsewhere"):
        monkeypatch.delenv("TMPDIR", raising=False)
        if before is not None:
            monkeypatch.setenv("TMPDIR", before)
        with scratch.as_temporary():
            assert os.environ["TMPDIR"] == str(scratch.path)
        assert os.environ.get("TMPDIR") == before
    scratch.remove()
