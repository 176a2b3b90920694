"""``show --dom``, ``--screenshot``, ``--rendered``: pages that a browser showed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.cli import output
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.cli.state import State
    from crawler.jobs.looking.offline import ShownAgain
    from crawler.jobs.looking.shown import Shown


def document(state: State, shown: Shown, out: Path | None) -> None:
    """Write what a page showed."""
    from crawler.jobs.looking import shown as job

    output.bytes_to(out, job.document(state.collection(), shown))


def picture(state: State, shown: Shown, out: Path | None) -> None:
    """Write a picture of a page.

    Raises:
        UsageError: none is stored, or stdout is a terminal; the message says what to
            do.
    """
    from crawler.jobs.looking import shown as job

    content = job.picture(state.collection(), shown)
    if out is None and sys.stdout.isatty():
        raise UsageError("a picture is nothing for a terminal; give -o FILE")
    output.bytes_to(out, content)


def again(state: State, shown: Shown, out: Path | None) -> None:
    """Write what Chromium makes of the archived page now; say what was missing.

    Raises:
        NotRendered: it shows nothing.
    """
    from crawler.jobs.crawl import renderer_of
    from crawler.jobs.looking.offline import show_again
    from crawler.jobs.redaction import redaction_of

    portal = state.portal(shown.stored.portal)
    made = show_again(
        state.collection(),
        portal,
        shown,
        renderer_of(state.settings),
        redaction_of(portal, state.settings),
    )
    if state.json:
        output.dump(_as_json(shown, made))
    else:
        _tell(made)
    if made.failure is not None:
        raise made.failure
    if out is not None or not state.json:
        output.bytes_to(out, made.steps[-1])


def _as_json(shown: Shown, made: ShownAgain) -> dict[str, object]:
    return {
        "url": shown.stored.line.url,
        "page_id": shown.page_id,
        "captured_at": shown.stored.line.date,
        "failure": str(made.failure) if made.failure else None,
        "answered": made.answered,
        "misses": [
            {"method": method, "url": url, "count": count}
            for method, url, count in made.misses
        ],
        "differences": list(made.differences),
        "document": made.steps[-1].decode() if made.steps else None,
    }


def _tell(made: ShownAgain) -> None:
    for method, url, count in made.misses:
        output.say(f"miss: {method} {url}" + (f" ({count} times)" if count > 1 else ""))
    gives = "the same as then"
    if made.differences:
        gives = f"another {', '.join(made.differences)}"
    output.say(
        f"{made.answered} requests answered from the archive, "
        f"{len(made.misses)} missed; the document gives {gives}"
    )
