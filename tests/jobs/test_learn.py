"""Learning of a stored collection."""

from __future__ import annotations

import pytest

from crawler.archive.collection import Collection
from crawler.config.portal import Portal
from crawler.errors import UsageError
from crawler.jobs.extract import Selection
from crawler.jobs.learn import learn_portal

PORTAL = Portal.model_validate(
    {
        "id": "harbour",
        "items": [{"match": "^/news/", "title": "h1", "body": ".article"}],
    }
)


def test_too_few_pages_are_told(collection: Collection) -> None:
    """Of two pages nothing can be learned; the message says how many there are."""
    with pytest.raises(UsageError, match="only 2 stored pages of portal 'harbour'"):
        learn_portal(collection, PORTAL, Selection(), 2)


def test_versions_stored_on_two_days_are_one_article(collection: Collection) -> None:
    """Six pages of two days are the two texts there are; no line of them repeats."""
    learned = learn_portal(collection, PORTAL, Selection(), 100)
    assert (len(learned.records), learned.articles, learned.lines) == (6, 2, ())
