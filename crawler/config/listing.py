"""How a portal's listings are walked and their rows read: frozen models of the YAML."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from crawler.config.browsing import BrowserRule
from crawler.config.rule import Model, Named, Rule, Texts, as_tuple
from crawler.config.schedule import ScheduleRule
from crawler.config.units import Duration
from crawler.config.walking import DayRule, NextRule, Stop


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


class Continuation(Model):
    """How pages after the first are asked for and read, where that differs.

    ``url`` may hold ``{cursor}`` or what else ``next`` counts by; without it the next
    URL is taken whole.  ``fields`` are on top of the listing's own.  ``method`` and
    ``body`` are the listing's where they are not given; without POST no body is sent.
    """

    from_: Literal["rows", "state", "json", "jsonp", "feed"] | None = Field(
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


class DayLayout(Model):
    """How the pages of days before ``until`` are asked for and read.

    What is not given is the listing's own; ``fields`` are on top of its fields.

    Attributes:
        until: days before this one have this layout, unless they are before an
            earlier ``until`` of another.
    """

    until: str
    from_: Literal["rows", "state", "json", "jsonp"] | None = Field(
        default=None, alias="from"
    )
    url: str | None = None
    rows: Rule = ()
    state: StateRule | None = None
    fields: dict[str, Rule] = Field(default={})
    encoding: str | None = None


class ListingExpectation(Model):
    """Floors under which a listing is suspicious."""

    min_rows: int = 0
    every: Duration | None = None


LISTING_FIELDS = (
    *("url", "title", "published", "updated", "source", "summary", "image", "tags"),
    *("external_id", "author"),
)
"""What ``fields`` of a listing may name; each becomes a hint of that name."""
FLASH_FIELDS = (*LISTING_FIELDS, "body", "tickers")
"""The same for a flash listing."""


OF_PAGES = ("rows", "days", "state", "auto")
"""Where rows come from a page that a browser could show."""
OF_HTML = ("rows", "days")
"""Where rows are elements of an HTML page."""
Source: TypeAlias = Literal[
    "rows", "days", "state", "json", "jsonp", "feed", "sitemap", "auto"
]


class ListingRule(Model):
    """One way to find items on a portal: where the walk starts, how rows are read.

    Attributes:
        from_: where rows come from: ``rows`` (HTML), ``state`` (script), ``json``
            (API), ``jsonp`` (an API that calls a function), ``feed`` (RSS, Atom, RDF),
            ``sitemap``, ``days`` (HTML, a page a day), ``auto`` (whatever the page
            is, its items and its next page found without rules).
        rows: the rule that finds the rows; feeds, sitemaps and ``auto`` know theirs.
        fields: name to rule within a row.  ``url``, ``title``, ``published``,
            ``source``, ``summary``, ``image``, ``tags``, ``external_id``,
            ``author`` become hints; a flash listing also reads ``body``, ``tickers``.
        kind: ``flash``: a row whose URL matches no item rule is an item itself.
        layouts: of days past, where ``next`` is ``day``.
        sign: ``module:function`` that signs each request; takes the query's parameters
            and the body as text, and returns the parameters to add.
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
    layouts: tuple[DayLayout, ...] = ()
    sign: str | None = None
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

    @property
    def days(self) -> DayRule | None:
        """How the days are walked, None of a listing that has no page a day."""
        if self.next is None:
            return DayRule() if self.from_ == "days" else None
        return self.next.day

    @property
    def walk_stop(self) -> Stop:
        """When its walk ends; days without news are counted by their own limit."""
        if self.days is None:
            return self.stop
        return self.stop.model_copy(update={"seen_pages": self.days.empty})

    @field_validator("skip", "layouts", mode="before")
    @classmethod
    def _lists(cls, given: object) -> object:
        return as_tuple(given)
