"""Lines that stand beside a text wherever it was published: captions, calls, bylines.

For bodies that no rule names, in the languages that news is most often written in; a
portal's own phrases belong in its ``drop_lines``.  Each rule looks for a label or a
call at a telling place of the line, and at lines of some length only: a paragraph that
mentions a photo or a newsletter is news.
"""

from __future__ import annotations

import re

_I = re.IGNORECASE
_MAX_CALL = 260
_MAX_CAPTION = 300
_MAX_BYLINE = 120
_MAX_SIGNATURE = 200

_PHOTO = (
    r"(?:photos?|photograph|pictures?|images?|fotos?|bild(?:er)?|fot|zdj[ęe]cie|imagem"
    r"|imagen|immagine|фото|φωτο(?:γραφία)?|foto ?: ?|credits?|credit|illustration)"
)
_AGENCY = (
    r"(?:AP|AFP|dpa|EPA|ANSA|PAP|Reuters|REUTERS|Getty(?: Images)?|GETTY|imago|IMAGO"
    r"|picture alliance|Shutterstock|iStock|Unsplash|Pixabay|Wikimedia|Alamy"
    r"|Imaginechina|中新社|新[华華]社|[视視][觉覺]中[国國]|东方IC|CFP|中央社)"
)
_CAPTION = re.compile(
    "|".join(
        (
            rf"^\W{{0,3}}{_PHOTO}(?:\s+(?:by|caption|credit|courtesy)|\s*[:：©/])",
            rf"[(（\[|–—-]\s*{_PHOTO}\s*[:：/]?\s*[^()（）]{{0,80}}[)）\]]?\W*$",
            rf"\b{_PHOTO}\s*[:：]\s*[^.。]{{2,60}}$",
            (
                rf"[(（\[]\s*[^()（）]{{0,60}}(?:\b|/){_AGENCY}(?:\b|/)"
                r"[^()（）]{0,40}[)）\]]\s*$"
            ),
            r"^\W{0,3}©\s*[^.。]{2,60}$|\s©\s*[^.。]{2,50}$",
            rf"[^.。!?]\s+(?:/\s*)?[^.。!?]{{0,40}}/\s*{_AGENCY}(?:\s+file)?$",
            r"^\W{0,3}(?:[资資]料[图圖]|[图圖](?:[为為]|[说說註注]|片?[来來]源|[/／:：])|▲|△|▼)",
            (
                r"[(（]\s*(?:[资資]料[图圖]片?|[图圖]片?[:：/／].{1,30}|.{1,24}[攝摄](?:影)?)"
                r"\s*[)）]\s*$"
            ),
            r"(?:[\u4e00-\u9fff]社|[记記]者)[\u4e00-\u9fff ]{0,6}(?:[发發]|[摄攝])$",
            r"[图圖]据\S{2,20}$",
        )
    )
)
_CAPTION_I = re.compile(
    rf"^\W{{0,3}}{_PHOTO}\s*[:：©]|[(（|]\s*{_PHOTO}\s*(?::|by\b).{{0,60}}$", _I
)

