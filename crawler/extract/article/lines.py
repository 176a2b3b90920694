"""What a line of a body is by its words alone: text of the author's, or furniture.

General rules in Simplified and Traditional; what is special to a portal belongs in its
``drop_lines``.  Rules look at short lines only: a paragraph that tells of an app or a
code to scan is news.
"""

from __future__ import annotations

import re

_MAX_LINE_CHARS = 90
_MAX_HEADING_CHARS = 40
_MAX_LATIN_HEADING_CHARS = 100
_I = re.IGNORECASE

# A template engine's file names and placeholders, printed instead of what they name.
_LEAK = re.compile(
    r"(?:\.{0,2}/)*(?:[\w.-]+/)*[\w-]+\.(?:s?html?|php|tpl|jspx?|aspx?|ftl|vm)"
    r"|\{\{[^{}]{1,60}\}\}|\$\{[\w.]{1,60}\}|<%.{0,60}%>|undefined|\[object Object\]",
    _I | re.ASCII,
)

_BEGIN = r"(?:^|(?<=[!！?？,，。;；:：\s↓👇➤▼“「【(（]))"
_APP = r"(?:APP|客[户戶]端|小程序|下[载載])"
_CODE = r"(?:二[维維][码碼]|QR\s?code|[扫掃][码碼])"
_PROMO = re.compile(
    "|".join(
        (
            # open, download, install an app
            (
                rf"{_BEGIN}(?:[请請立即马馬上前往去]{{0,4}})"
                rf"(?:打[开開]|下[载載]|安[装裝]|[进進]入).{{0,10}}{_APP}"
            ),
            rf"^{_APP}.{{0,4}}下[载載]",
            # scan or press a code
            (
                rf"{_BEGIN}(?:[请請]|[长長]按|微信|用手机)?.{{0,2}}(?:[扫掃]描?|[识識][别別]|[长長]按)"
                rf".{{0,8}}(?:{_CODE}|[关關]注|加入|下[载載])"
            ),
            rf"^{_CODE}.{{0,8}}(?:[关關]注|[阅閱][读讀]|加入|下[载載])?$",
            # follow, subscribe, like
            (
                rf"{_BEGIN}(?:[请請敬欢歡迎]{{0,3}})(?:[关關]注|追[踪蹤]|[订訂][阅閱])"
                r".{0,14}(?:公[众眾][号號]|微信|微博|[视視][频頻][号號]|[频頻]道|粉[丝絲]|我[们們])"
            ),
            r"一[键鍵](?:[订訂][阅閱]|[关關]注|三[连連])",
            r"^(?:点[赞赞]|按[讚赞]).{0,12}(?:在看|分享|[转轉][发發]|[关關]注|[订訂][阅閱])",
            # click here; on to the original or the next page
            (
                rf"{_BEGIN}(?:[请請])?[点點](?:[击擊][选選]?|[选選]|我)"
                r".{0,14}(?:下方|上方|原文|[链鏈鏈]接|[连連][结結]|查看|[订訂][阅閱]|[关關]注|[蓝藍]字|[这這][里裡裏]|下[载載]|[图圖]片)"
            ),
            r"^(?:查看|[阅閱][读讀]|[浏瀏][览覽])(?:原文|全文|更多)\s*[>》→]*$",
            r"[转轉][码碼](?:排版|[阅閱][读讀]|[处處]理)",
            (
                r"^(?:[上下]一[页頁篇]|返回.{0,6}|展[开開]全文|加[载載]更多|首[页頁](?:\s*[|｜].*)?)"
                r"(?:\s*[:：>].*)?$"
            ),
            # a broker's or reader's assistant
            r"[?？]\s*.{0,6}[问問].{0,8}AI\s*[!！]",
            # the same in English
            r"^(?:download|get|open) (?:the|our) .{0,20}\bapp\b",
            r"^(?:subscribe to|sign up (?:for|to)) .{0,40}(?:newsletter|alerts)",
            r"^follow (?:us|me) on\b|^(?:click|tap) here\b|^please enable javascript",
        )
    ),
    _I,
)

