"""Feeds as rows: RSS 0.9x and 2.0, RDF (RSS 1.0), Atom and JSON Feed.

A row is a mapping with the names that a listing's fields have: ``url``, ``title``,
``published``, ``updated``, ``summary``, ``author``, ``source``, ``external_id``,
``image`` (texts) and ``tags`` (a list).  What an entry does not say is not there.

Source: RSS 2.0 (rssboard.org), RFC 4287 (Atom), RSS 1.0, JSON Feed 1.1.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urljoin

from lxml import etree

from crawler.errors import NotExtracted
from crawler.extract.document.page import parse_html
from crawler.extract.document.text import collapse, visible_text
from crawler.extract.document.xml import (
    elements_named,
    local_name,
    namespace,
    parse_xml,
)
from crawler.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crawler.model import Json

_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})
_ATOM = "http://www.w3.org/2005/Atom"
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_MEDIA = frozenset(
    {
        "http://search.yahoo.com/mrss/",
        "http://search.yahoo.com/mrss",
        "http://www.itunes.com/dtds/podcast-1.0.dtd",
    }
)
_MARKUP = re.compile(
    r"<[A-Za-z/!][^<>]{0,5000}>|&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|\w{2,31});"
)
_WEB = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_MAIL = re.compile(r"(?:mailto:)?[^\s@]+@[^\s@]+")
_MAIL_NAME = re.compile(rf"{_MAIL.pattern}\s*\(([^()]+)\)")

# The children of an entry in order of trust; the first that says something counts.
_TIMES = {
    "published": ("pubdate", "published", "issued", "date", "created"),
    "updated": ("updated", "modified"),
}
_PROSE = {"title": ("title",), "summary": ("description", "summary")}

_Children: TypeAlias = "Mapping[str, list[etree._Element]]"  # noqa: SLF001 - no other name


def read_feed(text: str) -> list[Json]:
    """Return the entries of a feed as rows, in document order.

    Raises:
        NotExtracted: bad_listing: the text is no feed, or declares entities.
    """
    if text.lstrip("\ufeff \r\n\t")[:1] == "{":
        return _read_json_feed(text)
    root = parse_xml(text)
    if local_name(root) not in _ROOTS:
        name = local_name(root)[:60]
        raise NotExtracted(Reason.BAD_LISTING, f"no feed: its root is {name!r}")
    return read_entries(root)


def read_entries(root: etree._Element) -> list[Json]:
    """Return the feed entries below an element as rows."""
    return [_row_of(entry) for entry in elements_named(root, "item", "entry")]


def _row_of(entry: etree._Element) -> Json:
    children: dict[str, list[etree._Element]] = {}
    for child in entry.iterchildren(etree.Element):
        if namespace(child) not in _MEDIA:
            children.setdefault(local_name(child), []).append(child)
    row: dict[str, Json] = {
        "url": _url_of(entry, children),
        **{name: _first(_prose, children, names) for name, names in _PROSE.items()},
        **{name: _first(_text, children, names) for name, names in _TIMES.items()},
        "external_id": _first(_text, children, ("guid", "id"))
        or str(entry.get(_RDF_ABOUT) or ""),
        "author": _authors(children),
        "source": _first(_source, children, ("source", "publisher")),
        "tags": _tags(children),
        "image": _image(entry),
    }
    return {name: value for name, value in row.items() if value}


def _first(
    read: Callable[[etree._Element], str], children: _Children, names: Iterable[str]
) -> str:
    found = (read(element) for name in names for element in children.get(name, ()))
    return next(filter(None, found), "")


def _text(element: etree._Element) -> str:
    return collapse("".join(map(str, element.itertext())))


def _prose(element: etree._Element) -> str:
    """Return an element's text for readers; Atom says whether it holds markup."""
    kind = str(element.get("type") or ("text" if namespace(element) == _ATOM else ""))
    text = element.text or ""
    if len(element):
        inner = (etree.tostring(child, encoding="unicode") for child in element)
        return visible_text(parse_html(text + "".join(inner)))
    if kind == "text" or not _MARKUP.search(text):
        return collapse(text)
    return visible_text(parse_html(text))