_NETWORK = (
    r"(?:facebook|twitter|instagram|whats?app|telegram|linkedin|youtube|tiktok|pinterest"
    r"|google ?(?:news|plus|\+)|viber|vk|в\s?контакте|weibo)"
)
_BEGIN = r"(?:(?:^|[.!?:;,(|] ?|and |und |et |y |e |i |dan )\W{0,3}(?:please )?)"
_CALL = re.compile(
    "|".join(
        (
            # follow, like, join, share
            (
                rf"{_BEGIN}(?:follow|like|join|find|connect|subscribe|share)\b.{{0,80}}"
                rf"\b{_NETWORK}\b"
            ),
            (
                rf"{_BEGIN}(?:folgen?|suivez|sigue|síguenos|siga|segui|polub|ikuti|följ)\b"
                rf".{{0,60}}\b{_NETWORK}\b|\bfollow (?:him|her|us|me|them) on\b"
            ),
            r"^\W{0,3}(?:присоединяйтесь|подписывайтесь|следите за)\b",
            (
                rf"(?:開設|开设|加入|追蹤|按).{{0,20}}{_NETWORK}.{{0,40}}"
                r"(?:專頁|专页|粉[絲丝]|like)"
            ),
            # newsletters, subscriptions, applications
            (
                rf"{_BEGIN}(?:sign up|signing up|subscribe|register)\b.{{0,80}}"
                r"\b(?:newsletters?|alerts?|inbox|e-?mails?|daily|podcast|free|read)\b"
            ),
            (
                rf"{_BEGIN}get .{{0,80}}"
                r"\b(?:newsletter|inbox|delivered|subscri\w+)\b"
            ),
            (
                r"^.{0,60}\b(?:newsletter|abonnier|abonnez|abonnés|suscr[ií]b|iscriviti)"
                r"\w*.{0,60}$"
            ),
            (
                r"\b(?:unlimited (?:digital )?access"
                r"|already (?:a )?(?:subscriber|member)|reserved for subscribers"
                r"|subscribers? only|create an account or sign in"
                r"|sign in or create an account)\b"
            ),
            r"\bkommentar.{0,30}(?:schreiben|verfassen)|^leave a (?:comment|reply)",
            rf"{_BEGIN}click (?:here|below|the link)\b",
            # consent to what others embed
            (
                r"(?:externe[nr]?|external) (?:inhalt|content)|inhalte von .{2,30}"
                r" (?:angezeigt|erlauben|geladen)"
                r"|personenbezogene daten können an dritt"
            ),
            # see also
            (
                r"^\W{0,4}(?:read|see|watch|learn|listen)\s+(?:also|more|next)\b"
                r"|^\W{0,4}also read\b"
                r"|^\W{0,4}(?:related|recommended|trending|more (?:on|from))\b"
                r"[^.]{0,80}[:>]"
                r"|^\W{0,4}(?:lesen sie (?:auch|mehr)|mehr zum thema|auch interessant"
                r"|lire aussi|à lire|lea también|leer también|leia também|leia mais"
                r"|leggi anche|zobacz te[żz]|czytaj (?:te[żz]|więcej|również)"
                r"|läs (?:också|mer)|les også|читайте также|читать далее|смотрите также"
                r"|по теме|διαβάστε (?:επίσης|ακόμη|ακόμα)|baca juga"
                r"|延伸[阅閱閲][读讀]|[更相][多关關].{0,4}[:：])"
            ),
            # filing
            (
                r"^\W{0,3}(?:tags?|keywords?|topics?|categor(?:y|ies)"
                r"|filed under|posted in|schlagworte|themen|mots.clés|etiquetas|tagi"
                r"|теги|метки|категория|ετικέτες"
                r"|关键[词字]|關鍵[詞字]|[标標][签籤])\s*[:：]"
            ),
            r"\bfiled under\b|^posted (?:by|on|in) .{0,60}(?:\d{4}|$)|^citation:",
            # rights
            r"(?:未[经經](?:授[权權]|[许許]可|允[许許])|不得).{0,12}[转轉][载載]",
            r"(?:版[权權]|著作[权權])(?:均|[属屬归歸为為])",
            r"all rights reserved|alle rechte vorbehalten",
            r"^\W{0,2}disclosure\b|\baffiliate (?:commissions?|links?)\b",
            r"may not be (?:published|reproduced)|subject to copyright",
            r"^[(（【\[]?\s*本?文?(?:章|稿)?[来來]源(?:自|于|[:：])",
        )
    ),
    _I,
)
_SIGNATURE = re.compile(
    r"\b(?:can|may) be reached (?:at|via|by)\b|\b(?:e-?mail|contact) [A-Z]\w+ .{0,30}@"
    r"|^\W{0,2}(?:additional )?report(?:ing|ed) by\b|^\W{0,2}have a (?:news )?tip\b"
    r"|(?:[编編][辑輯]|[责責][编編]|[校核][对對])\s*[:：)）]|[(（]\S{2,8}\s?[编編][辑輯][)）]"
    r"|^[A-ZÀ-Ž][\w.'-]+(?: [\w.'-]+){1,3},? (?:is|was|has been) (?:an? |the )?.{0,40}"
    r"\b(?:reporter|writer|editor|journalist|author|correspondent|columnist|founder)\b"
    r"|^(?:电话|電話|传真|傳真|邮箱|郵箱|tel|fax|e-?mail|short url"
    r"|first published)\s*[:：]"
    r"|^.{0,30}(?:电话|電話)[:：]|^[(（]?本文来自|^\S{2,8}声明[:：]|^分享(?:到|至|[:：|])"
    r"|^по материалам|^источник\s*:|^źródło\s*:|^πηγή\s*:|^quelle\s*:|^source\s*:",
    _I,
)

