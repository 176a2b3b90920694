"""Names of people as pages write them: labels cut off, lists split, no-names refused.

Fewer is better than wrong: a name is short, begins with capitals where its script has
them, and is no label, address, account or placeholder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.extract.document.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LABEL = (
    r"(?:(?:written|posted|published|reported|story|words|article|post|text|blog)\s+)?by"
    r"|(?:ein\s+)?(?:beitrag|artikel|text|bericht|kommentar|interview)\s+von|von|vom|par"
    r"|por|redigido\s+por|escrito\s+por|publicado\s+por|(?:scritto\s+)?da|di|door|av|af|od"
    r"|από|του|της|oleh"
)
_TITLE_LABEL = (
    r"(?:the\s+)?authors?|autor(?:in|en|es|a)?|autore|auteurs?|verfasser(?:in)?|redakt(?:eur"
    r"(?:in)?|or|ion)|texte?(?:\s*(?:&|und|et)\s*(?:fotos?|photos?))?|фото|текст|автор(?:ы)?"
    r"|συντάκτης|συγγραφέας|yazan|yazar|muhabir|penulis|editor|forfatter|skribent|dodał"
    r"|opracował|作者|文|撰文|[执執][笔筆]|采写|採寫|(?:本[报報網网])?[记記]者|通[讯訊][员員]|about"
)
_LABELS = re.compile(
    rf"^[\W_]*(?:(?:{_TITLE_LABEL})\s*[:：/／|]\s*|(?:{_LABEL})\s*[:：]\s*"
    rf"|(?:{_LABEL}|about|authors?|автор)\s+|作者\s+)+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:[|｜·•–—>(（\[\n]|\s-\s|@|https?:"
    r"|,?\s+[A-Z][a-zä]{2,8}\.?\s+\d|[,.]?\s*(?:\b(?:on|am|le|il|el|at|in|published|updated|posted|reviewed|veröffentlicht"
    r"|publié|publicado|stand)\b\s*)?\d).*$",
    re.IGNORECASE | re.DOTALL,
)
_REVIEW = re.compile(r"[.,]?\s+(?:reviewed|edited|medically|fact)\b.*$", re.IGNORECASE)
_BETWEEN = re.compile(
    r"\s*[、,，;；/／&|｜]\s*|\s+(?:and|und|et|og|och|и|και|oraz|ve|dan|y)\s+"
)
_NO_NAME = re.compile(
    r"https?:|www\.|@|\d{3}|[请請]|注明|[转轉][载載]|来源|來源|[编編][辑輯]|\{\{|\}\}|[?？!！=<>{}]"
    r"|\.(?:com|net|org|html?|php|author|name|title)\b",
    re.IGNORECASE,
)
_NO_NAMES = """
admin administrator user author authors autor editor name null none undefined root
anonymous unknown guest staff redaktion redaction webmaster team test read more
written veröffentlicht published theauthor writtenby abouttheauthor email share folgen
follow gefolgt abbruch cancel newsletter kontakt contact impressum facebook twitter
网络 網絡 整理 网络整理 综合 綜合 佚名 本站 小编 小編 原创 原創 转载 轉載 匿名 未知
整合 报道 報道 報導 摄影 攝影 通讯员 记者 記者 作者 编辑 編輯 实习生 搜索 关注 首页 全部
"""
_PLACEHOLDERS = frozenset(_NO_NAMES.split())
# The hundred and odd surnames that nearly all Chinese bear, in both scripts.
_SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭"
    "程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎閻余潘杜戴夏钟鍾汪田任姜范方石姚谭譚"
    "廖邹鄒熊金陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍万萬段雷钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文"
    "庞龐樊兰蘭殷施陶洪翟安颜顏倪严嚴牛温溫芦俞章鲁魯葛伍韦韋申尤毕畢聂聶霍向柳裴柴华華"
)
_HAN_NAMES = re.compile(r"[\u4e00-\u9fff·]{2,6}(?:\s+[\u4e00-\u9fff·]{2,6})+")
_REPORTER = re.compile(r"^\S{0,10}(?:[记記]者|通[讯訊][员員]|特[约約]撰稿人?)\s*")
# What stands before a label inside: "Blog Beitrag von", "capital von".
_LEADING = re.compile(
    r"^(?:(?:[a-zäöüß]+|Blog|Beitrag|Artikel|Ein|Text|Read|more|about)\s+)+(?:by|von|about)\s+"
)
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_LOGIN = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)+")
_SMALL_WORDS = """
von van der den de del della di da dos du la le el al bin ibn of the zu zur mit
with y e i und et ter ten op af av jr sr dr
"""
_PARTICLE = frozenset(_SMALL_WORDS.split())
_MAX_NAME, _MAX_WORDS, _MAX_BYLINE = 60, 7, 300
_ROLE_AFTER = re.compile(
    r"(?:\s+|(?<=[\u4e00-\u9fff]))(?:整合|[报報][道導]|[摄攝]影|[综綜]合|整理|文|[图圖]|[编編][译譯])$"
)


def is_told(text: str) -> bool:
    """Tell whether what a rule or a listing says is a name; only noise is refused."""
    if not text or len(text) > _MAX_NAME or _NO_NAME.search(text):
        return False
    return squeeze(text) not in _PLACEHOLDERS and any(map(str.isalpha, text))


def is_name(text: str) -> bool:
    """Tell whether a text may be someone's name, or a desk's."""
    words = text.split()
    if not is_told(text) or _LOGIN.fullmatch(text) or len(words) > _MAX_WORDS:
        return False
    plain = [word for word in words if word.lower() not in _PARTICLE]
    lower = sum(word[0].islower() for word in plain)
    return len(words) == 1 or lower * 2 < max(len(plain), 1)


def names_in(
    text: str,
    *,
    refused: Iterable[str] = (),
    accepts: Callable[[str], bool] = is_name,
) -> Iterator[str]:
    """Yield the names of a byline; refused are names of the site, squeezed."""
    plain = _LABELS.sub(
        "", _LEADING.sub("", _EMAIL.sub("", text[:_MAX_BYLINE]).strip())
    )
    plain = cut_after(plain)
    known = frozenset(refused)
    for part in _parts(plain):
        name = _ROLE_AFTER.sub("", part.strip(" \t\u3000.:：-–—*\"'“”"))
        if squeeze(name) in known:
            return  # what follows the site's name says where it is
        if accepts(name):
            yield name


def cut_after(text: str) -> str:
    """Return a byline without what follows its names: a date, a desk, a reviewer."""
    return _AFTER.sub("", _REVIEW.sub("", text))


def is_person(text: str) -> bool:
    """Tell whether a text is nothing but people's names, each of two words or more.

    For lines without markup, where "By" also begins sentences.
    """
    parts = [part.split() for part in _BETWEEN.split(text.strip())]
    return all(
        2 <= len(words) <= 5  # noqa: PLR2004
        and all(word[0].isupper() or word.lower() in _PARTICLE for word in words)
        for words in parts
    )


def _parts(text: str) -> Iterator[str]:
    """Split a list of names; Chinese names are parted by blanks as well."""
    for part in _BETWEEN.split(text):
        bare = _REPORTER.sub("", part.strip())
        if _HAN_NAMES.fullmatch(bare) and bare[0] in _SURNAMES:
            yield from bare.split()
        else:
            yield bare


def is_chinese_name(text: str) -> bool:
    """Tell whether a text reads like a Chinese person's name: surname and 1 or 2."""
    return 2 <= len(text) <= 3 and text[0] in _SURNAMES  # noqa: PLR2004