_NOTICE = re.compile(
    r"^[\W_]{0,3}(?:"
    r"©|copyright\b|all rights reserved|版[权權][所声聲归歸]|本文版[权權]"
    r"|未[经經](?:授[权權]|[许許]可|允[许許])|[转轉][载載](?:[请請]|[须須]|[声聲]明)"
    r"|(?:免[责責]|特[别別]|版[权權]|郑重|鄭重)(?:[声聲]明|提示)"
    r"|[风風][险險](?:及免[责責])?(?:提示|[声聲]明|警示)"
    r"|(?:以上|本文|文章|文中)(?:[内內]容)?[仅僅](?:代表|供|[为為])"
    r"|[声聲]明\s*[:：]|disclaimer\b"
    r"|.{0,24}不[构構]成.{0,6}投[资資]建[议議]"
    r")",
    _I,
)

_LABEL = re.compile(
    r"[【\[（(#■●▍|]*\s*(?:"
    r"(?:相[关關]|推[荐薦]|延伸|更多|[热熱][门門]|最新|精彩|[编編][辑輯]|往期|猜你)"
    r"(?:[文][章]|[阅閱閲][读讀]|新[闻聞]|[报報][道導]|[内內]容|推[荐薦]|[资資][讯訊]|[话話][题題]"
    r"|[标標][签籤簽]|[链鏈]接|[连連][结結]|喜[欢歡]|[专專][题題]|精彩|[评評][论論]|回[顾顧])"
    r"|(?:文章)?[标標][签籤簽]|[关關][键鍵][词詞字]|分享(?:到|至)?|[网網]友[评評][论論]|[评評][论論]"
    r"|[广廣]告|推[广廣]|猜你喜[欢歡]"
    r"|related(?: (?:articles?|stories|news|topics?|posts?|reading))?"
    r"|read (?:more|next)"
    r"|more (?:stories|news|from .{1,30})|recommended(?: for you)?|you may also like"
    r"|most (?:read|popular)|share this(?: article| story)?|tags|advertisement|topics"
    r")\s*[】\]）)]?\s*[:：]?\s*[>↓]*",
    _I,
)

_EDITOR_LABEL = (
    r"(?:(?:责任|責任|本文|值班|[执執]行|主|助理|本期|[网網]站|新[闻聞])?(?:[编編][辑輯])"
    r"|[责責][编編]|[编編][审審]|edited by|editor)"
)
_OTHER_LABEL = (
    r"(?:[来來]源|作者|[记記]者|文|[图圖]|撰文|[审審][核校]|校[对對]"
    r"|[编編][译譯]|[监監][制製])"
)
_VALUE = r"[^\s:：/／|｜。，,；;！!？?（）()【】\[\]<>「」“”]{1,24}"
_EDITOR = re.compile(
    rf"[（(【\[]?\s*(?:{_OTHER_LABEL}\s*[:：/／]\s*{_VALUE}\s+)*"
    rf"{_EDITOR_LABEL}\s*(?:[:：/／|｜丨]|(?<=by)\s|\s)\s*"
    rf"(?P<name>{_VALUE}"
    rf"(?:[ 　、,，]\s?(?!{_OTHER_LABEL}\s*[:：/／]){_VALUE}){{0,3}})"
    rf"(?:\s+(?:{_OTHER_LABEL}|{_EDITOR_LABEL})\s*[:：/／|].{{0,40}})?\s*[）)】\]]?",
    _I,
)
_STAFF_NUMBER = re.compile(r"[\s_]+[A-Z]{1,4}\d{1,6}$")
_SOURCE = re.compile(
    r"(?:^|[\s|｜丨（(【\[])(?:(?:文章|稿件|消息|[内內]容|信息)?[来來]源|source)\s*[:：]\s*"
    r"(?P<name>[^\s|｜丨，,；;。（()）】\]]{1,40})",
    _I,
)
_SOURCE_LABEL = re.compile(
    r"[（(【\[]?\s*(?:(?:文章|稿件|消息|[内內]容|信息|新[闻聞])?[来來]源|稿源|source)"
    r"\s*[:：/／]\s*(?P<name>[^:：/／]*[^:：/／\s）)】\]])\s*[）)】\]]?",
    _I,
)
_ORIGINAL_TITLE = re.compile(
    r"[（(【\[]?\s*原(?:文)?[标標][题題]\s*[:：]\s*(?P<title>.+?)\s*[）)】\]]?"
)

_QUOTES = {"「": "」", "『": "』", "“": "”", "«": "»", "„": "“", "‘": "’"}
_STRAIGHT = '"'
_MIN_QUOTE_CHARS = 4
_END_MARKS = "。.,，;；:：、…"
_INNER_STOP = re.compile(r"[。；;]|[.!?] ")
_WIDE = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]")

