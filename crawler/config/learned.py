"""The learned file: what repeats on a portal's item pages, found offline, digested.

It is made by ``portals learn`` of stored captures, read with the configuration and
handed to extraction as part of the portal.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from crawler.config.rule import Model, Texts

VERSION: Literal[1] = 1


class RepeatedLine(Model):
    """A line of item pages that is none of their text.

    Attributes:
        pages: articles it stands in, of those looked at.
    """

    text: str
    pages: int


class Learned(Model):
    """What was learned of one portal; the content of a learned file.

    Attributes:
        extractor: name and version of the code that made it.
        records: ids of the records it was made from, oldest first.
        articles: how many there were, versions of one counted once.
        lines: cut out of bodies; by how many articles they stand in.
        images: the same for images, by address.
        title_suffixes: what ``<title>`` ends with beside the title.
        digest: ``sha256:<hex>`` of all the rest, see `digest_of`.
    """

    shorthand = (str,)

    version: Literal[1] = VERSION
    portal: str
    extractor: str
    records: Texts
    articles: int
    lines: tuple[RepeatedLine, ...] = ()
    images: Texts = ()
    title_suffixes: Texts = ()
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")

    def __hash__(self) -> int:
        return hash(self.digest)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.digest != digest_of(self.model_dump(mode="json")):
            message = "its digest is not that of its content"
            raise ValueError(message)
        return self


def digest_of(content: dict[str, object]) -> str:
    """Return the digest of a learned file's content, its own digest left out.

    Over JSON with sorted keys, no blanks, nothing escaped.
    """
    rest = {key: value for key, value in content.items() if key != "digest"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def sealed(content: dict[str, object]) -> Learned:
    """Return what was learned with the digest of it."""
    whole = {"version": VERSION, "lines": [], "images": [], "title_suffixes": []}
    whole |= content
    return Learned.model_validate({**whole, "digest": digest_of(whole)})


def read_learned(content: bytes, portal_id: str) -> Learned:
    """Return what a learned file of this portal says.

    Raises:
        ValueError: it is none, damaged, of another version or of another portal; the
            message says which, in one line.
    """
    try:
        tree = json.loads(content)
    except ValueError as exc:
        message = "it is no JSON"
        raise ValueError(message) from exc
    if isinstance(tree, dict) and tree.get("version", VERSION) != VERSION:
        message = f"its version is {tree['version']!r}, this program reads {VERSION}"
        raise ValueError(message)
    try:
        learned = Learned.model_validate(tree)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where}: {said}" if where else said) from exc
    if learned.portal != portal_id:
        message = f"it is of portal {learned.portal!r}, not of {portal_id!r}"
        raise ValueError(message)
    return learned


def written(learned: Learned) -> str:
    """Return the learned file's text, for people to read, too."""
    tree = learned.model_dump(mode="json")
    return json.dumps(tree, ensure_ascii=False, indent=1) + "\n"
