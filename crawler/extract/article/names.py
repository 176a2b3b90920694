"""What a box is for, by its tag and by the words of its class and id."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FURNITURE_TAGS = frozenset({"aside", "footer", "form", "nav", "dialog"})

# Whole words without their plural s, so that "photo" is not hot and "stage" no tag.
_FURNITURE_WORDS = (  # noqa: SIM905 - eighty quotes less
    "ad adv advert advertisement advertising adsense banner"
    " breadcrumb comment commentlist disqus respond reply replie"
    " cookie consent gdpr copyright disclaimer"
    " foot footer navbar nav navigation menu sidebar side sidenav"
    " login signin signup register popup modal overlay newsletter subscribe"
    " subscription pager pagination paging pagenav"
    " popular promo promotion promoted rank ranking recirc recirculation"
    " recommend recommended recommendation related"
    " share sharebar sharing sharetool social sn follow"
    " sponsor sponsored taboola outbrain teaser trending"
    " tag taglist tagcloud keyword toolbar tool widget hot"
    " rating vote poll readmore morenew"
    " rodape fusszeile stopka kommentare komentarze commentaire comentario werbung"
    " anzeige publicite publicidad publicidade reklama pinglun guanggao"
).split()
_BODY_WORDS = (  # noqa: SIM905
    "article articlebody articletext articlecontent body content detail"
    " entry main maintext post story text newscontent newsbody newstext"
    " zhengwen neirong richtext prose"
).split()
_FURNITURE, _BODY = frozenset(_FURNITURE_WORDS), frozenset(_BODY_WORDS)
_CAPTION = frozenset({"caption", "figcaption", "imgcaption", "credit", "photocredit"})
_LEAD = frozenset(
    {"lead", "lede", "intro", "introduction", "standfirst", "subtitle", "subhead"}
    | {"dek", "kicker", "summary", "abstract", "vorspann", "chapeau", "excerpt"}
)
_MADE_BY = frozenset({"ai", "gpt", "llm"})
_DIGEST = _LEAD | {
    "digest",
    "overview",
    "point",
    "keypoint",
    "takeaway",
    "brief",
    "tldr",
}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SURE = re.compile(
    r"(?:arti(?:cle|cal)?|story|entry|post|news|main|page|detail)[-_]*"
    r"(?:body|text|content|txt|detail|con|copy|bd|corpus)(?![a-z])"
    r"|articlebody|zhengwen|neirong",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def words_of(name: str) -> frozenset[str]:
    """Return the words that a class or an id is made of, in lower case."""
    return frozenset(word.lower().removesuffix("s") for word in _WORDS.findall(name))


def name_of(element: HtmlElement) -> str:
    """Return class, id and itemprop of an element."""
    names = (element.get("class"), element.get("id"), element.get("itemprop"))
    return " ".join(name for name in names if name)


def is_sure(element: HtmlElement) -> bool:
    """Tell whether an element's name can hardly mean anything but the text."""
    return _SURE.search(name_of(element)) is not None


def is_furniture(element: HtmlElement) -> bool:
    """Tell whether an element's tag or name says that it is beside the text."""
    if element.tag in FURNITURE_TAGS:
        return True
    return not _FURNITURE.isdisjoint(words_of(name_of(element)))


def is_caption(element: HtmlElement) -> bool:
    """Tell whether an element's tag or name says that it is an image's caption."""
    if element.tag == "figcaption":
        return True
    return not _CAPTION.isdisjoint(words_of(name_of(element)))


def is_lead_box(element: HtmlElement) -> bool:
    """Tell whether an element's name says that it is the text before the body."""
    return not _LEAD.isdisjoint(words_of(name_of(element)))


def is_digest(element: HtmlElement) -> bool:
    """Tell whether an element's name says that a machine summed the text up in it.

    What is only called a summary is mostly the author's lead, and so of the text.
    """
    words = words_of(name_of(element))
    return not (_MADE_BY.isdisjoint(words) or _DIGEST.isdisjoint(words))


def is_body(element: HtmlElement) -> bool:
    """Tell whether an element's name says that it holds the text."""
    return not _BODY.isdisjoint(words_of(name_of(element)))
