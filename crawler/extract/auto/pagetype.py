"""What a page is: an article, a listing, or a page in an article's place.

Asked of pages that no rule describes, so that only articles become items.  A wrong
refusal costs an item, a wrong item can be told by its text: where in doubt, article.

1. A page that says it is gone, or wants a login or a payment, and hardly more than
   that.
2. A page with hardly any text whose scripts are to make it: a shell.
3. What says of itself, for search engines, that it is an article is one, and a page of
   products is none.
4. Much text in one place is an article's.
5. Many rows, and little text beside them, or the URL of a section, or a numbered page
   that follows: a listing.  So is a site's root, unless it reads like an article: an
   address that nobody noted is often written so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extract.auto.address import is_page_of, names_a_page
from crawler.extract.auto.cards import rows_of
from crawler.extract.auto.groups import item_anchors
from crawler.extract.auto.headed import is_headed_article, is_short_article
from crawler.extract.auto.nextpage import read_paging
from crawler.extract.auto.prose import body_of, paragraphs_of, prose_of
from crawler.extract.auto.wording import weight
from crawler.extract.document.text import visible_text
from crawler.extract.fields.metadata import Metadata

if TYPE_CHECKING:
    from crawler.extract.auto.prose import Paragraph
    from crawler.extract.document.page import Page

_GONE = re.compile(
    r"\b404\b|(?:page|article|story|content|post|file)[\w’' ]{0,30}"
    r"(?:not (?:be )?found|no longer (?:available|exists?)|does(?:n[’']t| not) exist"
    r"|unavailable|been (?:removed|deleted|moved))|nothing (?:was )?found"
    r"|(?:can(?:[’']t|not)|could(?:n[’']t| not)) (?:be )?f(?:ind|ound)"
    r"|(?:[页頁]面|[网網][页頁]|文章|[内內]容|[链鏈][结接結]|新[闻聞]|稿件|[帖貼]子|[信資][息訊])"
    r"(?:[^。，,]{0,8})(?:不存在|(?:已|已[经經])?被?(?:[删刪]除|移除|下[线線架]|失效)"
    r"|找不到|[过過]期|走[丢丟]了)|(?:找不到|[无無]法找到|[没沒]有找到)"
    r"[^。，,]{0,10}(?:[页頁]|文章|[内內]容)|[抱很]歉.{0,12}(?:不存在|找不到|[删刪]除)"
    r"|seite (?:wurde )?nicht gefunden|page (?:introuvable|non trouv[ée]e)"
    r"|p[áa]gina no (?:encontrada|existe)|страница не найдена|ページが見つかりません",
    re.IGNORECASE,
)
_PAYWALL = re.compile(
    r"subscri(?:be|ption)[^.]{0,40}(?:read|continue|access|unlock)"
    r"|(?:to|please) (?:read|continue|access|unlock|view)[^.]{0,40}"
    r"(?:subscri|sign in|log ?in|regist|member)"
    r"|(?:sign|log) ?in to (?:read|view|continue)"
    r"|(?:subscribers?|members?)[ -]only|for (?:subscribers|members) only"
    r"|(?:登[录錄入]|注[册冊]|[订訂][阅閱]|付[费費]|[购購][买買]|[开開]通|成[为為]).{0,12}"
    r"(?:[后後]|即可|才[能可]|[会會][员員]).{0,12}(?:[阅閱][读讀]|[查观觀]看|[浏瀏][览覽]|全文)"
    r"|(?:[仅僅]限|[专專][属屬]).{0,6}(?:[会會][员員]|[订訂][户戶閱阅])|付[费費](?:[内內]容|[阅閱][读讀])",
    re.IGNORECASE,
)
_NEEDS_SCRIPTS = re.compile(
    r"(?:enable|requires?|need|turn on|activate)[^.]{0,30}java ?script"
    r"|java ?script[^.]{0,40}(?:enabled?|required|disabled|to run)"
    r"|(?:[启啟][用动動]|[开開][启啟]|打[开開]|支持|支援).{0,8}java ?script"
    r"|java ?script.{0,10}(?:[启啟][用动動]|[开開][启啟]|支持)"
    r"|^\W*(?:loading|[加载載入]{2,3}中)\W*$",
    re.IGNORECASE,
)
_ROOTS = frozenset(
    {"app", "root", "__next", "__nuxt", "q-app", "main-app", "react-root"}
)
_SHORT = 25.0
_LITTLE = 12.0
_EMPTY = 8.0
_LINE_CHARACTERS = 160
_MANY_ROWS = 5
_BESIDE_ROWS = 12.0
_GATHERED = 0.25
_BODY = 25.0  # one article in ten is shorter, and hardly a listing longer
_SECTION = re.compile(
    r"/(?:[\w-]*categor(?:y|ies)|tags?|archives?|search|browse|channel|columns?)(?:[/.]|$)",
    re.IGNORECASE,
)
_FRONT = re.compile(r"/?(?:index\.\w+|default\.\w+|home/?)?", re.IGNORECASE)


class PageType(StrEnum):
    """What a page may be."""

    ARTICLE = "article"
    LISTING = "listing"
    SHELL = "shell"
    GONE = "gone"
    PAYWALL = "paywall"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a page is, and what says so."""

    type: PageType
    evidence: str


