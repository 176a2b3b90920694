"""The verbs ``portals new`` and ``portals learn``: rules proposed, repeats learned."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.again import selection_of
from crawler.cli.state import State, state_of
from crawler.cli.values import FromOption, RunOption, ToOption
from crawler.config.syntax import timezone_fault
from crawler.errors import UsageError
from crawler.urls import hostname_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.learned import Learned
    from crawler.jobs.looking.compared import Compared, ComparedListing
    from crawler.jobs.looking.propose import Proposal

PORTALS = "portals"
"""The directory where proposed portals are put."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_COMMON = frozenset({"www", "news", "m", "wap", "mobile", "co", "com", "net", "org"})
_SHOWN = 48
_MORE = {"button": "a button brings more; see `next` in docs/configuration.md"}
LEARNED = "learned"
"""The directory beside the configuration where learned files are put."""
PAGES = 200


def learn(
    ctx: typer.Context,
    portal: Annotated[str, typer.Argument(help="Id of a portal.")],
    *,
    run: RunOption = None,
    from_day: FromOption = None,
    to_day: ToOption = None,
    pages: Annotated[
        int, typer.Option("--pages", min=3, help="The newest item pages to look at.")
    ] = PAGES,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Default: learned/PORTAL.json beside the configuration.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show what repeats.")
    ] = False,
) -> None:
    """Learn of stored captures which lines repeat on every page; write them to a file.

    The file takes effect when the portal names it (`learned: FILE`).
    """
    from crawler.jobs.learn import change_of, learn_portal, write_learned

    state = state_of(ctx)
    chosen = state.portal(portal)
    path = out or state.config_path().parent / LEARNED / f"{chosen.id}.json"
    selection = selection_of(state, chosen, run, from_day, to_day)
    learned = learn_portal(state.collection(), chosen, selection, pages)
    change = change_of(path, learned)
    if not dry_run:
        write_learned(path, learned)
    if state.json:
        output.dump({"file": str(path), **learned.model_dump(mode="json")})
    else:
        output.table(("what", "pages", "text"), _rows(learned))
    output.say(
        f"{chosen.id}: {learned.articles} articles; {len(change.added)} repeats more "
        f"and {len(change.removed)} less than before; "
        f"{'nothing is written' if dry_run else f'{str(path)!r} is written'}"
    )
    if chosen.learned is None and not dry_run:
        where = state.config_path().parent
        name = path.relative_to(where) if path.is_relative_to(where) else path
        output.say(
            f"name it in the portal's rules: `learned: {name}`, then look at "
            f"`portalkeep extract {chosen.id} --diff`"
        )


def _rows(learned: Learned) -> Iterator[tuple[object, ...]]:
    yield from (("line", line.pages, line.text) for line in learned.lines)
    yield from (("image", None, url) for url in learned.images)
    yield from (("title suffix", None, text) for text in learned.title_suffixes)


def new(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="A page, feed or API that lists items.")],
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Id of the portal; by the host.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Of times without an offset.")
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="The portal is in a private network."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Default: portals/NAME.yaml; '-': stdout.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write no file; show the rules on stdout.")
    ] = False,
) -> None:
    """Propose rules for a portal: fetch a listing and three of its items.

    Nothing is archived. The rules are written to a file, and what each field would be
    is shown beside what is read without rules.
    """
    from crawler.jobs.looking.propose import Wish, propose

    state = state_of(ctx)
    wish = Wish(url, _name_for(url, name), _zone_for(timezone), allow_private)
    path = (
        None
        if dry_run or str(out) == "-"
        else out or Path(PORTALS, f"{wish.name}.yaml")
    )
    if path is not None and path.exists():
        message = f"{str(path)!r} exists and is not overwritten; name another with -o"
        raise UsageError(message)
    output.say("preview: nothing is archived")
    with tempfile.TemporaryDirectory(prefix="portalkeep-") as directory:
        found = propose(
            wish, state.settings_if_any(), state.clock()[0], Path(directory)
        )
    _show_proposal(state, found, path)


