"""``login``: how to become a reader whom the portal knows."""

from __future__ import annotations

from pydantic import Field

from crawler.config.rule import Model, Named, Rule


class LoginRule(Model):
    """A form that is filled in and sent before anything else is visited.

    Attributes:
        url: of the page with the form; without ``form``, what the fields are sent to.
        fields: of the form; each holds a variable, since nothing secret is in a file.
        constants: further fields, such as ``remember: 1``.
        form: CSS of the form on the page at ``url``: where it is sent to and its
            hidden fields, tokens against forgery among them, are read from it.
        ok: what only the answer to a login that succeeded has; HTML or JSON.
        ok_url: pattern that the URL of that answer matches.
        logged_out: what only a page for strangers has: one log-in and one more visit.
    """

    url: str
    fields: Named = Field(min_length=1, repr=False)
    constants: Named = Field(default={})
    form: str | None = None
    ok: Rule = ()
    ok_url: str | None = None
    logged_out: Rule = ()
