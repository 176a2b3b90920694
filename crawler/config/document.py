"""A YAML file as plain values that know where each was written.

1. A file is read as YAML 1.2; dates stay text, tags of its own are refused.
2. ``${NAME}`` and ``${NAME:-default}`` are expanded in every text value (never in a
   key); ``$${`` stands for ``${`` itself.
3. What a variable brought into a secret place is a secret: a key that holds one, or
   behind a name that asks for one (``?token=${TOKEN}``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from crawler.config.credential import (
    credentials,
    has_password,
    is_behind_secret_name,
    is_credential_header,
    is_login_text,
    is_ping,
    is_secret,
    only_from_outside,
)
from crawler.config.problem import MASK, Path, Place, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_MAX_NODES = 200_000  # aliases of aliases grow without end
_VARIABLE = re.compile(
    r"(?P<escape>\$\$\{)"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<stray>\$\{)"
)
_HALF = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value was written, and where its key; the same in a list."""

    value: Place
    key: Place


@dataclass(slots=True)
class Document:
    """One file as read; filled by `read_document` and not changed after it.

    Attributes:
        tree: mappings, lists and scalars; None for an empty file.
        spots: of every value, by its path in tree.
        secrets: what variables brought into secret places; none is empty.
        variables: names of all variables that were asked for.
    """

    file: str
    tree: Tree = None
    spots: dict[Path, Spot] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_document(text: str, file: str, environment: Mapping[str, str]) -> Document:
    """Read YAML; what is wrong with it is in the result's problems.

    Where the text is no YAML at all, tree is None and the problem is the only one.
    """
    document = Document(file)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        if root is not None:
            document.tree = _Builder(document, environment).build(root, ())
    except YAMLError as exc:
        document.problems.append(_syntax_problem(exc, text, file))
    except RecursionError:
        what = "nested too deeply; look for brackets that are not closed"
        document.problems.append(Problem(Place(file), what))
    return document