_MONTH = (
    r"(?:jan|feb|mar|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|янв|фев|мар|апр"
    r"|ма[йя]|июн|июл|авг|сен|окт|ноя|дек"
    r"|stycz|lut|kwie|czerw|lip|sierp|wrze|paź|list|grud)"
)
_DATE = (
    r"(?:\d{1,4}[-./年]\s?\d{1,2}[-./月]\s?\d{1,4}"
    rf"|{_MONTH}\w*\.?\s+\d{{1,2}},?\s+\d{{4}}"
    rf"|\d{{1,2}}\.?\s+(?:de\s+)?{_MONTH}\w*\.?,?\s+(?:de\s+)?\d{{4}})"
)
_DATED = re.compile(_DATE, _I)
_BYLINE = re.compile(
    r"^\W{0,2}(?:by|von|par|por|di|przez|автор|autor|autore|author|text|words|写真|文)\b"
    r"|^\W{0,2}(?:published|updated|posted|stand|veröffentlicht|publicado|publié|publiziert"
    r"|data|дата|добавлено|[发發][布佈表]|[时時][间間]|更新)\b"
    r"|^[【(（]?(?:本[报報])?[记記]者.{1,24}(?:[报報][导導道]|[摄攝]影|[电電訊讯])[】)）]?$"
    r"|^.{2,8}[/／]\s?(?:[综綜]合|.{2,6})[报報][导導道]$"
    r"|^.{0,12}(?:min(?:ute)?s? read|lesezeit)",
    _I,
)
_ENDS = re.compile(r"[.!?。！？…”\"»」』:：;；]\W*$")
_WIDE = re.compile("[\u3040-\u9fff\uac00-\ud7a3]")
_ADDRESS = re.compile(r"^(?:https?://|www\.)\S+(?:\s*\d.*)?$", _I)


def is_caption(line: str) -> bool:
    """Tell whether line is what stands under a picture: by its credit or its label."""
    text = line.strip()
    if _width(text) > _MAX_CAPTION:
        return False
    return bool(_CAPTION.search(text) or _CAPTION_I.search(text))


def is_call(line: str) -> bool:
    """Tell whether line calls on the reader, files the text, or says whose it is."""
    text = line.strip()
    return _width(text) <= _MAX_CALL and _CALL.search(text) is not None


def is_signature(line: str) -> bool:
    """Tell whether line, at a text's end, says who made it and how to reach them."""
    text = line.strip()
    return _width(text) <= _MAX_SIGNATURE and _SIGNATURE.search(text) is not None


def is_byline(line: str) -> bool:
    """Tell whether line, at a text's begin, says who wrote it, or when."""
    text = line.strip()
    if _width(text) > _MAX_BYLINE or _ENDS.search(text):
        return False
    return bool(_BYLINE.search(text) or _DATED.search(text) or _ADDRESS.match(text))


def _width(text: str) -> int:
    """Return how long a line is: a wide character says as much as two letters."""
    return (
        len(text) if len(text) > _MAX_CAPTION else len(text) + len(_WIDE.findall(text))
    )