def page_type(page: Page) -> Judged:
    """Return what an HTML page is."""
    head = Metadata(page)
    paragraphs = tuple(paragraphs_of(page.tree))
    if prose_of(paragraphs) < _SHORT:
        told = _instead(page, paragraphs) or _shell(page, head, paragraphs)
        if told is not None:
            return told
    if stated := _stated(head):
        return Judged(PageType.ARTICLE, stated)
    kind = (head.first("og:type") or "").lower()
    if kind.startswith("product"):
        return Judged(PageType.LISTING, f"og:type {kind}")
    body = body_of(paragraphs)
    if body >= _BODY:
        return Judged(PageType.ARTICLE, f"text in one place worth {body:.0f} headlines")
    return _by_rows(page, head, body, claims=kind == "article")


def _instead(page: Page, paragraphs: tuple[Paragraph, ...]) -> Judged | None:
    """Return what a short page says in an article's place."""
    title = next((visible_text(node) for node in page.tree.iter("title")), "")
    texts = (title, *(each.text for each in paragraphs))
    for kind, pattern in ((PageType.GONE, _GONE), (PageType.PAYWALL, _PAYWALL)):
        for text in texts:
            if len(text) > _LINE_CHARACTERS or not pattern.search(text):
                continue
            if prose_of(x for x in paragraphs if x.text != text) < _LITTLE:
                return Judged(kind, f"says {text[:80]!r}")
    return None


def _shell(
    page: Page, head: Metadata, paragraphs: tuple[Paragraph, ...]
) -> Judged | None:
    """Return that a page without text is a shell, where it says or shows it."""
    if head.article or sum(weight(each.text) for each in paragraphs) >= _EMPTY:
        return None
    for node in page.tree.iter("noscript", "div", "p", "main", "span"):
        if node.get("id") in _ROOTS:
            return Judged(PageType.SHELL, f"hardly any text, #{node.get('id')}")
        if next(node.iterchildren("div", "p", "span"), None) is not None:
            continue  # looked at by themselves: boxes may be nested thousands deep
        text = " ".join("".join(node.itertext()).split())
        if len(text) < _LINE_CHARACTERS and _NEEDS_SCRIPTS.search(text):
            return Judged(PageType.SHELL, f"says {text[:80]!r}")
    return None


def _stated(head: Metadata) -> str:
    """Return what the head says of an article; og:type stands on listings, too."""
    if head.article:
        return f"JSON-LD {head.article.get('@type')}"
    if head.first("article:published_time", "og:published_time"):
        return "meta article:published_time"
    return ""


def _by_rows(page: Page, head: Metadata, body: float, *, claims: bool) -> Judged:
    """Tell a listing by its rows.

    body: what the text in one place is worth.
    claims: og:type says that it is an article; so do some listings, never alone.
    """
    anchors = item_anchors(page)
    if len(anchors) < _MANY_ROWS:
        return Judged(PageType.ARTICLE, f"{len(anchors)} rows")
    rows = frozenset(rows_of(anchors))
    beside = tuple(paragraphs_of(page.tree, rows))
    worth = prose_of(beside)
    told = f"{len(anchors)} rows, text beside them worth {worth:.0f} headlines"
    if worth < _BESIDE_ROWS and not claims:
        short = is_short_article(page, head, beside, rows)
        return Judged(PageType.ARTICLE if short else PageType.LISTING, told)
    path = urlsplit(page.url).path
    if _SECTION.search(path) or (path.strip("/") and _FRONT.fullmatch(path)):
        return Judged(PageType.LISTING, f"{told}, a listing's URL")
    if not path.strip("/") and not claims:
        gathered = body >= worth * _GATHERED
        if not (gathered and is_headed_article(page, head, rows)):
            return Judged(PageType.LISTING, f"{told}, a site's root")
    then = read_paging(page)
    if then.url and is_page_of(then.url, page.url) and names_a_page(then.url):
        return Judged(PageType.LISTING, f"{told}, next page by {then.evidence}")
    return Judged(PageType.ARTICLE, told)
