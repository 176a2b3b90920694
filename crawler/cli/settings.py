"""``config`` and ``portals``: what the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crawler.cli import output
from crawler.cli.state import state_of
from crawler.cli.values import Portals

if TYPE_CHECKING:
    from crawler.config.portal import Portal


def check(ctx: typer.Context) -> None:
    """Say whether the configuration can be used; every problem with its place."""
    state = state_of(ctx)
    count = len(state.settings.portals)
    if state.json:
        output.dump({"ok": True, "file": state.loaded().path, "portals": count})
        return
    output.line(f"ok: {count} portal{'' if count == 1 else 's'}")


def show(ctx: typer.Context, portals: Portals = None) -> None:
    """Write the resolved configuration as YAML, without secrets.

    Comments say where a value was written; what has none is built in.
    """
    from crawler.config.digest import resolved
    from crawler.config.show import show as text_of

    state = state_of(ctx)
    chosen = state.portals(portals) if portals else state.settings.portals
    if state.json:
        output.dump([resolved(portal, state.settings) for portal in chosen])
        return
    output.write(
        text_of(state.loaded(), only=[x.id for x in chosen] if portals else ())
    )


def schema() -> None:
    """Write the JSON Schema of the configuration file, for editors."""
    from crawler.config.show import schema as made

    output.dump(made())


def listed(ctx: typer.Context) -> None:
    """List the configured portals."""
    state = state_of(ctx)
    found = state.settings.portals
    if state.json:
        output.dump([_as_json(portal) for portal in found])
        return
    columns = ("portal", "name", "timezone", "listings", "item rules")
    output.table(columns, (_row(portal) for portal in found))


def _row(portal: Portal) -> tuple[object, ...]:
    listings = ", ".join(rule.id for rule in portal.listings)
    return (portal.id, portal.name, portal.timezone, listings, len(portal.items))


def _as_json(portal: Portal) -> dict[str, object]:
    return {
        "id": portal.id,
        "name": portal.name,
        "timezone": portal.timezone,
        "listings": [rule.id for rule in portal.listings],
        "item_rules": len(portal.items),
    }
