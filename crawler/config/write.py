"""Write a portal's rules as people would: one file that can be used or included."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.model import Json

_WIDTH = 4096  # no line is folded


def portal_text(tree: Mapping[str, Json], head: str, notes: Mapping[str, str]) -> str:
    """Return a configuration file with one portal.

    Args:
        tree: the portal as it is written.
        head: said above it, line by line.
        notes: said beside a key of its item rules, by that key.
    """
    made = _node(tree)
    items = made.get("items", ()) if isinstance(made, CommentedMap) else ()
    for rule in items:
        for key in rule.keys() & notes.keys():
            if not isinstance(rule[key], CommentedMap | CommentedSeq):
                rule.yaml_add_eol_comment(notes[key], key)
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(CommentedMap({"version": 1, "portals": CommentedSeq([made])}), stream)
    said = "".join(f"# {line}\n" for line in head.splitlines())
    return said + stream.getvalue().rstrip() + "\n"


def _node(value: object) -> object:
    if isinstance(value, dict):
        return CommentedMap({key: _node(one) for key, one in value.items()})
    if not isinstance(value, list):
        return value
    made = CommentedSeq(map(_node, value))
    if not any(isinstance(one, dict | list) for one in value):
        made.fa.set_flow_style()
    return made
