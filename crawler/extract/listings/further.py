"""Articles over several pages: which pages are still to fetch, and those captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler import urls
from crawler.errors import NotExtracted
from crawler.extract.document.page import Page
from crawler.extract.document.rules import own_url, rule_for, rule_of
from crawler.extract.document.selectors import is_html, located, texts
from crawler.extract.guards import check_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.portal import ItemRule, Portal
    from crawler.extract.document.rules import Matched
    from crawler.model import Capture

MAX_FURTHER_PAGES = 50


def further_urls(capture: Capture, portal: Portal) -> tuple[str, ...]:
    """Return the article's next pages that the capture has not got yet, in order.

    Both kinds of pagers end: a chain of "next" links gives one URL at a time, a list
    of all pages gives all at once.  Only URLs of the page's own host that are not
    another item's; at most MAX_FURTHER_PAGES in all; () where the page is none.
    """
    try:
        matched = rule_of(capture, portal)
        pages = pages_of(capture, portal, matched.rule) if matched.rule.pages else []
    except NotExtracted:
        return ()
    left = MAX_FURTHER_PAGES - len(capture.further)
    seen = _captured(capture, portal)
    found: list[str] = []
    for page in pages:
        for url in _linked(page, matched.rule, portal):
            if url not in seen and _belongs(url, capture, portal, matched):
                seen.add(url)
                found.append(url)
    return tuple(found[: max(0, left)])


def pages_of(capture: Capture, portal: Portal, rule: ItemRule) -> list[Page]:
    """Return the visit's pages: the rendered document or main, then the further ones.

    A further page that cannot be read is left out: what is there is still the item.

    Raises:
        NotExtracted: the first page cannot be read.
    """
    encoding = rule.encoding or portal.request.encoding
    limit = portal.crawl.max_parse
    if capture.dom:
        pages = [Page.from_steps(capture.dom, capture.main.url)]
    else:
        pages = [Page.from_response(capture.main, encoding, limit)]
    for response in capture.further:
        try:
            check_status(response)
            pages.append(Page.from_response(response, encoding, limit))
        except NotExtracted:
            continue
    return pages


def _captured(capture: Capture, portal: Portal) -> set[str]:
    visited = [capture.link.url, capture.main.url]
    visited += [response.url for response in capture.further]
    visited += [ref.target_uri for ref in capture.hops]
    return {own_url(portal, url) for url in visited}


def _linked(page: Page, rule: ItemRule, portal: Portal) -> Iterator[str]:
    nodes, _ = located(rule.pages, page.root)
    if nodes:
        addresses = [node.get("href") or "" for node in nodes if is_html(node)]
    if not nodes or not any(addresses):
        addresses = [found.text for found in texts(rule.pages, page.root, page)]
    for address in addresses:
        url = page.absolute(address)
        if url:
            yield own_url(portal, url)


def _belongs(url: str, capture: Capture, portal: Portal, matched: Matched) -> bool:
    if urls.host_of(url) != urls.host_of(capture.main.url):
        return False
    other = rule_for(portal, url, capture.main.captured_at.date())
    own = matched.groups.get("external_id")
    number = other.groups.get("external_id") if other else None
    return number is None or own is None or number == own
