"""Tell pages that are no item from those that are: gone, blocked, shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.errors import NotExtracted
from crawler.extract.auto.pagetype import PageType, page_type
from crawler.extract.document.page import Page
from crawler.extract.document.selectors import elements, texts
from crawler.model import Reason

if TYPE_CHECKING:
    from crawler.config.portal import ItemRule, Portal, Rule
    from crawler.model import Capture, Response

_OK = range(200, 300)
_REFUSALS = frozenset({401, 403, 405, 418, 429, 503})
_CHALLENGE_MARKUP = re.compile(
    r"_cf_chl_opt|cf-challenge|/cdn-cgi/challenge-platform|window\.captcha\b"
    r"|geetest_|\bg-recaptcha\b|\bh-captcha\b|aliyun_?waf|acw_sc__v2|TencentCaptcha"
)
_CHALLENGE_TEXT = re.compile(
    r"just a moment\.\.\.|attention required|verify (?:that )?you are (?:a )?human"
    r"|(?:let us know|confirm|prove) (?:that )?you(?:[’']re| are) (?:a )?human"
    r"|are you a (?:human|robot)|i[’']m not a robot|no robots allowed"
    r"|checking your browser|access denied|unusual traffic"
    r"|安全[验驗][证證]|[访訪][问問][验驗][证證]|人[机機](?:身份)?[验驗][证證]"
    r"|请.{0,4}[输輸]入.{0,6}[验驗][证證][码碼]|[异異]常[访訪][问問]|[访訪][问問](?:[过過]于)?[频頻]繁"
    r"|完成(?:下列|以下)?[验驗][证證]|滑[动動](?:拼[图圖]|[验驗][证證])",
    re.IGNORECASE,
)
# A short article may have a comment form with a captcha: its markup alone says less.
_CHALLENGES = ((_CHALLENGE_TEXT, 1_000), (_CHALLENGE_MARKUP, 300))
_REASONS = {
    PageType.LISTING: Reason.NOT_AN_ARTICLE,
    PageType.SHELL: Reason.SHELL_PAGE,
    PageType.GONE: Reason.GONE,
    PageType.PAYWALL: Reason.PAYWALL,
}
_LOOKED_AT = 200_000
_LINE_CHARACTERS = 80
_SHELL_TEXT = 200


def check_status(response: Response) -> None:
    """Pass a 2xx response.

    Raises:
        NotExtracted: any other status (http_status, the detail is the status).
    """
    if response.status not in _OK:
        raise NotExtracted(Reason.HTTP_STATUS, str(response.status))


def check_answer(response: Response, limit: int) -> None:
    """Pass a 2xx response; a challenge is told apart from other refusals.

    Raises:
        NotExtracted: blocked, or http_status with the status as the detail.
    """
    if response.status in _REFUSALS:
        page = _readable(response, limit)
        if page is not None:
            check_challenge(page)
    check_status(response)


def check_logged_in(capture: Capture, portal: Portal) -> None:
    """Pass a page that is not the one strangers are shown.

    Raises:
        NotExtracted: logged_out.
    """
    rule = portal.login.logged_out if portal.login is not None else ()
    page = _readable(capture.main, portal.crawl.max_parse) if rule else None
    if page is not None and finds(rule, page):
        raise NotExtracted(Reason.LOGGED_OUT, page.url)


def finds(rule: Rule, page: Page) -> bool:
    """Tell whether a rule matches anything on a page, an element or a text."""
    return bool(elements(rule, page.root) or texts(rule, page.root, page))


def check_item_page(page: Page, rule: ItemRule) -> None:
    """Pass a page that may hold an item.

    Gone texts come first: a page that says so lacks what ``ready`` looks for, too.

    Raises:
        NotExtracted: gone, blocked or shell_page; where the rule names no part of the
            page, not_an_article and paywall, too.
    """
    if not page.is_json:
        _check_gone(page, rule)
        if not elements(rule.body, page.root):
            check_challenge(page)
        if rule.generic and not (rule.body or rule.title or rule.ready):
            check_article(page)
    check_ready(page, rule.ready)
    if rule.render == "auto" and not rule.ready and _is_shell(page, rule):
        raise NotExtracted(Reason.SHELL_PAGE, "hardly any text beside its scripts")


def _is_shell(page: Page, rule: ItemRule) -> bool:
    if page.is_json or page.tree.find(".//script") is None:
        return False
    return sum(map(len, page.lines)) < _SHELL_TEXT and not elements(
        rule.body, page.root
    )


def check_article(page: Page) -> None:
    """Pass a page that is an article, as far as the page itself tells.

    Raises:
        NotExtracted: not_an_article, shell_page, gone or paywall, with what told.
    """
    judged = page_type(page)
    if judged.type in _REASONS:
        raise NotExtracted(_REASONS[judged.type], judged.evidence)


def check_ready(page: Page, ready: Rule) -> None:
    """Pass a page that is no shell at one of its steps at least.

    Raises:
        NotExtracted: shell_page.
    """
    if ready and not any(finds(ready, step) for step in page.steps):
        raise NotExtracted(Reason.SHELL_PAGE, "ready not found")


def _readable(response: Response, limit: int) -> Page | None:
    try:
        return Page.from_response(response, limit=limit)
    except NotExtracted:
        return None


def _check_gone(page: Page, rule: ItemRule) -> None:
    """Look at short lines only: a whole article may quote the words."""
    for text in rule.gone if any(text in page.text for text in rule.gone) else ():
        for line in page.lines:
            if text in line and len(line) <= len(text) + _LINE_CHARACTERS:
                raise NotExtracted(Reason.GONE, text)


def check_challenge(page: Page) -> None:
    """Pass what has more than a few lines of text, whatever its scripts say.

    Raises:
        NotExtracted: a challenge page (blocked).
    """
    start = page.text[:_LOOKED_AT]
    size = sum(map(len, page.lines))
    for pattern, few in _CHALLENGES:
        found = pattern.search(start) if size < few else None
        if found:
            raise NotExtracted(Reason.BLOCKED, f"challenge page: {found[0]!r}")
