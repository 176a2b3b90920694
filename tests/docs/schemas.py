"""The published schemas, and a look whether a value keeps to one.

Run as a program (``python -m tests.docs.schemas``) it writes the published files anew.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.archive.manifest import Run, Segment
from crawler.archive.pageinfo import PageInfo
from crawler.config.learned import Learned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

DIRECTORY = Path(__file__).parents[2] / "docs" / "schema"
MANIFESTS: dict[str, type[BaseModel]] = {"segment": Segment, "run": Run}
SCHEMAS = (*MANIFESTS, "learned", "pageinfo")
SEAL = {
    "description": "Digest of all bytes before the comma in front of it.",
    "pattern": "^[0-9a-f]{64}$",
    "type": "string",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}

# Any: JSON, here and below.


def made(name: str) -> dict[str, Any]:
    """Return the schema as its model says; a manifest's with the seal of its bytes."""
    if name == "learned":
        return _of_learned()
    if name == "pageinfo":
        return PageInfo.model_json_schema()
    schema = MANIFESTS[name].model_json_schema()
    schema["properties"]["sha256"] = SEAL
    return schema


def _of_learned() -> dict[str, Any]:
    """Return the schema of the file alone, without the name that stands for it."""
    schema = Learned.model_json_schema()
    whole: dict[str, Any] = {"$defs": schema["$defs"], **schema["anyOf"][0]}
    return whole


def published(name: str) -> dict[str, Any]:
    """Return a schema as published."""
    read: dict[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_text("utf-8"))
    return read


def errors(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401
    """Yield what is wrong with value, by the words of JSON Schema that ours use."""
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].rpartition("/")[2]]
        yield from errors(value, target, root)
    if "anyOf" in schema and all(list(errors(value, x, root)) for x in schema["anyOf"]):
        yield f"{value!r} fits none of {schema['anyOf']}"
    if "const" in schema and value != schema["const"]:
        yield f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is none of {schema['enum']}"
    kind = schema.get("type")
    if kind is not None and not isinstance(value, _TYPES[kind]):
        yield f"{value!r} is no {kind}"
    elif isinstance(value, dict):
        yield from _errors_of_object(value, schema, root)
    elif isinstance(value, list):
        yield from _errors_of_array(value, schema, root)
    elif isinstance(value, str):
        yield from _errors_of_text(value, schema)


def _errors_of_object(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]
) -> Iterator[str]:
    known = schema.get("properties", {})
    further = schema.get("additionalProperties", True)
    yield from (
        f"{x!r} is missing" for x in schema.get("required", ()) if x not in value
    )
    for name, inner in value.items():
        if name in known:
            yield from errors(inner, known[name], root)
        elif further is False:
            yield f"{name!r} is not known"
        elif isinstance(further, dict):
            yield from errors(inner, further, root)


def _errors_of_array(
    value: list[Any], schema: dict[str, Any], root: dict[str, Any]
) -> Iterator[str]:
    first = schema.get("prefixItems", [])
    for at, inner in enumerate(value):
        rule = first[at] if at < len(first) else schema.get("items", {})
        yield from errors(inner, rule, root)
    few, many = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not few <= len(value) <= many:
        yield f"{len(value)} entries, not {few} to {many}"


def _errors_of_text(value: str, schema: dict[str, Any]) -> Iterator[str]:
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{value!r} does not match {schema['pattern']!r}"
    if schema.get("format") == "date-time":
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            yield f"{value!r} has no offset"


def write() -> None:
    """Write the published schemas anew."""
    for name in SCHEMAS:
        text = json.dumps(made(name), ensure_ascii=False, indent=2)
        (DIRECTORY / f"{name}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    write()
