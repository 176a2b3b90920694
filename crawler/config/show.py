"""The resolved configuration for people to read, and its JSON Schema."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from crawler.config.digest import masked
from crawler.config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection

    from crawler.config.load import Loaded
    from crawler.config.places import Places
    from crawler.config.problem import Path
    from crawler.model import Json

_WIDTH = 4096  # no line is folded
_PREFIX = {"css": "css:", "xpath": "xpath:", "json": "json:", "re": "re:", "path": ""}


def show(loaded: Loaded, *, only: Collection[str] = ()) -> str:
    """Return the resolved configuration as YAML that loads again, without secrets.

    A comment names where a value was written; values without one are built in.  The
    rules of a portal that are at their default are left out, its manners are whole.
    ``only`` are the ids of the portals to show, none for all.
    """
    settings = loaded.settings
    tree = settings.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"portals", "include"}
    )
    top = _mapping(masked(tree, settings.secrets), loaded.top, ())
    top["portals"] = CommentedSeq()
    for portal in settings.portals:
        if not only or portal.id in only:
            given = portal.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            given["crawl"] = portal.crawl.model_dump(mode="json", exclude_none=True)
            kept = masked(given, settings.secrets)
            top["portals"].append(_mapping(kept, loaded.portals[portal.id], ()))
    return _written(top)


def schema() -> dict[str, Any]:  # Any: as the library types a schema
    """Return the JSON Schema of the configuration file, shorthands included."""
    made = Settings.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _written(top: CommentedMap) -> str:
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(top, stream)
    return stream.getvalue()


def _mapping(tree: dict[str, Json], places: Places, path: Path) -> CommentedMap:
    result = CommentedMap()
    for key, value in tree.items():
        result[key] = _node(_shortened(value), places, (*path, key))
        spot = places.find((*path, key))
        if spot is not None and not isinstance(result[key], dict | list):
            place = spot.value
            origin = f"{place.file}:{place.line}" if place.line else place.file
            result.yaml_add_eol_comment(origin, key)
    return result


def _node(value: Json, places: Places, path: Path) -> object:
    if isinstance(value, dict):
        return _mapping(value, places, path)
    if isinstance(value, list):
        nodes = (_node(one, places, (*path, at)) for at, one in enumerate(value))
        return CommentedSeq(nodes)
    return value


def _shortened(value: Json) -> Json:
    """Return a rule as people write it: text for an expression that is one step.

    Expressions stand in lists only; a list of one is the expression alone.
    """
    if not isinstance(value, list):
        return value
    short = [_text(one) for one in value]
    return short[0] if len(short) == 1 and short != value else short


def _text(value: Json) -> Json:
    if not isinstance(value, dict) or not value.keys() <= {*_PREFIX, "attr"}:
        return value
    steps = [key for key in value if key != "attr"]
    attr = f"::attr({value['attr']})" if "attr" in value else ""
    if not steps:
        return attr
    if len(steps) > 1 or (attr and steps[0] not in ("css", "path")):
        return value
    return f"{_PREFIX[steps[0]]}{value[steps[0]]}{attr}"
