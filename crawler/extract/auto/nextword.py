"""Words and signs that say "the page after this one", in the languages portals use."""

from __future__ import annotations

import re

_TAIL = r"[\s>›»→＞≫▶.…\d/)\]]*$"
_NEXT = re.compile(
    r"^[\s(\[]*(?:"
    r"[下后後次]一?[页頁]|下一[页頁]面|翻[下后]一?页"
    r"|(?:go to (?:the )?)?next(?: (?:page|results?|set))?"
    r"|(?:show |view )?(?:older|earlier)(?: (?:posts?|entries|articles?|stories|news))?"
    r"|n[äa]chste(?: seite)?|weiter|vor|[äa]ltere (?:beitr[äa]ge|artikel)"
    r"|(?:page )?suivante?|articles (?:plus anciens|pr[ée]c[ée]dents)"
    r"|(?:p[áa]gina )?siguiente|sig\.?|m[áa]s antiguas|entradas (?:antiguas|anteriores)"
    r"|(?:pagina )?(?:successiv[ao]|seguente|avanti)"
    r"|articoli (?:meno recenti|precedenti)"
    r"|(?:p[áa]gina )?seguinte|pr[óo]xim[ao](?: p[áa]gina)?"
    r"|volgende(?: pagina)?|oudere berichten|n[æe]ste(?: side)?|nästa(?: sida)?"
    r"|seuraava|nast[ęe]pn[ae](?: strona)?|starsze(?: wpisy)?|další|ďalej"
    r"|следующ(?:ая|ие|ий)(?: страница)?|дал[ее]{1,2}|впер[её]д|след\.?|ранее|наступна"
    r"|επόμεν[ηο](?: σελίδα)?|sonraki(?: sayfa)?|ileri|következő|următo(?:area|rul)"
    r"|次(?:へ|のページ|の\d+件|ページ)?|次の?ページへ?|다음(?: ?페이지)?"
    r"|trang sau|tiếp|berikutnya|selanjutnya|ถัดไป|अगला"
    r"|بعدی|صفحه بعد|التالي|الصفحة التالية|הבא"
    rf"){_TAIL}",
    re.IGNORECASE,
)
_ARROW = re.compile(r"^\s*[>›»→＞▶❯⟩▸]\s*$")
_ARROWS = re.compile(r"^\s*(?:>>|››|»»|≫|⇒|⏩)\s*$")
_ARTICLES = re.compile(
    r"^\W*more (?:articles?|stories|news|posts?|entries|results?|items)\W*$"
    r"|^\W*更多(?:文章|新闻|新聞|资讯|資訊|内容)\W*$",
    re.IGNORECASE,
)
_LOAD = re.compile(
    r"^\W*(?:(?:load|show|view|see) more(?: \w+){0,2}|mehr (?:laden|anzeigen)"
    r"|charger plus|voir plus|cargar m[áa]s|ver m[áa]s|carica altr[io]"
    r"|(?:показать|загрузить) (?:еще|ещё)"
    r"|(?:点击|點擊)?(?:加载|加載|载入|載入|查看|显示|顯示)更多\S{0,4}"
    r"|もっと(?:見る|読む)|더 ?보기)\W*$",
    re.IGNORECASE,
)


def says_next(text: str) -> bool:
    """Tell whether a link says that it leads to the next page or to older entries."""
    return _NEXT.match(text) is not None


def points_on(text: str) -> float:
    """Return 1 for an arrow, half for a double one: that may be the last page."""
    return 1.0 if _ARROW.match(text) else 0.5 if _ARROWS.match(text) else 0.0


def says_more_articles(text: str) -> bool:
    """Tell whether a link says that more of the listing's articles are elsewhere."""
    return _ARTICLES.match(text) is not None


def says_load(text: str) -> bool:
    """Tell whether a button says that it adds more rows to the page."""
    return _LOAD.match(text) is not None
