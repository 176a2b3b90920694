"""What every verb shares: the global options and what is loaded by them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crawler.clock import VARIABLE, Clock, clock_from
from crawler.config.load import Loaded, load
from crawler.config.problem import did_you_mean
from crawler.config.secrets import written_forms
from crawler.config.settings import Settings
from crawler.errors import ConfigError, UsageError
from crawler.log import hide

if TYPE_CHECKING:
    from crawler.archive.collection import Collection
    from crawler.config.portal import Portal

CONFIG_VARIABLE = "PORTALKEEP_CONFIG"
DEFAULT_CONFIG = Path("archive_config.yaml")


@dataclass(slots=True)
class State:
    """The global options of one call.

    Attributes:
        config: as given with ``--config``, None where it was not.
        verbose: how often ``-v`` was given.
    """

    config: Path | None = None
    json: bool = False
    verbose: int = 0
    _loaded: Loaded | None = None

    def loaded(self) -> Loaded:
        """Return the configuration, read once.

        Raises:
            ConfigError: there is no file, or it cannot be used.
        """
        if self._loaded is None:
            self._loaded = load(self.config_path(), environment=os.environ)
            hide(written_forms(self._loaded.secrets))
        return self._loaded

    def config_path(self) -> Path:
        """Return the configuration file: option, then environment, then default.

        Raises:
            ConfigError: there is no such file.
        """
        given = os.environ.get(CONFIG_VARIABLE)
        path = self.config or Path(given or DEFAULT_CONFIG)
        if path.is_file():
            return path
        if self.config is not None:
            looked = f"no configuration file {str(path)!r}"
        elif given:
            looked = f"no configuration file {str(path)!r} ({CONFIG_VARIABLE} names it)"
        else:
            looked = (
                f"no {path} in {str(Path.cwd())!r} and {CONFIG_VARIABLE} is not set"
            )
        message = (
            f"{looked}; name one with `portalkeep --config FILE …`, or see what "
            "portalkeep does with `portalkeep demo`"
        )
        raise ConfigError(message)

    @property
    def settings(self) -> Settings:
        """The resolved settings."""
        return self.loaded().settings

    def settings_if_any(self) -> Settings:
        """Return the resolved settings, the built-in ones where there is no file.

        Raises:
            ConfigError: there is a file, or one is named, and it cannot be used.
        """
        named = self.config is not None or os.environ.get(CONFIG_VARIABLE)
        return self.settings if named or DEFAULT_CONFIG.is_file() else Settings()

    def clock(self) -> tuple[Clock, str | None]:
        """Return the clock, and what the environment set it to if it did.

        Raises:
            ConfigError: it is set to what is no time.
        """
        note = os.environ.get(VARIABLE) or None
        return clock_from(note), note

    def collection(self) -> Collection:
        """Return the stored collection.

        Raises:
            ConfigError: there is no such kind of store.
        """
        from crawler.archive.collection import Collection
        from crawler.archive.store import open_store

        return Collection(open_store(self.settings.store))

    def portals(self, names: Iterable[str] | None) -> tuple[Portal, ...]:
        """Return the configured portals of these names in order, all for none.

        Raises:
            UsageError: there is none of a name; the nearest is named.
            ConfigError: none is configured at all.
        """
        configured = {portal.id: portal for portal in self.settings.portals}
        if not configured:
            message = (
                f"{self.loaded().path}: no portal is configured; add one under "
                "'portals:', see docs/configuration.md"
            )
            raise ConfigError(message)
        wanted = list(dict.fromkeys(names or ())) or list(configured)
        for name in wanted:
            if name not in configured:
                raise UsageError(unknown_portal(name, configured))
        return tuple(configured[name] for name in wanted)

    def portal(self, name: str | None) -> Portal:
        """Return one configured portal; without a name, the only one there is.

        Raises:
            UsageError: there is none of this name, or several and no name.
        """
        found = self.portals([name] if name else None)
        if len(found) > 1:
            names = ", ".join(portal.id for portal in found)
            raise UsageError(f"which portal? name one of: {names}")
        return found[0]

    def stored_names(self, names: Iterable[str] | None) -> list[str]:
        """Return portal ids to read from the store: configured or stored ones.

        A portal that is no longer configured can still be read.

        Raises:
            UsageError: a name is neither configured nor stored.
        """
        configured = {portal.id: None for portal in self.settings.portals}
        known = {**configured, **dict.fromkeys(self.collection().portals())}
        wanted = list(dict.fromkeys(names or ())) or list(known)
        for name in wanted:
            if name not in known:
                raise UsageError(unknown_portal(name, known))
        return wanted


def unknown_portal(name: str, known: Iterable[str]) -> str:
    """Return what to say of a portal's name that is not known."""
    names = list(known)
    near = did_you_mean(name, names)
    return f"there is no portal {name!r}{near}; there are: {', '.join(names) or 'none'}"


def state_of(ctx: typer.Context) -> State:
    """Return the state that the global options made."""
    state = ctx.obj
    return state if isinstance(state, State) else State()