def _show_proposal(state: State, found: Proposal, path: Path | None) -> None:
    from crawler.config.write import portal_text
    from crawler.jobs.looking.compared import compare_fields, compare_listing

    fields, listing = compare_fields(found), compare_listing(found)
    text = portal_text(found.tree, _head(found), _notes(fields))
    if path is not None:
        _write_new(path, text)
    if state.json:
        output.dump(_report(found, fields, listing, text, path))
    elif path is None:
        output.write(text)
    _say_proposal(found, fields, listing)
    if path is not None:
        output.say(
            f"{str(path)!r} is written; look it over, then: "
            f"portalkeep --config {path} crawl --limit 5"
        )


def _say_proposal(
    found: Proposal, fields: tuple[Compared, ...], listing: ComparedListing
) -> None:
    output.say(
        f"listing: from {listing.source}"
        f"{'' if listing.rule == 'generic' else f', {listing.rule}'}: {listing.links} "
        f"links, {listing.meant} without rules (F1 {listing.f1}); "
        f"next: {listing.next_url or 'none'}"
    )
    if listing.next_url is None and listing.source not in {"feed", "sitemap"}:
        more = _MORE.get(listing.paging or "", "if it goes on, say how (`next`)")
        output.say(f"only this page is read: {more}")
    for sample in found.samples:
        output.say(f"item: {sample.capture.main.url}")
    for url, reason in found.refused:
        output.say(f"no item: {url}: {reason}")
    rows = (
        (x.name, x.rule, f"{x.same} of {x.of}", *(_brief(value) for value in x.values))
        for x in fields
    )
    pages = [f"page {at}" for at, _ in enumerate(found.samples, 1)]
    columns = ("field", "rule", "as generic", *pages)
    output.say_table(columns, rows)


def _report(
    found: Proposal,
    fields: tuple[Compared, ...],
    listing: ComparedListing,
    text: str,
    path: Path | None,
) -> dict[str, object]:
    return {
        "preview": True,
        "portal": found.portal.id,
        "file": str(path) if path else None,
        "listing": dataclasses.asdict(listing),
        "items": [sample.capture.main.url for sample in found.samples],
        "refused": [{"url": url, "reason": why} for url, why in found.refused],
        "fields": [dataclasses.asdict(one) for one in fields],
        "yaml": text,
    }


def _head(found: Proposal) -> str:
    return (
        f"Proposed by `portalkeep portals new` from {found.listed.capture.main.url}\n"
        f"and {len(found.samples)} of its items. A field without a rule is read "
        "without one.\nThe time zone is a guess unless it was given."
    )


def _notes(fields: tuple[Compared, ...]) -> dict[str, str]:
    return {x.name: f"as without a rule on {x.same} of {x.of} pages" for x in fields}


def _brief(value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)})"


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        UsageError: it is there, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        message = f"{str(path)!r} cannot be written: {exc.strerror}"
        raise UsageError(message) from exc


def _name_for(url: str, name: str | None) -> str:
    """Return the portal's id: as given, else the telling part of the host.

    Raises:
        UsageError: what is given is no id.
    """
    if name is None:
        parts = [x for x in hostname_of(url).lower().split(".") if x not in _COMMON]
        numeric = not parts or parts[-1].isdigit() or ":" in parts[0]
        told = "portal" if numeric else parts[max(0, len(parts) - 2)]
        name = re.sub(r"[^a-z0-9_-]", "", told) or "portal"
    if not _ID.fullmatch(name):
        message = f"--name {name!r} is no id; use a to z, 0 to 9, - and _"
        raise UsageError(message)
    return name


def _zone_for(timezone: str | None) -> str | None:
    """Return the time zone as given.

    Raises:
        UsageError: there is none of that name.
    """
    fault = timezone_fault(timezone) if timezone is not None else None
    if fault is not None:
        raise UsageError(f"--timezone: {fault}")
    return timezone
