"""XML of feeds and sitemaps as a tree: tolerant of what they get wrong, bounded.

Nothing is loaded and nothing expanded: no DTD, no external or declared entity, no
network.  A document that declares entities of its own is refused, since what they
are for in a feed is to grow.
"""

from __future__ import annotations

import re
from html.entities import html5
from typing import TYPE_CHECKING

from lxml import etree

from crawler.errors import NotExtracted
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTITY = re.compile(r"<!ENTITY\s+(?!%)")
_MAX_PROLOG_PARTS = 20
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[>]*+(?:\[(?:[^\]]|\](?!\s*>))*+\]\s*)?>")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# Possessive (*+): an unclosed section must not be read again from each of its letters.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[(?:[^\]]|\](?!\]>))*+(?:\]\]>)?"
    r"|&(?:(?P<name>[A-Za-z][A-Za-z0-9]{1,31});|(?P<number>#[xX]?[0-9A-Fa-f]{1,8};))?"
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})


def parse_xml(text: str) -> etree._Element:
    """Return the root element of text.

    HTML's named entities and bare ampersands are put right first, characters that XML
    has no place for are cut; what is still broken is recovered from, as far as it goes.

    Raises:
        NotExtracted: bad_listing: it declares entities, or it is no XML at all.
    """
    start = _first_element(text)
    if _ENTITY.search(text, 0, start):
        raise NotExtracted(Reason.BAD_LISTING, "the document declares entities")
    plain = _AMPERSAND.sub(_put_right, _FORBIDDEN.sub("", text[start:])).strip()
    root = _root_of(plain.encode())
    if root is None:
        raise NotExtracted(Reason.BAD_LISTING, f"no XML: {text[:80]!r}")
    return root


def local_name(element: etree._Element) -> str:
    """Return the element's name without namespace or undeclared prefix, lower case."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def namespace(element: etree._Element) -> str:
    """Return the element's namespace, "" where it has none."""
    return str(element.tag).rpartition("}")[0].removeprefix("{")


def elements_named(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield root's descendants of these local names, in document order."""
    for element in root.iter(etree.Element):
        if local_name(element) in names:
            yield element


def _root_of(document: bytes) -> etree._Element | None:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        # With recover it returns None where nothing could be recovered.
        found: etree._Element | None = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return None
    return found


def _first_element(text: str) -> int:
    """Return where the root element begins; what stands before it is not parsed."""
    at = 0
    for _ in range(_MAX_PROLOG_PARTS):
        at = text.find("<", at)
        if at < 0:
            break
        if text[at + 1 : at + 2] not in ("!", "?"):
            return at
        at = _after_markup(text, at)
    return len(text)


def _after_markup(text: str, at: int) -> int:
    if doctype := _DOCTYPE.match(text, at):
        return doctype.end()
    mark = "-->" if text.startswith("<!--", at) else ">"
    end = text.find(mark, at)
    return len(text) if end < 0 else end + len(mark)


def _put_right(found: re.Match[str]) -> str:
    if found[0].startswith("<") or found["number"] or found["name"] in _XML_NAMES:
        return found[0]
    if found["name"] is None:
        return "&amp;" + found[0][1:]
    known = html5.get(f"{found['name']};")
    # &lt-like results are text here, not markup; an unknown name is text as it stands.
    return f"&amp;{found['name']};" if known is None else _escaped(known)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