def _syntax_problem(exc: YAMLError, text: str, file: str) -> Problem:
    if isinstance(exc, ReaderError):
        before = text[: exc.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = "a control character; remove it"
        return Problem(Place(file, line, column), what)
    if not isinstance(exc, MarkedYAMLError) or exc.problem_mark is None:
        return Problem(Place(file), f"no YAML: {exc}")
    mark = exc.problem_mark
    place = Place(file, mark.line + 1, mark.column + 1)
    return Problem(place, _syntax_hint(exc.problem or "", exc.context or ""))


def _syntax_hint(problem: str, context: str) -> str:
    hints = (
        (r"'\t'", "a tab; YAML is indented with spaces"),
        ("found another document", "a second document; keep one in a file"),
        (
            "mapping values are not allowed",
            "a colon where none may be; put the text that holds it in quotes",
        ),
        ("unknown escape", "a backslash YAML does not know; use 'single quotes'"),
        ("cannot start any token", "a character no plain text starts with; quote it"),
    )
    for sign, hint in hints:
        if sign in problem:
            return f"{hint} ({problem})"
    return f"no YAML {context}: {problem}; look at indentation, quotes and brackets"


# Any below: a node's value is untyped in the library.
@dataclass(slots=True)
class _Builder:
    """Turns composed nodes into values, noting places and problems in document."""

    document: Document
    environment: Mapping[str, str]
    inside: set[int] = field(default_factory=set)
    nodes: int = 0

    def build(self, node: Node, path: Path) -> Tree:
        place = self._place(node)
        self.document.spots.setdefault(path, Spot(place, place))
        self.nodes += 1
        if id(node) in self.inside or self.nodes > _MAX_NODES:
            self._note(node, "an alias that holds itself, or aliases without end")
            return None
        self.inside.add(id(node))
        try:
            return self._value(node, path)
        finally:
            self.inside.discard(id(node))

    def _value(self, node: Node, path: Path) -> Tree:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(one, (*path, at)) for at, one in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Tree]:
        pairs: list[tuple[Any, Any]] = node.value
        result: dict[str, Tree] = {}
        for key, value in pairs:
            if str(key.tag) == _MERGE:
                result |= self._merged(value, path)
        seen: dict[str, Place] = {}
        for key, value in pairs:
            if str(key.tag) == _MERGE or not self._is_name(key):
                continue
            name, place = str(key.value), self._place(key)
            if name in seen:
                self._note(key, f"{name!r} again, first on line {seen[name].line}")
                continue
            seen[name] = place
            self._forget((*path, name))
            self.document.spots[(*path, name)] = Spot(self._place(value), place)
            result[name] = self.build(value, (*path, name))
        return result

    def _merged(self, node: Node, path: Path) -> dict[str, Tree]:
        """Return what ``<<`` brings; of several, an earlier one wins."""
        many = isinstance(node, SequenceNode)
        nodes: list[Any] = [*reversed(node.value)] if many else [node]
        result: dict[str, Tree] = {}
        for one in nodes:
            if isinstance(one, MappingNode) and id(one) not in self.inside:
                result |= self._mapping(one, path)
            else:
                self._note(one, "'<<' wants an alias of a mapping")
        return result

    def _forget(self, path: Path) -> None:
        """Drop the places of a merged value that is now given anew."""
        if path in self.document.spots:
            stale = [one for one in self.document.spots if one[: len(path)] == path]
            for one in stale:
                del self.document.spots[one]

    def _is_name(self, key: Node) -> bool:
        if isinstance(key, ScalarNode):
            return True
        self._note(key, "a key must be a plain name")
        return False

    def _scalar(self, node: Node, path: Path) -> Tree:
        kind = str(node.tag).removeprefix(_TAG)
        text = str(node.value)
        if is_login_text(path) and not only_from_outside(text):
            self._note(node, "a login in the file; write ${NAME} and set it outside")
        if (is_credential_header(path) or is_ping(path)) and not (
            only_from_outside(text) or MASK in text  # as `config show` writes it
        ):
            self._note(
                node, "a credential in the file; write ${NAME} and set it outside"
            )
        if kind in ("str", "timestamp", "value"):
            return self._whole(self._expanded(text, node, path), node)
        if kind not in ("null", "bool", "int", "float"):
            self._note(node, f"the tag {node.tag} means nothing here; remove it")
            return None
        return _plain(kind, text)

    def _expanded(self, text: str, node: Node, path: Path) -> str:
        if is_secret(path) and has_password(text):
            self._note(node, "a password in the file; write ${NAME} and set it outside")
        if "${" not in text:
            return text
        return _VARIABLE.sub(lambda found: self._variable(found, node, path), text)

    def _whole(self, text: str, node: Node) -> str:
        """Return text unless it could not be written anywhere again."""
        if text.isascii() or not _HALF.search(text):
            return text
        self._note(node, "half a character (a lone surrogate); write it in full")
        return ""

    def _variable(self, found: re.Match[str], node: Node, path: Path) -> str:
        if found["escape"]:
            return "${"
        if found["stray"]:
            self._note(
                node,
                "'${' begins no variable; write ${NAME} or ${NAME:-default}, "
                "or $${ for the characters themselves",
            )
            return found[0]
        name, default = found["name"], found["default"]
        self.document.variables.add(name)
        value = self.environment.get(name)
        if default is not None and not value:
            return default
        if value is None:
            near = did_you_mean(name, self.environment)
            self._note(
                node,
                f"the variable {name!r} is not set{near or ';'} "
                f"set it, or write ${{{name}:-default}}",
            )
            return found[0]
        before = found.string[: found.start()]
        if value and (is_secret(path) or is_behind_secret_name(before)):
            self.document.secrets.update((value, *credentials(value)))
        return value

    def _place(self, node: Node) -> Place:
        mark = node.start_mark
        return Place(self.document.file, mark.line + 1, mark.column + 1)

    def _note(self, node: Node, what: str) -> None:
        self.document.problems.append(Problem(self._place(node), what))


def _plain(kind: str, text: str) -> Tree:
    """Return the value of a scalar that is no text; text where it is none after all."""
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    digits = text.replace("_", "").lower()
    try:
        if kind == "float":
            return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
        return (
            int(digits, 0) if digits.lstrip("+-")[:2] in ("0x", "0o") else int(digits)
        )
    except ValueError:
        return text
