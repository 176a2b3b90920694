"""The first look at a store: does it give back what it is given?

Some services store the framing of a request inside the object, take a second put in
place of the first, or give wrong ranges.  That is to be known before the first byte of
an archive is trusted to them.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from crawler.errors import ConfigError, PortalkeepError, StoreRefused

if TYPE_CHECKING:
    from crawler.archive.store.contract import Store

PROBES = "probe/"
BYTES = 4096
# The one state of this module: a service is looked at once in a process, by however
# many portals and threads.
_known: dict[str, Abilities] = {}
_one_at_a_time = threading.Lock()


@runtime_checkable
class Service(Protocol):
    """A store behind a network; named by what it can, so that no client is loaded."""

    @property
    def place(self) -> str:
        """Endpoint, bucket and prefix; no secrets."""
        ...

    def creates_once(self, key: str) -> bool:
        """Tell whether the service itself keeps a second put from replacing."""
        ...


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a store was seen to do.

    Attributes:
        place: of it, for people; no secrets.
        creates_once: it refuses a second put itself, also to racing writers; else only
            the look before the put guards what is there, and that keys are unique.
    """

    place: str
    creates_once: bool


def probe_once(store: Store) -> Abilities | None:
    """Look at a service as `probe` does, unless this process has; None for directories.

    Raises:
        ConfigError: it cannot hold an archive as it is configured.
        StoreUnavailable: it cannot be reached now.
    """
    if not isinstance(store, Service):
        return None
    with _one_at_a_time:
        if store.place not in _known:
            _known[store.place] = probe(store)
        return _known[store.place]


def probe(store: Store) -> Abilities:
    """Put, get, list and remove a small object.

    Raises:
        ConfigError: it cannot hold an archive as it is configured.
        StoreUnavailable: it cannot be reached now.
    """
    place = store.place if isinstance(store, Service) else "the store"
    key = f"{PROBES}{secrets.token_hex(8)}"
    try:
        _round(store, key, place)
        once = not isinstance(store, Service) or store.creates_once(f"{key}-once")
    except StoreRefused as exc:
        raise ConfigError(str(exc)) from exc
    finally:
        for made in (key, f"{key}-once"):
            # Archives may be kept where nothing can be deleted.
            with contextlib.suppress(PortalkeepError):
                store.delete(made)
    return Abilities(place, once)


def _round(store: Store, key: str, place: str) -> None:
    content = secrets.token_bytes(BYTES)
    store.put_if_absent(key, content)
    back = store.get(key)
    if back != content:
        raise ConfigError(
            f"{place} gives back other bytes than were put ({len(back)} instead of "
            f"{len(content)}); it cannot keep an archive: set store.checksums to "
            "when_required, or use another service"
        )
    if (
        store.get(key, 7, 100) != content[7:107]
        or store.get(key, BYTES - 9) != (content[-9:])
    ):
        raise ConfigError(f"{place} gives wrong ranges of objects; use another service")
    info = store.head(key)
    if info is None or info.size != BYTES:
        raise ConfigError(f"{place} does not know the size of what was put")
    if key not in {info.key for info in store.list(PROBES)}:
        raise ConfigError(f"{place} does not list what was put")
