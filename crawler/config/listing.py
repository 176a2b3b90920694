"""How a portal's listings are walked and their rows read: frozen models of the YAML."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from crawler.config.browsing import BrowserRule, ClickRule, ScrollRule
from crawler.config.rule import Model, Named, Rule, Texts, as_tuple
from crawler.config.schedule import ScheduleRule
from crawler.config.units import Count, Duration


class SkipRule(Model):
    """A row to pass over: ``{when: "type=='ad'", reason: ad}`` or the condition alone.

    ``when`` is JMESPath on JSON rows, an expression that finds something on HTML rows.
    """

    shorthand = (str,)

    when: str
    reason: str = "skip_rule"

    @model_validator(mode="before")
    @classmethod
    def _condition_alone(cls, given: object) -> object:
        return {"when": given} if isinstance(given, str) else given


class StateRule(Model):
    """Data that a page's script assigns: by variable name or by script id.

    Attributes:
        name: the variable assigned to (``__INITIAL_STATE__``, ``window.`` optional).
        script: the id of a ``<script type=application/json>``, such as
            ``__NEXT_DATA__``.
        rows: JMESPath to the rows.
    """

    name: str | None = None
    script: str | None = None
    rows: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.name is None) == (self.script is None):
            message = "give either name (a variable) or script (a script's id)"
            raise ValueError(message)
        return self


class PageNumbers(Model):
    """Numbered pages: the second page's number, the step to the next, a last one.

    The first page's number, where its request has ``{page}``, is a step less.
    """

    shorthand = (int, Literal[True])

    start: int = 2
    step: int = 1
    last: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _start_alone(cls, given: object) -> object:
        if isinstance(given, bool):
            return {}
        return {"start": given} if isinstance(given, int) else given


class NextRule(Model):
    """How a listing goes on; one of page, cursor, url, click, scroll.

    Attributes:
        page: ``{start: 2, step: 1, last: 40}``; ``{page}`` stands in the request.
        cursor: JMESPath in the answer (or state); ``{cursor}`` stands in the request.
        first: JMESPath of the first cursor, in the page that ``continue`` follows.
        more: JMESPath; the walk ends where it is false.
        url: rule for the whole URL.
        click, scroll: on the same page, shown by a browser; all of it is one page of
            the walk.
    """

    shorthand = (Literal["scroll"],)

    page: PageNumbers | None = None
    cursor: str | None = None
    first: str | None = None
    more: str | None = None
    url: Rule = ()
    click: ClickRule | None = None
    scroll: ScrollRule | None = None

    @model_validator(mode="before")
    @classmethod
    def _scroll_alone(cls, given: object) -> object:
        return {"scroll": True} if given == "scroll" else given

    @model_validator(mode="after")
    def _one(self) -> Self:
        ways = (self.page, self.cursor, self.url or None, self.click, self.scroll)
        if sum(way is not None for way in ways) != 1:
            message = "next wants exactly one of page, cursor, url, click, scroll"
            raise ValueError(message)
        return self

    @property
    def is_on_page(self) -> bool:
        """Whether a browser goes on by itself, on the same page."""
        return self.click is not None or self.scroll is not None


class Continuation(Model):
    """How pages after the first are asked for and read, where that differs.

    ``url`` may hold ``{cursor}`` or ``{page}``; without it the next URL is taken whole.
    ``fields`` are on top of the listing's own.  ``method`` and ``body`` are the
    listing's where they are not given; without POST no body is sent.
    """

    from_: Literal["rows", "state", "json", "feed"] | None = Field(
        default=None, alias="from"
    )
    url: str | None = None
    rows: Rule = ()
    state: StateRule | None = None
    fields: dict[str, Rule] = Field(default={})
    method: Literal["GET", "POST"] | None = None
    body: str | None = None
    headers: Named = Field(default={}, repr=False)
    params: Named = Field(default={}, repr=False)


class Stop(Model):
    """When a walk over listing pages ends, whatever the pages say.

    Attributes:
        seen_pages: pages in a row without a link that is new to this run.
        max_pages: pages in all.
    """

    seen_pages: Count = 2
    max_pages: Count = 1000


class ListingExpectation(Model):
    """Floors under which a listing is suspicious."""

    min_rows: int = 0
    every: Duration | None = None


LISTING_FIELDS = (
    *("url", "title", "published", "source", "summary", "image", "tags"),
    *("external_id", "author"),
)
"""What ``fields`` of a listing may name; each becomes a hint of that name."""
FLASH_FIELDS = (*LISTING_FIELDS, "body", "tickers")
"""The same for a flash listing."""


OF_PAGES = ("rows", "state", "auto")
"""Where rows come from a page that a browser could show."""
Source: TypeAlias = Literal["rows", "state", "json", "feed", "sitemap", "auto"]


class ListingRule(Model):
    """One way to find items on a portal: where the walk starts, how rows are read.

    Attributes:
        from_: where rows come from: ``rows`` (HTML), ``state`` (script), ``json``
            (API), ``feed`` (RSS, Atom, RDF), ``sitemap``, ``auto`` (whatever the page
            is, its items and its next page found without rules).
        rows: the rule that finds the rows; feeds, sitemaps and ``auto`` know theirs.
        fields: name to rule within a row.  ``url``, ``title``, ``published``,
            ``source``, ``summary``, ``image``, ``tags``, ``external_id``,
            ``author`` become hints; a flash listing also reads ``body``, ``tickers``.
        kind: ``flash``: a row whose URL matches no item rule is an item itself.
        ok: JMESPath; an answer where it is false is a failed page, not an empty one.
        render: ``auto``: a browser shows the page where the plain response lacks
            ``ready`` or any row; ``always``: whatever the response is.
        ready: must match, or the page is a shell and no listing.
        wait_for: what a browser waits for; not set, ``ready``, or the rows.
        browser: what it does with the page.
        skip: rows to pass over, each counted under its reason.
    """

    id: str
    from_: Source = Field(alias="from")
    url: str
    kind: Literal["article", "flash"] = "article"
    state: StateRule | None = None
    rows: Rule = ()
    fields: dict[str, Rule] = Field(default={})
    next: NextRule | None = None
    continue_: Continuation | None = Field(default=None, alias="continue")
    method: Literal["GET", "POST"] = "GET"
    body: str | None = None
    headers: Named = Field(default={}, repr=False)
    params: Named = Field(default={}, repr=False)
    cookies: Named = Field(default={}, repr=False)
    encoding: str | None = None
    ok: str | None = None
    render: Literal["never", "auto", "always"] = "never"
    ready: Rule = ()
    wait_for: Rule = ()
    browser: BrowserRule = BrowserRule()
    skip: tuple[SkipRule, ...] = ()
    strip_params: Texts = ()
    stop: Stop = Stop()
    expect: ListingExpectation = ListingExpectation()
    schedule: ScheduleRule | None = None
    priority: int = 0

    def __hash__(self) -> int:
        return hash(self.id)

    @field_validator("skip", mode="before")
    @classmethod
    def _skips(cls, given: object) -> object:
        return as_tuple(given)
