"""What `try` takes an address for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.config.portal import Portal
from crawler.errors import UsageError
from crawler.jobs.looking.preview import link_for
from crawler.model import Kind

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
BASE = "http://h.example"
JSON = {"from": "json", "rows": "d", "fields": {"url": "u"}}
PORTAL = Portal.model_validate(
    {
        "id": "harbour",
        "items": [{"match": "^/item/"}],
        "listings": [
            {
                **JSON,
                "id": "pages",
                "url": f"{BASE}/list/{{page}}.json",
                "next": {"page": 2},
            },
            {
                **JSON,
                "id": "api",
                "url": f"{BASE}/api",
                "params": {"after": "{cursor}"},
                "headers": {"X-Mark": "yes"},
                "next": {"cursor": "c"},
            },
            {
                **JSON,
                "id": "posted",
                "method": "POST",
                "url": f"{BASE}/graph",
                "body": "c={cursor}",
                "next": {"cursor": "c"},
            },
        ],
    }
)


@pytest.mark.parametrize(
    ("target", "listing", "token"),
    [
        ("/list/1.json", "pages", None),
        ("/list/7.json", "pages", "1"),
        ("/api", "api", None),
        ("/api?after=k%201", "api", "-"),
        ("/graph", "posted", None),
        ("/item/list/7.json", None, None),
    ],
)
def test_pages_of_a_listing_are_told_from_items(
    target: str, listing: str | None, token: str | None
) -> None:
    """First pages and further ones are listings, read and asked for as such."""
    link = link_for(BASE + target, PORTAL, AT)
    assert (link.url, link.listing, link.token) == (BASE + target, listing, token)
    assert link.kind is (Kind.LISTING if listing else Kind.ITEM)
    assert (listing != "api") or dict(link.headers) == {"X-Mark": "yes"}


@pytest.mark.parametrize("target", ["/list/a/7.json", "/graph?c=2", "/else"])
def test_what_is_neither_is_told_what_there_is(target: str) -> None:
    """The message names the listings' first pages and the item rules."""
    with pytest.raises(UsageError, match=r"/list/1\.json.*\^/item/"):
        link_for(BASE + target, PORTAL, AT)