_PICTURE = (
    "[\U0001f000-\U0001faff\u2600-\u2775\u2794-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50"
    "\u2b55\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u25aa\u25ab\u25b6\u25c0"
    "\u25fb-\u25fe\u2194-\u2199\u21a9\u21aa\u203c\u2049\u2139\u3030\u303d\u3297\u3299]"
)
_TAIL = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_EMOJI = re.compile(
    rf"[\s\u200b\ufeff]*(?P<emoji>[\U0001f1e6-\U0001f1ff]{{2}}"
    rf"|[0-9#*]\ufe0f?\u20e3|{_PICTURE}{_TAIL}(?:\u200d{_PICTURE}{_TAIL})*)"
    r"[\s\u200b\u3000]*(?P<rest>\S.*)",
    re.DOTALL,
)


def is_template_leak(line: str) -> bool:
    """Tell whether line is only a relative path, a template's file or placeholder."""
    return _is_short(line) and _LEAK.fullmatch(line.strip()) is not None


def is_promo(line: str) -> bool:
    """Tell whether a short line sends the reader off: app, code, follow, next page."""
    return _is_short(line) and _PROMO.search(line.strip()) is not None


def is_notice(line: str) -> bool:
    """Tell whether line is a copyright, disclaimer or risk notice, however long."""
    return _NOTICE.match(line.strip()) is not None


def is_section_label(line: str) -> bool:
    """Tell whether line only names a list beside the text: 相关阅读, Related."""
    return _is_short(line) and _LABEL.fullmatch(line.strip()) is not None


def editor_in(line: str) -> str | None:
    """Return the editor that a line names when it says nothing else.

    编辑/罗青, 責任編輯：林可, (责编 许墨), "Edited by Jane Doe"; several as printed.
    """
    found = _EDITOR.fullmatch(line.strip()) if _is_short(line) else None
    return _STAFF_NUMBER.sub("", found["name"]).strip() if found else None


def source_in(line: str) -> str | None:
    """Return the source that a short line names: 2025-07-14 19:05　来源：城市周报."""
    found = _SOURCE.search(line) if _is_short(line) else None
    return found["name"] if found else None


def without_source_label(text: str) -> str:
    """Return what a source's element says without its label: 来源：城市周报."""
    found = _SOURCE_LABEL.fullmatch(text.strip())
    return found["name"] if found else text


def original_title_in(line: str) -> str | None:
    """Return the title in a line that gives the original's: 原标题：…."""
    found = _ORIGINAL_TITLE.fullmatch(line.strip()) if _is_short(line) else None
    return found["title"] if found else None


def is_quote(line: str) -> bool:
    """Tell whether the whole line is inside one pair of quotation marks.

    「甲」乙「丙」 is none: the first pair ends before the line does.
    """
    text = line.strip()
    if len(text) < _MIN_QUOTE_CHARS:
        return False
    if text[0] == _STRAIGHT:
        return text.find(_STRAIGHT, 1) == len(text) - 1
    end = _QUOTES.get(text[0])
    return end is not None and _closing(text, text[0], end) == len(text) - 1


def _closing(text: str, start: str, end: str) -> int:
    """Return where the mark that opens text is closed, -1 where it is not."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == start) - (char == end)
        if depth == 0:
            return at
    return -1


def is_heading(line: str) -> bool:
    """Tell whether a line set apart may be a heading: short, one phrase, no full stop.

    Only for lines that markup sets apart (bold): short paragraphs look the same.
    """
    text = line.strip()
    limit = _MAX_HEADING_CHARS if _WIDE.search(text) else _MAX_LATIN_HEADING_CHARS
    if not text or len(text) > limit or text[-1] in _END_MARKS or is_quote(text):
        return False
    return not _INNER_STOP.search(text) and any(map(str.isalpha, text))


def emoji_lead(line: str) -> tuple[str, str] | None:
    """Return the emoji that leads a line and the text after it, None without both.

    A sequence of several code points (flags, skin tones, joined ones) is one emoji;
    its variation selector is kept as printed.
    """
    found = _EMOJI.fullmatch(line)
    return (found["emoji"], found["rest"].rstrip()) if found else None


def _is_short(line: str) -> bool:
    return len(line) <= _MAX_LINE_CHARS
