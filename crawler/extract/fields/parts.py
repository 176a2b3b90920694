"""Fields that are made of other fields: editor, summary, tickers, images, flags."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crawler.extract.article.lines import editor_in
from crawler.extract.article.names import is_digest
from crawler.extract.article.tickers import tickers_in
from crawler.extract.document.language import language_of
from crawler.extract.document.selectors import Found, first, select_css
from crawler.extract.document.text import squeeze, visible_text
from crawler.extract.fields.bylines import editor_on
from crawler.extract.fields.credits import labelled
from crawler.extract.fields.marked import brief_text
from crawler.http import header
from crawler.item import File, Image, Summary, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.extract.article.body import Body, Excluded
    from crawler.extract.document.page import Page
    from crawler.extract.fields.lookup import Sources
    from crawler.model import Capture

_DIGEST_TAGS = ("div", "section", "aside", "blockquote", "p")
_MAX_DIGEST = 2_000
_CUT_OFF = re.compile(r"(?:…|\.\.\.)$")
_RELATED_LABEL = re.compile(
    r"(?:相[关關](?:文章|[阅閱閲][读讀]|新[闻聞]|[报報][道導]|推[荐薦])"
    r"|[热熱][门門]推[荐薦]|推[荐薦][阅閱閲][读讀]|延伸[阅閱閲][读讀]"
    r"|related(?: \w+)?)\s*[:：]?",
    re.IGNORECASE,
)


def read_editor(sources: Sources, pages: Iterable[Page], body: Body) -> Found | None:
    """Return the editor by rule on any of the pages, else from a line of the body."""
    for page in pages:
        if found := first(sources.rule.editor, page.root, page):
            return replace(found, text=editor_in(found.text) or found.text)
    editor = body.editor or editor_on(sources.lines) or _labelled_editor(sources)
    return Found(editor, "line") if editor else None


def _labelled_editor(sources: Sources) -> str | None:
    """Return the editor whose label stands in an element of its own."""
    if not sources.lines:
        return None
    texts = labelled(sources.page, "editor")
    named = (editor_in(f"责任编辑：{text}") for text in texts)
    return next((name for name in named if name), None)


def read_summary(
    sources: Sources, body_text: str | None, lead: str | None
) -> tuple[Summary | None, str | None]:
    """Return the portal's summary, and its method.

    A hint's or the head's counts only where it is whole and says more than the body's
    own words: descriptions mostly repeat the lead.  Generic: a machine's, by its box.
    """
    rule = sources.rule.summary
    if rule is not None and (found := sources.all_by_rule(rule.rule)):
        text = "\n".join(each.text for each in found)
        language = language_of(text)
        summary = Summary(text=text, origin=rule.origin, language=language)
        return summary, found[0].method
    unruled = sources.rule.generic and not sources.rule.body
    if unruled and (digest := _digest_on(sources.page)):
        language = language_of(digest)
        made = Summary(text=digest, origin="portal_ai", language=language)
        return made, "generic:digest"
    said = squeeze(f"{lead or ''}{body_text or ''}")
    description = sources.meta_first("description", "og:description")
    for each in (*sources.hinted("summary"), *([description] if description else [])):
        if not _CUT_OFF.search(each.text) and squeeze(each.text) not in said:
            language = language_of(each.text)
            given = Summary(text=each.text, origin="portal", language=language)
            return given, each.method
    return None, None


def _digest_on(page: Page) -> str | None:
    """Return what a machine summed the text up in, where a box says so by its name."""
    if page.is_json:
        return None
    for node in page.tree.iter(*_DIGEST_TAGS):
        if is_digest(node) and (text := brief_text(node, _MAX_DIGEST)):
            return text
    return None


def read_images(sources: Sources, images: list[Image]) -> tuple[Image, ...]:
    """Return the body's images, and first the cover that the hint or head names."""
    named = next(iter(sources.hinted("image")), None) or sources.meta_first("og:image")
    cover = sources.page.absolute(named.text) if named else None
    if cover is None:
        return tuple(images)
    if any(image.url == cover for image in images):
        return tuple(
            image.model_copy(update={"cover": image.url == cover}) for image in images
        )
    return (Image(url=cover, cover=True), *images)


