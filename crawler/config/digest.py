"""The resolved configuration without secrets, and the digest that names its rules."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from crawler.config.credential import is_secret
from crawler.config.problem import MASK, Path, scrubbed
from crawler.config.secrets import listed_secrets

if TYPE_CHECKING:
    from crawler.config.portal import Portal
    from crawler.config.settings import Settings
    from crawler.model import Json

_USER_PART = re.compile(r"://[^/@\s]+@")
_FOR_ITEMS = {
    *("id", "name", "timezone", "language", "strip_params", "id_scheme", "items"),
    "drop_lines",
}
_FOR_ROWS = {
    *("id", "from_", "url", "kind", "state", "rows", "fields", "next", "continue_"),
    *("encoding", "layouts", "ok", "ready", "skip", "strip_params"),
}


def resolved(portal: Portal, settings: Settings) -> dict[str, Json]:
    """Return all that one portal's run is governed by, as JSON and without secrets.

    ``Portal.model_validate(resolved(…)["portal"])`` gives the portal again, so that a
    run can be reproduced from what it stored; masked texts stay masked.
    """
    whole = settings.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"portals", "include"}
    )
    whole["portal"] = portal.model_dump(mode="json", by_alias=True, exclude_none=True)
    return masked(whole, settings.secrets | listed_secrets(portal))


def masked(tree: dict[str, Json], secrets: frozenset[str]) -> dict[str, Json]:
    """Return a dumped configuration with every secret in it masked.

    So is the user part of each URL in a secret place, whoever wrote it there.
    """
    return {key: _masked(value, (key,), secrets) for key, value in tree.items()}


def config_digest(portal: Portal) -> str:
    """Return ``sha256:<hex>`` of the part of a portal that decides what is extracted.

    Manners, floors and what is sent with requests do not count: changing them makes no
    item another.  Nor do values at their default, so that a word added to the
    vocabulary later changes no digest.
    """
    rules = portal.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, include=_FOR_ITEMS
    )
    for item in rules.get("items", ()):
        item.pop("keep", None)  # stored besides, and read by nothing
        item.pop("browser", None)  # as what is sent: it decides what there is to read
    rules["scope"] = portal.scope.model_dump(mode="json", include={"hosts", "exclude"})
    if portal.learned is not None:
        rules["learned"] = portal.learned.digest
    rules["encoding"] = portal.request.encoding
    if portal.login is not None and portal.login.logged_out:
        login = portal.login.model_dump(mode="json", by_alias=True)
        rules["logged_out"] = login["logged_out"]
    rules["listings"] = [
        listing.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, include=_FOR_ROWS
        )
        for listing in portal.listings
    ]
    text = json.dumps(rules, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _masked(value: Json, path: Path, secrets: frozenset[str]) -> Json:
    if isinstance(value, dict):
        return {key: _masked(one, (*path, key), secrets) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, (*path, at), secrets) for at, one in enumerate(value)]
    if not isinstance(value, str):
        return value
    if is_secret(path):
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, MASK)  # however short: here it is one
        return _USER_PART.sub(f"://{MASK}@", value)
    return scrubbed(value, secrets)