def _url_of(entry: etree._Element, children: _Children) -> str:
    """Return the entry's address as printed, resolved where it has an xml:base."""
    links = children.get("link", [])
    alternates = [link for link in links if link.get("rel", "alternate") == "alternate"]
    alternates.sort(key=lambda link: "html" not in str(link.get("type", "html")))
    addresses = [
        *((link, _text(link)) for link in children.get("origlink", ())),
        *((link, str(link.get("href") or "") or _text(link)) for link in alternates),
        *(
            (guid, _text(guid))
            for guid in children.get("guid", ())
            if _is_address(guid)
        ),
        (entry, str(entry.get(_RDF_ABOUT) or "")),
    ]
    for element, address in addresses:
        if address:
            return urljoin(element.base, address) if element.base else address
    return ""


def _is_address(guid: etree._Element) -> bool:
    permanent = str(guid.get("isPermaLink", "true")).strip().lower() != "false"
    return permanent and _WEB.match(_text(guid)) is not None


def _authors(children: _Children) -> list[Json]:
    """Return the names; addresses of mail alone are nobody's business."""
    found: dict[str, None] = {}
    for element in (*children.get("creator", ()), *children.get("author", ())):
        named = [child for child in element if local_name(child) == "name"]
        text = _prose(named[0] if named else element)
        mail = _MAIL_NAME.fullmatch(text)
        name = mail[1].strip() if mail else text
        if name and not _MAIL.fullmatch(name):
            found[name] = None
    return [*found]


def _source(element: etree._Element) -> str:
    """Return what the entry was taken from: RSS's text, or the title in Atom's."""
    titles = [child for child in element if local_name(child) == "title"]
    return _prose(titles[0]) if titles else _prose(element)


def _tags(children: _Children) -> list[Json]:
    elements = (*children.get("category", ()), *children.get("subject", ()))
    tags = (
        collapse(str(tag.get("label") or tag.get("term") or "")) or _prose(tag)
        for tag in elements
    )
    return list(dict.fromkeys(filter(None, tags)))


def _image(entry: etree._Element) -> str:
    for element in elements_named(entry, "thumbnail", "content", "image", "enclosure"):
        kind = str(element.get("medium") or element.get("type") or "")
        is_image = kind.startswith("image") or local_name(element) in (
            "thumbnail",
            "image",
        )
        address = str(element.get("url") or element.get("href") or "").strip()
        if is_image and address:
            return address
    return ""


def _read_json_feed(text: str) -> list[Json]:
    """Return the items of a JSON Feed as rows."""
    try:
        feed = json.loads(text.lstrip("\ufeff \r\n\t"))
    except (ValueError, RecursionError) as exc:
        raise NotExtracted(Reason.BAD_LISTING, "no feed: JSON that is none") from exc
    items = feed.get("items")
    if "jsonfeed" not in str(feed.get("version")) or not isinstance(items, list):
        raise NotExtracted(Reason.BAD_LISTING, "no feed: JSON, but no JSON Feed")
    return [_json_row(item) for item in items if isinstance(item, dict)]


def _json_row(item: dict[str, Json]) -> Json:
    authors = item.get("authors") or [item.get("author")]
    names = [x.get("name") for x in _as_list(authors) if isinstance(x, dict)]
    row: dict[str, Json] = {
        "url": item.get("url") or item.get("external_url"),
        "title": item.get("title"),
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "summary": item.get("summary"),
        "author": [name for name in names if isinstance(name, str) and name],
        "external_id": item.get("id"),
        "image": item.get("image") or item.get("banner_image"),
        "tags": [tag for tag in _as_list(item.get("tags")) if isinstance(tag, str)],
    }
    return {name: value for name, value in row.items() if value}


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