def languages_of(values: Mapping[str, Any]) -> dict[str, str]:  # Any: Item's fields
    """Return the language of each part that has one."""
    summary = values["summary"]
    parts = {
        "title": values["title"],
        "summary": summary.text if summary else None,
        "key_points": "\n".join(point.text for point in values["key_points"]),
        "body": values["body_text"],
        "tags": "\n".join(values["tags"]),
        "source": values["source"].name,
    }
    told = {name: language_of(text) for name, text in parts.items() if text}
    return {name: language for name, language in told.items() if language}


def flags_of(
    values: Mapping[str, Any], sources: Sources, excluded: Iterable[Excluded]
) -> tuple[str, ...]:  # Any: Item's fields
    """Return what a reader of the item should know beyond its fields."""
    scripts = set(values["languages"].values())
    flags = {
        "template_leak": any(each.reason == "template_leak" for each in excluded),
        "mixed_script": {"zh-Hans", "zh-Hant"} <= scripts,
        "relative_time_only": values["published_source"] == "relative",
        "aggregator_copy": _is_copy(values, sources),
        "related_list_empty": _lacks_related(values, sources),
    }
    return tuple(name for name, holds in flags.items() if holds)


def _is_copy(values: Mapping[str, Any], sources: Sources) -> bool:
    """Tell whether another than the portal published it; only where both are known."""
    publisher = values["source"].publisher or values["source"].name
    portal = sources.portal.name
    if not publisher or not portal:
        return False
    return portal not in publisher and publisher not in portal


def _lacks_related(values: Mapping[str, Any], sources: Sources) -> bool:
    """Tell whether the label of a list of related items stands there without any."""
    if sources.rule.related is None or values["related"]:
        return False
    lines = () if sources.page.is_json else sources.page.lines
    return any(map(_RELATED_LABEL.fullmatch, lines))


def read_tickers(
    sources: Sources, title: str | None, body: Body
) -> tuple[tuple[Ticker, ...], str | None]:
    """Return securities that markup, title and body name, mentions counted.

    Markup and its own printed text are one mention, so the larger count holds.
    """
    rule = sources.rule.tickers
    marked = list(_marked(sources)) if rule.css else []
    text = "\n".join((title or "", *body.printed)) if rule.text else ""
    written = {each.symbol: each for each in tickers_in(text)}
    by_markup = Counter(symbol for symbol, _ in marked)
    names: dict[str, str | None] = {}
    for symbol, name in marked:
        names[symbol] = names.get(symbol) or name
    for symbol, each in written.items():
        names[symbol] = names.get(symbol) or each.name
    tickers = tuple(
        Ticker(
            symbol=symbol,
            name=name,
            market=symbol.rpartition(".")[2] if "." in symbol else None,
            mentions=max(
                by_markup[symbol], written[symbol].mentions if symbol in written else 0
            ),
        )
        for symbol, name in names.items()
    )
    method = f"css:{rule.css}" if marked else "text"
    return tickers, method if tickers else None


def _marked(sources: Sources) -> Iterator[tuple[str, str | None]]:
    """Yield (symbol, name) of the elements that each name a security."""
    rule, page = sources.rule.tickers, sources.page
    if page.is_json or rule.css is None:
        return
    for node in select_css(rule.css, page.tree):
        printed = next(iter(tickers_in(visible_text(node))), None)
        symbol = first(rule.symbol, node, page)
        code = symbol.text if symbol else node.get("data-code")
        name = first(rule.name, node, page)
        if printed is not None:
            yield code or printed.symbol, name.text if name else printed.name
        elif code:
            yield code, name.text if name else visible_text(node) or None


def file_of(capture: Capture, title: str | None) -> File:
    """Return the file that a captured URL is, by its declared media type."""
    declared = header(capture.main.headers, b"content-type") or b""
    kind = declared.decode("latin-1").partition(";")[0].strip().lower() or None
    return File(url=capture.main.url, title=title, media_type=kind)
