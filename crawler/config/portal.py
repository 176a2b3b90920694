"""The vocabulary in which a portal is described: frozen models of the YAML.

A *rule* below is one expression or a list of them, the first that finds something
wins.  An expression is text (``.title``, ``css:h1::attr(title)``, ``xpath://h1``,
``json:data.title``, ``re:^编辑[：:](.+)$``) or a mapping that combines steps:
``{css: .info, re: '来源：(\\S+)'}``.  Without a prefix it is CSS on HTML and JMESPath on
JSON rows.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import field_validator, model_validator

from crawler.config.units import Count, Duration, Size

_PREFIX = re.compile(r"^(css|xpath|json|re):(.*)$", re.DOTALL)
_ATTRIBUTE = re.compile(r"^(.*?)::(?:attr\(([^()]+)\)|(text))$", re.DOTALL)


class Model(BaseModel):
    """What every model of the configuration is: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Expression(Model):
    """How to read texts from a page or a row; steps in the order given here.

    Attributes:
        css, xpath, json_path: select; at most one of them.  ``path`` is the form
            without a prefix, read as CSS or JMESPath by where it stands.
        attr: take this attribute of each element instead of its text.
        re: search in each text; group 1, or the whole match where there is no group.
            Alone it searches each line of the page's (or row's) text.
        split: cut each text at this regular expression.
        value: a constant; nothing is selected.
        format: a strptime form for times that the date grammar cannot know.
    """

    path: str | None = None
    css: str | None = None
    xpath: str | None = None
    json_path: str | None = Field(default=None, alias="json")
    attr: str | None = None
    re: str | None = None
    split: str | None = None
    value: str | None = None
    format: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        return _steps(given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_selector(self) -> Self:
        chosen = [
            name
            for name in ("path", "css", "xpath", "json_path", "value")
            if getattr(self, name) is not None
        ]
        if len(chosen) > 1:
            names = " and ".join(name.removesuffix("_path") for name in chosen)
            message = f"{names} exclude each other; give one"
            raise ValueError(message)
        if not chosen and self.re is None and self.attr is None:
            message = "nothing to select with; give css, xpath, json, re or value"
            raise ValueError(message)
        return self


def _steps(text: str) -> dict[str, str]:
    found = _PREFIX.match(text)
    kind, rest = (found[1], found[2].strip()) if found else ("path", text.strip())
    steps: dict[str, str] = {}
    if kind in ("path", "css") and (cut := _ATTRIBUTE.match(rest)):
        rest = cut[1].strip()
        if cut[2]:
            steps["attr"] = cut[2].strip()
        if not rest:  # "::attr(href)" alone: of the row itself
            return steps or {"css": ":scope"}
    steps["json" if kind == "json" else kind] = rest
    return steps


def _as_tuple(given: object) -> object:
    if given is None:
        return ()
    return tuple(given) if isinstance(given, list | tuple) else (given,)


Rule = Annotated[tuple[Expression, ...], BeforeValidator(_as_tuple)]
"""One expression or several; the first that finds something wins."""
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One text or a list of them."""


class SourceRule(Model):
    """``source``: a rule for the name alone, or for its parts."""

    name: Rule = ()
    publisher: Rule = ()
    channel: Rule = ()
    url: Rule = ()

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: object) -> object:
        parts = {"name", "publisher", "channel", "url"}
        if isinstance(given, dict) and (not given or parts & given.keys()):
            return given
        return given if isinstance(given, cls) else {"name": given}


class RowsRule(Model):
    """Rows with a title and a URL each: ``related: {rows: .hot a}``.

    ``rows`` alone takes each row's own text and href.
    """

    rows: Rule
    title: Rule = ()
    url: Rule = ()

    @model_validator(mode="before")
    @classmethod
    def _rows_alone(cls, given: object) -> object:
        return {"rows": given} if isinstance(given, str | list) else given


class SkipRule(Model):
    """A row to pass over: ``{when: "type=='ad'", reason: ad}`` or the condition alone.

    ``when`` is JMESPath on JSON rows, an expression that finds something on HTML rows.
    """

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


class NextRule(Model):
    """How the following page of a listing is named; one of page, cursor, url, offset.

    Attributes:
        page: ``{start: 2, step: 1, last: 40}``; ``{page}`` stands in the URL.
        cursor: JMESPath in the answer (or state); ``{cursor}`` stands in the URL.
        first: JMESPath of the first cursor, in the page that ``continue`` follows.
        more: JMESPath; the walk ends where it is false.
        url: rule for the whole URL.
    """

    page: PageNumbers | None = None
    cursor: str | None = None
    first: str | None = None
    more: str | None = None
    url: Rule = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.page is not None, self.cursor is not None, bool(self.url)]
        if sum(given) != 1:
            message = "next wants exactly one of page, cursor, url"
            raise ValueError(message)
        return self


class PageNumbers(Model):
    """Numbered pages: the number of the page after the first, the step, a last one."""

    start: int = 2
    step: int = 1
    last: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _start_alone(cls, given: object) -> object:
        if isinstance(given, bool):
            return {}
        return {"start": given} if isinstance(given, int) else given


class Continuation(Model):
    """How pages after the first are asked for and read, where that differs.

    ``url`` may hold ``{cursor}`` or ``{page}``; without it the next URL is taken whole.
    """

    from_: Literal["rows", "state", "json", "feed"] | None = Field(
        default=None, alias="from"
    )
    url: str | None = None
    rows: Rule = ()
    state: StateRule | None = None
    headers: dict[str, str] = {}
    params: dict[str, str] = {}


class Stop(Model):
    """When a walk over listing pages ends, whatever the pages say.

    Attributes:
        seen_pages: pages in a row without a link that is new to this run.
        max_pages: pages in all.
    """

    seen_pages: Count = 2
    max_pages: Count = 1000


class RequestRule(Model):
    """What is sent along: per portal, and per listing on top of it."""

    headers: dict[str, str] = {}
    params: dict[str, str] = {}
    cookies: dict[str, str] = {}
    encoding: str = "auto"


class ListingExpectation(Model):
    """Floors under which a listing is suspicious."""

    min_rows: int = 0
    every: Duration | None = None


class ListingRule(Model):
    """One way to find items on a portal: where the walk starts, how rows are read.

    Attributes:
        from_: where rows come from: ``rows`` (HTML), ``state`` (script), ``json``
            (API), ``feed`` (RSS, Atom, RDF), ``sitemap``.
        rows: the rule that finds the rows; feeds and sitemaps know theirs.
        fields: name to rule within a row.  ``url``, ``title``, ``published``,
            ``source``, ``summary``, ``image``, ``tags``, ``external_id``,
            ``author`` become hints; a flash listing also reads ``body``, ``tickers``.
        kind: ``flash``: a row whose URL matches no item rule is an item itself.
        ok: JMESPath; an answer where it is false is a failed page, not an empty one.
        skip: rows to pass over, each counted under its reason.
    """

    id: str
    from_: Literal["rows", "state", "json", "feed", "sitemap"] = Field(alias="from")
    url: str
    kind: Literal["article", "flash"] = "article"
    state: StateRule | None = None
    rows: Rule = ()
    fields: dict[str, Rule] = {}
    next: NextRule | None = None
    continue_: Continuation | None = Field(default=None, alias="continue")
    method: Literal["GET", "POST"] = "GET"
    body: str | None = None
    headers: dict[str, str] = {}
    params: dict[str, str] = {}
    cookies: dict[str, str] = {}
    encoding: str | None = None
    ok: str | None = None
    skip: tuple[SkipRule, ...] = ()
    strip_params: Texts = ()
    stop: Stop = Stop()
    expect: ListingExpectation = ListingExpectation()
    priority: int = 0

    @field_validator("skip", mode="before")
    @classmethod
    def _skips(cls, given: object) -> object:
        return _as_tuple(given)


class TickerRule(Model):
    """Securities from markup, and from text where ``text`` is on.

    Attributes:
        css: elements that each name one.
        symbol, name: rules within the element; by default ``$name (SYMBOL)$`` or its
            ``data-code`` is read.
        text: find ``名（09871.HK）``, ``$Name (SYM.US)$`` and the like in the body.
    """

    css: str | None = None
    symbol: Rule = ()
    name: Rule = ()
    text: bool = True

    @model_validator(mode="before")
    @classmethod
    def _css_alone(cls, given: object) -> object:
        if isinstance(given, bool):
            return {"text": given}
        return {"css": given} if isinstance(given, str) else given


class SummaryRule(Model):
    """A summary that the page carries and who wrote it."""

    rule: Rule
    origin: Literal["portal", "portal_ai"] = "portal"

    @model_validator(mode="before")
    @classmethod
    def _rule_alone(cls, given: object) -> object:
        if isinstance(given, dict) and "rule" in given:
            return given
        if isinstance(given, dict) and "origin" in given:
            rest = {key: value for key, value in given.items() if key != "origin"}
            return {"rule": rest, "origin": given["origin"]}
        return {"rule": given}


class ItemRule(Model):
    """How an item is read from its page.

    Attributes:
        match: regular expression searched in path and query; its named groups become
            fields (``external_id``).
        until: captures before this day use this rule, later ones a rule further down.
        ready: must match, or the page is a shell and no item.
        gone: texts that say the item was taken down (with status 200).
        remove: elements cut out of the body; drop_lines: body lines cut, by pattern.
        lazy: attributes that hold an image's real address, in order of trust.
        pages: links to the further pages of one article.
        required: without these fields there is no item but ``layout_changed``.
        generic: whether fields without a rule may come from the generic extractor.
    """

    match: str
    kind: Literal["article", "file"] = "article"
    until: str | None = None
    render: Literal["never", "auto", "always"] = "never"
    ready: Rule = ()
    gone: Texts = ()
    external_id: Rule = ()
    canonical_url: Rule = ()
    title: Rule = ()
    subtitle: Rule = ()
    body: Rule = ()
    lead: Rule = ()
    published: Rule = ()
    modified: Rule = ()
    authors: Rule = ()
    editor: Rule = ()
    source: SourceRule = SourceRule()
    summary: SummaryRule | None = None
    key_points: Rule = ()
    tags: Rule = ()
    sections: Rule = ()
    tickers: TickerRule = TickerRule()
    related: RowsRule | None = None
    files: RowsRule | None = None
    original_url: Rule = ()
    paywalled: Rule = ()
    remove: Texts = ()
    drop_lines: Texts = ()
    lazy: Texts = ("data-original", "data-src", "data-lazy-src")
    pages: Rule = ()
    required: Texts = ("title",)
    generic: bool = True
    encoding: str | None = None


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
        max_parse: bytes of a page beyond which no item is made of it.
        proxy: ``http://host:port`` for every request, robots.txt included.
    """

    user_agent: str = "portalkeep/0.1 (+https://example.org/portalkeep)"
    delay: Duration = 1.0
    concurrency: Count = 8
    per_host: Count = 2
    timeout: Duration = 60.0
    retries: int = Field(default=3, ge=0, le=20)
    retry_delay: Duration = 10.0
    max_redirects: Count = 10
    max_parse: Size = 20_000_000
    robots: Literal["obey", "ignore"] = "obey"
    robots_ttl: Duration = 86_400.0
    proxy: str | None = None
    allow_private: bool = False


class PortalExpectation(Model):
    """Floors under which a run ends with exit code 4.

    Attributes:
        min_items: items, new or unchanged, per run.
        max_failures: share of visited URLs that may fail, 0 to 1.
    """

    min_items: int = Field(default=0, ge=0)
    max_failures: float = Field(default=0.5, ge=0, le=1)


class Portal(Model):
    """One source as configured."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    name: str | None = None
    timezone: str = "UTC"
    language: str | None = None
    allow_private: bool | None = None
    scope: Scope = Scope()
    request: RequestRule = RequestRule()
    strip_params: Texts = ()
    id_scheme: Literal["external_id", "canonical_url", "url"] | None = Field(
        default=None, validation_alias=AliasChoices("id_scheme", "identity")
    )
    crawl: Manners = Manners()
    listings: tuple[ListingRule, ...] = ()
    items: tuple[ItemRule, ...] = ()
    expect: PortalExpectation = PortalExpectation()
    drop_lines: Texts = ()
    page_object: str | None = None
