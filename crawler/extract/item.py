"""Make the item of a captured page: pure, the same live, replayed and re-extracted.

1. The status, then pages that say they are gone, challenges, shells.
2. The rule for the URL and the day of the capture; each field by it, else from the
   hint, else from the page's head, else generic.
3. Required fields, identity, hashes, provenance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawler import __version__
from crawler.errors import LayoutChanged
from crawler.extract.document.bounds import cut_off
from crawler.extract.document.page import Page
from crawler.extract.document.rules import own_url, rule_of
from crawler.extract.fields.lookup import Sources
from crawler.extract.fields.metadata import Metadata
from crawler.extract.fields.parts import file_of
from crawler.extract.fields.reading import Reading
from crawler.extract.fields.zones import zone_of
from crawler.extract.guards import check_answer, check_item_page
from crawler.extract.hashes import item_hash
from crawler.extract.listings.further import pages_of
from crawler.extract.provenance import provenance_of
from crawler.item import Item

if TYPE_CHECKING:
    from crawler.config.portal import ItemRule, Portal
    from crawler.extract.article.body import Excluded
    from crawler.model import Capture

_NO_PAGE = "<html><body></body></html>"


@dataclass(frozen=True, slots=True)
class Extraction:
    """An item with how it came about.

    Attributes:
        excluded: lines of the page that are not in it, each with its reason.
        methods: field name to method; also in the item's provenance.
    """

    item: Item
    excluded: tuple[Excluded, ...]
    methods: dict[str, str]


def extract_item_from(
    capture: Capture,
    portal: Portal,
    *,
    config_digest: str,
    version: str = __version__,
) -> Extraction:
    """Return the item of a captured page, read by the portal's rules.

    Raises:
        NotExtracted: the capture gives no item, for a reason that is counted.
        LayoutChanged: a required field is missing.
        ConfigError: an expression of the portal cannot be compiled.
    """
    check_answer(capture.main, portal.crawl.max_parse)
    matched = rule_of(capture, portal)
    rule = matched.rule
    if rule.kind == "file":  # not to be parsed: URL and hint say all there is
        pages, cut = [Page(_NO_PAGE, capture.main.url, encoding="", method="")], False
    else:
        pages = pages_of(capture, portal, rule)
        cut = _cut(pages, rule)
        check_item_page(pages[0], rule)
    meta = Metadata(pages[0])
    sources = Sources(
        page=pages[0],
        url=own_url(portal, capture.main.url),
        rule=rule,
        groups=matched.groups,
        portal=portal,
        hint=capture.link.hint,
        meta=meta,
        at=capture.first_at,
        zone=zone_of(pages[0], portal, meta),
    )
    made = Reading(sources, tuple(pages))
    values = made.values()
    _check_required(values, sources)
    values |= made.identity(values)
    if rule.kind == "file":
        values["files"] = (file_of(capture, values["title"]),)
    elif len(pages) <= len(capture.further):
        values["flags"] = (*values["flags"], "further_page_missing")
    if cut:
        values["flags"] = (*values["flags"], "page_cut")
    provenance = provenance_of(
        capture, pages[0], made.methods, config_digest=config_digest, version=version
    )
    item = Item(
        kind=rule.kind,
        portal=portal.id,
        listing=capture.link.listing,
        provenance=provenance,
        **values,
    )
    item = item.model_copy(update={"item_hash": item_hash(item)})
    return Extraction(item, tuple(made.body.excluded), made.methods)


def _cut(pages: list[Page], rule: ItemRule) -> bool:
    """Bound what is looked at where no rule says which part of a page is the body."""
    if not rule.generic or rule.body:
        return False
    return sum(cut_off(page.tree) for page in pages if not page.is_json) > 0


def _check_required(values: dict[str, Any], sources: Sources) -> None:
    """Refuse an item without what the rule requires.

    Raises:
        LayoutChanged: naming all that is missing.
    """
    held = {
        **values,
        "body": values["body_text"] or values["images"],
        "published": values["published_at"],
        "modified": values["modified_at"],
        "source": values["source"].name,
    }
    missing = tuple(name for name in sources.rule.required if not held.get(name))
    if missing:
        raise LayoutChanged(missing, sources.url)
