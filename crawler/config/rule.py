r"""Expressions and rules: how a portal's YAML says what to read from a page or a row.

A *rule* below is one expression or a list of them, the first that finds something
wins.  An expression is text (``.title``, ``css:h1::attr(title)``, ``xpath://h1``,
``json:data.title``, ``re:^编辑[：:](.+)$``) or a mapping that combines steps:
``{css: .info, re: '来源：(\S+)'}``.
Without a prefix it is CSS on HTML and JMESPath on JSON rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

_PREFIX = re.compile(r"^(css|xpath|json|re):(.*)$", re.DOTALL)
_ATTRIBUTE = re.compile(r"^(.*?)::(?:attr\(([^()]+)\)|(text))$", re.DOTALL)


class Model(BaseModel):
    """What every model of the configuration is: frozen, nothing unknown.

    Attributes:
        shorthand: types that may stand for the whole mapping, for the JSON Schema.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    shorthand: ClassVar[tuple[Any, ...]] = ()  # Any: types of every kind

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the mapping and whatever may be written instead of it."""
        schema = handler(core_schema)
        if not cls.shorthand:
            return schema
        short = [handler(TypeAdapter(kind).core_schema) for kind in cls.shorthand]
        return {"anyOf": [schema, *short]}


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """Says in the JSON Schema that a single element may stand for the list."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the list, and one element of it."""
        schema = handler(core_schema)
        return {"anyOf": [schema["items"], schema]}


class Expression(Model):
    """How to read texts from a page or a row; steps in the order given here.

    Attributes:
        css, xpath, json_path: select; at most one of them.  ``path`` is the form
            without a prefix, read as CSS or JMESPath by where it stands.
        attr: take this attribute of each element instead of its text.
        re: search in each text; group 1, or the whole match where there is no group.
            Alone it searches each line of the page's (or row's) text.
        split: cut each text at this regular expression.
        value: a constant; nothing is selected.
        format: a strptime form for times that the date grammar cannot know.
    """

    shorthand = (str,)

    path: str | None = None
    css: str | None = None
    xpath: str | None = None
    json_path: str | None = Field(default=None, alias="json")
    attr: str | None = None
    re: str | None = None
    split: str | None = None
    value: str | None = None
    format: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        if isinstance(given, dict) and isinstance(given.get("css"), str):
            return _cut_attribute({**given})
        return _steps(given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_selector(self) -> Self:
        chosen = [
            name
            for name in ("path", "css", "xpath", "json_path", "value")
            if getattr(self, name) is not None
        ]
        if len(chosen) > 1:
            names = " and ".join(name.removesuffix("_path") for name in chosen)
            message = f"{names} exclude each other; give one"
            raise ValueError(message)
        if not chosen and self.re is None and self.attr is None:
            message = "nothing to select with; give css, xpath, json, re or value"
            raise ValueError(message)
        return self


def _steps(text: str) -> dict[str, object]:
    found = _PREFIX.match(text)
    kind, rest = (found[1], found[2].strip()) if found else ("path", text.strip())
    return _cut_attribute({kind: rest})


def _cut_attribute(steps: dict[str, object]) -> dict[str, object]:
    """Make a step of its own of ``::attr(x)`` at the end; ``::text`` is the default."""
    kind = "css" if "css" in steps else "path"
    cut = _ATTRIBUTE.match(str(steps.get(kind, "")))
    if not cut:
        return steps
    if cut[2]:
        steps["attr"] = cut[2].strip()
    steps[kind] = cut[1].strip()
    if not steps[kind]:  # "::attr(href)" alone: of the row itself
        del steps[kind]
        return steps if "attr" in steps else {**steps, "css": ":scope"}
    return steps


def as_tuple(given: object) -> object:
    """Return a tuple: of nothing, of a list's elements, or of the one thing given."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, list | tuple) else (given,)


Rule = Annotated[tuple[Expression, ...], BeforeValidator(as_tuple), OneOrMany()]
"""One expression or several; the first that finds something wins."""
Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple), OneOrMany()]
"""One text or a list of them."""
Named = dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]]
"""Texts by name; numbers are taken as written (``params: {size: 50}``)."""


class SourceRule(Model):
    """``source``: a rule for the name alone, or for its parts."""

    shorthand = (Rule,)

    name: Rule = ()
    publisher: Rule = ()
    channel: Rule = ()
    url: Rule = ()

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: object) -> object:
        parts = {"name", "publisher", "channel", "url"}
        if isinstance(given, dict) and (not given or parts & given.keys()):
            return given
        return given if isinstance(given, cls) else {"name": given}


class RowsRule(Model):
    """Rows with a title and a URL each: ``related: {rows: .hot a}``.

    ``rows`` alone takes each row's own text and href.
    """

    shorthand = (Texts,)

    rows: Rule
    title: Rule = ()
    url: Rule = ()

    @model_validator(mode="before")
    @classmethod
    def _rows_alone(cls, given: object) -> object:
        return {"rows": given} if isinstance(given, str | list) else given
