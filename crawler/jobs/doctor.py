"""Doctor: whether this machine can run what the configuration asks for."""

from __future__ import annotations

import os
import platform
import secrets
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from crawler import __version__
from crawler.archive.store import open_store
from crawler.archive.store.probe import probe
from crawler.browser.chromium import find_chromium
from crawler.errors import ConfigError, PortalkeepError, SpoolUnwritable
from crawler.spiders import canary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crawler.config.portal import Portal
    from crawler.config.settings import Settings, StoreSettings

MIN_PYTHON = (3, 11)
FREE_BYTES = 2_000_000_000
"""Less than this in the spool's file system is said."""
VERSION_S = 20.0
_GB = 1e9


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one look gave.

    Attributes:
        exit_code: of the error it would be; 0 where all is well.
    """

    name: str
    what: str
    exit_code: int = 0

    @property
    def is_ok(self) -> bool:
        """Tell whether all is well."""
        return self.exit_code == 0


def diagnose_program() -> Iterator[Diagnosis]:
    """Look at the interpreter and at what the wire hook needs of Scrapy."""
    python = platform.python_version()
    good = sys.version_info >= MIN_PYTHON
    need = "" if good else "; 3.11 or newer is needed"
    yield Diagnosis("python", f"{python}{need}", 0 if good else 1)
    yield Diagnosis("portalkeep", __version__)
    yield _looked("scrapy", _scrapy)


def diagnose_places(settings: Settings) -> Iterator[Diagnosis]:
    """Look at spool and store by writing, reading and removing a small object."""
    yield _looked("spool", lambda: _spool(Path(settings.spool.path)))
    yield _looked("store", lambda: _store(settings.store))


def diagnose_browser(settings: Settings) -> Diagnosis:
    """Look for Chromium; only where a portal needs it, its absence is a failure."""
    found = _looked("browser", lambda: _browser(settings.browser.path))
    if found.is_ok:
        return found
    needing = [portal.id for portal in settings.portals if _renders(portal)]
    if not needing:
        return Diagnosis(found.name, f"{found.what}; no portal needs it")
    need = f"{found.what}; {', '.join(needing)} cannot do without"
    return Diagnosis(found.name, need, found.exit_code)


def _renders(portal: Portal) -> bool:
    modes = {rule.render for rule in portal.items}
    return bool((modes | {rule.render for rule in portal.listings}) - {"never"})


def _browser(setting: str | None) -> str:
    """Ask the browser who it is.

    Raises:
        ConfigError: there is none, or it does not run.
    """
    path = find_chromium(setting)
    asked = [path, "--version"]
    try:
        ran = subprocess.run(  # noqa: S603 - the browser's path is the user's own
            asked, capture_output=True, text=True, timeout=VERSION_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as exc:
        message = (
            f"{path} --version fails; install Chromium anew (apt install chromium)"
        )
        raise ConfigError(message) from exc
    return f"{path}, {ran.stdout.strip()}"


def _looked(name: str, look: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(name, look())
    except PortalkeepError as exc:
        return Diagnosis(name, str(exc), exc.exit_code)


def _scrapy() -> str:
    canary.check()
    return f"{version('scrapy')}, the wire hook gives every byte"


def _spool(directory: Path) -> str:
    """Write and sync a file in the spool.

    Raises:
        SpoolUnwritable: that is not possible.
    """
    probe = directory / f".probe-{secrets.token_hex(6)}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with probe.open("xb") as file:
            file.write(b"portalkeep")
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
        stat = os.statvfs(directory)
    except OSError as exc:
        message = f"{str(directory)!r} cannot be written: {exc.strerror}"
        raise SpoolUnwritable(message) from exc
    free = stat.f_bavail * stat.f_frsize
    low = "; that is little, make room" if free < FREE_BYTES else ""
    return f"{directory} can be written, {free / _GB:.1f} GB free{low}"


def _store(settings: StoreSettings) -> str:
    """Put, get, list and delete an object.

    Raises:
        StoreUnavailable: the store cannot be reached.
        ConfigError: it cannot keep an archive as it is configured.
    """
    seen = probe(open_store(settings))
    weak = "" if seen.creates_once else "; it lets a second put replace the first"
    return f"{seen.place}: an object was put, read back, listed and removed{weak}"
