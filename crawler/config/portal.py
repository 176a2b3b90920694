"""The vocabulary in which a portal is described: frozen models of the YAML.

The parts live in ``rule`` (expressions), ``listing`` and ``itempage``; other rooms
import all of them from here.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AliasChoices, Field

from crawler.config.browsing import BrowserRule, ClickRule, ScrollRule, Viewport
from crawler.config.itempage import ItemRule, Keeps, SummaryRule, TickerRule
from crawler.config.learned import Learned
from crawler.config.listing import (
    Continuation,
    DayLayout,
    ListingExpectation,
    ListingRule,
    SkipRule,
    StateRule,
)
from crawler.config.login import LoginRule
from crawler.config.rule import (
    Expression,
    Model,
    Named,
    RowsRule,
    Rule,
    SourceRule,
    Texts,
)
from crawler.config.schedule import ScheduleRule
from crawler.config.units import Count, Duration, Size
from crawler.config.walking import (
    DayRule,
    NextRule,
    OffsetRule,
    OldestRule,
    PageNumbers,
    Stop,
)

__all__ = [
    "BrowserRule",
    "ClickRule",
    "Continuation",
    "DayLayout",
    "DayRule",
    "Expression",
    "ItemRule",
    "ListingExpectation",
    "ListingRule",
    "LoginRule",
    "Manners",
    "Model",
    "NextRule",
    "OffsetRule",
    "OldestRule",
    "PageNumbers",
    "Portal",
    "PortalExpectation",
    "RequestRule",
    "RowsRule",
    "Rule",
    "ScheduleRule",
    "Scope",
    "ScrollRule",
    "SkipRule",
    "SourceRule",
    "StateRule",
    "Stop",
    "SummaryRule",
    "Texts",
    "TickerRule",
    "Viewport",
]


class RequestRule(Model):
    """What is sent along: per portal, and per listing on top of it.

    Attributes:
        redact_fields: names of parameters, form or JSON fields and headers whose
            values are masked in the archive, beyond those that variables bring.
    """

    headers: Named = Field(default={}, repr=False)
    params: Named = Field(default={}, repr=False)
    cookies: Named = Field(default={}, repr=False)
    encoding: str = "auto"
    redact_fields: Texts = ()


class Scope(Model):
    """Which URLs may be visited.

    Attributes:
        hosts: ``example.com`` (and its subdomains), ``=example.com`` (alone), ``*``
            (any).  Empty: the hosts of the listings.
        exclude: patterns searched in path and query of what is never visited.
        max_depth, max_items: None is no limit.
    """

    hosts: Texts = ()
    exclude: Texts = ()
    max_depth: Count | None = None
    max_items: Count | None = None


class Manners(Model):
    """How a portal's hosts are treated; top level, and per portal on top of it.

    Attributes:
        delay: between two requests to one host.
        concurrency: requests at once in all; per_host: to one host.
        retries: further tries after a failure that may pass.
        rest: how long a host is left alone after five failures in a row; each rest in
            a row is twice as long, and after three of them it is given up.
        max_parse: bytes of a page beyond which no item is made of it.
        proxy: ``http://host:port`` or ``socks5://host:port`` for every request,
            robots.txt included; of several each host is given one, in turn.
    """

    user_agent: str = "portalkeep/0.1 (+https://example.org/portalkeep)"
    delay: Duration = 1.0
    concurrency: Count = 8
    per_host: Count = 2
    timeout: Duration = 60.0
    retries: int = Field(default=3, ge=0, le=20)
    retry_delay: Duration = 10.0
    rest: Duration = 30.0
    max_redirects: Count = 10
    max_parse: Size = 10_000_000
    robots: Literal["obey", "ignore"] = "obey"
    robots_ttl: Duration = 86_400.0
    proxy: str | tuple[str, ...] | None = Field(default=None, repr=False)  # passwords
    allow_private: bool = False


CoverField: TypeAlias = Literal[
    "title", "body", "published", "authors", "source", "summary", "images", "tags"
]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class PortalExpectation(Model):
    """Floors under which a run ends with exit code 4.

    Attributes:
        min_items: items, new or unchanged, per run.
        max_failures: share of visited URLs that may fail, or be captured without what
            they should give (blocked, http_status, layout_changed, …), 0 to 1.
        coverage: share of articles that must have a field, 0 to 1; of title, body and
            published without a share here, about what the runs before had.
    """

    min_items: int = Field(default=0, ge=0)
    max_failures: float = Field(default=0.5, ge=0, le=1)
    coverage: dict[CoverField, Share] = Field(default={})


class Portal(Model):
    """One source as configured; it hashes by its id.

    Attributes:
        timezone: of times that the pages give without an offset.
        language: BCP 47, of pages that do not say it.
        allow_private: short for ``crawl: {allow_private: …}``; the same after loading.
        strip_params: query parameters cut from every URL; its listings inherit them.
        id_scheme: what an item's id is made of; ``identity`` is another name for it.
        schedule: of the listings that have none of their own.
        drop_lines, keep: as in an item rule; its item rules inherit them.
        learned: name of the learned file as written; its content after loading.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    name: str | None = None
    timezone: str = "UTC"
    language: str | None = None
    allow_private: bool | None = None
    scope: Scope = Scope()
    request: RequestRule = RequestRule()
    login: LoginRule | None = None
    strip_params: Texts = ()
    id_scheme: Literal["external_id", "canonical_url", "url"] | None = Field(
        default=None, validation_alias=AliasChoices("id_scheme", "identity")
    )
    crawl: Manners = Manners()
    listings: tuple[ListingRule, ...] = ()
    items: tuple[ItemRule, ...] = ()
    expect: PortalExpectation = PortalExpectation()
    schedule: ScheduleRule | None = None
    drop_lines: Texts = ()
    keep: Keeps = ()
    learned: Learned | None = None

    def __hash__(self) -> int:
        return hash(self.id)
